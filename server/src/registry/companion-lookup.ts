/** Organizations and RelatedPersons as the asker may see them (design §8): who is related to whom is as private as the demographics. */
import type { CompanionType } from '../domain/companions.ts';
import type { Refusal } from '../domain/errors.ts';
import type { CompanionSearch } from '../fhir/companion-search.ts';
import { COMPANION_INCLUDES, renderCompanion } from '../fhir/companions.ts';
import type { HistoryVersion } from '../fhir/history.ts';
import type { CompanionResource, KeptResource } from '../fhir/r4.ts';
import { isFields } from '../fhir/fields.ts';
import { refuse } from '../fhir/refusal.ts';
import { referenceAt, relativeReference } from '../fhir/references.ts';
import { type Deleted, type Lookup, readPatient } from './lookup.ts';
import { seesEverybody, seesWhole } from './policy/disclosure.ts';
import type { CompanionQuery, StoredCompanion } from './ports.ts';

/** Organizations are a directory, open to all; a RelatedPerson is for its owner, and for whoever sees everybody. */
const mayRead = ({ principal }: Lookup, { companion }: StoredCompanion): boolean =>
  companion.type === 'Organization' || seesWhole(principal, companion.source);

const sourceFor = ({ principal }: Lookup, type: CompanionType): string | null =>
  type === 'Organization' || seesEverybody(principal) ? null : principal.name;

/** The one that an id names to the asker; undefined where there is none, or none for them. */
export async function findCompanion(lookup: Lookup, type: CompanionType, id: string): Promise<StoredCompanion | undefined> {
  const stored = await lookup.reader.companion(type, id, lookup.principal.name);
  return stored && mayRead(lookup, stored) ? stored : undefined;
}

/** What was erased by law is as good as deleted. */
export const showCompanion = ({ companion, resource }: StoredCompanion): CompanionResource | Deleted => {
  const { id, version, lastUpdated } = companion;
  return resource === null ? { deleted: { id, version, lastUpdated } } : renderCompanion(companion, resource);
};

export async function readCompanionVersion(
  lookup: Lookup,
  { type, id }: { readonly type: CompanionType; readonly id: string },
  version: number,
): Promise<CompanionResource | Deleted | undefined> {
  const now = await findCompanion(lookup, type, id);
  const [stored] = now ? await lookup.reader.companionVersions(type, now.companion.id, version + 1, 1) : [];
  return stored?.companion.version === version ? showCompanion(stored) : undefined;
}

export interface CompanionHistory {
  readonly id: string;
  readonly total: number;
  /** Newest first. */
  readonly versions: readonly HistoryVersion[];
}

export async function readCompanionHistory(
  lookup: Lookup,
  { type, id }: { readonly type: CompanionType; readonly id: string },
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<CompanionHistory | undefined> {
  const now = await findCompanion(lookup, type, id);
  if (!now) return undefined;
  const versions = await lookup.reader.companionVersions(type, now.companion.id, before, limit);
  return { id: now.companion.id, total: now.companion.version, versions: versions.map(showCompanion) };
}

export interface FoundCompanions {
  readonly total: number;
  readonly matches: readonly CompanionResource[];
  readonly included: readonly KeptResource[];
  /** Where the next page begins; null on the last. */
  readonly next: string | null;
}

const shownOf = (stored: readonly StoredCompanion[]): readonly CompanionResource[] =>
  stored.flatMap((one) => {
    const shown = showCompanion(one);
    return 'deleted' in shown ? [] : [shown];
  });

/** What a reference leads to, if the asker may see it: a Patient, an Organization or a RelatedPerson. */
async function follow(lookup: Lookup, reference: string): Promise<KeptResource | undefined> {
  const { type, id } = relativeReference(reference) ?? {};
  if (id === undefined) return undefined;
  if (type === 'Patient') {
    const found = await readPatient(lookup, id);
    return found && 'patient' in found ? found.patient : undefined;
  }
  const stored = type === 'Organization' || type === 'RelatedPerson' ? await findCompanion(lookup, type, id) : undefined;
  const [shown] = shownOf(stored ? [stored] : []);
  return shown;
}

/** Each resource that `references` lead to, once. */
export async function followAll(lookup: Lookup, references: readonly string[]): Promise<readonly KeptResource[]> {
  const found = await Promise.all([...new Set(references)].map((reference) => follow(lookup, reference)));
  const present = found.filter((one) => one !== undefined);
  return [...new Map(present.map((one) => [`${one.resourceType}/${one.id}`, one])).values()];
}

/** What an element of some resources refers to. */
export const referencesAt = (resources: readonly object[], element: string): readonly string[] =>
  resources.flatMap((resource) => {
    const fields = isFields(resource) ? resource : {};
    const list = Array.isArray(fields[element]) ? fields[element] : [referenceAt(fields, element)];
    return list.flatMap((one: unknown) => (isFields(one) && typeof one['reference'] === 'string' ? [one['reference']] : []));
  });

/** By what `_include` asks for. */
const ELEMENTS: Readonly<Record<(typeof COMPANION_INCLUDES)[CompanionType], string>> = { partof: 'partOf', patient: 'patient' };

export async function searchCompanions(
  lookup: Lookup,
  type: CompanionType,
  search: CompanionSearch,
): Promise<FoundCompanions | Refusal> {
  const after = search.after === null ? 0 : Number(search.after);
  if (!Number.isSafeInteger(after) || after < 0) return refuse('invalid-request', 'The page is taken from a link of an answer.');
  const query: CompanionQuery = { type, source: sourceFor(lookup, type), terms: search.terms };
  const { found, total, next } = await lookup.reader.companions(query, after, search.count);
  const matches = shownOf(found);
  const references = search.include ? referencesAt(matches, ELEMENTS[COMPANION_INCLUDES[type]]) : [];
  const shown = new Set(matches.map(({ id }) => `${type}/${id}`));
  const included = (await followAll(lookup, references)).filter(({ resourceType, id }) => !shown.has(`${resourceType}/${id}`));
  return { total, matches, included, next: next === null ? null : String(next) };
}

/** RelatedPersons of some Patients, by their ids, as far as the asker may see them. */
export async function relatedTo(lookup: Lookup, patients: readonly string[]): Promise<readonly CompanionResource[]> {
  const found: CompanionResource[] = [];
  if (patients.length === 0) return found;
  const terms = [patients.map((value) => ({ parameter: 'patient', value, match: 'is' as const }))];
  const query: CompanionQuery = { type: 'RelatedPerson', source: sourceFor(lookup, 'RelatedPerson'), terms };
  for (let after: number | null = 0; after !== null;) {
    const page = await lookup.reader.companions(query, after, 500);
    found.push(...shownOf(page.found));
    after = page.next;
  }
  return found;
}
