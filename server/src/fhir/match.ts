import type { Issue, Refusal } from '../domain/errors.ts';
import type { Evidence } from '../domain/links.ts';
import { isFields } from './fields.ts';
import { operationOutcome } from './outcome.ts';
import type { Bundle, BundleEntry, Extension, Patient } from './r4.ts';
import { refuse, warning } from './refusal.ts';

/** Input of `$match`: R4 operation-patient-match.html, IHE PDQm ITI-119. */
export interface MatchInput {
  /** Not validated yet. */
  readonly resource: unknown;
  readonly onlyCertainMatches: boolean;
  /** R6 has it, R4 and PDQm do not: an extension of ours. */
  readonly onlySingleMatch: boolean;
  readonly count: number;
  /** Names of parameters that are not known (D13). */
  readonly unknown: readonly string[];
}

/** PDQ-119-02: `certainly-not` is never answered. */
export type MatchGrade = 'certain' | 'probable' | 'possible';

const MATCH_GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';

const DEFAULT_COUNT = 50;
const MAX_COUNT = 200;

const DEFAULTS: MatchInput = {
  resource: undefined,
  onlyCertainMatches: false,
  onlySingleMatch: false,
  count: DEFAULT_COUNT,
  unknown: [],
};

/** Anywhere in a resource: what it says may turn the meaning of its element, and we know none (PDQ-119-12). */
const hasModifier = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(hasModifier)
    : isFields(value) && (value['modifierExtension'] !== undefined || Object.values(value).some(hasModifier));

const wrong = (words: string): Refusal => refuse('invalid-structure', words, 'Parameters.parameter');

const unmodified = (input: MatchInput): MatchInput | Refusal =>
  hasModifier(input.resource)
    ? refuse('invalid-structure', 'The Patient has a modifierExtension that this registry does not understand.', 'Patient')
    : input;

type Draft = { -readonly [K in keyof MatchInput]: MatchInput[K] };

/** One parameter into the draft; answers what is wrong with it. */
function readParameter(draft: Draft, parameter: unknown): Refusal | undefined {
  if (!isFields(parameter)) return wrong('A parameter is an object with a name.');
  const { name, resource, valueBoolean, valueInteger, valuePositiveInt } = parameter;
  if (typeof name !== 'string') return wrong('A parameter is an object with a name.');
  switch (name) {
    case 'resource':
      if (draft.resource !== undefined) return wrong('There is one parameter resource.');
      draft.resource = resource;
      return undefined;
    case 'onlyCertainMatches':
    case 'onlySingleMatch':
      if (typeof valueBoolean !== 'boolean') return wrong(`${name} is a valueBoolean.`);
      draft[name] = valueBoolean;
      return undefined;
    case 'count': {
      const count = valueInteger ?? valuePositiveInt;
      if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) return wrong('count is a valueInteger from 1.');
      draft.count = Math.min(count, MAX_COUNT);
      return undefined;
    }
    default:
      draft.unknown = [...draft.unknown, name];
      return undefined;
  }
}

/** Reads the body of `$match`: Parameters, or the bare Patient (PDQ-119-14). A body without a Patient is 400 (PDQ-119-17). */
export function readMatch(body: unknown): MatchInput | Refusal {
  const draft: Draft = { ...DEFAULTS };
  if (isFields(body) && body['resourceType'] === 'Parameters') {
    const parameters = body['parameter'] ?? [];
    if (!Array.isArray(parameters)) return wrong('Parameters.parameter is a list.');
    for (const parameter of parameters) {
      const refused = readParameter(draft, parameter);
      if (refused) return refused;
    }
    if (draft.resource === undefined) return wrong('$match needs a parameter resource: the Patient to look for.');
  } else draft.resource = body;
  return unmodified(draft);
}

/** D13: PDQm closes the list of parameters, and FHIR lets a sender say how closely that is meant. */
export const refuseUnknown = ({ unknown: [first] }: MatchInput): Refusal | undefined =>
  first === undefined
    ? undefined
    : wrong('The parameters of $match are resource, onlyCertainMatches, onlySingleMatch and count.');

export const remarksOnUnknown = ({ unknown }: MatchInput): readonly Issue[] =>
  unknown.map((name) => warning(`The parameter ${name.slice(0, 64)} of $match is not known here; it was ignored.`));

/** The body of a dry run of OpenCR 1.x: the Patient alone, and all who resemble it are answered. */
export const readDryRun = (body: unknown): MatchInput | Refusal => unmodified({ ...DEFAULTS, resource: body, count: MAX_COUNT });

/** A Patient that resembles the one asked about, as the asker may see it. */
export interface MatchedPatient {
  readonly patient: Patient;
  readonly grade: MatchGrade;
  /** 0 to 1, the best first. */
  readonly score: number;
  /** What the decision rule saw, for those who may know; null for others. */
  readonly evidence: { readonly rule: string; readonly comparisons: readonly Evidence[] } | null;
}

const evidenceExtension = (baseUri: string, { rule, comparisons }: NonNullable<MatchedPatient['evidence']>): Extension => ({
  url: `${baseUri}/matchEvidence`,
  extension: [
    { url: 'rule', valueString: rule },
    ...comparisons.map(({ comparison, measure, agrees, contribution, level }) => ({
      url: 'comparison',
      extension: [
        { url: 'name', valueString: comparison },
        ...(level === undefined ? [] : [{ url: 'level', valueString: level }]),
        ...(measure === null ? [] : [{ url: 'measure', valueDecimal: measure }]),
        { url: 'agrees', valueBoolean: agrees },
        { url: 'contribution', valueDecimal: contribution },
      ],
    })),
  ],
});

/** The answer of `$match`: a searchset, each entry with its score and grade, the best first; remarks as an outcome. */
export const matchset = ({
  base,
  baseUri,
  matches,
  total,
  remarks,
}: {
  readonly base: string;
  /** Namespace of our extensions. */
  readonly baseUri: string;
  readonly matches: readonly MatchedPatient[];
  readonly total: number;
  readonly remarks: readonly Issue[];
}): Bundle => {
  const entries = matches.map(({ patient, grade, score, evidence }): BundleEntry => ({
    fullUrl: `${base}/Patient/${patient.id ?? ''}`,
    resource: patient,
    search: {
      extension: [{ url: MATCH_GRADE, valueCode: grade }, ...(evidence === null ? [] : [evidenceExtension(baseUri, evidence)])],
      mode: 'match',
      score,
    },
  }));
  const outcome: readonly BundleEntry[] =
    remarks.length > 0 ? [{ resource: operationOutcome(remarks), search: { mode: 'outcome' } }] : [];
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total,
    ...(entries.length + outcome.length > 0 && { entry: [...entries, ...outcome] }),
  };
};
