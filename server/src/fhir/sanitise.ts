import type { Issue, Refusal } from '../domain/errors.ts';
import { isFields } from './fields.ts';
import { isBrokenMatch, isOurTag, isSubsetted, type Ours } from './ours.ts';
import type { CompanionResource, Meta, Patient, PatientLink } from './r4.ts';
import { isRefusal, refuse, warning } from './refusal.ts';
import { relativeReference } from './references.ts';

/** What a `replaced-by` link names, and where it says so. */
export type Replacement =
  | { readonly kind: 'identifier'; readonly system: string; readonly value: string; readonly path: string }
  | { readonly kind: 'id'; readonly id: string; readonly path: string };

export interface Sanitised {
  readonly resource: Patient;
  readonly replacedBy: Replacement | null;
  readonly dropped: readonly Issue[];
}

/**
 * The Patient as it may be stored: without its id and version, which the registry gives, and without marks that only the
 * registry may set. Each mark dropped is named in `dropped`; `replacedBy` is what a `replaced-by` link names, which asks for a
 * merge (ITI-104). Refused (422): two of those, or one that names nothing, and a Patient marked as a part of a record, which would
 * overwrite the whole.
 *
 * Contained resources are dropped too: some systems send their Provenance so, and the registry keeps identity only. A
 * Patient that refers to one never comes here (patient-rules.ts).
 */
export const sanitise = (patient: Patient, ours: Ours): Sanitised | Refusal => {
  const part = refusePart(patient);
  if (part) return part;
  const replacedBy = replacementOf(patient);
  if (isRefusal(replacedBy)) return replacedBy;
  const { meta: submitted, link, contained, extension } = patient;
  const meta = ownMeta(submitted ?? {}, ours);
  const kept = extension?.filter(({ url }) => !isBrokenMatch(url, ours));
  const related = link?.filter(toRelatedPerson) ?? [];
  return {
    resource: {
      ...without(patient, ['id', 'meta', 'link', 'contained', 'extension']),
      ...(Object.keys(meta).length > 0 && { meta }),
      ...(kept && kept.length > 0 && { extension: kept }),
      ...(related.length > 0 && { link: related }),
    },
    replacedBy,
    dropped: [
      ...remarks(
        submitted?.tag,
        'Patient.meta.tag',
        (tag) => isOurTag(tag, ours) && 'Only the registry sets this tag; it was dropped.',
      ),
      ...remarks(
        extension,
        'Patient.extension',
        ({ url }) => isBrokenMatch(url, ours) && 'Only the registry says which matches are broken; dropped.',
      ),
      ...remarks(
        link,
        'Patient.link',
        (one) =>
          one.type !== 'replaced-by' &&
          !toRelatedPerson(one) &&
          `Only the registry links patients; the ${one.type} link was dropped.`,
      ),
      ...remarks(contained, 'Patient.contained', () => CONTAINED),
    ],
  };
};

const CONTAINED = 'This registry keeps no contained resources; this one was dropped.';

/** The person as a relation of somebody (R4 patient-definitions.html#Patient.link): a mother, with her newborn's RelatedPerson. */
const toRelatedPerson = ({ type, other }: PatientLink): boolean =>
  type === 'seealso' && relativeReference(other.reference ?? '')?.type === 'RelatedPerson';

/** The same of a resource kept beside Patients. */
export const sanitiseCompanion = (
  resource: CompanionResource,
): { readonly resource: CompanionResource; readonly dropped: readonly Issue[] } | Refusal => {
  const { meta: submitted = {}, resourceType } = resource;
  const { contained = [] } = resource as { readonly contained?: readonly object[] };
  const part = refusePart(resource);
  if (part) return part;
  const meta = without(submitted, ['versionId', 'lastUpdated', 'source']);
  const rest = without(resource as CompanionResource & { readonly contained?: unknown }, ['id', 'meta', 'contained']);
  return {
    resource: { ...rest, ...(Object.keys(meta).length > 0 && { meta }) } as CompanionResource,
    dropped: remarks(contained, `${resourceType}.contained`, () => CONTAINED),
  };
};

/** The Patient that this one is replaced by: its identifier where one is given, else its id here. */
const replacementOf = ({ link = [] }: Patient): Replacement | null | Refusal => {
  const [merge, second] = [...link.entries()].filter(([, { type }]) => type === 'replaced-by');
  if (merge === undefined) return null;
  const path = `Patient.link[${merge[0]}].other`;
  if (second) return refuse('business-rule', 'A Patient is replaced by one other.', `Patient.link[${second[0]}]`);
  const { identifier, reference = '' } = merge[1].other;
  if (identifier?.system && identifier.value)
    return { kind: 'identifier', system: identifier.system, value: identifier.value, path: `${path}.identifier` };
  const id = /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(reference)?.[1];
  if (id === undefined)
    return refuse(
      'business-rule',
      'A replaced-by link names the other Patient by an identifier with system and value, or by a reference Patient/id.',
      path,
    );
  return { kind: 'id', id, path: `${path}.reference` };
};

const refusePart = ({ meta, resourceType }: Patient | CompanionResource): Refusal | undefined => {
  const part = meta?.tag?.findIndex(isSubsetted) ?? -1;
  if (part >= 0)
    return refuse(
      'business-rule',
      `A ${resourceType} tagged SUBSETTED is a part of a record and cannot replace the whole.`,
      `${resourceType}.meta.tag[${part}]`,
    );
  return undefined;
};

const ownMeta = (meta: Meta, ours: Ours): Meta => {
  const tag = meta.tag?.filter((coding) => !isOurTag(coding, ours)) ?? [];
  return { ...without(meta, ['versionId', 'lastUpdated', 'source', 'tag']), ...(tag.length > 0 && { tag }) };
};

/** The object without these members and without what stands beside them under `_name`. */
const without = <T extends object, K extends keyof T & string>(object: T, names: readonly K[]): Omit<T, K> => {
  const left: readonly string[] = names;
  return Object.fromEntries(Object.entries(object).filter(([name]) => !left.includes(name.replace(/^_/, '')))) as Omit<T, K>;
};

const remarks = <T>(list: readonly T[] | undefined, path: string, remark: (entry: T) => string | false): readonly Issue[] =>
  (list ?? []).flatMap((entry, index) => {
    const words = remark(entry);
    return words === false ? [] : [warning(words, `${path}[${index}]`)];
  });

/**
 * The text under which a resource is stored and compared: JSON with the keys of every object sorted. Order of keys means
 * nothing in FHIR JSON and differs between a sender's libraries, order in lists does; so "the same body sent again" is one
 * comparison of strings, without reading back what is stored.
 */
export const contentOf = (resource: object): string => JSON.stringify(resource, sortedKeys);

/** The Patient that `contentOf` wrote after its validation. */
export const storedPatient = (text: string): Patient => JSON.parse(text) as Patient;

const sortedKeys = (_key: string, value: unknown): unknown =>
  isFields(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
