/** Text as it is compared: one form of every writing of the same name (Unicode NFKC and full case folding). */

/** Longest normalised value, in code points: what a comparison costs grows with the square of it. */
export const MAX_VALUE_LENGTH = 256;

/** Units of a raw value that are looked at: enough for MAX_VALUE_LENGTH code points however they are composed. */
const MAX_RAW_LENGTH = 16 * MAX_VALUE_LENGTH;

/** Controls, halves of surrogate pairs, and what has no shape of its own (joiners, direction marks, soft hyphens). */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

// U+0085 (next line) is a control and yet a blank; the others that are both are in \s.
const BLANKS = /[\s\u0085]+/gu;

/**
 * Full case folding by way of the capitals, so that ß = ẞ = ss and ς = σ. The Turkish i, dotted or not, small or
 * capital, is one letter: whoever writes ISPARTA means ısparta in Turkish and isparta elsewhere.
 */
const foldCase = (text: string): string =>
  text.toLowerCase().toUpperCase().toLowerCase().replaceAll('i\u0307', 'i').replaceAll('ς', 'σ');

/** The first `length` code points. */
export const cut = (text: string, length: number): string => {
  if (text.length <= length) return text;
  return Array.from(text.slice(0, 2 * length))
    .slice(0, length)
    .join('');
};

/** NFKC, case folded, trimmed, blanks collapsed, controls removed, at most MAX_VALUE_LENGTH code points. Idempotent. */
export const normaliseText = (raw: string): string => {
  const seen = raw.trim().slice(0, MAX_RAW_LENGTH).normalize('NFKC').replace(BLANKS, ' ').replace(UNSEEN, '');
  const folded = foldCase(seen.normalize('NFKD')).normalize('NFKC').replace(BLANKS, ' ').trim();
  return cut(folded, MAX_VALUE_LENGTH).trimEnd();
};

/** Marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters; the vowel signs of Indic scripts are letters and stay. */
const MARKS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]/gu;

/** Letters that Unicode does not take apart. */
const STROKED: ReadonlyMap<string, string> = new Map(
  Object.entries({ ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ħ: 'h', ŧ: 't', ŋ: 'n', ı: 'i', ß: 'ss' }),
);
const STROKED_LETTERS = new RegExp(`[${[...STROKED.keys()].join('')}]`, 'gu');

/** Small letters without their diacritics: é = e, ø = o, أ = ا. */
export const withoutDiacritics = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(MARKS, '')
    .replace(STROKED_LETTERS, (letter) => STROKED.get(letter) ?? letter)
    .normalize('NFKC');

/** Decimal digits of every script as 0 to 9: Unicode keeps each script's ten together, in order. */
export const asciiDigits = (text: string): string =>
  text.replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String((code - zero) % 10);
  });
