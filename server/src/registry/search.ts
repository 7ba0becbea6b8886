import type { Issue, Refusal } from '../domain/errors.ts';
import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Condition } from '../fhir/conditions.ts';
import { meets, sortValues, storedSubject, type Subject, subjectOf } from '../fhir/demographics.ts';
import type { CompanionResource, KeptResource, Patient } from '../fhir/r4.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import { domainsOf, type PatientSearch } from '../fhir/search.ts';
import { comparing, comparingPlaces, type Cursor, cursorOf, decodeCursor, encodeCursor, type Sortable } from '../fhir/sorting.ts';
import type { IdentifierToken } from '../fhir/tokens.ts';
import { alsoTurned, EXAMINED, type Keys, matchesVisibly, namedBy, tooMany } from './naming.ts';
import { goldenNamed, included, recordNamed, type Shown, showNamed } from './linked.ts';
import type { Authorities } from './policy/authorities.ts';
import { seesEverybody, seesWhole } from './policy/disclosure.ts';
import { followAll, referencesAt, relatedTo } from './companion-lookup.ts';
import { type Lookup, presentRecord, showGolden } from './lookup.ts';
import type { DemographicPage, DemographicSearch, IndexCondition, Named, StoredRecord } from './ports.ts';

export interface SearchPage {
  /** null: not counted. */
  readonly total: number | null;
  readonly matches: readonly Patient[];
  readonly included: readonly KeptResource[];
  /** Where the next page begins; null on the last. */
  readonly next: string | null;
  /** What the asker should know besides. */
  readonly remarks: readonly Issue[];
}

const NO_PAGE = refuse('invalid-request', 'The page is taken from a link of an answer.');

const subjectOfStored = ({ record, resource }: StoredRecord): Subject =>
  storedSubject(resource, { client: record.source, updated: record.lastUpdated, flags: record.flags });

/** Conditions that any record may be asked about, since everybody is told when it changed (design §8). */
const isOpen = (condition: Condition): boolean =>
  condition.kind === 'always' || (condition.kind === 'date' && condition.name === '_lastUpdated');

/** What a record holds is compared only of records that the asker sees whole: of the others none is found by it. */
function meetsAll({ principal }: Lookup, stored: StoredRecord, conditions: readonly Condition[]): boolean {
  if (conditions.length === 0) return true;
  if (!seesWhole(principal, stored.record.source) && !conditions.every(isOpen)) return false;
  const subject = subjectOfStored(stored);
  return conditions.every((condition) => meets(condition, subject));
}

/** What a record is sorted by: of one that the asker does not see whole not its demographics, since its place would tell them. */
const sortableOf = ({ principal }: Lookup, stored: StoredRecord): Sortable => ({
  record: stored.record.key,
  values: seesWhole(principal, stored.record.source)
    ? sortValues(subjectOfStored(stored))
    : { family: '', given: '', birthdate: '', _lastUpdated: stored.record.lastUpdated },
});

/** Whether a list of identifiers names few records: whole systems may have everybody. */
const isNarrow = (list: readonly IdentifierToken[]): boolean => list.every(({ value }) => value !== null);

/**
 * The records that a search looks at one by one; undefined where the index of searches answers it: it asks for what a record
 * holds and nothing else, or for whole systems of identifiers, by one who sees everybody or is told of its own records only.
 */
async function candidates(lookup: Lookup, search: PatientSearch): Promise<Keys | undefined | Refusal> {
  const named = await namedBy(lookup, search);
  if (named !== undefined) return named;
  const list = search.identifiers.find(isNarrow) ?? search.identifiers[0];
  if (list === undefined) return undefined;
  const isWhole = seesEverybody(lookup.principal) || !search.conditions.every(isOpen);
  if (isWhole && !isNarrow(list)) return undefined;
  const keys = await lookup.reader.byIdentifier(list, 0, EXAMINED + 1);
  return keys.length > EXAMINED ? tooMany() : { records: new Set(keys), goldens: new Set() };
}

/** A place among golden records, which come after the records of an answer. */
const GOLDEN_PAGE = /^golden-(\d{1,10})$/;

interface Place {
  readonly record: Cursor | null;
  readonly golden: GoldenKey | null;
}

function placeOf({ after, sort }: PatientSearch): Place | Refusal {
  if (after === null) return { record: null, golden: null };
  const key = GOLDEN_PAGE.exec(after)?.[1];
  if (key !== undefined) return { record: null, golden: Number(key) };
  const record = decodeCursor(after, sort);
  return record === undefined ? NO_PAGE : { record, golden: null };
}

