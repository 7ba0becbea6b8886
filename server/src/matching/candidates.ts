import type { RecordKey } from '../domain/identity.ts';
import type { Pair, Verdict } from '../domain/links.ts';
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
 * rule, and no other. `matching/exhaustive.ts` compares with every record; the linkage index answers the same.
 */
export interface CandidateIndex {
  readonly size: number;
  upsert(record: RecordKey, values: FeatureValues): void;
  remove(record: RecordKey): void;
  /** The values that the record was last given; undefined where it is not in the index. */
  valuesOf(record: RecordKey): FeatureValues | undefined;
  /** `skip` names records to leave out: the submitted one, and those a batch in flight has changed. */
  retrieve(values: FeatureValues, skip: ReadonlySet<RecordKey>): Retrieval;
}

/** What finds the pairs of a range of records: the candidates of each of greater key. */
export interface PairSource {
  valuesOf(record: RecordKey): FeatureValues | undefined;
  retrieveAbove(values: FeatureValues, above: RecordKey): Retrieval;
}

/** What to find candidates for. */
export interface Query {
  /** The record itself, which is no candidate of its own; it need not be in the index. */
  readonly record: RecordKey;
  readonly values: FeatureValues;
}

/** Pairs of a range of records, each found at its smaller key. */
export interface RangePairs {
  /** By smaller key, ascending. */
  readonly pairs: readonly Pair[];
  /** Records whose candidates were cut. */
  readonly truncated: readonly RecordKey[];
}

/**
 * The same answers for many records at once: first loads and the rematch of the whole registry, on all cores where the
 * index can be shared. Whoever asks writes nothing to the index until it is answered.
 */
export interface BulkRetrieval {
  /** In the order of the queries. */
  retrieveMany(queries: readonly Query[]): Promise<readonly Retrieval[]>;
  /** The pairs of the indexed records with first ≤ key ≤ last, each with records of greater key. */
  pairsWithin(first: RecordKey, last: RecordKey): Promise<RangePairs>;
}
