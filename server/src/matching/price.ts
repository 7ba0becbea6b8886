import { comparatorOf } from './comparators/index.ts';
import { rounded, ruleBounds } from './decide.ts';
import { methodOf } from './linkage-index/compile.ts';
import type { Agreement, Comparison, Level, Rule, RuleSet } from './model.ts';
import { compare } from './score.ts';

/** What the linkage index needs at least to be sure of every record that a rule may match, the cheapest first. */
const WAYS = ['look-up', 'letters', 'distinct values', 'every record'] as const;
type Way = (typeof WAYS)[number];

export interface Price {
  /** Estimated nanoseconds per compared record whose values were not met before in the same look-up. */
  readonly relativeCost: number;
  readonly way: Way;
  /** One sentence on what drives the cost, for `doctor`. */
  readonly words: string;
}

/** Pairs of values taken for a feature that may hold several: two a side. */
const SEVERAL = 4;

const algorithmsOf = (levels: readonly Level[]): string =>
  [...new Set(levels.flatMap(({ agreements }) => agreements.map(({ comparator }) => comparator)))].join(', ');

const WAY_OF = { exact: 'look-up', code: 'look-up', letters: 'letters', scan: 'distinct values' } as const;

const rankOf = (way: Way): number => WAYS.indexOf(way);

/** A record of a level is found by any of its agreements: by the cheapest. */
const wayOf = ({ agreements }: Level): Way => {
  const ways = agreements.map((one: Agreement) => WAY_OF[methodOf(comparatorOf(one), one.threshold)]);
  return WAYS.find((way) => way !== 'every record' && ways.includes(way)) ?? 'every record';
};

interface Priced {
  readonly comparison: Comparison;
  /** Most that a record adds on which no level holds, for a submitted value of seven letters. */
  readonly floor: number;
  /** Levels that are worth a list, the weightiest first. */
  readonly levels: readonly { readonly level: Level; readonly weight: number; readonly way: Way }[];
}

const priced = (comparison: Comparison, rules: RuleSet): Priced => {
  const { levels, otherwise, oneMissing } = comparison;
  const a = rules.features.map(() => 'letters');
  const blank = oneMissing === 'compare' ? compare(rules, comparison, { a, b: [] }).contribution : oneMissing;
  const floor = Math.max(otherwise, blank);
  const weighed = levels.map((level) => ({
    level,
    weight: Math.max(level.weight, ...Object.values(level.frequencies ?? {})),
    way: wayOf(level),
  }));
  return { comparison, floor, levels: weighed.filter(({ weight }) => weight > floor).sort((x, y) => y.weight - x.weight) };
};

/** Most that a record can add that is in no list of this way or a cheaper one. */
const leftBy = (way: Way, { floor, levels }: Priced): number =>
  levels.find((level) => rankOf(level.way) > rankOf(way))?.weight ?? floor;

const namesBy = (way: Way, all: readonly Priced[]): readonly string[] =>
  all.flatMap(({ comparison, levels }) => {
    const own = levels.filter((one) => one.way === way).map(({ level }) => level);
    if (own.length === 0) return [];
    return way === 'look-up' ? [comparison.name] : [`${comparison.name} (${algorithmsOf(own)})`];
  });

const retrievalWords = (rule: Rule, way: Way, all: readonly Priced[]): string => {
  if (ruleBounds(rule).max < rounded(rule.potential)) return 'no record can reach its potential threshold';
  if (way === 'every record') {
    return 'records that share no value can reach its potential threshold, so that no look-up helps and every record is compared';
  }
  const how: readonly (readonly [Way, string])[] = [
    ['look-up', 'looking up'],
    ['letters', 'searching by letters the distinct values of'],
    ['distinct values', 'measuring every distinct value of'],
  ];
  const parts = how
    .filter(([one]) => rankOf(one) <= rankOf(way))
    .flatMap(([one, words]) => {
      const names = namesBy(one, all);
      return names.length === 0 ? [] : [`${words} ${names.join(', ')}`];
    });
  return `every record that it may match is found by ${parts.join(' and by ')}; what is found is compared`;
};

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
    dearest &&
    `, ${Math.round((100 * costOf(dearest)) / relativeCost)} % of it ${dearest.name} (${algorithmsOf(dearest.levels)})`;
  const all = rule.comparisons.map((comparison) => priced(comparison, rules));
  const reaches = (way: Way): boolean =>
    rounded(all.reduce((sum, one) => sum + leftBy(way, one), rule.base)) >= rounded(rule.potential);
  const way = WAYS.find((one) => !reaches(one)) ?? 'every record';
  const filters = rule.filters.length > 0 ? '; only records that pass its filters match' : '';
  return {
    relativeCost,
    way,
    words: `${retrievalWords(rule, way, all)}, at most about ${relativeCost} ns each${most ?? ''}${filters}`,
  };
};
