import { codesOf, phonetic } from './phonetic.ts';

interface Sound {
  readonly letters: RegExp;
  readonly code: string;
}

const sounds = (...rules: readonly (readonly [letters: string, code: string])[]): readonly Sound[] =>
  rules.map(([letters, code]) => ({ letters: new RegExp(letters, 'y'), code }));

const same = (letter: string): readonly Sound[] => sounds([letter, letter.toUpperCase()]);

const vowel = (letter: string): readonly Sound[] => sounds([`^${letter}`, letter.toUpperCase()], [letter, '']);

/** For each letter its rules, of which the first that fits counts: L. Philips, "Hanging on the Metaphone", Computer Language 7 (1990). */
const SOUNDS: ReadonlyMap<string, readonly Sound[]> = new Map(
  Object.entries({
    a: sounds(['^ae', 'E'], ['^a', 'A'], ['a', '']),
    b: sounds(['(?<=m)b$', ''], ['b', 'B']),
    c: sounds(['c(?=ia)', 'X'], ['(?<=s)ch', 'K'], ['ch', 'X'], ['(?<=s)c(?=[eiy])', ''], ['c(?=[eiy])', 'S'], ['c', 'K']),
    d: sounds(['dg(?=[eiy])', 'J'], ['d', 'T']),
    e: vowel('e'),
    f: same('f'),
    g: sounds(
      ['^gn', 'N'],
      ['gg', 'K'],
      ['gh(?=[^aeiou])', ''],
      ['gh', 'K'],
      ['g(?=n(?:ed)?$)', ''],
      ['g(?=[eiy])', 'J'],
      ['g', 'K'],
    ),
    h: sounds(['(?<=[aeiou])h(?![aeiou])|(?<=g)h', ''], ['h', 'H']),
    i: vowel('i'),
    j: same('j'),
    k: sounds(['^kn', 'N'], ['(?<=c)k', ''], ['k', 'K']),
    l: same('l'),
    m: same('m'),
    n: same('n'),
    o: vowel('o'),
    p: sounds(['^pn', 'N'], ['ph', 'F'], ['p', 'P']),
    q: sounds(['q', 'K']),
    r: same('r'),
    s: sounds(['sh', 'X'], ['s(?=i[ao])', 'X'], ['s', 'S']),
    t: sounds(['t(?=i[ao])', 'X'], ['th', '0'], ['t(?=ch)', ''], ['t', 'T']),
    u: vowel('u'),
    v: sounds(['v', 'F']),
    w: sounds(['^wr', 'R'], ['^wh', 'W'], ['w(?=[aeiou])', 'W'], ['w', '']),
    x: sounds(['^x', 'S'], ['x', 'KS']),
    y: sounds(['y(?=[aeiou])', 'Y'], ['y', '']),
    z: sounds(['z', 'S']),
  }),
);

/** Doubled letters are one, except c; a doubled g is told from a single one by a rule of its own. */
const DOUBLED = /([abd-fh-z])\1+/g;

const encode = (letters: string): string => {
  let code = '';
  for (let at = 0; at < letters.length;) {
    const begin = at;
    const sound = SOUNDS.get(letters.charAt(at))?.find((rule) => {
      rule.letters.lastIndex = begin;
      return rule.letters.test(letters);
    });
    if (sound === undefined) throw new Error('Metaphone has a rule for each letter from a to z only');
    code += sound.code;
    at = sound.letters.lastIndex;
  }
  return code;
};

const metaphoneOf = (plain: string): readonly string[] => [encode(plain.replace(/[^a-z]/g, '').replace(DOUBLED, '$1'))];

/** The Metaphone code, of any length; a text with letters of another script, or with none, stands for itself. */
export const metaphoneCode = (text: string): string => codesOf(text, metaphoneOf).join('');

export const metaphone = phonetic(metaphoneOf, {
  name: 'metaphone',
  about:
    '1 where both texts have the same Metaphone code (Philips 1990), else 0; other scripts than Latin are compared as they stand, an empty text or code equals nothing.',
  cost: 2000,
});
