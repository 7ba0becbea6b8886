/** From a rule's score to its class and to its place on the rule's own scale. */
import type { PairClass } from '../domain/links.ts';
import type { Comparison, Rule } from './model.ts';

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** Scores are sums of decimal fractions: rounded, so that .1 + .2 + .7 reaches 1 in whatever order it is added. */
export const rounded = (x: number): number => Math.round(x * 1e9) / 1e9 || 0;

/** Least and greatest that a comparison can add to a score. */
export const comparisonBounds = ({ levels, otherwise, oneMissing, bothMissing }: Comparison): Bounds => {
  const weights = levels.flatMap(({ weight, frequencies = {} }) => [weight, ...Object.values(frequencies)]);
  const possible = [...weights, otherwise, oneMissing, bothMissing].filter((x) => x !== 'compare');
  return { min: Math.min(...possible), max: Math.max(...possible) };
};

/** Least and greatest score that a rule can give. */
export const ruleBounds = (rule: Rule): Bounds => {
  const bounds = rule.comparisons.map(comparisonBounds);
  return {
    min: rounded(bounds.reduce((sum, { min }) => sum + min, rule.base)),
    max: rounded(bounds.reduce((sum, { max }) => sum + max, rule.base)),
  };
};

/** A score on the scale from the rule's least (0) to its greatest (1), rounded to 1e-9. */
export const normalised = (score: number, { min, max }: Bounds): number =>
  max === min ? 1 : rounded(Math.min(1, Math.max(0, (score - min) / (max - min))));

/** The class that a score reaches; null below the potential threshold. */
export const classOf = (score: number, { potential, auto }: Pick<Rule, 'potential' | 'auto'>): PairClass | null =>
  score < rounded(potential) ? null : score >= rounded(auto) ? 'auto' : 'potential';
