/**
 * How a name sounds (R4 `phonetic`): its Double Metaphone codes. The algorithm knows Latin letters only; a text with letters of
 * another script has no sound, and so never the one of its Latin rest.
 */
import { doubleMetaphone } from 'double-metaphone';
import { folded } from './folding.ts';

/** Of the text as one: mostly one code or two, none where it has no sound. */
export const soundsOf = (text: string): readonly string[] => {
  const plain = folded(text);
  const isLatin = /^[a-z]+$/.test(plain.replace(/\P{L}/gu, ''));
  return isLatin ? [...new Set(doubleMetaphone(plain))].filter((code) => code !== '') : [];
};

/** Of the text as one and of each of its words. */
export const soundsIn = (text: string): readonly string[] => [text, ...text.split(/[^\p{L}\p{M}]+/u)].flatMap(soundsOf);
