import { comparatorOf } from './comparators/index.ts';
import type { Comparison, Rule, RuleSet } from './model.ts';

export interface Price {
  /** Estimated nanoseconds per compared record whose values were not met before in the same look-up. */
  readonly relativeCost: number;
  /** Whether the in-process source finds every record that the rule puts at potential level. */
  readonly exactlyServed: boolean;
  /** One sentence on what drives the cost, for `doctor`. */
  readonly words: string;
}

/** Pairs of values taken for a feature that may hold several: two a side. */
const SEVERAL = 4;

const algorithmsOf = ({ levels }: Comparison): string =>
  [...new Set(levels.flatMap(({ agreements }) => agreements.map(({ comparator }) => comparator)))].join(', ');

/** Estimates what a rule costs, from the costs that the comparators state for two names of seven letters. */
export const priceRule = (rule: Rule, rules: RuleSet): Price => {
  const costOf = ({ levels }: Comparison): number =>
    levels
      .flatMap(({ agreements }) => agreements)
      .reduce(
        (sum, agreement) =>
          sum + comparatorOf(agreement).cost * (rules.features[agreement.feature]?.multi === 'join' ? 1 : SEVERAL),
        0,
      );
  const relativeCost = rule.comparisons.reduce((sum, comparison) => sum + costOf(comparison), 0);
  const dearest = rule.comparisons.toSorted((x, y) => costOf(y) - costOf(x))[0];
  const most =
    dearest && `, ${Math.round((100 * costOf(dearest)) / relativeCost)} % of it ${dearest.name} (${algorithmsOf(dearest)})`;
  const filters = rule.filters.length > 0 ? '; only records that pass its filters are compared' : '';
  return {
    relativeCost,
    exactlyServed: true,
    words: `compares with every record, at most about ${relativeCost} ns each${most ?? ''}${filters}`,
  };
};
