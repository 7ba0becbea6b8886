import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Refusal } from '../domain/errors.ts';
import { comparing, meets, type Sortable, sortValues, storedSubject } from '../fhir/demographics.ts';
import type { Patient } from '../fhir/r4.ts';
import { refuse } from '../fhir/refusal.ts';
import type { PatientSearch } from '../fhir/search.ts';
import { seesWhole } from './policy/disclosure.ts';
import { type Lookup, presentRecord, showGolden, showRecord, visibleIdentifiers } from './lookup.ts';
import type { DemographicSearch, IdentifierQuery, StoredRecord } from './ports.ts';

export interface SearchPage {
  /** null: not counted. */
  readonly total: number | null;
  readonly matches: readonly Patient[];
  readonly included: readonly Patient[];
  /** Where the next page begins; null on the last. */
  readonly next: string | null;
}

/** What one search looks at before it says that it asks for too much. */
const EXAMINED = 2_000;

const answers = (queries: readonly IdentifierQuery[], { system, value }: { system: string; value: string }): boolean =>
  queries.some((query) => (query.system === null || query.system === system) && (query.value === null || query.value === value));

/** A record is found by the identifiers that the asker may see, and no others: a search tells no more than a read (design §8). */
async function matchesVisibly(lookup: Lookup, stored: StoredRecord, search: PatientSearch): Promise<boolean> {
  if (search.identifiers.length === 0) return true;
  const shows = await visibleIdentifiers(lookup, stored);
  const seen = shows === null ? stored.identifiers : stored.identifiers.filter(shows);
  return search.identifiers.every((alternatives) => seen.some((identifier) => answers(alternatives, identifier)));
}

/** Demographics are compared only of records that the asker sees whole: of the others none is found by them. */
const meetsAll = ({ principal }: Lookup, { record, resource }: StoredRecord, { conditions }: PatientSearch): boolean => {
  if (conditions.length === 0) return true;
  if (!seesWhole(principal, record.source)) return false;
  const subject = storedSubject(resource, record.source, record.lastUpdated);
  return conditions.every((condition) => meets(condition, subject));
};

/** What a record is sorted by: of one that the asker does not see whole not its demographics, since its place would tell them. */
const sortableOf = ({ principal }: Lookup, { record, resource }: StoredRecord): Sortable => ({
  record: record.key,
  values: seesWhole(principal, record.source)
    ? sortValues(storedSubject(resource, record.source, record.lastUpdated))
    : { family: '', given: '', birthdate: '', _lastUpdated: record.lastUpdated },
});

/** By `_sort`; in the order of arrival without. */
function sorted(lookup: Lookup, found: readonly StoredRecord[], { sort }: PatientSearch): readonly StoredRecord[] {
  if (sort.length === 0) return found;
  const compare = comparing(sort);
  return found
    .map((stored) => ({ stored, ...sortableOf(lookup, stored) }))
    .sort(compare)
    .map(({ stored }) => stored);
}

/** Records that may match, ascending by key; undefined when there are too many to look at. */
async function recordsBy(lookup: Lookup, search: PatientSearch): Promise<readonly RecordKey[] | undefined> {
  const [first] = search.identifiers;
  if (!first) return [];
  const found = await lookup.reader.byIdentifier(first, 0, EXAMINED + 1);
  return found.length > EXAMINED ? undefined : found;
}

interface Named {
  readonly records: readonly RecordKey[];
  readonly goldens: readonly GoldenKey[];
}

/** Every `_id` parameter narrows: what all of them name. */
async function byIds(lookup: Lookup, lists: readonly (readonly string[])[]): Promise<Named> {
  const sets: { records: Set<RecordKey>; goldens: Set<GoldenKey> }[] = [];
  for (const ids of lists) {
    const set = { records: new Set<RecordKey>(), goldens: new Set<GoldenKey>() };
    for (const id of ids) {
      const named = await lookup.reader.resolveId(id, lookup.principal.name);
      if (named) (named.kind === 'record' ? set.records : set.goldens).add(named.key);
    }
    sets.push(set);
  }
  const [first, ...rest] = sets;
  return {
    records: [...(first?.records ?? [])].filter((key) => rest.every((set) => set.records.has(key))).sort((a, b) => a - b),
    goldens: [...(first?.goldens ?? [])].filter((key) => rest.every((set) => set.goldens.has(key))).sort((a, b) => a - b),
  };
}

/** D12: with a record that was merged comes the one that replaces it, asked for or not (PDQ-78-12c). */
async function survivorsOf(lookup: Lookup, matched: readonly StoredRecord[]): Promise<readonly Patient[]> {
  const known = new Set(matched.map(({ record }) => record.key));
  const into = new Set(matched.flatMap(({ record: { mergedInto } }) => mergedInto ?? []));
  const survivors = await Promise.all([...into].filter((key) => !known.has(key)).map((key) => presentRecord(lookup, key)));
  return Promise.all(survivors.filter((one) => one !== undefined).map((one) => showRecord(lookup, one)));
}

