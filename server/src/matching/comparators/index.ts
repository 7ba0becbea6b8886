/** The list of comparators, under the names that either tool of OpenCR 1.x gave them. A new one is a file and a line. */
import type { Comparator } from './comparator.ts';
import { damerauLevenshtein } from './damerau-levenshtein.ts';
import { dateDamerau } from './date-damerau.ts';
import { doubleMetaphone } from './double-metaphone.ts';
import { exact } from './exact.ts';
import { jaroWinklerDistance, jaroWinklerSimilarity } from './jaro-winkler.ts';
import { levenshtein } from './levenshtein.ts';
import {
  longestCommonSubsequence,
  metricLcs,
  normalizedLcsDistance,
  normalizedLcsSimilarity,
} from './longest-common-subsequence.ts';
import { metaphone } from './metaphone.ts';
import { ngram } from './ngram.ts';
import { normalizedLevenshteinDistance, normalizedLevenshteinSimilarity } from './normalized-levenshtein.ts';
import { optimalStringAlignment } from './optimal-string-alignment.ts';
import {
  cosineDistance,
  cosineSimilarity,
  diceDistance,
  diceSimilarity,
  jaccardDistance,
  jaccardSimilarity,
  qgram,
} from './shingles.ts';
import { soundex } from './soundex.ts';

export { isAgreement, type Comparator } from './comparator.ts';

export const comparators: readonly Comparator[] = [
  exact,
  levenshtein,
  damerauLevenshtein,
  optimalStringAlignment,
  jaroWinklerSimilarity,
  jaroWinklerDistance,
  normalizedLevenshteinSimilarity,
  normalizedLevenshteinDistance,
  longestCommonSubsequence,
  metricLcs,
  normalizedLcsSimilarity,
  normalizedLcsDistance,
  cosineSimilarity,
  cosineDistance,
  diceSimilarity,
  diceDistance,
  jaccardSimilarity,
  jaccardDistance,
  qgram,
  ngram,
  dateDamerau,
  soundex,
  metaphone,
  doubleMetaphone,
];

const byName: ReadonlyMap<string, Comparator> = new Map(
  comparators.flatMap((comparator) =>
    [comparator.name, ...comparator.aliases].map((name): [string, Comparator] => [name, comparator]),
  ),
);

/** The comparator of this name or alias, if there is one. */
export const findComparator = (name: string): Comparator | undefined => byName.get(name);

/** The comparator of a compiled rule; throws where there is none, since `rules/` lets no other name through. */
export const comparatorOf = ({ comparator }: { readonly comparator: string }): Comparator => {
  const found = byName.get(comparator);
  if (found === undefined) throw new Error(`no comparator is called ${comparator}`);
  return found;
};
