import { WORD } from './bits.ts';
import { left, readDifference, right } from './code-points.ts';
import { lettersNeeded, type Outline } from './comparator.ts';
import { byStrips, damerauOfUnits, levenshteinOfUnits, type Swaps } from './edit-bits.ts';

/** Straight from the strings; -1 where they do not allow it: too long, or units that may be no code points. */
const ofUnits = (pattern: string, text: string, swaps: Swaps): number => {
  if (pattern.length > WORD || pattern.length === 0) return -1;
  return swaps === 'none' ? levenshteinOfUnits(pattern, text) : damerauOfUnits(pattern, text, swaps);
};

/** Least number of insertions, deletions, substitutions and such exchanges that make one text the other. */
export const editDistance = (a: string, b: string, swaps: Swaps): number => {
  // The longer one as the pattern leaves fewer columns, as long as its rows fit.
  const isFirstPattern = a.length > b.length ? a.length <= WORD : b.length > WORD;
  const distance = isFirstPattern ? ofUnits(a, b, swaps) : ofUnits(b, a, swaps);
  if (distance >= 0) return distance;
  readDifference(a, b);
  if (left.length === 0 || right.length === 0) return left.length + right.length;
  return left.length <= right.length ? byStrips(left, right, swaps) : byStrips(right, left, swaps);
};

/** Code points of the longer text. */
export const longerLength = (a: string, b: string): number => Math.max(codePointCount(a), codePointCount(b));

const codePointCount = (text: string): number => {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    if ((text.codePointAt(i) ?? 0) > 0xffff) {
      count--;
      i++;
    }
  }
  return count;
};

/**
 * Letters that two texts share which at most `edits` insertions, deletions, substitutions and exchanges of neighbours part: each
 * of these takes at most one from the letters in common of the longer text.
 */
export const lettersWithin = (outline: Outline, edits: number): number => {
  const { a, b } = outline;
  return Math.abs(a - b) > edits + 1e-6 ? Infinity : lettersNeeded(outline, Math.max(a, b) - edits);
};