/** `_include=Patient:link`: the golden records of matched records, and the records of matched golden ones. */
async function includes(
  lookup: Lookup,
  records: readonly StoredRecord[],
  goldens: readonly GoldenKey[],
): Promise<readonly Patient[]> {
  const matched = new Set(records.map(({ record }) => record.key));
  const toGoldens = [...new Set(records.map(({ record }) => record.golden))].filter((key) => !goldens.includes(key));
  const patients: Patient[] = [];
  const forwards: GoldenKey[] = [];
  for (const key of goldens) {
    const golden = await lookup.reader.storedGolden(key);
    if (!golden) continue;
    if (golden.golden.replacedBy !== null) forwards.push(golden.golden.replacedBy);
    for (const member of golden.members) {
      const stored = matched.has(member) ? undefined : await presentRecord(lookup, member);
      if (stored) patients.push(await showRecord(lookup, stored));
    }
  }
  for (const key of new Set([...toGoldens, ...forwards])) {
    const golden = await lookup.reader.storedGolden(key);
    if (golden) patients.push(await showGolden(lookup, golden));
  }
  return patients;
}

const pageStart = (after: string | null): number | undefined => {
  if (after === null) return 0;
  return /^\d{1,10}$/.test(after) ? Number(after) : undefined;
};

/** A page of it is a page of the index; what the asker may not see is not in the query at all (design §8). */
async function searchDemographics(
  lookup: Lookup,
  search: PatientSearch,
  demographic: DemographicSearch,
): Promise<SearchPage | Refusal> {
  if (search.conditions.length === 0) {
    return refuse('invalid-request', 'Search by _id, identifier or demographics: the registry does not list everybody.');
  }
  const { reader, principal } = lookup;
  const found = await demographic.search(
    {
      conditions: search.conditions,
      owner: principal.scopes.includes('demographics') ? null : principal.name,
      sort: search.sort,
      limit: search.count,
      total: search.total !== 'none' || search.count === 0,
      after: search.after,
    },
    (await reader.head()).sequence,
  );
  switch (found.kind) {
    case 'late':
      return refuse(
        'too-slow',
        'The search took too long: ask for the beginning of a name, a birth date or a telephone number as well.',
      );
    case 'behind':
      return refuse(
        'not-ready',
        `The search is still following the ledger (${found.behind} change sets to come); try again soon.`,
      );
    case 'busy':
      return refuse('busy', 'Too many searches are waiting; try again soon.');
    case 'page': {
      const stored = await Promise.all(found.records.map((key) => presentRecord(lookup, key)));
      const records = stored.filter((one) => one !== undefined);
      return {
        total: found.total,
        matches: await Promise.all(records.map((one) => showRecord(lookup, one))),
        included: [...(search.includeLinks ? await includes(lookup, records, []) : []), ...(await survivorsOf(lookup, records))],
        next: search.count > 0 ? found.next : null,
      };
    }
  }
}

/**
 * Search by `_id` and `identifier`, or by demographics. Golden records are found by `_id` only, never by an ordinary search (D6).
 */
export async function searchPatients(
  lookup: Lookup,
  search: PatientSearch,
  demographic: DemographicSearch,
): Promise<SearchPage | Refusal> {
  if (search.ids.length === 0 && search.identifiers.length === 0) return searchDemographics(lookup, search, demographic);
  const after = pageStart(search.after);
  if (after === undefined) return refuse('invalid-request', 'The page is taken from a link of an answer.');
  const named = search.ids.length > 0 ? await byIds(lookup, search.ids) : undefined;
  const keys = named?.records ?? (await recordsBy(lookup, search));
  if (keys === undefined)
    return refuse('invalid-request', `More than ${EXAMINED} records may match: ask for a value, not for a whole system.`);
  const found: StoredRecord[] = [];
  for (const key of keys) {
    const stored = await lookup.reader.storedRecord(key);
    if (stored && !stored.record.deleted && meetsAll(lookup, stored, search) && (await matchesVisibly(lookup, stored, search)))
      found.push(stored);
  }
  const goldens = search.identifiers.length + search.conditions.length === 0 ? (named?.goldens ?? []) : [];
  const all = [...sorted(lookup, found, search).map((stored) => ({ stored })), ...goldens.map((golden) => ({ golden }))];
  const page = all.slice(after, after + search.count);
  const matches: Patient[] = [];
  for (const one of page) {
    const golden = 'golden' in one ? await lookup.reader.storedGolden(one.golden) : undefined;
    if ('stored' in one) matches.push(await showRecord(lookup, one.stored));
    else if (golden) matches.push(await showGolden(lookup, golden));
  }
  const shown = {
    records: page.flatMap((one) => ('stored' in one ? [one.stored] : [])),
    goldens: page.flatMap((one) => ('golden' in one ? [one.golden] : [])),
  };
  return {
    total: all.length,
    matches,
    included: [
      ...(search.includeLinks ? await includes(lookup, shown.records, shown.goldens) : []),
      ...(await survivorsOf(lookup, shown.records)),
    ],
    next: search.count > 0 && after + search.count < all.length ? String(after + search.count) : null,
  };
}
