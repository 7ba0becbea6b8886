/** The laws of what comparators tell the linkage index beforehand: an agreeing pair is never excluded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparators, isAgreement } from './index.ts';
import { ALPHABETS } from './pairs.fixture.ts';

const text = fc
  .constantFrom(...ALPHABETS)
  .chain((alphabet) => fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 12 }));

/** Half of the pairs are a text and the same with few edits, so that agreement is common. */
const pair = fc.oneof(
  fc.tuple(text, text),
  fc.tuple(text, fc.nat(12), fc.nat(12), text).map(([a, from, to, other]): [string, string] => {
    const letters = [...a];
    letters.splice(from % letters.length, to % 3, ...[...other].slice(0, to % 2));
    return [a, letters.join('') || other];
  }),
);

const shared = (a: string, b: string): number => {
  const rest = [...b];
  return [...a].filter((letter) => {
    const at = rest.indexOf(letter);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  }).length;
};

const commonPrefix = (a: string, b: string): number => {
  const [x, y] = [[...a], [...b]];
  let prefix = 0;
  while (prefix < 4 && prefix < x.length && x[prefix] === y[prefix]) prefix++;
  return prefix;
};

const bounded = comparators.flatMap((comparator) => {
  const { name, sharedLetters } = comparator;
  return sharedLetters ? [{ name, comparator, sharedLetters }] : [];
});
const coded = comparators.flatMap((comparator) =>
  comparator.code ? [{ name: comparator.name, comparator, code: comparator.code }] : [],
);

const RUNS = 20_000;

describe.each(bounded)('the bound of $name', ({ comparator, sharedLetters }) => {
  const { kind, greatest } = comparator;
  const threshold =
    kind === 'distance' && greatest === Infinity
      ? fc.oneof(fc.nat(6), fc.double({ min: 0, max: 6, noNaN: true }))
      : fc.double({ min: 0, max: greatest, noNaN: true });

  it('never excludes a pair that agrees, and lets a longer prefix need no more', () => {
    let agreed = 0;
    fc.assert(
      fc.property(pair, threshold, fc.constantFrom({}, { boostThreshold: 0.7 }), ([a, b], least, parameters) => {
        const lengths = { a: [...a].length, b: [...b].length };
        const needs = [0, 1, 2, 3, 4].map((prefix) => sharedLetters({ ...lengths, prefix }, least, parameters));
        if (needs.some((need, prefix) => prefix > 0 && need > (needs[prefix - 1] ?? 0))) return false;
        if (!isAgreement(comparator, comparator.measure(a, b, parameters), least)) return true;
        agreed++;
        return shared(a, b) >= (needs[commonPrefix(a, b)] ?? 0);
      }),
      { numRuns: RUNS },
    );
    expect(agreed).toBeGreaterThan(RUNS / 10);
  });

  it('excludes some pairs', () => {
    expect(sharedLetters({ a: 3, b: 9, prefix: 0 }, kind === 'similarity' ? 0.95 : 0.05, {})).toBe(Infinity);
  });
});

describe.each(coded)('the codes of $name', ({ comparator, code }) => {
  it('have one in common exactly where two texts agree', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const others = code(b);
        return code(a).some((one) => others.includes(one)) === (comparator.measure(a, b, {}) === 1);
      }),
      { numRuns: RUNS },
    );
  });
});
