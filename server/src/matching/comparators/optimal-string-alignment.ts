import type { Comparator } from './comparator.ts';
import { editDistance, lettersWithin } from './edit-distance.ts';

export const optimalStringAlignment: Comparator = {
  name: 'optimal-string-alignment',
  aliases: ['osa'],
  kind: 'distance',
  about:
    'Levenshtein in which exchanging two neighbours is one edit, but nothing is edited twice (restricted Damerau): CA to ABC is 3.',
  greatest: Infinity,
  parameters: [],
  cost: 100,
  sharedLetters: lettersWithin,
  measure: (a, b) => editDistance(a, b, 'adjacent'),
};
