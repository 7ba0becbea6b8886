/** The laws of this folder, over random decision rules and records: few values, so that agreement is common. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Retrieval, ScoredCandidate } from './candidates.ts';
import { createExhaustiveIndex } from './exhaustive.ts';
import { VALUE_SEPARATOR, type Comparison, type FeatureValues, type MultiValue, type Rule, type RuleSet } from './model.ts';
import { compareStrength, verdict } from './score.ts';

const VALUES = ['', 'anna', 'ana', 'anne', 'hanna', 'መሐመድ', 'መሐመዳ', '1990-01-01', '1990', '\u{10428}\u{10429}'];
const MULTI: readonly MultiValue[] = ['join', 'all', 'any'];
const FEATURES = 4;

const COMPARATORS: readonly (readonly [string, number])[] = [
  ['exact', 1],
  ['levenshtein', 1],
  ['damerau-levenshtein', 2],
  ['osa', 0],
  ['jaro-winkler', 0.85],
  ['jaro-winkler-distance', 0.2],
  ['soundex', 1],
  ['normalized-levenshtein-similarity', 0.75],
];

const contribution = fc.constantFrom(-1.184, -1, -0.1, 0, 0.1, 0.2, 0.7, 1, 1, 1, 2, 2.692);
const missing = fc.oneof(contribution, fc.constant('compare' as const));

const comparison: fc.Arbitrary<Comparison> = fc
  .record({
    method: fc.constantFrom(...COMPARATORS),
    feature: fc.nat(FEATURES - 1),
    agree: contribution,
    disagree: contribution,
    oneMissing: missing,
    bothMissing: missing,
  })
  .map(({ method: [comparator, threshold], ...rest }) => ({
    ...rest,
    name: `${comparator} of ${rest.feature}`,
    comparator,
    threshold,
    parameters: {},
  }));

const rule: fc.Arbitrary<Rule> = fc
  .record({
    comparisons: fc.array(comparison, { minLength: 1, maxLength: 5 }),
    filters: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.nat(FEATURES - 1), { maxLength: 2 }) },
    ),
    base: fc.constantFrom(0, 0, 100),
    least: fc.constantFrom(-1, 0, 0.1, 1, 1, 2, 3),
    more: fc.constantFrom(0, 0.2, 1, 2),
  })
  .map(({ least, more, ...rest }) => ({
    ...rest,
    name: 'a rule',
    kind: rest.base === 0 ? 'deterministic' : 'probabilistic',
    potential: rest.base + least,
    auto: rest.base + least + more,
  }));

/** Rule sets over the same features; at most `maxCandidates` candidates. */
const arbitraryRules = (maxCandidates: fc.Arbitrary<number>): fc.Arbitrary<RuleSet> =>
  fc
    .record({
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
      multi: fc.array(fc.constantFrom(...MULTI), { minLength: FEATURES, maxLength: FEATURES }),
      maxCandidates,
    })
    .map(({ rules, multi, maxCandidates }) => ({
      version: 'random',
      features: multi.map((mode) => ({ path: 'Patient.name', normaliser: 'string@1', multi: mode })),
      rules,
      limits: { maxGroup: 50, maxComponent: 1000, cohesion: 1 / 3, maxCandidates },
    }));

/** Values of a record, some of them several where the feature may hold several. */
const arbitraryValues = ({ features }: Pick<RuleSet, 'features'>): fc.Arbitrary<FeatureValues> =>
  fc.tuple(
    ...features.map(({ multi }) =>
      multi === 'join'
        ? fc.constantFrom(...VALUES)
        : fc
            .uniqueArray(fc.constantFrom(...VALUES.slice(1)), { maxLength: 3 })
            .map((values) => values.sort().join(VALUE_SEPARATOR)),
    ),
  );

type Step =
  | { readonly does: 'upsert'; readonly record: number; readonly values: FeatureValues }
  | { readonly does: 'remove'; readonly record: number }
  | { readonly does: 'retrieve'; readonly values: FeatureValues; readonly skip: readonly number[] };

const record = fc.integer({ min: 1, max: 25 });

const step = (rules: RuleSet): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant('upsert' as const), record, values: arbitraryValues(rules) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('remove' as const), record }) },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant('retrieve' as const),
        values: arbitraryValues(rules),
        skip: fc.uniqueArray(record, { maxLength: 3 }),
      }),
    },
  );

/** The plain double loop: every record, every rule, no index. */
const plainLoop = (rules: RuleSet, records: ReadonlyMap<number, FeatureValues>, query: FeatureValues): Retrieval => {
  const found = [...records].flatMap(([record, values]): ScoredCandidate[] => {
    const said = verdict(rules, query, values);
    return said === null ? [] : [{ record, verdict: said }];
  });
  found.sort((x, y) => compareStrength(x.verdict, y.verdict) || x.record - y.record);
  const { maxCandidates } = rules.limits;
  return { candidates: found.slice(0, maxCandidates), truncated: found.length > maxCandidates };
};

const without = (records: ReadonlyMap<number, FeatureValues>, skip: ReadonlySet<number>): ReadonlyMap<number, FeatureValues> =>
  new Map([...records].filter(([key]) => !skip.has(key)));

describe('for any rules and records', () => {
  it('decision rules say the same of two records from either side', () => {
    const scene = arbitraryRules(fc.constant(10)).chain((rules) =>
      fc.record({ rules: fc.constant(rules), a: arbitraryValues(rules), b: arbitraryValues(rules) }),
    );
    fc.assert(
      fc.property(scene, ({ rules, a, b }) => {
        const said = verdict(rules, a, b);
        expect(verdict(rules, b, a)).toEqual(said);
        expect(said === null || (said.normalised >= 0 && said.normalised <= 1)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('the exhaustive index answers as the plain double loop does, after any history of arrivals, updates and removals', () => {
    const history = arbitraryRules(fc.constantFrom(1, 3, 100)).chain((rules) =>
      fc.record({ rules: fc.constant(rules), steps: fc.array(step(rules), { minLength: 20, maxLength: 80 }) }),
    );
    let found = 0;
    let cut = 0;
    fc.assert(
      fc.property(history, ({ rules, steps }) => {
        const index = createExhaustiveIndex(rules);
        const records = new Map<number, FeatureValues>();
        for (const step of steps) {
          if (step.does === 'upsert') {
            index.upsert(step.record, step.values);
            records.set(step.record, step.values);
          } else if (step.does === 'remove') {
            index.remove(step.record);
            records.delete(step.record);
          } else {
            const skip = new Set(step.skip);
            const answer = index.retrieve(step.values, skip);
            expect(answer).toEqual(plainLoop(rules, without(records, skip), step.values));
            found += answer.candidates.length;
            cut += Number(answer.truncated);
          }
          expect(index.size).toBe(records.size);
        }
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(1000);
    expect(cut).toBeGreaterThan(50);
  });
});
