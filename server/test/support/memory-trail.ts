/** A trail in memory that grows, and cursors in memory that tell how far a repository has come. */
import { emptyChange, type Committed } from '../../src/domain/change-set.ts';
import type { AccessRow } from '../../src/fhir/audit-event.ts';
import { auditSource, row } from '../../src/fhir/sample-audit.ts';
import type { TrailSources } from '../../src/registry/audit-trail.ts';
import type { AuditCursors, SetAside, TrailCursor } from '../../src/registry/ports.ts';

const at = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n).toISOString();

export interface MemoryTrail extends TrailSources {
  /** A query more in the access log; its request id is `query-N`, N from 1. */
  query(patients?: readonly string[]): void;
  /** A change of clients more in the ledger; its request id is `change-N`. */
  change(): void;
}

export function memoryTrail(): MemoryTrail {
  const changes: Committed[] = [];
  const rows: AccessRow[] = [];
  let time = 0;
  const head = { sequence: 0, hash: '', nextRecord: 1, nextGolden: 1, nextTask: 1, ruleVersion: '' };
  return {
    source: auditSource,
    reader: {
      head: () => Promise.resolve({ ...head, sequence: changes.length }),
      storedRecord: () => Promise.resolve(undefined),
      byIdentifier: () => Promise.resolve([]),
      changes: (after, limit) => Promise.resolve(changes.slice(after, after + limit)),
      changeSets: (before, limit) =>
        Promise.resolve(
          changes
            .filter(({ sequence }) => sequence < before)
            .toReversed()
            .slice(0, limit),
        ),
    },
    accessLog: {
      after: (id, limit) => Promise.resolve(rows.slice(id, id + limit)),
      entries: (before, limit) =>
        Promise.resolve(
          rows
            .filter(({ id }) => id < before)
            .toReversed()
            .slice(0, limit),
        ),
    },
    query: (patients = []) => {
      const id = rows.length + 1;
      rows.push({ ...row, id, at: at(time++), event: 'search', requestId: `query-${id}`, patients });
    },
    change: () => {
      const sequence = changes.length + 1;
      const audit = { action: 'administer' as const, agent: 'root', address: '', record: null, what: 'clients add' };
      changes.push({ sequence, change: emptyChange(at(time++), { ...audit, requestId: `change-${sequence}` }) });
    },
  };
}

export interface MemoryCursors extends AuditCursors {
  readonly setAside: readonly SetAside[];
  /** Resolves once the repository has come so far. */
  reached(cursor: TrailCursor): Promise<void>;
}

export function memoryCursors(): MemoryCursors {
  let cursor: TrailCursor | undefined;
  const setAside: SetAside[] = [];
  const waiting: { readonly until: TrailCursor; readonly done: () => void }[] = [];
  const tell = (): void => {
    for (const one of waiting.splice(0)) {
      if (cursor && cursor.sequence >= one.until.sequence && cursor.access >= one.until.access) one.done();
      else waiting.push(one);
    }
  };
  return {
    setAside,
    read: () => cursor,
    save: (_name, to, aside) => {
      cursor = to;
      setAside.push(...aside);
      tell();
    },
    aside: () => setAside.length,
    reached: (until) =>
      new Promise((resolve) => {
        waiting.push({ until, done: resolve });
        tell();
      }),
  };
}

/** Request ids of audit messages, or of AuditEvents, in their order. */
export const requestIdsIn = (texts: readonly string[]): readonly string[] =>
  texts.flatMap((text) => /\b(?:query|change)-\d+\b(?!-)/.exec(text)?.[0] ?? []);

/** First occurrences, in their order. */
export const firstOnly = <T>(list: readonly T[]): readonly T[] => [...new Set(list)];
