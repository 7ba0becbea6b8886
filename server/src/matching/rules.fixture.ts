/** Small rules for tests. */
import { type Comparison, type Field, fieldComparison, type MultiValue, type Rule, type RuleSet } from './model.ts';

export const field = (name: string, feature: number, rest: Partial<Field> = {}): Comparison =>
  fieldComparison({
    name,
    feature,
    comparator: 'exact',
    threshold: 1,
    agree: 1,
    disagree: 0,
    oneMissing: 0,
    bothMissing: 0,
    parameters: {},
    ...rest,
  });

export const rule = (comparisons: readonly Comparison[], rest: Partial<Rule> = {}): Rule => ({
  name: 'rule',
  kind: 'deterministic',
  comparisons,
  filters: [],
  base: 0,
  potential: 1,
  auto: 2,
  ...rest,
});

/** Over three features. */
export const ruleSet = (rules: readonly Rule[], multi: MultiValue = 'join'): RuleSet => ({
  version: 'v1',
  features: [0, 1, 2].map(() => ({ path: 'Patient.name', normaliser: 'string@1', multi })),
  rules,
  limits: { maxGroup: 50, maxComponent: 1000, cohesion: 1 / 3, maxCandidates: 100 },
});
