import type { RuleSet } from '../../src/matching/model.ts';
import type { RegistrarLimits } from '../../src/registry/registrar.ts';
import type { Chance } from './chance.ts';
import type { Faults } from './faulty-store.ts';
import { rulesOf } from './population.ts';

/** What is drawn before a history begins. */
export interface Setting {
  readonly processes: readonly string[];
  /** Clients that send at once. */
  readonly clients: number;
  /** Commands that they want done. */
  readonly length: number;
  readonly limits: RegistrarLimits;
  /** Mean milliseconds of a commit. */
  readonly commitLatency: number;
  readonly faults: Faults;
  readonly rules: RuleSet;
  /** Rules that the operator installs on the way; null: none. */
  readonly laterRules: RuleSet | null;
  /** No component and no answer can be cut, so that the cluster function's law holds without exception. */
  readonly unlimited: boolean;
  /** Mean milliseconds between crashes and restarts. */
  readonly pace: number;
}

function faultsOf(chance: Chance): Faults {
  const level = chance.pick([0, 0.02, 0.1, 0.1, 0.3]);
  const some = (): number => (chance.hits(0.6) ? level * 2 * chance.next() : 0);
  return {
    read: some() / 4,
    commitFails: some(),
    answerLost: some() * 1.5,
    commitLate: some(),
    committed: some() * 1.5,
    replyLost: some(),
  };
}

/** More records than any history has. */
const MANY = 1000;

export function drawSetting(chance: Chance): Setting {
  const rules = rulesOf(chance, 'rules-1');
  const laterRules = chance.hits(0.25) ? rulesOf(chance, 'rules-2') : null;
  const limits = [rules.limits, laterRules?.limits ?? rules.limits];
  return {
    processes: ['a', 'b', 'c'].slice(0, chance.pick([1, 1, 2, 2, 3])),
    clients: 1 + chance.below(5),
    length: 8 + chance.below(28),
    limits: {
      batch: chance.pick([1, 3, 16]),
      queueLength: chance.pick([100, 100, 2]),
      queueAge: chance.pick([1e9, 1e9, 30]),
    },
    commitLatency: chance.pick([0.5, 3, 20]),
    faults: faultsOf(chance),
    rules,
    laterRules,
    unlimited: limits.every(({ maxComponent, maxCandidates }) => Math.min(maxComponent, maxCandidates) >= MANY),
    pace: chance.pick([20, 80, 400]),
  };
}
