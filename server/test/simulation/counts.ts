import type { ChangeSet } from '../../src/domain/change-set.ts';
import type { GoldenKey } from '../../src/domain/identity.ts';
import type { State } from '../support/memory-state.ts';

/** What happened in a history, or in many. */
export interface Counts {
  histories: number;
  commands: number;
  changes: number;
  crashes: number;
  lostAnswers: number;
  behinds: number;
  /** CRUIDs retired because their group joined another. */
  joins: number;
  /** CRUIDs that part of a group got, or got back, when it was taken out of it. */
  breaks: number;
}

export const noCounts = (): Counts => ({
  histories: 0,
  commands: 0,
  changes: 0,
  crashes: 0,
  lostAnswers: 0,
  behinds: 0,
  joins: 0,
  breaks: 0,
});

export function addCounts(total: Counts, more: Counts): void {
  for (const name of Object.keys(more) as (keyof Counts)[]) total[name] += more[name];
}

/** Somebody who had another CRUID now has this one. */
const isTakenOver = ({ linksBegun, linksEnded }: ChangeSet, key: GoldenKey): boolean =>
  linksBegun.some(({ record, golden }) => golden === key && linksEnded.some((ended) => ended.record === record));

export function countChanges({ log }: State, counts: Counts): void {
  counts.changes += log.length;
  const retired = new Set<GoldenKey>();
  for (const { change } of log) {
    for (const { golden, retired: when } of change.goldens) {
      if (when === 'now') {
        counts.joins++;
        retired.add(golden.key);
      } else if (golden.active && (retired.delete(golden.key) || (golden.version === 1 && isTakenOver(change, golden.key)))) {
        counts.breaks++;
      }
    }
  }
}
