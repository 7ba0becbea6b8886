import { describe, expect, it } from 'vitest';
import { ruleBounds } from './decide.ts';
import { type Agreement, type Comparison, type FeatureValues, type Level, type MultiValue, VALUE_SEPARATOR } from './model.ts';
import { field, rule, ruleSet } from './rules.fixture.ts';
import { compareStrength, scoreRule, verdict } from './score.ts';

const several = (...values: readonly string[]): string => values.join(VALUE_SEPARATOR);

/** The only comparison's evidence on two values of feature 0. */
const evidenceOf = (field: Comparison, multi: MultiValue, [x, y]: readonly [string, string]) =>
  scoreRule(ruleSet([], multi), rule([field]), { a: [x], b: [y] })?.evidence[0];

describe('a rule', () => {
  const given = field('given', 0, { comparator: 'damerau-levenshtein', threshold: 2 });
  const family = field('family', 1, { comparator: 'jaro-winkler', threshold: 0.9, agree: 2.5, disagree: -1.5 });

  it('adds what each comparison gives, with the measure of each as evidence', () => {
    const rules = ruleSet([rule([given, family], { base: 100, potential: 101, auto: 103 })]);
    expect(verdict(rules, ['emanuel', 'joshua'], ['emmanuel', 'joshua'])).toEqual({
      class: 'auto',
      ruleVersion: 'v1',
      rule: 0,
      ruleName: 'rule',
      score: 103.5,
      normalised: 1,
      evidence: [
        { comparison: 'given', measure: 1, agrees: true, contribution: 1 },
        { comparison: 'family', measure: 1, agrees: true, contribution: 2.5 },
      ],
    });
    expect(verdict(rules, ['emanuel', 'joshua'], ['emanuel', 'okello'])).toBeNull();
  });

  it('keeps records apart whose filter features are missing or differ', () => {
    const filtered = rule([given], { filters: [2] });
    const rules = ruleSet([filtered]);
    expect(scoreRule(rules, filtered, { a: ['a', '', 'male'], b: ['a', '', 'female'] })).toBeNull();
    expect(scoreRule(rules, filtered, { a: ['a', '', ''], b: ['a', '', ''] })).toBeNull();
    expect(scoreRule(rules, filtered, { a: ['a', '', 'male'], b: ['a', '', 'male'] })?.score).toBe(1);
  });

  it('reaches a threshold that its decimal weights add up to, whatever the order of the sum', () => {
    const weights = [0.1, 0.2, 0.7].map((agree, feature) => field(`field ${feature}`, feature, { agree }));
    const rules = ruleSet([rule(weights, { potential: 1, auto: 1 })]);
    expect(verdict(rules, ['a', 'b', 'c'], ['a', 'b', 'c'])?.score).toBe(1);
    const thirds = ruleSet([rule(weights.slice(0, 2), { potential: 0.3, auto: 0.1 + 0.2 })]);
    expect(verdict(thirds, ['a', 'b', ''], ['a', 'b', ''])?.class).toBe('auto');
  });

  it('places a score between its least and its greatest, missing values among them', () => {
    const fields = [field('a', 0, { agree: 2, disagree: -1, oneMissing: -2, bothMissing: 'compare' })];
    expect(ruleBounds(rule(fields, { base: 100 }))).toEqual({ min: 98, max: 102 });
    const rules = ruleSet([rule(fields, { base: 100, potential: 99, auto: 102 })]);
    expect(verdict(rules, ['x'], ['y'])?.normalised).toBe(0.25);
    expect(verdict(ruleSet([rule([field('a', 0, { agree: 0 })], { potential: 0 })]), ['x'], ['x'])?.normalised).toBe(1);
  });
});

describe('a missing value', () => {
  const handled = field('phone', 0, { agree: 2, disagree: -1, oneMissing: 0.5, bothMissing: 2 });

  it('adds what the rule says of one and of both, without a measure', () => {
    expect(evidenceOf(handled, 'join', ['', 'x'])).toEqual({
      comparison: 'phone',
      measure: null,
      agrees: false,
      contribution: 0.5,
    });
    expect(evidenceOf(handled, 'join', ['', ''])).toEqual({ comparison: 'phone', measure: null, agrees: true, contribution: 2 });
  });

  it('is compared like any other text where the rule says so', () => {
    const compared = field('given', 0, {
      comparator: 'levenshtein',
      threshold: 3,
      oneMissing: 'compare',
      bothMissing: 'compare',
    });
    expect(evidenceOf(compared, 'join', ['', 'ali'])).toMatchObject({ measure: 3, agrees: true });
    expect(evidenceOf(compared, 'any', ['', several('alim', 'ali')])).toMatchObject({ measure: 3, agrees: true });
    expect(evidenceOf(compared, 'join', ['', ''])).toMatchObject({ measure: 0, agrees: true });
  });
});

describe('several values', () => {
  const close = field('given', 0, { comparator: 'levenshtein', threshold: 1 });

  it.each([
    ['any', several('anna', 'maria'), several('hanna', 'ruth'), 1, true],
    ['any', several('anna', 'maria'), several('john', 'ruth'), 4, false],
    ['all', 'anna', several('hanna', 'ruth'), 1, true],
    ['all', several('anna', 'maria'), several('ann', 'mario', 'ruth'), 1, true],
    ['all', several('anna', 'peter'), several('ann', 'mario', 'ruth'), 4, false],
    ['all', several('anna', 'anne'), several('anna', 'ruth'), 4, false],
  ] as const)('under `%s`, %j and %j measure %d', (multi, x, y, measure, agrees) => {
    expect(evidenceOf(close, multi, [x, y])).toMatchObject({ measure, agrees });
    expect(evidenceOf(close, multi, [y, x])).toMatchObject({ measure, agrees });
  });
});

