import type { ChangeSet } from '../../src/domain/change-set.ts';
import type { CommitOutcome, Ledger, RegistryScan } from '../../src/registry/ports.ts';
import type { FeatureSpec } from '../../src/matching/model.ts';
import { type MemoryDisk, openMemoryStore } from '../support/memory-ledger.ts';
import type { Chance } from './chance.ts';
import type { Owner, Scheduler } from './scheduler.ts';

/** Probabilities; all 0 once a history has calmed down. */
export interface Faults {
  /** A read fails. */
  read: number;
  /** A commit fails and takes no effect. */
  commitFails: number;
  /** A commit takes effect, but its answer is lost. */
  answerLost: number;
  /** A commit's connection is lost first and it takes effect after that. */
  commitLate: number;
  /** A batch's id cannot be read back. */
  committed: number;
  /** An answer to a client is lost. */
  replyLost: number;
}

export const NO_FAULTS: Faults = { read: 0, commitFails: 0, answerLost: 0, commitLate: 0, committed: 0, replyLost: 0 };

/** The store did not do what it was asked for, or did not say so. */
export class StoreFault extends Error {}

/** One command fails, each time, wherever it is handled. */
export class Poison extends Error {}

/** Address of a sender whose change sets no commit accepts. */
export const POISONED = 'poisoned';

export interface FaultyStoreSetup {
  readonly disk: MemoryDisk;
  readonly features: readonly FeatureSpec[];
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: Faults;
  /** Mean of a commit's latency, in milliseconds. */
  readonly commitLatency: number;
  /** The process that opened it. */
  readonly owner: Owner;
  readonly committed: (changes: readonly ChangeSet[], outcome: CommitOutcome) => void;
}

/** Shorter than the registrar's first pause: it looks for a lost batch when that has taken effect, or never will. */
const LATE = 40;

/** Share of reads that take time, so that others act meanwhile; the rest are answered at once, for speed. */
const SLOW_READS = 0.06;

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The in-memory store as one process sees it: slow, and failing as the faults say. */
export function openFaultyStore(setup: FaultyStoreSetup): { readonly ledger: Ledger; readonly scan: RegistryScan } {
  const { disk, scheduler, chance, faults, owner } = setup;
  const inner = openMemoryStore(setup.features, disk);

  const reach = <T>(act: () => Promise<T>, failure: number): Promise<T> =>
    new Promise((resolve, reject) => {
      const fails = chance.hits(failure);
      scheduler.after(owner, chance.next(), () => {
        if (fails) reject(new StoreFault('a read failed'));
        else act().then(resolve, reject);
      });
    });

  const slowly = <Port extends object>(port: Port): Port =>
    Object.fromEntries(
      Object.entries(port).map(([name, method]: [string, Method]) => [
        name,
        (...args: readonly unknown[]) =>
          chance.hits(SLOW_READS) ? reach(() => method(...args), faults.read * 4) : method(...args),
      ]),
    ) as Port;

  const commit: Ledger['commit'] = (batch, changes, after, next) =>
    new Promise((resolve, reject) => {
      const [fails, lost, late] = [
        chance.hits(faults.commitFails),
        chance.hits(faults.answerLost),
        chance.hits(faults.commitLate),
      ];
      const latency = setup.commitLatency * 2 * chance.next();
      const answer = (act: () => void): void => scheduler.after(owner, chance.next(), act);
      const takeEffect = (): void => {
        inner.ledger.commit(batch, changes, after, next).then((outcome) => {
          setup.committed(changes, outcome);
          answer(() => {
            if (lost) reject(new StoreFault('the answer to a commit was lost'));
            else resolve(outcome);
          });
        }, reject);
      };
      if (changes.some(({ audit }) => audit.address === POISONED))
        answer(() => reject(new Poison('the store refuses this change')));
      else if (fails) answer(() => reject(new StoreFault('a commit failed')));
      else {
        if (late) answer(() => reject(new StoreFault('the connection was lost')));
        // On the wire it outlives a crash of the process, in the process it does not.
        scheduler.after(chance.hits(0.5) ? disk : owner, late ? Math.min(latency + 1, LATE) : latency, takeEffect);
      }
    });

  const { featureRows, ...scan } = inner.scan;
  return {
    ledger: {
      ...slowly(inner.ledger),
      head: () => reach(() => inner.ledger.head(), faults.read),
      changes: (after, limit) => reach(() => inner.ledger.changes(after, limit), faults.read),
      committed: (batch) => reach(() => inner.ledger.committed(batch), faults.committed),
      commit,
    },
    scan: {
      ...slowly(scan),
      async *featureRows(features) {
        const rows = featureRows(features)[Symbol.asyncIterator]();
        for (let row = await rows.next(); !row.done; row = await reach(() => rows.next(), faults.read)) yield row.value;
      },
    },
  };
}
