import type { Comparator, ComparatorParameter } from './comparator.ts';
import { countShingles, type ShingleCounts } from './shingle-counts.ts';

const k: ComparatorParameter = {
  name: 'k',
  about: 'Characters in a shingle.',
  min: 1,
  max: 5,
  default: 3,
  whole: true,
};

const similarity = (name: string, about: string, share: (counts: ShingleCounts) => number): Comparator => ({
  name,
  aliases: [],
  kind: 'similarity',
  about,
  greatest: 1,
  parameters: [k],
  cost: 500,
  measure: (a, b, parameters) => {
    if (a === b) return 1;
    return a === '' || b === '' ? 0 : share(countShingles(a, b, parameters['k'] ?? k.default));
  },
});

const distance = (from: Comparator, name: string, about: string): Comparator => ({
  ...from,
  name,
  kind: 'distance',
  about,
  measure: (a, b, parameters) => 1 - from.measure(a, b, parameters),
});

export const cosineSimilarity = similarity(
  'cosine-similarity',
  'Cosine of the angle between the counts of all runs of k characters; a text shorter than k is its own only run.',
  ({ products, leftSquares, rightSquares }) => products / Math.sqrt(leftSquares * rightSquares),
);
export const cosineDistance = distance(cosineSimilarity, 'cosine-distance', '1 less the cosine similarity.');

export const jaccardSimilarity = similarity(
  'jaccard-similarity',
  'Share of the different runs of k characters in either text that stand in both; a text shorter than k is its own only run.',
  ({ ofLeft, ofRight, ofBoth }) => ofBoth / (ofLeft + ofRight - ofBoth),
);
export const jaccardDistance = distance(jaccardSimilarity, 'jaccard-distance', '1 less the Jaccard similarity.');

export const diceSimilarity = similarity(
  'dice-similarity',
  'Sørensen-Dice: twice the different runs of k characters that stand in both texts, divided by those of each added; a text shorter than k is its own only run.',
  ({ ofLeft, ofRight, ofBoth }) => (2 * ofBoth) / (ofLeft + ofRight),
);
export const diceDistance = distance(diceSimilarity, 'dice-distance', '1 less the Sørensen-Dice similarity.');

/** E. Ukkonen, "Approximate string-matching with q-grams and maximal matches", Theoretical Computer Science 92 (1992). */
export const qgram: Comparator = {
  name: 'qgram',
  aliases: [],
  kind: 'distance',
  about: 'Runs of k characters that one text has more often than the other, added up; a text shorter than k is its own only run.',
  greatest: Infinity,
  parameters: [k],
  cost: 500,
  measure: (a, b, parameters) => (a === b ? 0 : countShingles(a, b, parameters['k'] ?? k.default).differences),
};
