import type { Evidence, Verdict } from '../domain/links.ts';
import { better, type Comparator, worse } from './comparators/comparator.ts';
import { comparatorOf, isAgreement } from './comparators/index.ts';
import { classOf, normalised, rounded, ruleBounds } from './decide.ts';
import { VALUE_SEPARATOR, type Comparison, type FeatureValues, type MultiValue, type Rule, type RuleSet } from './model.ts';

/** Two values of one feature. */
export interface TwoValues {
  readonly a: string;
  readonly b: string;
}

/** The values of two records. */
export interface TwoRecords {
  readonly a: FeatureValues;
  readonly b: FeatureValues;
}

export interface RuleScore {
  /** Rounded to 1e-9, as thresholds are before they are compared with it. */
  readonly score: number;
  /** One per comparison, in the order of the rule. */
  readonly evidence: readonly Evidence[];
}

/** How a comparator is applied to them. */
interface How {
  readonly parameters: Comparison['parameters'];
  readonly multi: MultiValue;
}

/**
 * The measure of two values that may each hold several. `any`: the best pair's. `all`: each value of the side with
 * fewer takes its best on the other, and the worst of these counts; of two equal sides, both must stand this.
 */
const measureSeveral = (comparator: Comparator, { parameters, multi }: How, { a, b }: TwoValues): number => {
  const nearest = (value: string, others: readonly string[]): number =>
    others.map((other) => comparator.measure(value, other, parameters)).reduce((x, y) => better(comparator, x, y));
  const pick = multi === 'any' ? better : worse;
  const [fewer = [], more = []] = [a, b].map((text) => text.split(VALUE_SEPARATOR)).sort((x, y) => x.length - y.length);
  const measures = fewer.map((value) => nearest(value, more));
  if (fewer.length === more.length) measures.push(...more.map((value) => nearest(value, fewer)));
  return measures.reduce((x, y) => pick(comparator, x, y));
};

const measure = (comparator: Comparator, how: How, values: TwoValues): number => {
  const { a, b } = values;
  const single = how.multi === 'join' || !(a.includes(VALUE_SEPARATOR) || b.includes(VALUE_SEPARATOR));
  return single ? comparator.measure(a, b, how.parameters) : measureSeveral(comparator, how, values);
};

/** What one comparison says of two values. A missing value counts as agreement where it adds what agreement adds. */
export const compareValues = (comparison: Comparison, multi: MultiValue, values: TwoValues): Evidence => {
  const { name, threshold, agree, disagree, oneMissing, bothMissing, parameters } = comparison;
  const missing = Number(values.a === '') + Number(values.b === '');
  const handling = missing === 0 ? 'compare' : missing === 1 ? oneMissing : bothMissing;
  if (handling !== 'compare') return { comparison: name, measure: null, agrees: handling === agree, contribution: handling };
  const comparator = comparatorOf(comparison);
  const measured = measure(comparator, { parameters, multi }, values);
  const agrees = isAgreement(comparator, measured, threshold);
  return { comparison: name, measure: measured, agrees, contribution: agrees ? agree : disagree };
};

/** What a rule of `rules` says of two records; null when one of its filters keeps them apart. */
export const scoreRule = (rules: RuleSet, rule: Rule, { a, b }: TwoRecords): RuleScore | null => {
  if (rule.filters.some((feature) => !a[feature] || a[feature] !== b[feature])) return null;
  const evidence = rule.comparisons.map((comparison) => {
    const { feature } = comparison;
    const values = { a: a[feature] ?? '', b: b[feature] ?? '' };
    return compareValues(comparison, rules.features[feature]?.multi ?? 'join', values);
  });
  return { score: rounded(evidence.reduce((sum, { contribution }) => sum + contribution, rule.base)), evidence };
};

const ruleVerdict = (rules: RuleSet, place: number, records: TwoRecords): Verdict | null => {
  const rule = rules.rules[place];
  const scored = rule && scoreRule(rules, rule, records);
  if (!scored) return null;
  const reached = classOf(scored.score, rule);
  return (
    reached && {
      class: reached,
      ruleVersion: rules.version,
      rule: place,
      ruleName: rule.name,
      score: scored.score,
      normalised: normalised(scored.score, ruleBounds(rule)),
      evidence: scored.evidence,
    }
  );
};

/**
 * The strongest that any rule says of two records, null where none reaches its potential threshold. The automatic class
 * beats the potential one; within a class the earlier rule wins: scores of different rules have different scales.
 */
export const verdict = (rules: RuleSet, a: FeatureValues, b: FeatureValues): Verdict | null => {
  let potential: Verdict | null = null;
  for (const place of rules.rules.keys()) {
    const said = ruleVerdict(rules, place, { a, b });
    if (said?.class === 'auto') return said;
    potential ??= said;
  }
  return potential;
};

/** Order of verdicts, stronger first: class, rule order, normalised score. */
export const compareStrength = (v1: Verdict, v2: Verdict): number =>
  Number(v1.class !== 'auto') - Number(v2.class !== 'auto') || v1.rule - v2.rule || v2.normalised - v1.normalised;
