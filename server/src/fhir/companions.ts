/** Organization and RelatedPerson as data: what is stored of them, what searches may ask, how they are shown. */
import type { Companion, CompanionType } from '../domain/companions.ts';
import { folded } from './folding.ts';
import type { CompanionResource, HumanName, Identifier, Organization, Reference, RelatedPerson } from './r4.ts';
import { relativeReference } from './references.ts';

/** What a search may ask of a resource: it has, or has not, a term. */
export interface Term {
  readonly parameter: string;
  readonly value: string;
}

/** Of a system and a value; systems hold no line break. */
export const pairTerm = (system: string, value: string): string => `${system}\n${value}`;

const present = (texts: readonly (string | null | undefined)[]): readonly string[] =>
  texts.filter((text) => typeof text === 'string');

const tokenTerms = (parameter: string, system: string | undefined, code: string | undefined): readonly Term[] => [
  ...(code === undefined
    ? []
    : [
        { parameter, value: pairTerm(system ?? '', code) },
        { parameter: `${parameter}:code`, value: code },
      ]),
  ...(system === undefined ? [] : [{ parameter: `${parameter}:system`, value: system }]),
];

const identifierTerms = (identifiers: readonly Identifier[] = []): readonly Term[] =>
  identifiers.flatMap(({ system, value }) => tokenTerms('identifier', system, value));

const conceptTerms = (parameter: string, concepts: Organization['type'] = []): readonly Term[] =>
  concepts.flatMap(({ coding = [] }) => coding.flatMap(({ system, code }) => tokenTerms(parameter, system, code)));

const nameTerms = (names: readonly string[]): readonly Term[] =>
  names.flatMap((name) => [
    { parameter: 'name', value: folded(name) },
    { parameter: 'name:exact', value: name },
  ]);

const partsOf = ({ text, family, given = [], prefix = [], suffix = [] }: HumanName): readonly string[] =>
  present([text, family, ...given, ...prefix, ...suffix]);

/** `Patient/x` by its id, what leads elsewhere as it is. */
const referenceTerms = (parameter: string, { reference }: Reference = {}): readonly Term[] =>
  reference === undefined ? [] : [{ parameter, value: relativeReference(reference)?.id ?? reference }];

const ofOrganization = ({ name, alias = [], type, partOf }: Organization): readonly Term[] => [
  ...nameTerms(present([name, ...alias])),
  ...conceptTerms('type', type),
  ...referenceTerms('partof', partOf),
];

const ofRelatedPerson = ({ name = [], relationship, gender, patient }: RelatedPerson): readonly Term[] => [
  ...nameTerms(name.flatMap(partsOf)),
  ...conceptTerms('relationship', relationship),
  ...(gender === undefined ? [] : tokenTerms('gender', 'http://hl7.org/fhir/administrative-gender', gender)),
  ...referenceTerms('patient', patient),
];

/** Every term of a resource, each once. Derived from its content alone: kept, erased and verified with it. */
export function termsOf({ id }: Pick<Companion, 'id'>, text: string): readonly Term[] {
  // Written by contentOf after validation.
  const resource = JSON.parse(text) as CompanionResource;
  const own = resource.resourceType === 'Organization' ? ofOrganization(resource) : ofRelatedPerson(resource);
  const all = [
    { parameter: '_id', value: id },
    { parameter: 'active:code', value: String(resource.active ?? true) },
    ...identifierTerms(resource.identifier),
    ...own,
  ];
  return [...new Map(all.map((term) => [`${term.parameter}\n${term.value}`, term])).values()];
}

/** The Patient that a RelatedPerson is related to, by its id here; undefined where it is named otherwise. */
export const patientIdIn = (text: string): string | undefined => {
  const { patient } = JSON.parse(text) as Partial<RelatedPerson>;
  const named = relativeReference(patient?.reference ?? '');
  return named?.type === 'Patient' ? named.id : undefined;
};

/** As it is answered: what was submitted, under the registry's id and version. */
export const renderCompanion = (
  { type, id, version, lastUpdated }: Pick<Companion, 'type' | 'id' | 'version' | 'lastUpdated'>,
  text: string,
): CompanionResource => {
  const submitted = JSON.parse(text) as CompanionResource;
  const meta = { ...submitted.meta, versionId: String(version), lastUpdated };
  return { ...submitted, resourceType: type, id, meta } as CompanionResource;
};

/** What each parameter of a search is, by type of resource. */
export const COMPANION_PARAMETERS = {
  Organization: { _id: 'token', identifier: 'token', name: 'string', type: 'token', active: 'token', partof: 'reference' },
  RelatedPerson: {
    _id: 'token',
    identifier: 'token',
    patient: 'reference',
    name: 'string',
    relationship: 'token',
    gender: 'token',
    active: 'token',
  },
} as const satisfies Readonly<Record<CompanionType, Readonly<Record<string, 'token' | 'string' | 'reference'>>>>;

/** What `_include` may ask for, by type of resource. */
export const COMPANION_INCLUDES = { Organization: 'partof', RelatedPerson: 'patient' } as const;
