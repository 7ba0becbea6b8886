import type { ChangeSet } from '../domain/change-set.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Sequence } from '../domain/identity.ts';
import type { Decider } from './decide.ts';
import type { Head, Ledger } from './ports.ts';

/** The candidate index as a projection of the ledger: it holds what was committed up to a sequence, and no more. */
export interface Projection {
  /** The head, with the index caught up to it: other processes may have moved it. */
  catchUp(): Promise<Head>;
  /** Takes in change sets that this process has just committed, after `head`. */
  take(changes: readonly ChangeSet[], head: Head): Promise<void>;
}

const PAGE = 256;

/** `indexed`: every change set up to there is in the index already. */
export function createProjection(
  ledger: Ledger,
  { index, rules }: Pick<Decider, 'index' | 'rules'>,
  indexed: Sequence,
): Projection {
  let known = indexed;

  const project = async ({ records }: ChangeSet): Promise<void> => {
    for (const { record, content, features } of records) {
      // Only its link or its flags changed.
      if (content === null) continue;
      const values = record.active ? (features ?? (await ledger.features(record.key))) : undefined;
      if (values) index.upsert(record.key, values);
      else index.remove(record.key);
    }
  };

  return {
    async catchUp() {
      const head = await ledger.head();
      if (head.ruleVersion !== rules.version) {
        throw new RegistryError('not-ready', 'Another process put other decision rules in force: restart this one with them.');
      }
      while (known < head.sequence) {
        const committed = await ledger.changes(known, PAGE);
        if (committed.length === 0) break;
        for (const { sequence, change } of committed) {
          await project(change);
          known = sequence;
        }
      }
      return head;
    },
    async take(changes, head) {
      for (const change of changes) await project(change);
      known = head.sequence + changes.length;
    },
  };
}
