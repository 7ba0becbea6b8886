/** Stories of the cluster function (design: clusters are a pure function). */
import { describe, expect, it } from 'vitest';
import type { Pair } from '../domain/links.ts';
import type { MatchingLimits } from './model.ts';
import { different, LIMITS, member, pair, same } from './resolve.fixture.ts';
import { type Constraint, contradictions, type Partition, resolve } from './resolve.ts';

const [A, B, C, D, E] = [1, 2, 3, 4, 5];

/** Resolves the records that pairs and decisions name. */
function resolved(
  pairs: readonly Pair[],
  constraints: readonly Constraint[] = [],
  limits: Partial<MatchingLimits> = {},
): Partition {
  const keys = new Set([...pairs, ...constraints].flatMap(({ a, b }) => [a, b]));
  return resolve({ members: [...keys].map((key) => member(key)), pairs, constraints }, { ...LIMITS, ...limits });
}

describe('a chain A–B–C', () => {
  const weak = { normalised: 0.8 };

  it('is one person where a third of the pairs across reach the potential level', () => {
    expect(resolved([pair(A, B), pair(B, C)]).groups).toEqual([[A, B, C]]);
  });

  it('is parted at its weaker pair where that is too little, and the bridge is named', () => {
    expect(resolved([pair(A, B), pair(B, C, weak)], [], { cohesion: 0.6 })).toEqual({
      groups: [[A, B], [C]],
      refused: [{ pair: { a: B, b: C }, reason: 'cohesion', bridge: B }],
    });
  });

  it('is one person again with a potential pair A–C', () => {
    const pairs = [pair(A, B), pair(B, C, weak), pair(A, C, { class: 'potential', normalised: 0.5 })];
    expect(resolved(pairs, [], { cohesion: 0.6 }).groups).toEqual([[A, B, C]]);
  });

  it('whose ends are different by decision is parted at its weaker pair', () => {
    expect(resolved([pair(A, B, weak), pair(B, C)], [different(A, C)])).toEqual({
      groups: [[A], [B, C]],
      refused: [{ pair: { a: A, b: B }, reason: 'constraint', bridge: A }],
    });
  });

  it('whose ends the rules veto is parted at its weaker pair, unless a person says that the ends are the same', () => {
    const veto = pair(A, C, { class: 'potential', vetoed: true });
    const pairs = [pair(A, B, weak), pair(B, C), veto];
    expect(resolved(pairs)).toEqual({
      groups: [[A], [B, C]],
      refused: [{ pair: { a: A, b: B }, reason: 'veto', bridge: A }],
    });
    expect(resolved(pairs, [same(A, C)]).groups).toEqual([[A, B, C]]);
    expect(resolved(pairs, [different(A, C)]).refused[0]?.reason).toBe('constraint');
  });

  it('an earlier rule is stronger than any score of a later one', () => {
    expect(resolved([pair(A, B, { rule: 1 }), pair(B, C, weak)], [different(A, C)]).groups).toEqual([[A], [B, C]]);
  });

  it('of equal pairs, also those that differ by less than rounding, the one of smaller identities joins', () => {
    const pairs = [pair(A, B, { normalised: 0.3 }), pair(B, C, { normalised: 0.1 + 0.2 })];
    expect(resolved(pairs, [different(A, C)]).groups).toEqual([[A, B], [C]]);
  });

  it('joins no more records than a group may have', () => {
    expect(resolved([pair(A, B), pair(B, C)], [], { maxGroup: 2 })).toEqual({
      groups: [[A, B], [C]],
      refused: [{ pair: { a: B, b: C }, reason: 'group-size', bridge: B }],
    });
  });
});

describe('what people decided', () => {
  it('"same" joins records that no rule would, past the size of a group', () => {
    expect(resolved([], [same(A, B), same(B, C)], { maxGroup: 2, cohesion: 1 }).groups).toEqual([[A, B, C]]);
  });

  it('two groups with a decision each are not joined by the machine', () => {
    expect(resolved([pair(B, C)], [same(A, B), same(C, D)])).toEqual({
      groups: [
        [A, B],
        [C, D],
      ],
      refused: [{ pair: { a: B, b: C }, reason: 'two-decisions', bridge: B }],
    });
  });

  it('a larger group that the machine joined to one with a decision has that decision', () => {
    const pairs = [pair(A, B), pair(B, C), pair(C, D, { normalised: 0.9 }), pair(A, 6, { normalised: 0.8 })];
    expect(resolved(pairs, [same(D, E), same(6, 7)], { cohesion: 0 })).toEqual({
      groups: [
        [A, B, C, D, E],
        [6, 7],
      ],
      refused: [{ pair: { a: A, b: 6 }, reason: 'two-decisions', bridge: A }],
    });
  });

  it('a third decision joins them', () => {
    expect(resolved([], [same(A, B), same(C, D), same(D, A)]).groups).toEqual([[A, B, C, D]]);
  });

  it('of two groups that stayed apart only the strongest pair is a refused join, its bridge the record with more pairs across', () => {
    const pairs = [pair(A, B), pair(A, C, { normalised: 0.9 }), pair(B, C, { normalised: 0.8 }), pair(C, D)];
    expect(resolved(pairs, [different(B, D)]).refused).toEqual([{ pair: { a: A, b: C }, reason: 'constraint', bridge: C }]);
  });

  it('a pair or a decision with a record outside the component is an error', () => {
    expect(() => resolve({ members: [member(A)], pairs: [pair(A, B)], constraints: [] }, LIMITS)).toThrow('record 2');
    expect(() => resolve({ members: [member(A)], pairs: [], constraints: [same(A, B)] }, LIMITS)).toThrow('record 2');
  });
});

describe('a decision contradicts', () => {
  it('"different": the "same" decisions of the shortest chain that ties its records, and no others', () => {
    const said = [same(A, B), same(B, C), same(C, D), same(A, D), same(D, E), different(A, 9)];
    expect(contradictions(said, different(A, C))).toEqual([same(A, B), same(B, C)]);
    expect(contradictions(said, different(E, A))).toEqual([same(A, D), same(D, E)]);
    expect(contradictions(said, different(A, 8))).toEqual([]);
  });

  it('"same": every "different" between those whom it would tie, through chains of "same" on either side', () => {
    const said = [same(A, B), same(C, D), different(A, D), different(B, C), different(A, E), different(8, 9)];
    expect(contradictions(said, same(B, D))).toEqual([different(A, D), different(B, C)]);
    expect(contradictions(said, same(D, 8))).toEqual([]);
  });
});
