import type { RecordKey } from '../domain/identity.ts';
import type { Verdict } from '../domain/links.ts';
import type { FeatureValues } from './model.ts';

/** A record that the rules put at potential level or above, with why. */
export interface ScoredCandidate {
  readonly record: RecordKey;
  readonly verdict: Verdict;
}

export interface Retrieval {
  /** Strongest first: class, rule order, normalised score, then key. */
  readonly candidates: readonly ScoredCandidate[];
  /** Some were left out: the answer may not claim certainty. */
  readonly truncated: boolean;
}

/**
 * The exact candidate source in process: answers with every record whose score reaches the potential threshold of some
 * rule, and no other. `matching/exhaustive.ts` compares with every record; the linkage index will answer the same.
 */
export interface CandidateIndex {
  readonly size: number;
  upsert(record: RecordKey, values: FeatureValues): void;
  remove(record: RecordKey): void;
  /** `skip` names records to leave out: the submitted one, and those a batch in flight has changed. */
  retrieve(values: FeatureValues, skip: ReadonlySet<RecordKey>): Retrieval;
}