describe('of several rules', () => {
  const both = rule([field('given', 0), field('family', 1)], { name: 'strict', potential: 1, auto: 2 });
  const phone = rule([field('phone', 2, { agree: 500 })], { name: 'phone', potential: 100, auto: 500 });

  it('one that reaches the automatic level beats an earlier one that does not', () => {
    expect(verdict(ruleSet([both, phone]), ['a', 'b', 'c'], ['a', 'x', 'c'])).toMatchObject({
      ruleName: 'phone',
      class: 'auto',
      rule: 1,
    });
  });

  it('the earlier wins within a class, however high the score of the later', () => {
    expect(verdict(ruleSet([both, phone]), ['a', 'b', 'c'], ['a', 'b', 'c'])).toMatchObject({ ruleName: 'strict', score: 2 });
    expect(verdict(ruleSet([phone, both]), ['a', 'b', 'c'], ['a', 'b', 'c'])).toMatchObject({ ruleName: 'phone', score: 500 });
  });

  it('the earlier wins within the potential class too', () => {
    const loose = rule([field('given', 0)], { name: 'loose', potential: 1, auto: 5 });
    const looser = rule([field('phone', 2, { agree: 4 })], { name: 'looser', potential: 1, auto: 5 });
    expect(verdict(ruleSet([loose, looser]), ['a', 'b', 'c'], ['a', 'b', 'c'])).toMatchObject({
      ruleName: 'loose',
      class: 'potential',
    });
    expect(verdict(ruleSet([looser, loose]), ['a', 'b', 'c'], ['a', 'b', 'c'])).toMatchObject({ ruleName: 'looser', rule: 0 });
  });

  it('strength is class, then rule order, then the normalised score', () => {
    const base = verdict(ruleSet([both]), ['a', 'b', ''], ['a', 'x', '']);
    if (base === null) throw new Error('no verdict');
    const ordered = [
      { ...base, class: 'auto' as const, rule: 3, normalised: 0.1 },
      { ...base, rule: 0, normalised: 0.9 },
      { ...base, rule: 0, normalised: 0.2 },
      { ...base, rule: 1, normalised: 1 },
    ];
    expect(ordered.toReversed().sort(compareStrength)).toEqual(ordered);
  });
});

describe('a comparison of several levels', () => {
  const exactly = (feature: number, other = feature): Agreement => ({
    feature,
    other,
    comparator: 'exact',
    threshold: 1,
    parameters: {},
  });
  const close = (feature: number, other = feature): Agreement => ({ ...exactly(feature, other), comparator: 'levenshtein' });
  const names: Comparison = {
    name: 'names',
    features: [0, 1],
    levels: [
      { name: 'both', agreements: [exactly(0), exactly(1)], weight: 9 },
      { name: 'crossed', agreements: [close(0, 1), close(1, 0)], weight: 6 },
      { name: 'other family', agreements: [exactly(0)], weight: -2, veto: true },
    ],
    otherwise: -4,
    oneMissing: 0,
    bothMissing: 0,
  };
  const rules = ruleSet([rule([names, field('phone', 2)], { potential: -1, auto: 6 })]);

  it('counts the first that holds, and says which', () => {
    const said = (a: FeatureValues, b: FeatureValues) => verdict(rules, a, b)?.evidence[0];
    expect(said(['anna', 'okello', ''], ['anna', 'okello', ''])).toMatchObject({ level: 'both', contribution: 9, measure: 1 });
    expect(said(['anna', 'okello', ''], ['okelo', 'ana', ''])).toMatchObject({ level: 'crossed', contribution: 6, measure: 1 });
    expect(said(['anna', '', ''], ['', '', ''])).toMatchObject({ contribution: 0, measure: null });
    expect(verdict(rules, ['anna', 'okello', ''], ['mary', 'auma', ''])).toBeNull();
  });

  it('of which one is a veto says potential at most, whatever the score', () => {
    expect(verdict(rules, ['anna', 'okello', '7'], ['anna', 'auma', '7'])).toMatchObject({ class: 'potential', vetoed: true });
    expect(verdict(rules, ['anna', 'okello', '7'], ['anna', 'okello', '7'])).not.toHaveProperty('vetoed');
  });

  it('adds what the value agreed on is worth, the rarest of several', () => {
    const level: Level = { name: 'equal', agreements: [exactly(0)], weight: 3, frequencies: { smith: 1, zza: 7 } };
    const field: Comparison = { ...names, features: [0], levels: [level] };
    const worth = (x: string, y: string) => scoreRule(ruleSet([], 'any'), rule([field]), { a: [x], b: [y] })?.score;
    expect(worth('smith', several('smith', 'weaver'))).toBe(1);
    expect(worth(several('smith', 'zza'), several('smith', 'zza'))).toBe(7);
    expect(worth('okello', 'okello')).toBe(3);
    expect(worth('okello', 'smith')).toBe(-4);
    expect(worth('constructor', 'constructor')).toBe(3);
  });
});
