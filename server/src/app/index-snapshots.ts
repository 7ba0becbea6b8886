import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { readSnapshot, type SnapshotOf, writeSnapshot } from '../adapters/snapshot/snapshot-file.ts';
import type { FromSnapshot, ToSnapshot } from '../adapters/snapshot/snapshot-thread.ts';
import { DEFAULT_RESERVE } from '../matching/linkage-index/arena.ts';
import { createLinkageIndex, layoutOf, type LinkageIndex } from '../matching/linkage-index/index.ts';
import type { RuleSet } from '../matching/model.ts';
import type { Ledger, RegistryScan } from '../registry/ports.ts';

/** Fewer records are read from the store as quickly. */
const LEAST = 20_000;

/** Records written after which a snapshot is due: so many, and a share of all. */
const DUE = 50_000;
const DUE_SHARE = 1 / 4;

const fileOf = (dataDir: string): string => join(dataDir, 'index.snapshot');

export interface FoundIndex {
  readonly index: LinkageIndex;
  /** See `PrepareDependencies.held`. */
  readonly held: number | undefined;
}

/** The index of a snapshot that fits, or an empty one. */
export async function findIndex(
  dataDir: string,
  rules: RuleSet,
  { ledger, scan, warn }: { readonly ledger: Ledger; readonly scan: RegistryScan; readonly warn: (words: string) => void },
): Promise<FoundIndex> {
  const head = await ledger.head();
  const layout = layoutOf(rules);
  // What is far behind is made again from the feature rows in less time than the changes since take.
  const fits = (of: SnapshotOf): boolean =>
    of.layout === layout &&
    of.ruleVersion === rules.version &&
    head.ruleVersion === rules.version &&
    of.sequence <= head.sequence &&
    head.sequence - of.sequence <= Math.max(DUE, head.nextRecord / 5);
  const read = readSnapshot(fileOf(dataDir), fits, DEFAULT_RESERVE);
  if (read.kind === 'read' && (await scan.hashAt(read.of.sequence)) === read.of.hash) {
    return { index: createLinkageIndex(rules, { arenas: read.arrays }), held: read.of.sequence };
  }
  if (read.kind === 'read') warn('the snapshot of the index is of another ledger: it is made again');
  else if (read.why !== '') warn(`${read.why}: it is made again`);
  return { index: createLinkageIndex(rules), held: undefined };
}

export interface IndexSnapshots {
  /** After a batch of so many records, when nothing is being decided: writes a snapshot in a thread of its own where one is due. */
  offer(sequence: number, written: number): void;
  /** Waits for one that is being written, and writes a last one where anything came since. */
  close(): Promise<void>;
}

/**
 * Keeps a snapshot of the index, so that a start need not make it again. While one is written the index is frozen: what is
 * registered meanwhile is kept aside, and found all the same.
 */
export function keepSnapshots(
  dataDir: string,
  { index, held }: FoundIndex,
  {
    rules,
    ledger,
    scan,
    warn,
  }: { readonly rules: RuleSet; readonly ledger: Ledger; readonly scan: RegistryScan; readonly warn: (words: string) => void },
): IndexSnapshots {
  const file = fileOf(dataDir);
  /** Records written since the last snapshot. */
  let since = held === undefined ? Infinity : 0;
  /** Where the last one stands. */
  let last = held ?? -1;
  let writing: Promise<void> | null = null;

  const describe = async (sequence: number): Promise<SnapshotOf | undefined> => {
    const hash = await scan.hashAt(sequence);
    return hash === undefined ? undefined : { layout: index.layout, ruleVersion: rules.version, sequence, hash };
  };

  const writeApart = async (sequence: number): Promise<void> => {
    const of = await describe(sequence);
    if (!of) return;
    const worker = new Worker(new URL('../adapters/snapshot/snapshot-thread.ts', import.meta.url), { name: 'snapshot' });
    const { promise, resolve } = Promise.withResolvers<string>();
    worker.once('message', ({ failed }: FromSnapshot) => {
      resolve(failed);
    });
    worker.once('error', (error) => {
      resolve(String(error));
    });
    worker.postMessage({ file, of, arrays: index.arenas } satisfies ToSnapshot);
    const failed = await promise;
    await worker.terminate();
    if (failed !== '') warn(`the snapshot of the index could not be written: ${failed}`);
  };

  return {
    offer(sequence, written) {
      since += written;
      if (writing || index.size < LEAST || since < Math.max(DUE, index.size * DUE_SHARE)) return;
      index.freeze();
      since = 0;
      last = sequence;
      writing = writeApart(sequence)
        .catch((error: unknown) => {
          warn(`the snapshot of the index could not be written: ${error instanceof Error ? error.name : 'unknown'}`);
        })
        .finally(() => {
          index.thaw();
          writing = null;
        });
    },
    async close() {
      await writing;
      const { sequence } = await ledger.head();
      if (index.size < LEAST || (since === 0 && last === sequence)) return;
      const of = await describe(sequence);
      if (of) writeSnapshot(file, of, index.arenas);
    },
  };
}
