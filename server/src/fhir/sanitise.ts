import type { Issue, Refusal } from '../domain/errors.ts';
import { isFields } from './fields.ts';
import { isBrokenMatch, isOurTag, isSubsetted, type Ours } from './ours.ts';
import type { Meta, Patient } from './r4.ts';
import { refuse, warning } from './refusal.ts';

/**
 * The Patient as it may be stored: without its id and version, which the registry gives, and without marks that only the
 * registry may set. Each mark dropped is named in `dropped`. Refused (422): a `replaced-by` link, which asks for a merge,
 * and a Patient marked as a part of a record, which would overwrite the whole.
 *
 * Contained resources are dropped too: some systems send their Provenance so, and the registry keeps identity only. A
 * Patient that refers to one never comes here (patient-rules.ts).
 */
export const sanitise = (
  patient: Patient,
  ours: Ours,
): { readonly resource: Patient; readonly dropped: readonly Issue[] } | Refusal => {
  const refused = refuseForeignSense(patient);
  if (refused) return refused;
  const { meta: submitted, link, contained, extension } = patient;
  const meta = ownMeta(submitted ?? {}, ours);
  const kept = extension?.filter(({ url }) => !isBrokenMatch(url, ours));
  return {
    resource: {
      ...without(patient, ['id', 'meta', 'link', 'contained', 'extension']),
      ...(Object.keys(meta).length > 0 && { meta }),
      ...(kept && kept.length > 0 && { extension: kept }),
    },
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
      ...remarks(link, 'Patient.link', ({ type }) => `Only the registry links patients; the ${type} link was dropped.`),
      ...remarks(contained, 'Patient.contained', () => 'This registry keeps Patients only; the contained resource was dropped.'),
    ],
  };
};

const refuseForeignSense = ({ link, meta }: Patient): Refusal | undefined => {
  const merge = link?.findIndex(({ type }) => type === 'replaced-by') ?? -1;
  if (merge >= 0)
    return refuse(
      'business-rule',
      'This registry does not take merges by a replaced-by link yet; nothing was stored.',
      `Patient.link[${merge}]`,
    );
  const part = meta?.tag?.findIndex(isSubsetted) ?? -1;
  if (part >= 0)
    return refuse(
      'business-rule',
      'A Patient tagged SUBSETTED is a part of a record and cannot replace the whole.',
      `Patient.meta.tag[${part}]`,
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
 * The text under which a Patient is stored and compared: JSON with the keys of every object sorted. Order of keys means
 * nothing in FHIR JSON and differs between a sender's libraries, order in lists does; so "the same body sent again" is one
 * comparison of strings, without reading back what is stored.
 */
export const contentOf = (resource: Patient): string => JSON.stringify(resource, sortedKeys);

const sortedKeys = (_key: string, value: unknown): unknown =>
  isFields(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
