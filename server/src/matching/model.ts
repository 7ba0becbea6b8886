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

/** That two values agree: of `feature` in one record and of `other` in the other (the same one, but for a swap). */
export interface Agreement {
  /** Indices into `RuleSet.features`. */
  readonly feature: number;
  readonly other: number;
  /** Name in matching/comparators/index.ts. */
  readonly comparator: string;
  /** A similarity at or above it, a distance at or below it. */
  readonly threshold: number;
  /** Parameters of the comparator, e.g. `{ boostThreshold: 0.7 }`. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** One way in which a comparison may come out. */
export interface Level {
  readonly name: string;
  /**
   * All hold. A level that crosses features lists both directions (given with family, and family with given), so that
   * it holds for two records in either order.
   */
  readonly agreements: readonly Agreement[];
  /** What it adds to the score. */
  readonly weight: number;
  /**
   * Weights by the value agreed on, instead of `weight`: how common it is, frozen with the version of the rules. Only
   * for a level of one `exact` agreement of a feature with itself; of several values agreed on the greatest counts.
   */
  readonly frequencies?: Readonly<Record<string, number>>;
  /** The two cannot be one person for the machine: the rule says potential at most, and their groups stay apart. */
  readonly veto?: true;
}

/**
 * A group of features of two records is compared (a field of a rule: a group of one). The first level that holds counts.
 */
export interface Comparison {
  readonly name: string;
  /** Indices into `RuleSet.features`; a record lacks the group when it has no value for any of them. */
  readonly features: readonly number[];
  readonly levels: readonly Level[];
  /** What is added when no level holds. */
  readonly otherwise: number;
  /** What is added when one record lacks the group, and when both do; `compare` compares the empty text like any other. */
  readonly oneMissing: number | 'compare';
  readonly bothMissing: number | 'compare';
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

/** A field of a rule: two values of one feature agree or not. */
export interface Field extends Omit<Agreement, 'other'>, Pick<Comparison, 'name' | 'oneMissing' | 'bothMissing'> {
  /** What agreement and disagreement add to the score. */
  readonly agree: number;
  readonly disagree: number;
}

/** The comparison that a field is: one feature, one level. */
export const fieldComparison = ({ name, agree, disagree, oneMissing, bothMissing, ...agreement }: Field): Comparison => ({
  name,
  features: [agreement.feature],
  levels: [{ name: 'agrees', agreements: [{ ...agreement, other: agreement.feature }], weight: agree }],
  otherwise: disagree,
  oneMissing,
  bothMissing,
});
