import { accessEvents, type AuditSource, changeEvents } from '../fhir/audit-event.ts';
import type { AuditEvent } from '../fhir/r4.ts';
import type { AccessLog, Reader } from './ports.ts';

/** Where a page of the trail begins: below these positions of the ledger and of the access log. */
export interface TrailPosition {
  readonly sequence: number;
  readonly access: number;
}

export interface TrailPage {
  readonly events: readonly AuditEvent[];
  readonly next: TrailPosition | null;
}

export const TRAIL_START: TrailPosition = { sequence: Number.MAX_SAFE_INTEGER, access: Number.MAX_SAFE_INTEGER };

/**
 * Changes (from the ledger) and queries and refusals (from the access log) as one trail, newest first. A page holds
 * `limit` rows, each rendered as one AuditEvent a Patient (BALP).
 */
export async function auditTrail(
  sources: { readonly reader: Reader; readonly accessLog: AccessLog; readonly source: AuditSource },
  from: TrailPosition,
  limit: number,
): Promise<TrailPage> {
  const changes = await sources.reader.changeSets(from.sequence, limit);
  const accesses = await sources.accessLog.entries(from.access, limit);
  const recordIds = new Map<number, string>();
  for (const { change } of changes) {
    const { record } = change.audit;
    const stored = record === null ? undefined : await sources.reader.storedRecord(record);
    if (record !== null && stored) recordIds.set(record, stored.record.id);
  }
  const rows = [
    ...changes.map((committed) => ({
      at: committed.change.at,
      events: changeEvents(committed, sources.source, recordIds),
      ...{ sequence: committed.sequence },
    })),
    ...accesses.map((row) => ({ at: row.at, events: accessEvents(row, sources.source), access: row.id })),
  ]
    .sort((x, y) => (x.at < y.at ? 1 : x.at > y.at ? -1 : 0))
    .slice(0, limit);
  const next = { ...from };
  for (const row of rows) {
    if ('access' in row) next.access = Math.min(next.access, row.access);
    else next.sequence = Math.min(next.sequence, row.sequence);
  }
  return { events: rows.flatMap((row) => row.events), next: rows.length < limit ? null : next };
}
