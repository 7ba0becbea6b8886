/** The law of the linkage index: it answers as comparing with every record does, whatever was put in, changed and removed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createExhaustiveIndex } from '../exhaustive.ts';
import { arbitraryRules, arbitraryStep, type Step } from '../../../test/support/random-rules.ts';
import { createLinkageIndex, openIndexReader } from './index.ts';
import { TUNING, type Tuning } from './tuning.ts';

const RESERVE = 2 ** 20;

/** `LAW_HISTORIES=100000 npm test -- server/src/matching/linkage-index/laws` tries more. */
const HISTORIES = Number(process.env['LAW_HISTORIES'] ?? 1000);

/** Small sizes, so that every limit is met; and costs under which lists are walked wherever a plan allows it. */
const TUNINGS: readonly Tuning[] = [
  {
    ...TUNING,
    slots: 32,
    longest: 4,
    lists: 64,
    listsPerRecord: 0,
    costs: { ...TUNING.costs, walked: 1e9, search: 0, measured: 0 },
  },
  { ...TUNING, slots: 64, lists: 1000, costs: { ...TUNING.costs, walked: 1e9, posting: 0, record: 1e6, search: 0, measured: 0 } },
  TUNING,
];

const history = arbitraryRules(fc.constantFrom(2, 100)).chain((rules) =>
  fc.record({
    rules: fc.constant(rules),
    tuning: fc.constantFrom(...TUNINGS),
    steps: fc.array(arbitraryStep(rules), { minLength: 20, maxLength: 80 }),
  }),
);

describe('for any rules of every kind, and any history of arrivals, updates and removals', () => {
  it(
    'the linkage index answers as the exhaustive one does, also while it is frozen, and in another thread',
    () => {
      let found = 0;
      fc.assert(
        fc.property(history, fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }), ({ rules, tuning, steps }, turns) => {
          const index = createLinkageIndex(rules, { reserve: RESERVE, tuning });
          const oracle = createExhaustiveIndex(rules);
          const reader = openIndexReader(rules, index.arenas, tuning);
          let frozen = false;
          const both = (step: Exclude<Step, { does: 'retrieve' }>): void => {
            for (const one of [index, oracle]) {
              if (step.does === 'upsert') one.upsert(step.record, step.values);
              else one.remove(step.record);
            }
          };
          steps.forEach((step, place) => {
            if (turns[place] && place % 7 === 0) {
              if (frozen) index.thaw();
              else index.freeze();
              frozen = !frozen;
            }
            if (step.does !== 'retrieve') both(step);
            else {
              const skip = new Set(step.skip);
              const answer = index.retrieve(step.values, skip);
              expect(answer).toEqual(oracle.retrieve(step.values, skip));
              reader.refresh();
              if (!frozen) expect(reader.retrieve(step.values, { skip, above: 0 })).toEqual(answer);
              found += answer.candidates.length;
            }
            expect(index.size).toBe(oracle.size);
          });
        }),
        { numRuns: HISTORIES },
      );
      expect(found).toBeGreaterThan(HISTORIES);
    },
    Infinity,
  );
});
