/** A suite against real processes. */
export interface Suite {
  readonly name: string;
  /** Each test of it, in order. */
  readonly tests: readonly RealTest[];
}

export interface RealTest {
  readonly title: string;
  /** Fulfils with words on what was seen; rejects when it failed, with `Missing` when it could not be run. */
  readonly run: () => Promise<string>;
  /** Milliseconds after which it is said to hang; 5 minutes unless said. */
  readonly deadline?: number;
}

/** A component that is not there: the reason is printed, and the test counts as skipped. */
export class Missing extends Error {}

export function claim(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}
