/** The laws that tie each comparator to its definition, written out slowly. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreesOn, anyPair, edited, edits, exactly } from '../../../test/support/random-pairs.ts';
import type { ComparatorParameter } from './comparator.ts';
import { comparators } from './index.ts';
import { measure } from './pairs.fixture.ts';
import { REFERENCES } from './references.fixture.ts';
import { slowDamerau, slowEditDistance } from './slow-references.ts';

/** `LAW_PAIRS=100000 npm test -- server/src/matching/comparators` tries more. */
const PAIRS = Number(process.env['LAW_PAIRS'] ?? 2000);

/** Time for 100,000 pairs, slowly. */
const PATIENCE = 60_000 + 10 * PAIRS;

const anyOf = ({ min, max, whole }: ComparatorParameter): fc.Arbitrary<number> =>
  whole ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true });

/** Every text of these letters up to a length. */
const textsOf = (letters: string, length: number): readonly string[] =>
  length === 0 ? [''] : ['', ...textsOf(letters, length - 1).flatMap((tail) => [...letters].map((letter) => letter + tail))];

it('each comparator has a slow reference', () => {
  expect(Object.keys(REFERENCES).toSorted()).toEqual(comparators.map(({ name }) => name).toSorted());
});

describe.each(comparators)('the comparator $name', ({ name, parameters, measure: measured }) => {
  const slow = REFERENCES[name] ?? (() => NaN);
  const anyParameters = fc.record(Object.fromEntries(parameters.map((one) => [one.name, anyOf(one)])));

  it(
    `equals its slow reference on ${PAIRS} pairs of texts, of many scripts and of any code points`,
    () => {
      const law = ([a, b]: readonly [string, string], given: Readonly<Record<string, number>>): boolean =>
        a === b || Math.abs(measured(a, b, given) - slow(a, b, given)) < 1e-12;
      fc.assert(fc.property(anyPair, anyParameters, law), { numRuns: PAIRS });
    },
    PATIENCE,
  );
});

describe.each([
  ['ab', 6],
  ['abc', 4],
  ['abcd', 3],
])('for each two texts of the letters %s, up to a length of %d,', (letters, length) => {
  const texts = textsOf(letters, length);
  const differing = (name: string, slow: (a: string, b: string) => number): readonly string[] =>
    texts.flatMap((a) => texts.filter((b) => measure(name, a, b) !== slow(a, b)).map((b) => `${a} ${b}`));

  it('the edit distances equal their tables', () => {
    expect(differing('levenshtein', (a, b) => slowEditDistance(a, b, false))).toEqual([]);
    expect(differing('optimal-string-alignment', (a, b) => slowEditDistance(a, b, true))).toEqual([]);
    expect(differing('damerau-levenshtein', slowDamerau)).toEqual([]);
  });
});

/** Long texts with different ends, so that nothing is left out, and edits about the letter where one strip of rows meets the next. */
const aboutAnEdge = fc
  .constantFrom('ab', 'abc', 'abcdef')
  .chain((alphabet) =>
    fc
      .tuple(exactly(alphabet, 24), exactly(alphabet, 14), edits, fc.constantFrom('', 'y', 'yz'))
      .map(([start, end, by, before]): [string, string] => [`x${start}${end}x`, `${before}${start}${edited(end, by)}y`]),
  );

it(
  `the edit distances equal their tables on ${PAIRS} pairs of texts of more than 32 letters`,
  () => {
    const law = (a: string, b: string): boolean =>
      measure('levenshtein', a, b) === slowEditDistance(a, b, false) &&
      measure('optimal-string-alignment', a, b) === slowEditDistance(a, b, true) &&
      measure('damerau-levenshtein', a, b) === slowDamerau(a, b);
    agreesOn(PAIRS, aboutAnEdge, law);
  },
  PATIENCE,
);
