/** Pairs of texts for the laws of the comparators. */
import fc from 'fast-check';
import { ALPHABETS } from '../../src/matching/comparators/pairs.fixture.ts';

/** Letters with marks of their own, composed or not, and what the phonetic codes look at. */
const LATIN = ['aeo\u0301\u0308\u0323n', 'aeiouhcgstwdkmnpbyxéñøß', "jean-marie o'b", 'abc  \t'];

export const textOf = (alphabet: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), maxLength });

/** Short; or about as long as the bits of a number, or of some numbers; or any length. */
const lengths = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(31, 32, 33, 64, 65, 97) },
  { weight: 1, arbitrary: fc.integer({ min: 13, max: 110 }) },
);

interface Edit {
  readonly at: number;
  readonly kind: 'cut' | 'put' | 'exchange' | 'leap' | 'repeat';
}

export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({ at: fc.nat(), kind: fc.constantFrom('cut', 'put', 'exchange', 'leap', 'repeat') }),
  { minLength: 1, maxLength: 6 },
);

export const edited = (text: string, by: readonly Edit[]): string => {
  const letters = [...text];
  for (const { at, kind } of by) {
    const place = at % (letters.length + 1);
    const [one = 'a', two = 'b', three = 'c'] = letters.slice(place, place + 3);
    if (kind === 'cut') letters.splice(place, 1);
    else if (kind === 'put') letters.splice(place, 0, letters[at % 7] ?? 'a');
    else if (kind === 'exchange') letters.splice(place, 2, two, one);
    else if (kind === 'leap') letters.splice(place, 3, three, one);
    else letters.splice(place, 1, one, one);
  }
  return letters.join('');
};

export const exactly = (alphabet: string, length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: length, maxLength: length });

/** Two texts of one script, of any lengths; the second often the first after some edits. */
const ofOneScript = fc.constantFrom(...ALPHABETS, ...LATIN).chain((alphabet) => {
  const text = lengths.chain((length) => exactly(alphabet, length));
  return fc.oneof(
    fc.tuple(text, text),
    fc.tuple(text, edits).map(([a, by]): [string, string] => [a, edited(a, by)]),
    fc.tuple(textOf(alphabet, 4), textOf(alphabet, 4)),
  );
});

/** Any code points but surrogates; and any units, halves of surrogate pairs among them. */
const anything = fc.string({
  unit: fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constantFrom('\ud83d', '\ude00', 'a')),
  maxLength: 20,
});

const dates = fc
  .tuple(
    fc.constantFrom('1918', '1981', '1980', '2018', '198'),
    fc.constantFrom('01', '10', '12', '21'),
    fc.constantFrom('12', '21', '1'),
  )
  .map((parts) => parts.join('-'));

export const anyPair: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  { weight: 8, arbitrary: ofOneScript },
  { weight: 1, arbitrary: fc.tuple(anything, anything) },
  { weight: 1, arbitrary: fc.tuple(dates, dates) },
);

export const agreesOn = (runs: number, pairs: typeof anyPair, law: (a: string, b: string) => boolean): void =>
  fc.assert(
    fc.property(pairs, ([a, b]) => law(a, b)),
    { numRuns: runs },
  );
