import { doubleMetaphone } from 'double-metaphone';
import { withoutDiacritics } from '../features/text.ts';
import { slowMetaphone } from './slow-metaphone.ts';
import { slowDateDamerau, slowLcs, slowNgram, slowShingles } from './slow-references-1x.ts';
import { slowDamerau, slowEditDistance, slowJaroWinkler, slowSoundex } from './slow-references.ts';

type Slow = (a: string, b: string, parameters: Readonly<Record<string, number>>) => number;

const longer = (a: string, b: string): number => Math.max([...a].length, [...b].length);
const outside = (a: string, b: string): number => [...a].length + [...b].length - 2 * slowLcs(a, b);
const shingles = (of: 'cosine' | 'jaccard' | 'dice' | 'qgram'): Slow => {
  return (a, b, { k = NaN }) => slowShingles(a, b, k)[of];
};
const without = (similarity: Slow): Slow => {
  return (a, b, parameters) => 1 - similarity(a, b, parameters);
};

/** 1 where two texts that are not empty have a code in common that is not empty; other scripts are their own code. */
const phonetic = (encode: (letters: string) => readonly string[]): Slow => {
  const codes = (text: string): readonly string[] => {
    const plain = withoutDiacritics(text.toLowerCase());
    const letters = [...plain].filter((sign) => /\p{L}/u.test(sign)).join('');
    const codesOfPlain = /^[a-z]+$/.test(letters) ? encode(plain) : [plain];
    return text === '' ? [] : codesOfPlain.filter((code) => code !== '');
  };
  return (a, b) => Number(codes(a).some((code) => codes(b).includes(code)));
};
const lettersOf = (plain: string): string => plain.replace(/[^a-z]/g, '');

const jaroWinkler: Slow = (a, b, { boostThreshold = NaN }) => slowJaroWinkler(a, b, boostThreshold);
const levenshtein: Slow = (a, b) => slowEditDistance(a, b, false);

/** Each comparator's definition, written out without any care for speed, for two different texts and all its parameters. */
export const REFERENCES: Readonly<Record<string, Slow>> = {
  exact: () => 0,
  levenshtein,
  'damerau-levenshtein': slowDamerau,
  'optimal-string-alignment': (a, b) => slowEditDistance(a, b, true),
  'jaro-winkler-similarity': jaroWinkler,
  'jaro-winkler-distance': without(jaroWinkler),
  'normalized-levenshtein-similarity': (a, b, none) => 1 - levenshtein(a, b, none) / longer(a, b),
  'normalized-levenshtein-distance': (a, b, none) => levenshtein(a, b, none) / longer(a, b),
  'longest-common-subsequence': outside,
  'metric-lcs': (a, b) => 1 - slowLcs(a, b) / longer(a, b),
  'normalized-lcs-similarity': (a, b) => Math.max(0, 1 - outside(a, b) / longer(a, b)),
  'normalized-lcs-distance': (a, b) => outside(a, b) / longer(a, b),
  'cosine-similarity': shingles('cosine'),
  'cosine-distance': without(shingles('cosine')),
  'dice-similarity': shingles('dice'),
  'dice-distance': without(shingles('dice')),
  'jaccard-similarity': shingles('jaccard'),
  'jaccard-distance': without(shingles('jaccard')),
  qgram: shingles('qgram'),
  ngram: (a, b, { n = NaN }) => slowNgram(a, b, n),
  dateDamerau: slowDateDamerau,
  soundex: phonetic((plain) => [slowSoundex(lettersOf(plain))]),
  metaphone: phonetic((plain) => [slowMetaphone(lettersOf(plain))]),
  'double-metaphone': phonetic((plain) => doubleMetaphone(plain)),
};
