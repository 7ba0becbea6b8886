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
  measure(a: string, b: string, parameters: Readonly<Record<string, number>>): number;
}

/** Least difference between two measures that counts, so that 1 - 0.89 is at or below a threshold of 0.11. */
const TOLERANCE = 1e-9;

/** Whether a measure counts as agreement: a similarity at or above the threshold, a distance at or below it. */
export const isAgreement = ({ kind }: Pick<Comparator, 'kind'>, measure: number, threshold: number): boolean =>
  kind === 'similarity' ? measure >= threshold - TOLERANCE : measure <= threshold + TOLERANCE;

/** The better of two measures. */
export const better = ({ kind }: Pick<Comparator, 'kind'>, x: number, y: number): number =>
  kind === 'similarity' ? Math.max(x, y) : Math.min(x, y);

/** The worse of two measures. */
export const worse = ({ kind }: Pick<Comparator, 'kind'>, x: number, y: number): number =>
  kind === 'similarity' ? Math.min(x, y) : Math.max(x, y);
