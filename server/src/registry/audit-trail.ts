import { accessEvents, type AuditSource, changeEvents, type NamedRecord } from '../fhir/audit-event.ts';
import type { Committed } from '../domain/change-set.ts';
import type { Instant, RecordKey, Sequence } from '../domain/identity.ts';
import type { AuditEvent } from '../fhir/r4.ts';
import type { AccessLog, Reader, TrailCursor } from './ports.ts';

/** Where the trail comes from. */
export interface TrailSources {
  readonly reader: Pick<Reader, 'head' | 'storedRecord' | 'byIdentifier' | 'changeSets' | 'changes'>;
  readonly accessLog: Pick<AccessLog, 'entries' | 'after'>;
  readonly source: AuditSource;
}

/** A row of the ledger or of the access log, as events: one for each Patient (BALP). */
export interface TrailRow {
  readonly log: 'ledger' | 'access';
  /** Sequence of the change set, or id of the access log's row. */
  readonly position: number;
  readonly at: Instant;
  readonly events: readonly AuditEvent[];
}

/** Records that change sets name without having written them. */
async function namedRecords(
  { reader }: TrailSources,
  changes: readonly Committed[],
): Promise<ReadonlyMap<RecordKey, NamedRecord>> {
  const named = new Map<RecordKey, NamedRecord>();
  for (const { change } of changes) {
    const { record } = change.audit;
    if (record === null || named.has(record) || change.records.length + change.goldens.length > 0) continue;
    const stored = await reader.storedRecord(record);
    if (stored) named.set(record, stored.record);
  }
  return named;
}

async function changeRows(sources: TrailSources, changes: readonly Committed[]): Promise<readonly TrailRow[]> {
  const records = await namedRecords(sources, changes);
  return changes.map((committed) => ({
    log: 'ledger',
    position: committed.sequence,
    at: committed.change.at,
    events: changeEvents(committed, sources.source, records),
  }));
}

const accessRows = ({ source }: TrailSources, entries: Awaited<ReturnType<AccessLog['entries']>>): readonly TrailRow[] =>
  entries.map((row) => ({ log: 'access', position: row.id, at: row.at, events: accessEvents(row, source) }));

/** Two logs as one, each in its own order; of the two next rows the one that `first` prefers. */
function merged(
  x: readonly TrailRow[],
  y: readonly TrailRow[],
  first: (one: TrailRow, other: TrailRow) => boolean,
): readonly TrailRow[] {
  const rows: TrailRow[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [one, other] = [x[i], y[j]];
    if (!one && !other) return rows;
    if (one && (!other || first(one, other))) {
      rows.push(one);
      i += 1;
    } else if (other) {
      rows.push(other);
      j += 1;
    }
  }
}

/** A place in the trail that is read backwards: below these positions of the ledger and of the access log. */
export interface TrailPosition {
  readonly sequence: Sequence;
  readonly access: number;
  /** Events of the next row that were given already. */
  readonly skip: number;
}

export const TRAIL_START: TrailPosition = { sequence: Number.MAX_SAFE_INTEGER, access: Number.MAX_SAFE_INTEGER, skip: 0 };

/**
 * Rows of the trail, newest first: at least one and up to twice `limit`, none at its end. They end where one of the logs has more
 * to give that was not read.
 */
export async function trailBefore(sources: TrailSources, from: TrailPosition, limit: number): Promise<readonly TrailRow[]> {
  const changes = await changeRows(sources, await sources.reader.changeSets(from.sequence, limit));
  const accesses = accessRows(sources, await sources.accessLog.entries(from.access, limit));
  const rows = merged(changes, accesses, (change, access) => change.at >= access.at);
  const ends = [changes, accesses].flatMap((log) => (log.length < limit ? [] : rows.findIndex((row) => row === log.at(-1)) + 1));
  return rows.slice(0, Math.min(rows.length, ...ends));
}

/** At most `limit` rows of each log, oldest first: only rows that will never change. */
export async function trailAfter(sources: TrailSources, from: TrailCursor, limit: number): Promise<readonly TrailRow[]> {
  const changes = await changeRows(sources, await sources.reader.changes(from.sequence, limit));
  const accesses = accessRows(sources, await sources.accessLog.after(from.access, limit));
  return merged(changes, accesses, (change, access) => change.at <= access.at);
}

export const beyond = (cursor: TrailCursor, rows: readonly TrailRow[]): TrailCursor => ({
  sequence: Math.max(cursor.sequence, ...rows.map((row) => (row.log === 'ledger' ? row.position : 0))),
  access: Math.max(cursor.access, ...rows.map((row) => (row.log === 'access' ? row.position : 0))),
});
