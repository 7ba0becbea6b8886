/** Marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters; the vowel signs of Indic scripts are letters and stay. */
const MARKS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/gu;

/** search.html#string: case, accents and the width of blanks do not count. */
export const folded = (text: string): string =>
  text.normalize('NFKD').replace(MARKS, '').normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
