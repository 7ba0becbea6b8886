import { codesOf, phonetic } from './phonetic.ts';

/** Digits of b to z; vowels and y part equal neighbours (0), h and w do not (-). */
const DIGITS: ReadonlyMap<string, string> = new Map(
  Object.entries({ bfpv: '1', cgjkqsxz: '2', dt: '3', l: '4', mn: '5', r: '6', aeiouy: '0', hw: '-' }).flatMap(
    ([letters, digit]) => [...letters].map((letter): [string, string] => [letter, digit]),
  ),
);

const LENGTH = 4;

/** American Soundex of a to z (National Archives, "The Soundex Indexing System": h and w do not part equal codes). */
const encode = (letters: string): string => {
  let code = letters.charAt(0).toUpperCase();
  let before = DIGITS.get(letters.charAt(0));
  for (let i = 1; i < letters.length && code.length < LENGTH; i++) {
    const digit = DIGITS.get(letters.charAt(i)) ?? '0';
    if (digit === '-') continue;
    if (digit !== '0' && digit !== before) code += digit;
    before = digit;
  }
  return code.padEnd(LENGTH, '0');
};

const soundexOf = (plain: string): readonly string[] => [encode(plain.replace(/[^a-z]/g, ''))];

/** The Soundex code; a text with letters of another script, or with none, stands for itself. */
export const soundexCode = (text: string): string => codesOf(text, soundexOf).join('');

export const soundex = phonetic(soundexOf, {
  name: 'soundex',
  about:
    '1 where both texts have the same American Soundex code, else 0; other scripts than Latin are compared as they stand, an empty text equals nothing.',
  cost: 700,
});