async function matchingGoldens(
  lookup: Lookup,
  keys: ReadonlySet<GoldenKey>,
  search: PatientSearch,
): Promise<readonly GoldenKey[]> {
  if (search.identifiers.length > 0) return [];
  const found: GoldenKey[] = [];
  for (const key of [...keys].sort((a, b) => a - b)) {
    const golden = await lookup.reader.storedGolden(key);
    if (!golden) continue;
    const subject = subjectOf(await showGolden(lookup, golden), { client: '', updated: golden.golden.lastUpdated, flags: [] });
    if (search.conditions.every((condition) => meets(condition, subject))) found.push(key);
  }
  return found;
}

async function matchingRecords(
  lookup: Lookup,
  keys: ReadonlySet<RecordKey>,
  search: PatientSearch,
): Promise<readonly Sortable[]> {
  const found: Sortable[] = [];
  for (const key of keys) {
    const stored = await presentRecord(lookup, key);
    if (!stored || !meetsAll(lookup, stored, search.conditions)) continue;
    if (await matchesVisibly(lookup, stored, search.identifiers)) found.push(sortableOf(lookup, stored));
  }
  return found.sort(comparing(search.sort));
}

interface Page {
  readonly total: number | null;
  readonly named: readonly Named[];
  readonly next: string | null;
}

/** Those of the candidates that match, from the page's place on: what a record is sorted by is its place, whatever comes or goes. */
async function pageOf(lookup: Lookup, keys: Keys, search: PatientSearch): Promise<Page | Refusal> {
  const place = placeOf(search);
  if (isRefusal(place)) return place;
  const records = await matchingRecords(lookup, keys.records, search);
  const goldens = await matchingGoldens(lookup, keys.goldens, search);
  const { record: after, golden } = place;
  const compare = comparingPlaces(search.sort);
  const rest = [
    ...records
      .filter((one) => golden === null && (after === null || compare(cursorOf(search.sort, one), after) > 0))
      .map((one) => ({ named: recordNamed(one.record), place: encodeCursor(cursorOf(search.sort, one)) })),
    ...goldens
      .filter((key) => golden === null || key > golden)
      .map((key) => ({ named: goldenNamed(key), place: `golden-${key}` })),
  ];
  const page = rest.slice(0, search.count);
  return {
    total: records.length + goldens.length,
    named: page.map(({ named }) => named),
    next: rest.length > page.length ? (page.at(-1)?.place ?? null) : null,
  };
}

/** `_tag:not` of the golden tag is asked by the web interface of OpenCR 1.x: the index has no golden records. */
const leavesOutGoldens = ({ ours }: Lookup, condition: Condition): boolean =>
  condition.kind === 'token' &&
  condition.name === '_tag' &&
  condition.not &&
  condition.values.every(({ code }) => code === ours.goldenCode);

async function indexed(lookup: Lookup, condition: Condition): Promise<IndexCondition | Refusal> {
  if (leavesOutGoldens(lookup, condition)) return { kind: 'always', met: true };
  if (condition.kind !== 'identifier') return condition;
  const valued = condition.values.filter(({ value }) => value !== null);
  const records = valued.length === 0 ? [] : await lookup.reader.byIdentifier(valued, 0, EXAMINED + 1);
  if (records.length > EXAMINED) return tooMany();
  const systems = condition.values.flatMap(({ system, value }) =>
    value === null && system !== null ? lookup.authorities.namesOf(system) : [],
  );
  return { kind: 'identifier', not: condition.not, systems, records };
}

async function indexedAll(
  lookup: Lookup,
  { conditions, identifiers }: PatientSearch,
): Promise<readonly IndexCondition[] | Refusal> {
  const all: IndexCondition[] = [];
  const lists = identifiers.map((values): Condition => ({ kind: 'identifier', not: false, values }));
  for (const condition of [...conditions, ...lists]) {
    const one = await indexed(lookup, condition);
    if (isRefusal(one)) return one;
    all.push(one);
  }
  return all;
}

const answered = (found: DemographicPage, count: number): Page | Refusal => {
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
    case 'page':
      return {
        total: found.total,
        named: found.records.map(recordNamed),
        next: count > 0 && found.next !== null ? encodeCursor(found.next) : null,
      };
  }
};

