/** Random decision rules of every supported kind, records and histories: few values, so that agreement is common. */
import fc from 'fast-check';
import type { Retrieval, ScoredCandidate } from '../../src/matching/candidates.ts';
import {
  type Agreement,
  type Comparison,
  type FeatureValues,
  fieldComparison,
  type MultiValue,
  type Rule,
  type RuleSet,
  VALUE_SEPARATOR,
} from '../../src/matching/model.ts';
import { compareStrength, verdict } from '../../src/matching/score.ts';

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

const fieldOf: fc.Arbitrary<Comparison> = fc
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
  }))
  .map(fieldComparison);

const agreement = (feature: number, other: number): fc.Arbitrary<Agreement> =>
  fc.constantFrom(...COMPARATORS).map(([comparator, threshold]) => ({ feature, other, comparator, threshold, parameters: {} }));

const veto = fc.constantFrom({}, {}, {}, { veto: true as const });

/** One feature at several levels, the first by how common the value is. */
const leveled: fc.Arbitrary<Comparison> = fc.nat(FEATURES - 1).chain((feature) =>
  fc
    .record({
      frequencies: fc.dictionary(fc.constantFrom(...VALUES.slice(1)), contribution, { maxKeys: 4 }),
      lower: fc.array(fc.record({ agreement: agreement(feature, feature), weight: contribution, veto }), { maxLength: 3 }),
      weight: contribution,
      otherwise: contribution,
      oneMissing: missing,
      bothMissing: missing,
    })
    .map(({ frequencies, lower, weight, ...rest }) => ({
      ...rest,
      name: `levels of ${feature}`,
      features: [feature],
      levels: [
        {
          name: 'equal',
          agreements: [{ feature, other: feature, comparator: 'exact', threshold: 1, parameters: {} }],
          weight,
          frequencies,
        },
        ...lower.map((level, place) => ({
          ...level.veto,
          name: `level ${place}`,
          agreements: [level.agreement],
          weight: level.weight,
        })),
      ],
    })),
);

/** Features 0 and 1 as a pair: both agree, or both agree crosswise, or one does. */
const paired: fc.Arbitrary<Comparison> = fc
  .record({
    method: fc.constantFrom(...COMPARATORS),
    weights: fc.tuple(contribution, contribution, contribution),
    veto,
    otherwise: contribution,
    oneMissing: missing,
    bothMissing: missing,
  })
  .map(({ method: [comparator, threshold], weights: [both, crossed, one], veto: vetoed, ...rest }) => {
    const of = (feature: number, other: number): Agreement => ({ feature, other, comparator, threshold, parameters: {} });
    return {
      ...rest,
      name: 'names',
      features: [0, 1],
      levels: [
        { name: 'both', agreements: [of(0, 0), of(1, 1)], weight: both },
        { name: 'crossed', agreements: [of(0, 1), of(1, 0)], weight: crossed, ...vetoed },
        { name: 'one', agreements: [of(1, 1)], weight: one },
      ],
    };
  });

const comparison = fc.oneof(
  { weight: 4, arbitrary: fieldOf },
  { weight: 2, arbitrary: leveled },
  { weight: 1, arbitrary: paired },
);

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
export const arbitraryRules = (maxCandidates: fc.Arbitrary<number>): fc.Arbitrary<RuleSet> =>
  fc
    .record({
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
      multi: fc.array(fc.constantFrom(...MULTI), { minLength: FEATURES, maxLength: FEATURES }),
      maxCandidates,
    })
    .map(({ rules, multi, maxCandidates }) => ({
      version: 'random',
      // What is compared crosswise holds values in the same way.
      features: [multi[0] ?? 'join', ...multi.slice(0, 1), ...multi.slice(2)].map((mode) => ({
        path: 'Patient.name',
        normaliser: 'string@1',
        multi: mode,
      })),
      rules,
      limits: { maxGroup: 50, maxComponent: 1000, cohesion: 1 / 3, maxCandidates },
    }));

/** Values of a record, some of them several where the feature may hold several. */
export const arbitraryValues = ({ features }: Pick<RuleSet, 'features'>): fc.Arbitrary<FeatureValues> =>
  fc.tuple(
    ...features.map(({ multi }) =>
      multi === 'join'
        ? fc.constantFrom(...VALUES)
        : fc
            .uniqueArray(fc.constantFrom(...VALUES.slice(1)), { maxLength: 3 })
            .map((values) => values.sort().join(VALUE_SEPARATOR)),
    ),
  );

export type Step =
  | { readonly does: 'upsert'; readonly record: number; readonly values: FeatureValues }
  | { readonly does: 'remove'; readonly record: number }
  | { readonly does: 'retrieve'; readonly values: FeatureValues; readonly skip: readonly number[] };

const record = fc.integer({ min: 1, max: 25 });

export const arbitraryStep = (rules: RuleSet): fc.Arbitrary<Step> =>
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
export const plainLoop = (rules: RuleSet, records: ReadonlyMap<number, FeatureValues>, query: FeatureValues): Retrieval => {
  const found = [...records].flatMap(([record, values]): ScoredCandidate[] => {
    const said = verdict(rules, query, values);
    return said === null ? [] : [{ record, verdict: said }];
  });
  found.sort((x, y) => compareStrength(x.verdict, y.verdict) || x.record - y.record);
  const { maxCandidates } = rules.limits;
  return { candidates: found.slice(0, maxCandidates), truncated: found.length > maxCandidates };
};

export const without = (
  records: ReadonlyMap<number, FeatureValues>,
  skip: ReadonlySet<number>,
): ReadonlyMap<number, FeatureValues> => new Map([...records].filter(([key]) => !skip.has(key)));
