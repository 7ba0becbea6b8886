import { describe, expect, it } from 'vitest';
import { createExhaustiveIndex } from './exhaustive.ts';
import { type Agreement, type RuleSet } from './model.ts';
import { field, rule } from './rules.fixture.ts';

describe('the exhaustive index', () => {
  const rules: RuleSet = {
    version: 'v1',
    features: [{ path: 'Patient.name.family', normaliser: 'string@1', multi: 'join' }],
    rules: [rule([field('family', 0)], { name: 'family', auto: 1 })],
    limits: { maxGroup: 50, maxComponent: 1000, cohesion: 1 / 3, maxCandidates: 20 },
  };

  it('says that it cut an answer, and keeps the first of equals', () => {
    const index = createExhaustiveIndex(rules);
    for (let key = 100; key > 0; key--) index.upsert(key, ['okello']);
    const { candidates, truncated } = index.retrieve(['okello'], new Set([2]));
    expect(truncated).toBe(true);
    expect(candidates.map(({ record }) => record)).toEqual([1, ...Array.from({ length: 19 }, (_, i) => i + 3)]);
    expect(index.retrieve(['okello'], new Set(Array.from({ length: 80 }, (_, i) => i + 1))).truncated).toBe(false);
  });

  it('forgets a value with the last record that had it, however many come and go', () => {
    const index = createExhaustiveIndex(rules);
    for (let i = 0; i < 5000; i++) index.upsert(1 + (i % 7), [`name ${i}`]);
    expect(index.retrieve(['name 4999'], new Set()).candidates).toMatchObject([{ record: 1 + (4999 % 7) }]);
    expect(index.retrieve(['name 4990'], new Set()).candidates).toEqual([]);
    index.remove(1 + (4999 % 7));
    expect(index.retrieve(['name 4999'], new Set()).candidates).toEqual([]);
  });

  it('refuses rules that name a comparator or a feature that is not there', () => {
    const [rule] = rules.rules;
    const [comparison] = rule?.comparisons ?? [];
    const [agreement] = comparison?.levels[0]?.agreements ?? [];
    if (rule === undefined || comparison === undefined || agreement === undefined) throw new Error('no rule');
    const broken = (changed: Partial<Agreement>): RuleSet => ({
      ...rules,
      rules: [
        {
          ...rule,
          comparisons: [{ ...comparison, levels: [{ name: 'agrees', agreements: [{ ...agreement, ...changed }], weight: 1 }] }],
        },
      ],
    });
    expect(() => createExhaustiveIndex(broken({ feature: 7 }))).toThrow('feature 7');
    expect(() => createExhaustiveIndex(broken({ comparator: 'phonetic' }))).toThrow('phonetic');
  });
});
