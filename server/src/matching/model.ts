/**
 * The compiled decision rules: what `rules/` makes of a file in any of its three spellings, and all that the engine
 * knows of them. Plain data, so that it crosses threads and is stored with its version.
 */

/** How several values of one feature are compared (docs/decision-rules.md, "Several values"). */
export type MultiValue = 'join' | 'all' | 'any';

/** A feature: values that a FHIRPath finds in a Patient, normalised. Its place in `RuleSet.features` is its index. */
export interface FeatureSpec {
  /** FHIRPath expression on a Patient. */
  readonly path: string;
  /** Name and version of a normaliser, e.g. `string@1`, `date@1` (matching/features). */
  readonly normaliser: string;
  readonly multi: MultiValue;
}

export type NullHandling = 'conservative' | 'moderate' | 'greedy';

/** One field of a rule: two values are compared, and agree or not. */
export interface Comparison {
  readonly name: string;
  /** Index into `RuleSet.features`. */
  readonly feature: number;
  /** Name in matching/comparators/index.ts. */
  readonly comparator: string;
  /** Agreement: a similarity at or above it, a distance at or below it. */
  readonly threshold: number;
  /** What agreement and disagreement add to the score. */
  readonly agree: number;
  readonly disagree: number;
  /** What is added when one value is missing, and when both are; `compare` compares the empty text like any other. */
  readonly oneMissing: number | 'compare';
  readonly bothMissing: number | 'compare';
  /** Parameters of the comparator, e.g. `{ boostThreshold: 0.7 }`. */
  readonly parameters: Readonly<Record<string, number>>;
}

export interface Rule {
  readonly name: string;
  readonly kind: 'deterministic' | 'probabilistic';
  readonly comparisons: readonly Comparison[];
  /** Indices of features that must be present and equal in both records. */
  readonly filters: readonly number[];
  /** Added to every score (1.x: 100 for probabilistic rules). */
  readonly base: number;
  readonly potential: number;
  readonly auto: number;
}

/** Limits of the cluster function (design §2.3) and of retrieval. */
export interface MatchingLimits {
  readonly maxGroup: number;
  readonly maxComponent: number;
  /** Least share of the pairs across two groups that must reach the potential level for the groups to join. */
  readonly cohesion: number;
  /** Candidates past which an answer is cut and says `truncated`. */
  readonly maxCandidates: number;
}

export interface RuleSet {
  /** Hash of everything below, hex: a change of any of it is another version. */
  readonly version: string;
  readonly features: readonly FeatureSpec[];
  readonly rules: readonly Rule[];
  readonly limits: MatchingLimits;
}

/**
 * The values of one record, by feature index. A missing value is ''. Several values are joined by a blank (`join`) or
 * by U+001F (`all`, `any`), which no normalised value contains.
 */
export type FeatureValues = readonly string[];

export const VALUE_SEPARATOR = '\u001f';
