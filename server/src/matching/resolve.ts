import { compareIdentity, type RecordIdentity, type RecordKey } from '../domain/identity.ts';
import type { Pair, PairName } from '../domain/links.ts';
import type { MatchingLimits } from './model.ts';

export interface Member {
  readonly key: RecordKey;
  readonly identity: RecordIdentity;
}

/** A person's decision on two records; the latest on a pair, none contradicting the others. */
export interface Constraint extends PairName {
  readonly verdict: 'same' | 'different';
}

/** Records that automatic-level pairs or "same" decisions connect, with all that is known between them. */
export interface Component {
  readonly members: readonly Member[];
  /** Each pair once. */
  readonly pairs: readonly Pair[];
  readonly constraints: readonly Constraint[];
}

/** An automatic-level pair that ended up in two groups, and why: the strongest such pair of each two groups. */
export interface RefusedJoin {
  readonly pair: PairName;
  readonly reason: 'constraint' | 'veto' | 'two-decisions' | 'group-size' | 'cohesion';
  /** The record of the pair with more pairs into the other's group; of equals, the one of smaller identity. */
  readonly bridge: RecordKey;
}

export interface Partition {
  /** Members ascending by key; groups by their smallest identity. */
  readonly groups: readonly (readonly RecordKey[])[];
  readonly refused: readonly RefusedJoin[];
}

interface Group {
  readonly members: RecordKey[];
  /** Pairs at potential level or above with each other group. */
  readonly pairs: Map<Group, number>;
  /** Groups that it may not join: a "different" decision, else a veto of the rules, stands between two members. */
  readonly apart: Map<Group, 'constraint' | 'veto'>;
  decided: boolean;
}

/** Groups under construction: each record knows its group, and two groups know what lies between them. */
class Groups {
  private readonly of: Map<RecordKey, Group>;

  constructor({ members, pairs, constraints }: Component) {
    this.of = new Map(
      members.map(({ key }) => [
        key,
        { members: [key], pairs: new Map<Group, number>(), apart: new Map<Group, 'constraint' | 'veto'>(), decided: false },
      ]),
    );
    for (const { a, b, vetoed } of pairs) {
      this.link(this.get(a), this.get(b), 1);
      if (vetoed) this.keepApart(this.get(a), this.get(b), 'veto');
    }
    for (const { a, b, verdict } of constraints) {
      if (verdict === 'different') this.keepApart(this.get(a), this.get(b), 'constraint');
    }
  }

  private keepApart(one: Group, other: Group, reason: 'constraint' | 'veto'): void {
    if (one.apart.get(other) === 'constraint') return;
    one.apart.set(other, reason);
    other.apart.set(one, reason);
  }

  get(key: RecordKey): Group {
    const group = this.of.get(key);
    if (!group) throw new Error(`record ${key} is in a pair or a decision, but not a member of the component`);
    return group;
  }

  all(): readonly Group[] {
    return [...new Set(this.of.values())];
  }

  private link(one: Group, other: Group, pairs: number): void {
    one.pairs.set(other, (one.pairs.get(other) ?? 0) + pairs);
    other.pairs.set(one, (other.pairs.get(one) ?? 0) + pairs);
  }

  /** The smaller group becomes part of the larger. */
  join(one: Group, other: Group): void {
    const [large, small] = one.members.length < other.members.length ? [other, one] : [one, other];
    large.pairs.delete(small);
    small.pairs.delete(large);
    for (const [neighbour, pairs] of small.pairs) {
      neighbour.pairs.delete(small);
      this.link(large, neighbour, pairs);
    }
    // A person's "same" has beaten what stood between the two.
    large.apart.delete(small);
    small.apart.delete(large);
    for (const [neighbour, reason] of small.apart) {
      neighbour.apart.delete(small);
      this.keepApart(large, neighbour, reason);
    }
    for (const key of small.members) this.of.set(key, large);
    large.members.push(...small.members);
    large.decided ||= small.decided;
  }
}

const ROUNDING = 1e9;

/** Each record's place in the order of identities: what breaks every tie, never a key. */
type Ranks = ReadonlyMap<RecordKey, number>;

const rankOf = (ranks: Ranks, key: RecordKey): number => ranks.get(key) ?? Infinity;

const ranked = (members: readonly Member[]): Ranks =>
  new Map(members.toSorted((x, y) => compareIdentity(x.identity, y.identity)).map(({ key }, rank) => [key, rank]));

/** Strongest first: rule order, normalised score rounded to 1e-9, then the identities of the records. All of one class. */
function strongestFirst(pairs: readonly Pair[], ranks: Ranks): readonly Pair[] {
  const keyed = pairs.map((pair) => {
    const [a, b] = [rankOf(ranks, pair.a), rankOf(ranks, pair.b)];
    return { pair, score: Math.round(pair.normalised * ROUNDING), first: Math.min(a, b), second: Math.max(a, b) };
  });
  keyed.sort((x, y) => x.pair.rule - y.pair.rule || y.score - x.score || x.first - y.first || x.second - y.second);
  return keyed.map(({ pair }) => pair);
}

