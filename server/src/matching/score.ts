import type { Evidence, Verdict } from '../domain/links.ts';
import { better, type Comparator, worse } from './comparators/comparator.ts';
import { comparatorOf, isAgreement } from './comparators/index.ts';
import { classOf, normalised, rounded, ruleBounds } from './decide.ts';
import {
  type Agreement,
  type Comparison,
  type FeatureValues,
  type Level,
  type MultiValue,
  type Rule,
  type RuleSet,
  VALUE_SEPARATOR,
} from './model.ts';

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
  /** A level that held is a veto. */
  readonly vetoed: boolean;
}

/** What a comparison needs of its rule set. */
type Compared = Pick<RuleSet, 'features'>;

/** How a comparator is applied to them. */
interface How {
  readonly parameters: Agreement['parameters'];
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

const isMissing = (features: readonly number[], values: FeatureValues): boolean =>
  features.every((feature) => (values[feature] ?? '') === '');

/** Whether two values agree, and what was measured; a value that is missing agrees only where blanks are compared. */
const agreementOf = (rules: Compared, agreement: Agreement, { a, b }: TwoRecords, blanks: boolean) => {
  const { feature, other, parameters, threshold } = agreement;
  const values = { a: a[feature] ?? '', b: b[other] ?? '' };
  if (!blanks && (values.a === '' || values.b === '')) return { measure: null, agrees: false };
  const comparator = comparatorOf(agreement);
  const multi = rules.features[feature]?.multi ?? 'join';
  const measured = measure(comparator, { parameters, multi }, values);
  return { measure: measured, agrees: isAgreement(comparator, measured, threshold) };
};

/** One measure for a level: the worst of those that the first agreement's comparator took, so that both sides see the same. */
const levelMeasure = ({ agreements }: Level, said: readonly { readonly measure: number | null }[]): number | null => {
  const [first] = agreements;
  if (first === undefined) return null;
  const alike = said.filter((_, index) => agreements[index]?.comparator === first.comparator).map(({ measure }) => measure);
  const present = alike.filter((measure) => measure !== null);
  return present.length < alike.length ? null : present.reduce((x, y) => worse(comparatorOf(first), x, y));
};

/** The weight of a level that holds: by the value agreed on where the level knows how common it is. */
const levelWeight = ({ weight, frequencies, agreements: [agreement] }: Level, { a, b }: TwoRecords): number => {
  if (frequencies === undefined || agreement === undefined) return weight;
  const others = new Set((b[agreement.other] ?? '').split(VALUE_SEPARATOR));
  const shared = (a[agreement.feature] ?? '').split(VALUE_SEPARATOR).filter((value) => others.has(value));
  // Somebody may be called what every object has: constructor.
  const weightOf = (value: string): number => (Object.hasOwn(frequencies, value) ? frequencies[value] : undefined) ?? weight;
  return shared.length === 0 ? weight : Math.max(...shared.map(weightOf));
};

/**
 * What one comparison of `rules` says of two records: the first level whose agreements all hold. A missing value counts
 * as agreement where it adds what the first level adds. The measure is that of the level that held, else of the first.
 */
export const compare = (rules: Compared, comparison: Comparison, records: TwoRecords): Evidence & { readonly veto: boolean } => {
  const { name, features, levels, otherwise, oneMissing, bothMissing } = comparison;
  const missing = Number(isMissing(features, records.a)) + Number(isMissing(features, records.b));
  const handling = missing === 0 ? 'compare' : missing === 1 ? oneMissing : bothMissing;
  if (handling !== 'compare') {
    return { comparison: name, measure: null, agrees: handling === levels[0]?.weight, contribution: handling, veto: false };
  }
  let first: number | null | undefined;
  for (const level of levels) {
    const said = level.agreements.map((agreement) => agreementOf(rules, agreement, records, missing > 0));
    const measured = levelMeasure(level, said);
    if (first === undefined) first = measured;
    if (!said.every(({ agrees }) => agrees)) continue;
    return {
      comparison: name,
      measure: measured,
      agrees: true,
      contribution: levelWeight(level, records),
      ...(levels.length > 1 && { level: level.name }),
      veto: level.veto ?? false,
    };
  }
  return { comparison: name, measure: first ?? null, agrees: false, contribution: otherwise, veto: false };
};

/** What a rule of `rules` says of two records; null when one of its filters keeps them apart. */
export const scoreRule = (rules: Compared, rule: Rule, records: TwoRecords): RuleScore | null => {
  const { a, b } = records;
  if (rule.filters.some((feature) => !a[feature] || a[feature] !== b[feature])) return null;
  const said = rule.comparisons.map((comparison) => compare(rules, comparison, records));
  return {
    score: rounded(said.reduce((sum, { contribution }) => sum + contribution, rule.base)),
    evidence: said.map(({ veto: _veto, ...evidence }) => evidence),
    vetoed: said.some(({ veto }) => veto),
  };
};

const ruleVerdict = (rules: RuleSet, place: number, records: TwoRecords): Verdict | null => {
  const rule = rules.rules[place];
  const scored = rule && scoreRule(rules, rule, records);
  if (!scored) return null;
  const reached = classOf(scored.score, rule);
  return (
    reached && {
      class: scored.vetoed ? 'potential' : reached,
      ruleVersion: rules.version,
      rule: place,
      ruleName: rule.name,
      score: scored.score,
      normalised: normalised(scored.score, ruleBounds(rule)),
      evidence: scored.evidence,
      ...(scored.vetoed && { vetoed: true as const }),
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
