import type { ChangeSet, Committed } from '../../src/domain/change-set.ts';
import type { GoldenKey, RecordKey } from '../../src/domain/identity.ts';
import type { Ledger } from '../../src/registry/ports.ts';

/** What submissions did to others. */
export interface Upheaval {
  /** Records that moved to another CRUID although they were not the submitted one. */
  readonly moved: number;
  /** Groups whose earlier members are no longer together. */
  readonly split: number;
}

async function* everyChange(ledger: Ledger): AsyncIterable<Committed> {
  for (let after = 0; ;) {
    const committed = await ledger.changes(after, 500);
    yield* committed;
    const last = committed.at(-1);
    if (!last) return;
    after = last.sequence;
  }
}

/** Applies a change to who is where, and says what it did to others. */
function follow(groups: Map<GoldenKey, Set<RecordKey>>, { audit, linksBegun, linksEnded }: ChangeSet): Upheaval {
  const left = linksEnded.filter(({ record }) => record !== audit.record);
  const goes = new Map(linksBegun.map(({ record, golden }) => [record, golden]));
  const split = [...new Set(left.map(({ golden }) => golden))].filter((golden) => {
    const before = [...(groups.get(golden) ?? [])].filter((record) => record !== audit.record);
    return new Set(before.map((record) => goes.get(record) ?? golden)).size > 1;
  });
  for (const { record, golden } of linksEnded) groups.get(golden)?.delete(record);
  for (const { record, golden } of linksBegun) groups.set(golden, (groups.get(golden) ?? new Set()).add(record));
  return { moved: left.length, split: split.length };
}

/** The upheaval of each `every` submissions, read from the ledger. */
export async function upheavals(ledger: Ledger, every: number): Promise<readonly Upheaval[]> {
  const groups = new Map<GoldenKey, Set<RecordKey>>();
  const sums: Upheaval[] = [];
  let submissions = 0;
  for await (const { change } of everyChange(ledger)) {
    const { moved, split } = follow(groups, change);
    if (change.audit.record === null) continue;
    const place = Math.floor(submissions++ / every);
    const sum = sums[place] ?? { moved: 0, split: 0 };
    sums[place] = { moved: sum.moved + moved, split: sum.split + split };
  }
  return sums;
}
