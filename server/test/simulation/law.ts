import type { RecordKey } from '../../src/domain/identity.ts';
import { type Adjudication, type Pair, pairName, type Verdict } from '../../src/domain/links.ts';
import { UNLINKED } from '../../src/domain/records.ts';
import type { FeatureValues, RuleSet } from '../../src/matching/model.ts';
import { type Constraint, resolve } from '../../src/matching/resolve.ts';
import { verdict } from '../../src/matching/score.ts';
import type { State } from '../support/memory-state.ts';
import { decisionsOf, demand } from './invariants.ts';
import { extractStored } from './population.ts';

/** Active records with their values, from their contents. */
export const activeValues = (state: State, rules: RuleSet): ReadonlyMap<RecordKey, FeatureValues> =>
  new Map(
    [...state.records].flatMap(([key, versions]) => {
      const { record, resource } = versions.at(-1)!;
      return record.active ? [[key, extractStored(resource, rules.features)] as const] : [];
    }),
  );

/** Every pair at potential level or above, by comparing everybody with everybody. */
function allPairs(values: ReadonlyMap<RecordKey, FeatureValues>, rules: RuleSet): readonly Pair[] {
  const records = [...values].sort(([a], [b]) => a - b);
  return records.flatMap(([a, mine], index) =>
    records.slice(index + 1).flatMap(([b, theirs]): Pair[] => {
      const said = verdict(rules, mine, theirs);
      return said ? [{ ...said, a, b }] : [];
    }),
  );
}

/** The record that stands for a record: where it was merged into in the end, or itself; undefined where that is deleted. */
function survivorOf(state: State, key: RecordKey): RecordKey | undefined {
  const { record } = state.records.get(key)!.at(-1)!;
  if (record.mergedInto !== undefined) return survivorOf(state, record.mergedInto);
  return record.deleted ? undefined : key;
}

/** A decision on records that others stand for is one on those. */
const onSurvivors =
  (state: State) =>
  (said: Adjudication): readonly Adjudication[] => {
    const [x, y] = [survivorOf(state, said.a), survivorOf(state, said.b)];
    return x === undefined || y === undefined || x === y ? [] : [{ ...said, ...pairName(x, y) }];
  };

const isConstraint = (said: Adjudication): said is Adjudication & Constraint => said.verdict !== 'undecided';

/** Records that automatic pairs or "same" decisions connect. */
function componentsOf(
  records: readonly RecordKey[],
  pairs: readonly Pair[],
  same: readonly Constraint[],
): readonly ReadonlySet<RecordKey>[] {
  const componentOf = new Map(records.map((key) => [key, new Set([key])]));
  for (const { a, b } of [...pairs.filter((pair) => pair.class === 'auto'), ...same]) {
    const [one, other] = [componentOf.get(a)!, componentOf.get(b)!];
    if (one === other) continue;
    for (const key of other) componentOf.set(key, one.add(key));
  }
  return [...new Set(componentOf.values())];
}

const written = (groups: readonly (readonly RecordKey[])[]): string =>
  groups
    .map((group) => [...group].sort((x, y) => x - y).join(' '))
    .sort()
    .join(' | ');

const verdictText = ({ class: level, rule, ruleVersion, score, evidence }: Verdict): string =>
  JSON.stringify([level, rule, ruleVersion, score, evidence]);

/** Stored pairs are those that comparing everybody with everybody gives. */
export function checkPairs(state: State, rules: RuleSet, complete: boolean): readonly Pair[] {
  const pairs = allPairs(activeValues(state, rules), rules);
  const expected = new Map(pairs.map((pair) => [`${pair.a} ${pair.b}`, pair]));
  for (const [name, pair] of state.pairs) {
    const right = expected.get(name);
    demand(
      right !== undefined && verdictText(right) === verdictText(pair),
      () => `the pair ${name} is stored, but is not what the rules say`,
    );
  }
  const missing = pairs.find(({ a, b }) => !state.pairs.has(`${a} ${b}`));
  demand(!complete || missing === undefined, () => `the pair ${missing?.a} ${missing?.b} is not stored`);
  return pairs;
}

/**
 * The law of design §2.3: whatever the order of arrivals, updates and decisions was, the groups are those that `resolve`
 * makes of all records at once.
 */
export function checkPartition(state: State, rules: RuleSet, pairs: readonly Pair[]): void {
  const decisions = decisionsOf(state).flatMap(onSurvivors(state)).filter(isConstraint);
  const same = decisions.filter(({ verdict }) => verdict === 'same');
  const standing = [...state.records.keys()].filter((key) => survivorOf(state, key) === key);
  const alone = componentsOf(standing, pairs, same).flatMap((component) => {
    const inside = ({ a, b }: { a: RecordKey; b: RecordKey }): boolean => component.has(a) && component.has(b);
    const members = [...component].map((key) => ({ key, identity: state.records.get(key)!.at(-1)!.record.identity }));
    return resolve({ members, pairs: pairs.filter(inside), constraints: decisions.filter(inside) }, rules.limits).groups;
  });
  const behind = Map.groupBy(state.records.keys(), (key) => survivorOf(state, key));
  const groups = alone.map((group) => group.flatMap((key) => behind.get(key) ?? []));
  const linked = Map.groupBy(state.records.keys(), (key) => state.records.get(key)!.at(-1)!.record.golden);
  linked.delete(UNLINKED);
  const [expected, found] = [written(groups), written([...linked.values()])];
  demand(expected === found, () => `the groups are ${found}, from scratch they are ${expected}`);
}
