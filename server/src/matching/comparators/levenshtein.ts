import type { Comparator } from './comparator.ts';
import { editDistance, lettersWithin } from './edit-distance.ts';

export const levenshtein: Comparator = {
  name: 'levenshtein',
  aliases: [],
  kind: 'distance',
  about: 'Least number of insertions, deletions and substitutions of one character that make one text the other.',
  greatest: Infinity,
  parameters: [],
  cost: 100,
  sharedLetters: lettersWithin,
  measure: (a, b) => editDistance(a, b, 'none'),
};