/** Why two groups may not be joined by the machine; undefined when they may. */
function objection(one: Group, other: Group, limits: MatchingLimits): RefusedJoin['reason'] | undefined {
  const apart = one.apart.get(other);
  if (apart) return apart;
  if (one.decided && other.decided) return 'two-decisions';
  if (one.members.length + other.members.length > limits.maxGroup) return 'group-size';
  const possible = one.members.length * other.members.length;
  return (one.pairs.get(other) ?? 0) + 1 / ROUNDING < limits.cohesion * possible ? 'cohesion' : undefined;
}

type Objection = PairName & Pick<RefusedJoin, 'reason'>;

/** The bridge of a refused pair (see RefusedJoin): each record's pairs into other groups are counted once for all. */
function bridges({ pairs }: Component, groups: Groups, ranks: Ranks): (refused: PairName) => RecordKey {
  const counts = new Map<RecordKey, Map<Group, number>>();
  const into = (record: RecordKey, group: Group): number => counts.get(record)?.get(group) ?? 0;
  const add = (record: RecordKey, group: Group): void => {
    const row = counts.get(record) ?? new Map<Group, number>();
    counts.set(record, row.set(group, into(record, group) + 1));
  };
  for (const { a, b } of pairs) {
    add(a, groups.get(b));
    add(b, groups.get(a));
  }
  return ({ a, b }) => {
    const lead = into(a, groups.get(b)) - into(b, groups.get(a)) || rankOf(ranks, b) - rankOf(ranks, a);
    return lead > 0 ? a : b;
  };
}

/** Of each two groups that stayed apart, the strongest pair that was refused; strongest first. */
function refusedJoins(
  objections: readonly Objection[],
  groups: Groups,
  bridgeOf: (refused: PairName) => RecordKey,
): readonly RefusedJoin[] {
  const seen = new Map<Group, Set<Group>>();
  return objections.flatMap(({ a, b, reason }) => {
    const [one, other] = [groups.get(a), groups.get(b)];
    if (one === other || seen.get(one)?.has(other) || seen.get(other)?.has(one)) return [];
    seen.set(one, (seen.get(one) ?? new Set()).add(other));
    return [{ pair: { a, b }, reason, bridge: bridgeOf({ a, b }) }];
  });
}

/**
 * Which records of a component are one person (design §2.3): a pure function of the records, their pairs and people's
 * decisions; it sees no task, no CRUID and no arrival, so any order of arrival ends in the same partition.
 *
 * "Same" decisions join first. Then automatic-level pairs, strongest first, join two groups unless a "different"
 * decision or a veto of the rules stands between any two of their members, both hold a "same" decision, the group would have more than
 * `maxGroup` records, or fewer than `cohesion` of the pairs across reach the potential level. Each pair is looked at once:
 * one that was refused is not tried again when its groups have grown, since weaker pairs between them come later anyway.
 */
export function resolve(component: Component, limits: MatchingLimits): Partition {
  const groups = new Groups(component);
  const ranks = ranked(component.members);
  for (const { a, b, verdict } of component.constraints) {
    if (verdict !== 'same') continue;
    const [one, other] = [groups.get(a), groups.get(b)];
    if (one !== other) groups.join(one, other);
    groups.get(a).decided = true;
  }
  const objections: Objection[] = [];
  const automatic = component.pairs.filter((pair) => pair.class === 'auto');
  for (const { a, b } of strongestFirst(automatic, ranks)) {
    const [one, other] = [groups.get(a), groups.get(b)];
    if (one === other) continue;
    const reason = objection(one, other, limits);
    if (reason) objections.push({ a, b, reason });
    else groups.join(one, other);
  }
  const first = (members: readonly RecordKey[]): number => Math.min(...members.map((key) => rankOf(ranks, key)));
  return {
    groups: groups
      .all()
      .map(({ members }) => members.toSorted((x, y) => x - y))
      .sort((x, y) => first(x) - first(y)),
    refused: refusedJoins(objections, groups, bridges(component, groups, ranks)),
  };
}

/**
 * The decisions that `next` contradicts: with "same", a "different" between the two groups that "same" decisions make;
 * with "different", the "same" decisions of a shortest chain that ties the two records. Empty when it contradicts none.
 * `constraints` are consistent and about other pairs: an earlier decision on the same pair is replaced, not contradicted.
 */
export function contradictions(constraints: readonly Constraint[], next: Constraint): readonly Constraint[] {
  const same = constraints.filter((constraint) => constraint.verdict === 'same');
  const paths = chains(same, next.a);
  if (next.verdict === 'different') return paths.get(next.b) ?? [];
  const [one, other] = [new Set(paths.keys()), new Set(chains(same, next.b).keys())];
  return constraints.filter(
    ({ a, b, verdict }) => verdict === 'different' && ((one.has(a) && other.has(b)) || (one.has(b) && other.has(a))),
  );
}

/** The records that "same" decisions tie to `from`, each with the decisions of a shortest chain to it. */
function chains(same: readonly Constraint[], from: RecordKey): ReadonlyMap<RecordKey, readonly Constraint[]> {
  const found = new Map<RecordKey, readonly Constraint[]>([[from, []]]);
  for (const [record, chain] of found) {
    for (const decision of same) {
      if (decision.a !== record && decision.b !== record) continue;
      const next = decision.a === record ? decision.b : decision.a;
      if (!found.has(next)) found.set(next, [...chain, decision]);
    }
  }
  return found;
}
