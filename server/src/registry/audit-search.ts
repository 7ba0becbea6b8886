import type { Instant } from '../domain/identity.ts';
import { type AuditSearch, namesIdentifier, namesPatient } from '../fhir/audit-search.ts';
import type { AuditEvent } from '../fhir/r4.ts';
import { TRAIL_START, trailBefore, type TrailPosition, type TrailRow, type TrailSources } from './audit-trail.ts';

/** Rows of each log that are read at once, and that a page may look through: it is bounded work, and the next page goes on. */
const CHUNK = 64;
const MOST_ROWS = 5_000;

/** How far a log's times may be out of order, in ms: clocks are set, and rows wait. */
const DISORDER = 3_600_000;
/** Records that a `patient.identifier` may stand for. */
const MOST_RECORDS = 500;

export interface TrailPage {
  readonly events: readonly AuditEvent[];
  readonly next: TrailPosition | null;
}

const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/** Never past the year 9999: what comes after it is written with a sign, and sorts before all others. */
const shifted = (at: Instant, by: number): Instant => new Date(Math.min(Date.parse(at) + by, LAST)).toISOString();

/** The first position of a log from which on every row is later than `at`; `atOf` reads the row at or below a position. */
async function firstAfter(end: number, at: Instant, atOf: (position: number) => Promise<Instant | undefined>): Promise<number> {
  let [low, high] = [1, end + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (((await atOf(middle)) ?? '') > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where a search by date begins: rows that are too late are not looked at. */
async function startOf({ reader, accessLog }: TrailSources, latest: Instant | null): Promise<TrailPosition> {
  if (latest === null) return TRAIL_START;
  const edge = shifted(latest, DISORDER);
  const [newest] = await accessLog.entries(TRAIL_START.access, 1);
  const { sequence } = await reader.head();
  return {
    sequence: await firstAfter(sequence, edge, async (at) => (await reader.changeSets(at + 1, 1))[0]?.change.at),
    access: await firstAfter(newest?.id ?? 0, edge, async (at) => (await accessLog.entries(at + 1, 1))[0]?.at),
    skip: 0,
  };
}

/** Every condition as one test; identifiers of patients are looked up once. */
async function testOf({ reader }: TrailSources, search: AuditSearch): Promise<(event: AuditEvent) => boolean> {
  const tests = [...search.tests];
  for (const ids of search.ids) tests.push(({ id }) => ids.includes(id));
  for (const tokens of search.patients) {
    const ids = new Set<string>();
    for (const key of await reader.byIdentifier(tokens, 0, MOST_RECORDS)) {
      const stored = await reader.storedRecord(key);
      if (stored) ids.add(stored.record.id);
    }
    tests.push((event) => namesPatient(event, ids) || namesIdentifier(event, tokens));
  }
  return (event) => tests.every((test) => test(event));
}

const below = (position: TrailPosition, { log, position: at }: TrailRow): TrailPosition =>
  log === 'ledger' ? { ...position, sequence: at, skip: 0 } : { ...position, access: at, skip: 0 };

/** The event of an id that this registry gave (`changeEvents`, `accessEvents`). */
export async function auditEventById(sources: TrailSources, id: string): Promise<AuditEvent | undefined> {
  const [, log, position] = /^(change|access)-([1-9]\d{0,14})-[1-9]\d{0,8}$/.exec(id) ?? [];
  if (log === undefined) return undefined;
  const here = Number(position) + 1;
  const from = log === 'change' ? { sequence: here, access: 0 } : { sequence: 0, access: here };
  const [row] = await trailBefore(sources, { ...from, skip: 0 }, 1);
  return row?.events.find((event) => event.id === id);
}

/** By id nothing has to be looked through. */
async function byIds(sources: TrailSources, ids: readonly string[], test: (event: AuditEvent) => boolean): Promise<TrailPage> {
  const found = await Promise.all([...new Set(ids)].map((id) => auditEventById(sources, id)));
  return { events: found.filter((event) => event !== undefined).filter(test), next: null };
}

/**
 * A page of the trail, newest first: events that meet the search, at most `count`. It looks through a bounded number of
 * rows, with a `turn` of the event loop between its reads, so a page may be short or empty and still have a next one.
 */
export async function searchTrail(
  sources: TrailSources,
  search: AuditSearch,
  { from, turn }: { readonly from: TrailPosition | null; readonly turn: () => Promise<unknown> },
): Promise<TrailPage> {
  const test = await testOf(sources, search);
  const [ids] = search.ids;
  if (ids) return byIds(sources, ids, test);
  const floor = search.earliest === null ? '' : shifted(search.earliest, -DISORDER);
  const events: AuditEvent[] = [];
  let position = from ?? (await startOf(sources, search.latest));
  for (let seen = 0; seen < MOST_ROWS; await turn()) {
    const rows = await trailBefore(sources, position, CHUNK);
    if (rows.length === 0) return { events, next: null };
    seen += rows.length;
    for (const row of rows) {
      if (row.at < floor) return { events, next: null };
      for (let n = position.skip; n < row.events.length; n++) {
        const event = row.events[n];
        if (!event || !test(event)) continue;
        if (events.length === search.count) return { events, next: { ...position, skip: n } };
        events.push(event);
      }
      position = below(position, row);
    }
  }
  return { events, next: position };
}
