import { withoutDiacritics } from '../features/text.ts';
import type { Comparator } from './comparator.ts';

/** The codes of a text in small Latin letters, of which there may be none. */
type Encoder = (plain: string) => readonly string[];

/** The codes of any text, diacritics apart; one with letters of another script, or with none, stands for itself. */
export const codesOf = (text: string, encode: Encoder): readonly string[] => {
  const plain = withoutDiacritics(text.toLowerCase());
  return /^[a-z]+$/.test(plain.replace(/\P{L}/gu, '')) ? encode(plain) : [plain];
};

/** A comparator that agrees where two texts have a code in common: never an empty one, and never for an empty text. */
export const phonetic = (encode: Encoder, words: Pick<Comparator, 'name' | 'about' | 'cost'>): Comparator => ({
  ...words,
  aliases: [],
  kind: 'similarity',
  greatest: 1,
  yesOrNo: true,
  parameters: [],
  code: (text) => {
    const codes = codesOf(text, encode).filter((code) => code !== '');
    // A text without a sound agrees with itself alone. No code begins so: those of Latin letters have no sign, others no Latin letter.
    return codes.length === 0 ? [`=${text}`] : codes;
  },
  measure: (a, b) => {
    if (a === '' || b === '') return 0;
    if (a === b) return 1;
    const others = codesOf(b, encode);
    return codesOf(a, encode).some((code) => code !== '' && others.includes(code)) ? 1 : 0;
  },
});