/** A page of it is a page of the index; what the asker may not see is not in the query at all (design §8). */
async function searchIndex(lookup: Lookup, search: PatientSearch, demographic: DemographicSearch): Promise<Page | Refusal> {
  const conditions = await indexedAll(lookup, search);
  if (isRefusal(conditions)) return conditions;
  if (conditions.length === 0)
    return refuse('invalid-request', 'Search by _id, identifier or demographics: the registry does not list everybody.');
  const after = search.after === null ? null : decodeCursor(search.after, search.sort);
  if (after === undefined) return NO_PAGE;
  const query = {
    conditions,
    owner: seesEverybody(lookup.principal) ? null : lookup.principal.name,
    sort: search.sort,
    limit: search.count,
    total: search.total !== 'none' || search.count === 0,
    after,
  };
  return answered(await demographic.search(query, (await lookup.reader.head()).sequence), search.count);
}

/** What PDQm ITI-78 says of a domain that is not the registry's (case 4), also in an answer of 404. */
const NO_DOMAIN: Issue = { severity: 'warning', diagnostics: 'targetSystem not found', type: 'not-found' };

const unknownIn = ({ authorities }: Lookup, search: PatientSearch): readonly string[] =>
  (domainsOf(search) ?? []).filter((domain) => authorities.find(domain) === undefined);

/** In `open` mode a domain is known, whoever issues it, of which the asker sees an identifier. */
async function remarksOf(lookup: Lookup, search: PatientSearch, matches: readonly Patient[]): Promise<readonly Issue[]> {
  const shown = new Set(matches.flatMap(({ identifier = [] }) => identifier.map(({ system }) => system)));
  for (const system of unknownIn(lookup, search)) {
    if (shown.has(system)) continue;
    const isHeld =
      seesEverybody(lookup.principal) && (await lookup.reader.byIdentifier([{ system, value: null }], 0, 1)).length > 0;
    if (!isHeld) return [NO_DOMAIN];
  }
  return [];
}

/** What is asked for, under the names that domains have in answers. */
function canonicalSearch({ canonical }: Authorities, search: PatientSearch): PatientSearch {
  const token = ({ system, value }: IdentifierToken): IdentifierToken => ({ system: system && canonical(system), value });
  return {
    ...search,
    identifiers: search.identifiers.map((list) => list.map(token)),
    conditions: search.conditions.map((one) => (one.kind === 'identifier' ? { ...one, values: one.values.map(token) } : one)),
    links: search.links.map((list) => list.map((one) => (one.kind === 'identifier' ? { ...one, token: token(one.token) } : one))),
  };
}

/** Organizations and RelatedPersons beside the matches; of a Patient that the asker sees in part only what that part refers to. */
async function companionsOf(
  lookup: Lookup,
  matches: readonly Patient[],
  { include, follow, related }: PatientSearch,
): Promise<readonly KeptResource[]> {
  const links = include === 'none' ? [] : matches.flatMap(({ link = [] }) => link.map(({ other }) => other.reference ?? ''));
  const references = [
    ...links.filter((reference) => !reference.startsWith('Patient/')),
    ...follow.flatMap((element) => referencesAt(matches, element)),
  ];
  const found = await followAll(lookup, references);
  const persons: readonly CompanionResource[] = related
    ? await relatedTo(
        lookup,
        matches.flatMap(({ id }) => id ?? []),
      )
    : [];
  const known = new Set(found.map(({ id }) => id));
  return [...found, ...persons.filter(({ id }) => !known.has(id))];
}

/**
 * Search by `_id`, `identifier` and `link`, or by what a record holds. Golden records are found by `_id` and `link` only, never
 * by an ordinary search (D6).
 */
export async function searchPatients(
  lookup: Lookup,
  asked: PatientSearch,
  demographic: DemographicSearch,
): Promise<SearchPage | Refusal> {
  const canonical = canonicalSearch(lookup.authorities, asked);
  const search = { ...canonical, identifiers: canonical.identifiers.map((list) => alsoTurned(lookup, list)) };
  if (lookup.authorities.mode === 'strict' && unknownIn(lookup, search).length > 0)
    return { code: 'not-found', issues: [NO_DOMAIN] };
  const keys = await candidates(lookup, search);
  if (keys !== undefined && isRefusal(keys)) return keys;
  const page = keys === undefined ? await searchIndex(lookup, search, demographic) : await pageOf(lookup, keys, search);
  if (isRefusal(page)) return page;
  const shown = (await Promise.all(page.named.map((named) => showNamed(lookup, named)))).filter(
    (one): one is Shown => one !== undefined,
  );
  const matches = shown.map(({ patient }) => patient);
  return {
    total: page.total,
    matches,
    included: [...(await included(lookup, shown, search)), ...(await companionsOf(lookup, matches, search))],
    next: page.next,
    remarks: await remarksOf(lookup, search, matches),
  };
}
