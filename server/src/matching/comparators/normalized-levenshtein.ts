import type { Comparator } from './comparator.ts';
import { editDistance, lettersWithin, longerLength } from './edit-distance.ts';

/** Written as quotients of whole numbers, not as 1 - x, so that 7 of 10 is the very number a rule file calls 0.7. */
const share = (part: number, whole: number): number => part / whole;

export const normalizedLevenshteinSimilarity: Comparator = {
  name: 'normalized-levenshtein-similarity',
  aliases: [],
  kind: 'similarity',
  about: 'Share of the longer text that needs no edit (Levenshtein); 1 for two empty texts.',
  greatest: 1,
  parameters: [],
  cost: 100,
  sharedLetters: (outline, threshold) => lettersWithin(outline, (1 - threshold) * Math.max(outline.a, outline.b)),
  measure: (a, b) => {
    const length = longerLength(a, b);
    return length === 0 ? 1 : share(length - editDistance(a, b, 'none'), length);
  },
};

export const normalizedLevenshteinDistance: Comparator = {
  name: 'normalized-levenshtein-distance',
  aliases: [],
  kind: 'distance',
  about: 'Levenshtein distance divided by the length of the longer text; 0 for two empty texts.',
  greatest: 1,
  parameters: [],
  cost: 100,
  sharedLetters: (outline, threshold) => lettersWithin(outline, threshold * Math.max(outline.a, outline.b)),
  measure: (a, b) => share(editDistance(a, b, 'none'), Math.max(1, longerLength(a, b))),
};
