import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryRules } from '../../test/support/random-rules.ts';
import { createAgreeingValues } from './linkage-index/agreeing.ts';
import { createArenas } from './linkage-index/arena.ts';
import { compileRules } from './linkage-index/compile.ts';
import { makePlan } from './linkage-index/plan.ts';
import { createQuestion } from './linkage-index/question.ts';
import { openRecords } from './linkage-index/records.ts';
import { type Tuning, TUNING } from './linkage-index/tuning.ts';
import type { Rule, RuleSet } from './model.ts';
import { priceRule } from './price.ts';
import { field, rule as plainRule, ruleSet } from './rules.fixture.ts';

const rule: typeof plainRule = (comparisons, rest) => plainRule(comparisons, { potential: 2, auto: 3, ...rest });

const priceOf = (priced: Rule) => priceRule(priced, ruleSet([priced]));

const given = field('given', 0, { comparator: 'damerau-levenshtein', threshold: 2 });
const sounds = field('family', 1, { comparator: 'soundex' });
const grams = field('place', 1, { comparator: 'ngram', threshold: 0.3 });
const phone = field('phone', 2);

const fuzzyAgreement = field('family', 1, { comparator: 'jaro-winkler-distance', threshold: 0.2 });

/** The first rule has to search by letters; what it finds is all that the second would look at, which can do with a look-up. */
const sharingASearch = ruleSet([
  rule([fuzzyAgreement], { potential: 1, auto: 1 }),
  rule([phone, fuzzyAgreement], { potential: 2, auto: 2 }),
]);

describe('the price of a rule', () => {
  it.each<[string, Rule, RegExp]>([
    [
      'look-ups, where what they leave cannot match',
      rule([phone, sounds, given]),
      /^every record .* is found by looking up phone, family; /,
    ],
    [
      'a search by letters, where they can',
      rule([phone, given]),
      /looking up phone; what is found is compared, at most about \d+ ns each, \d+ % of it given \(damerau-levenshtein\)$/,
    ],
    [
      'letters, where a rule needs one agreement only',
      rule([phone, given], { potential: 1 }),
      /phone and by searching by letters .* given \(damerau/,
    ],
    [
      'measuring each distinct value, where nothing bounds the comparator',
      rule([grams], { potential: 1 }),
      /found by measuring every distinct value of place \(ngram\)/,
    ],
    [
      'comparing every record, where missing values alone reach the threshold',
      rule([field('phone', 2, { oneMissing: 1 }), field('given', 0, { oneMissing: 1 })]),
      /^records that share no value can reach its potential threshold, .* every record is compared, /,
    ],
    ['nothing, where no record can match', rule([phone], { potential: 2 }), /^no record can reach/],
  ])('says what finds its records: %s', (_what, priced, words) => {
    expect(priceOf(priced).words).toMatch(words);
  });

  it('names what drives it, and counts the pairs of several values', () => {
    const priced = rule([phone, given], { filters: [2] });
    const { words, relativeCost } = priceOf(priced);
    expect(words).toMatch(/% of it given \(damerau-levenshtein\); only records that pass its filters match$/);
    expect(priceRule(priced, ruleSet([priced], 'any')).relativeCost).toBe(4 * relativeCost);
  });

  it('tells of any rule what the linkage index does for a record with all its values', () => {
    // Look-ups cost next to nothing, searches much, a walk over all more than anything: the plan is the cheapest way that there is.
    const tuning: Tuning = {
      ...TUNING,
      costs: { posting: 1, record: 1, walked: 1e18, search: 1e9, letters: 1e9, measured: 1e9 },
    };
    const ways = new Set<string>();
    fc.assert(
      fc.property(arbitraryRules(fc.constant(100)), (random) => {
        const rules: RuleSet = {
          ...random,
          rules: random.rules.map((one) => ({
            ...one,
            comparisons: one.comparisons.map((comparison) => ({
              ...comparison,
              levels: comparison.levels.map(({ frequencies: _, ...level }) => level),
            })),
          })),
        };
        const values = rules.features.map(() => 'letters');
        const compiled = compileRules(rules);
        const records = openRecords(createArenas(undefined, 2 ** 20), compiled, tuning);
        records.put(1, values);
        rules.rules.forEach((one, place) => {
          // Lists found for one rule cost the next nothing: each begins without any.
          const agreeing = createAgreeingValues(records, compiled.agreements, tuning);
          const question = createQuestion(compiled, records, agreeing);
          question.begin(values);
          const plan = makePlan({ question, records, costs: tuning.costs }, place, {
            base: one.base,
            least: one.potential - 1e-6,
          });
          const { way } = priceRule(one, rules);
          ways.add(way);
          expect(plan.kind === 'all').toBe(way === 'every record');
          if (plan.kind === 'lists') {
            const methods = plan.walks.map(({ asked }) => asked.agreement.method);
            expect(methods.every((method) => method === 'exact' || method === 'code')).toBe(way === 'look-up');
          }
        });
      }),
      { numRuns: 300, examples: [[sharingASearch]] },
    );
    expect(ways.size).toBeGreaterThan(2);
  });
});
