import type { Comparator } from './comparator.ts';
import { editDistance, lettersWithin } from './edit-distance.ts';

export const damerauLevenshtein: Comparator = {
  name: 'damerau-levenshtein',
  aliases: [],
  kind: 'distance',
  about:
    'Least number of insertions, deletions, substitutions and exchanges of neighbours, in any order (true Damerau): CA to ABC is 2.',
  greatest: Infinity,
  parameters: [],
  cost: 100,
  sharedLetters: lettersWithin,
  measure: (a, b) => editDistance(a, b, 'any'),
};
