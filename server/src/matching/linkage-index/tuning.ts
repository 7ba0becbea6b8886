/**
 * Sizes and costs that the index works with, measured on one core of 2026. They decide how fast an answer comes, never what it is: the law
 * is tested with others too.
 */
export interface Tuning {
  /** Texts in a chunk of letter planes, a multiple of 32. */
  readonly slots: number;
  /** A posting list past this length is given up: no plan would walk it, and keeping it would cost more than it can save. */
  readonly longest: number;
  /** Numbers of 4 bytes that kept lists of agreeing values may take: so many, and so many a record. */
  readonly lists: number;
  readonly listsPerRecord: number;
  /** Nanoseconds; only their ratios matter. */
  readonly costs: PlanCosts;
}

export interface PlanCosts {
  /** Adding a posting to the accumulator and clearing it again. */
  readonly posting: number;
  /** Judging a record. */
  readonly record: number;
  /** Judging a record of a walk over all, where most are left at the first comparison. */
  readonly walked: number;
  /** A search by letters: beside, and for each distinct value. */
  readonly search: number;
  readonly letters: number;
  /** Measuring a distinct value. */
  readonly measured: number;
}

export const TUNING: Tuning = {
  slots: 2048,
  longest: 2 ** 17,
  lists: 2 ** 18,
  listsPerRecord: 12,
  costs: { posting: 8, record: 150, walked: 60, search: 40_000, letters: 2, measured: 400 },
};
