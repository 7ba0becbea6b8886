import type { ChangeSet } from '../domain/change-set.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Head, Ledger, NextKeys } from './ports.ts';

export interface CommitDependencies {
  readonly ledger: Pick<Ledger, 'commit' | 'committed'>;
  /** Waits before the next look at a store whose answer was lost; resolves after about `milliseconds`. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly warn: (words: string) => void;
}

export interface DecidedBatch {
  /** Under which the ledger remembers it. */
  readonly id: string;
  readonly changes: readonly ChangeSet[];
  readonly next: NextKeys;
  /** The head that it was decided against. */
  readonly head: Head;
}

const ATTEMPTS = 5;
const PAUSE = 50;
const UNKNOWN = 'The store does not answer, and whether it kept this is not known: send it again.';

/** Whether the ledger has the batch; while it cannot be asked, that is not known. */
async function isCommitted({ ledger }: CommitDependencies, id: string): Promise<boolean | 'unknown'> {
  try {
    return (await ledger.committed(id)) !== undefined;
  } catch {
    return 'unknown';
  }
}

/**
 * Commits a batch. An attempt whose answer was lost is looked up by the batch's id before it is tried again, and counts
 * when it was in fact the one that moved the head. `behind`: somebody else moved it, and the batch is to be decided anew.
 * @throws what the store threw last, when it kept failing and has not kept the batch; `not-ready` when that could not be
 * found out; `no-space` at once, since then nothing was written.
 */
export async function commitBatch(dependencies: CommitDependencies, batch: DecidedBatch): Promise<'committed' | 'behind'> {
  const { ledger, pause, warn } = dependencies;
  for (let attempt = 1; ; attempt++) {
    try {
      const { kind } = await ledger.commit(batch.id, batch.changes, batch.head.sequence, batch.next);
      if (kind === 'behind' && attempt > 1 && (await ledger.committed(batch.id)) !== undefined) return 'committed';
      return kind;
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'no-space') throw error;
      warn(`commit attempt ${attempt} failed: ${error instanceof Error ? error.name : 'unknown'}`);
      await pause(PAUSE * attempt);
      const committed = await isCommitted(dependencies, batch.id);
      if (committed === true) return 'committed';
      if (attempt < ATTEMPTS) continue;
      // Tried again in parts it might be done twice.
      throw committed === 'unknown' ? new RegistryError('not-ready', UNKNOWN, { cause: error }) : error;
    }
  }
}
