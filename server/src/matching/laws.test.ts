/** The laws of this folder, over random decision rules and records. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createExhaustiveIndex } from './exhaustive.ts';
import { arbitraryRules, arbitraryStep, arbitraryValues, plainLoop, without } from '../../test/support/random-rules.ts';
import type { FeatureValues } from './model.ts';
import { verdict } from './score.ts';

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
      fc.record({ rules: fc.constant(rules), steps: fc.array(arbitraryStep(rules), { minLength: 20, maxLength: 80 }) }),
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
