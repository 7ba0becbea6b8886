import { ones, WORD } from './bits.ts';
import { left, perCodePoint, readDifference, right, threeRows, type CodePoints } from './code-points.ts';
import { type Comparator, lettersNeeded, type Outline, TOLERANCE } from './comparator.ts';
import { longerLength } from './edit-distance.ts';

/**
 * One step per code point of `text` for the whole of `pattern` (1 to 32 code points): M. Crochemore, C. Iliopoulos,
 * Y. Pinzon, J. Reid, "A fast and practical bit-vector algorithm for the longest common subsequence problem", IPL 80
 * (2001). Each bit that becomes 0 is one more code point in common.
 */
const bitParallel = (pattern: CodePoints, text: CodePoints): number => {
  const masks = perCodePoint;
  const { codes, length } = pattern;
  for (let i = 0; i < length; i++) {
    const code = codes[i] ?? 0;
    masks[code] = (masks[code] ?? 0) | (1 << i);
  }
  let v = -1;
  for (let j = 0; j < text.length; j++) {
    const mask = masks[text.codes[j] ?? 0] ?? 0;
    v = (v + (v & mask)) | (v & ~mask);
  }
  for (let i = 0; i < length; i++) masks[codes[i] ?? 0] = 0;
  return ones(~v & (-1 >>> (WORD - length)));
};

/** The textbook table, two rows of it: for the few pairs of values that both have more than 32 code points. */
const byTable = (pattern: CodePoints, text: CodePoints): number => {
  const { codes: target, length: columns } = text;
  let [row, above] = threeRows(columns + 1);
  row.fill(0, 0, columns + 1);
  above[0] = 0;
  for (let i = 0; i < pattern.length; i++) {
    [row, above] = [above, row];
    const code = pattern.codes[i];
    for (let j = 1; j <= columns; j++) {
      row[j] = code === target[j - 1] ? (above[j - 1] ?? 0) + 1 : Math.max(above[j] ?? 0, row[j - 1] ?? 0);
    }
  }
  return row[columns] ?? 0;
};

/** Longest common subsequence of what `readDifference` left. */
const commonLength = (): number => {
  const [pattern, text] = left.length <= right.length ? [left, right] : [right, left];
  if (pattern.length === 0) return 0;
  return pattern.length <= WORD ? bitParallel(pattern, text) : byTable(pattern, text);
};

/** Code points of both texts that stand outside the longest common subsequence. */
const outside = (a: string, b: string): number => {
  if (a === b) return 0;
  readDifference(a, b);
  return left.length + right.length - 2 * commonLength();
};

/** Code points of the longer text that stand outside it. */
const outsideInLonger = (a: string, b: string): number => {
  if (a === b) return 0;
  readDifference(a, b);
  return Math.max(left.length, right.length) - commonLength();
};

/** Letters that two texts share of which at most so many stand outside a common subsequence: these are in common. */
const lettersInside = (outline: Outline, mostOutside: number): number =>
  lettersNeeded(outline, (outline.a + outline.b - mostOutside) / 2);

const longer = ({ a, b }: Outline): number => Math.max(a, b);

export const longestCommonSubsequence: Comparator = {
  name: 'longest-common-subsequence',
  aliases: [],
  kind: 'distance',
  about: 'Characters of both texts outside their longest common subsequence: insertions and deletions, no substitutions.',
  greatest: Infinity,
  parameters: [],
  cost: 70,
  sharedLetters: lettersInside,
  measure: outside,
};

/** D. Bakkelund, "An LCS-based string metric", University of Oslo (2009). */
export const metricLcs: Comparator = {
  name: 'metric-lcs',
  aliases: [],
  kind: 'distance',
  about: 'Share of the longer text outside the longest common subsequence.',
  greatest: 1,
  parameters: [],
  cost: 90,
  sharedLetters: (outline, threshold) => lettersNeeded(outline, (1 - threshold) * longer(outline)),
  measure: (a, b) => outsideInLonger(a, b) / Math.max(1, longerLength(a, b)),
};

export const normalizedLcsDistance: Comparator = {
  name: 'normalized-lcs-distance',
  aliases: [],
  kind: 'distance',
  about: 'The distance longest-common-subsequence divided by the length of the longer text: up to 2, as in OpenCR 1.x.',
  greatest: 2,
  parameters: [],
  cost: 90,
  sharedLetters: (outline, threshold) => lettersInside(outline, threshold * longer(outline)),
  measure: (a, b) => outside(a, b) / Math.max(1, longerLength(a, b)),
};

export const normalizedLcsSimilarity: Comparator = {
  name: 'normalized-lcs-similarity',
  aliases: [],
  kind: 'similarity',
  about: '1 less the distance normalized-lcs-distance, and 0 where OpenCR 1.x went below 0.',
  greatest: 1,
  parameters: [],
  cost: 90,
  sharedLetters: (outline, threshold) => (threshold <= TOLERANCE ? 0 : lettersInside(outline, (1 - threshold) * longer(outline))),
  measure: (a, b) => {
    const length = longerLength(a, b);
    return length === 0 ? 1 : Math.max(0, length - outside(a, b)) / length;
  },
};
