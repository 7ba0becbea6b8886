/** A parameter of a comparator, as a rule may set it. */
export interface ComparatorParameter {
  readonly name: string;
  /** One sentence for the docs table. */
  readonly about: string;
  readonly min: number;
  readonly max: number;
  readonly default: number;
  /** Nothing between whole numbers has a meaning. */
  readonly whole?: true;
}

/** Two texts, as far as a bound knows them. */
export interface Outline {
  /** Lengths in code points. */
  readonly a: number;
  readonly b: number;
  /** Code points that both begin with: exact up to 3, 4 stands for more, too. */
  readonly prefix: number;
}

/**
 * Measures two normalised texts. Symmetric, and pure: the same texts give the same number for ever.
 * Identical texts, the empty one included, measure `identical` unless `about` says otherwise.
 */
export interface Comparator {
  readonly name: string;
  /** Other names under which OpenCR 1.x knows it. */
  readonly aliases: readonly string[];
  readonly kind: 'similarity' | 'distance';
  /** One sentence for the docs table. */
  readonly about: string;
  /** Measures lie between 0 and this. */
  readonly greatest: number;
  /** It says 1 or 0, so that a rule need not give a threshold. OpenCR 1.x read none for these. */
  readonly yesOrNo?: true;
  readonly parameters: readonly ComparatorParameter[];
  /** Nanoseconds for two names of about seven letters, to one figure, on one core of 2026: for prices and for the order of work. */
  readonly cost: number;
  /**
   * For a comparator that says 1 or 0: codes of a text that is not empty. Two such texts agree exactly when they have a
   * code in common.
   */
  code?(text: string): readonly string[];
  /**
   * A bound, so that texts need not be measured that cannot agree: the least size of the multiset of code points that two
   * agreeing texts of this outline have in common. Infinity where no two such texts agree, 0 where it cannot tell. A longer
   * prefix never needs more.
   */
  sharedLetters?(outline: Outline, threshold: number, parameters: Readonly<Record<string, number>>): number;
  measure(a: string, b: string, parameters: Readonly<Record<string, number>>): number;
}

/** Least difference between two measures that counts, so that 1 - 0.89 is at or below a threshold of 0.11. */
export const TOLERANCE = 1e-9;

/** The least whole number of letters, allowing for rounding; Infinity where the shorter text has fewer. */
export const lettersNeeded = ({ a, b }: Outline, least: number): number => {
  const needed = Math.max(0, Math.ceil(least - 1e-6));
  return needed > Math.min(a, b) ? Infinity : needed;
};

/** Whether a measure counts as agreement: a similarity at or above the threshold, a distance at or below it. */
export const isAgreement = ({ kind }: Pick<Comparator, 'kind'>, measure: number, threshold: number): boolean =>
  kind === 'similarity' ? measure >= threshold - TOLERANCE : measure <= threshold + TOLERANCE;

/** The better of two measures. */
export const better = ({ kind }: Pick<Comparator, 'kind'>, x: number, y: number): number =>
  kind === 'similarity' ? Math.max(x, y) : Math.min(x, y);

/** The worse of two measures. */
export const worse = ({ kind }: Pick<Comparator, 'kind'>, x: number, y: number): number =>
  kind === 'similarity' ? Math.min(x, y) : Math.max(x, y);
