/** Records, pairs and decisions as the tests of the cluster function write them. */
import { type Pair, pairName } from '../domain/links.ts';
import type { MatchingLimits } from './model.ts';
import type { Constraint, Member } from './resolve.ts';

export const LIMITS: MatchingLimits = { maxGroup: 50, maxComponent: 1000, cohesion: 1 / 3, maxCandidates: 1000 };

export const member = (key: number, value = String(key).padStart(4, '0')): Member => ({
  key,
  identity: { system: 'urn:clinic', value, client: 'clinic' },
});

export const pair = (x: number, y: number, said: Partial<Pick<Pair, 'class' | 'rule' | 'normalised' | 'vetoed'>> = {}): Pair => ({
  ...pairName(x, y),
  class: 'auto',
  rule: 0,
  normalised: 1,
  ruleVersion: '1',
  ruleName: 'a rule',
  score: 1,
  evidence: [],
  ...said,
});

export const same = (x: number, y: number): Constraint => ({ ...pairName(x, y), verdict: 'same' });
export const different = (x: number, y: number): Constraint => ({ ...pairName(x, y), verdict: 'different' });
