import { left, perCodePoint, readDifference, right, threeRows, type CodePoints } from './code-points.ts';
import { lettersNeeded, type Outline } from './comparator.ts';

/** Which edits count as one, besides insertion, deletion and substitution: exchanging two neighbours, or nothing. */
export type Swaps = 'none' | 'adjacent';

/** Longest pattern whose positions fit the bits of a number in JavaScript's integer operations. */
const WORD = 32;

/**
 * Bit-parallel distance: one step per code point of `text` for the whole of `pattern` (1 to 32 code points).
 * H. Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", Nordic Journal of Computing
 * 10 (2003); his variable names.
 */
const bitParallel = (pattern: CodePoints, text: CodePoints, swaps: Swaps): number => {
  const masks = perCodePoint;
  const swapMask = swaps === 'adjacent' ? -1 : 0;
  const { codes, length } = pattern;
  for (let i = 0; i < length; i++) {
    const code = codes[i] ?? 0;
    masks[code] = (masks[code] ?? 0) | (1 << i);
  }
  const last = 1 << (length - 1);
  const { codes: target, length: steps } = text;
  let distance = length;
  let vp = -1;
  let vn = 0;
  let d0 = 0;
  let before = 0;
  for (let j = 0; j < steps; j++) {
    const pm = masks[target[j] ?? 0] ?? 0;
    const swapped = ((~d0 & pm) << 1) & before & swapMask;
    d0 = (((pm & vp) + vp) ^ vp) | pm | vn | swapped;
    let hp = vn | ~(d0 | vp);
    const hn = d0 & vp;
    if (hp & last) distance++;
    if (hn & last) distance--;
    hp = (hp << 1) | 1;
    vp = (hn << 1) | ~(d0 | hp);
    vn = hp & d0;
    before = pm;
  }
  for (let i = 0; i < length; i++) masks[codes[i] ?? 0] = 0;
  return distance;
};

/**
 * Levenshtein distance straight from two strings, of which the shorter has 1 to 32 units, as `bitParallel` without reading them first;
 * -1 where one may have surrogates, whose units are no code points.
 */
const byUnits = (pattern: string, text: string): number => {
  const masks = perCodePoint;
  const { length } = pattern;
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const unit = pattern.charCodeAt(i);
    seen |= unit;
    masks[unit] = (masks[unit] ?? 0) | (1 << i);
  }
  const last = 1 << (length - 1);
  let distance = length;
  let vp = -1;
  let vn = 0;
  for (let j = 0; j < text.length; j++) {
    const unit = text.charCodeAt(j);
    seen |= unit;
    const pm = masks[unit] ?? 0;
    const d0 = (((pm & vp) + vp) ^ vp) | pm | vn;
    let hp = vn | ~(d0 | vp);
    const hn = d0 & vp;
    if (hp & last) distance++;
    if (hn & last) distance--;
    hp = (hp << 1) | 1;
    vp = (hn << 1) | ~(d0 | hp);
    vn = hp & d0;
  }
  for (let i = 0; i < length; i++) masks[pattern.charCodeAt(i)] = 0;
  return seen < 0xd800 ? distance : -1;
};

/** The textbook table, three rows of it: for the few pairs of values that both have more than 32 code points. */
const byTable = (pattern: CodePoints, text: CodePoints, swaps: Swaps): number => {
  const { codes: target, length: columns } = text;
  let [twoAbove, above, row] = threeRows(columns + 1);
  for (let j = 0; j <= columns; j++) row[j] = j;
  for (let i = 1; i <= pattern.length; i++) {
    const free = twoAbove;
    twoAbove = above;
    above = row;
    row = free;
    const code = pattern.codes[i - 1] ?? 0;
    const previous = swaps === 'adjacent' && i > 1 ? pattern.codes[i - 2] : -1;
    let cell = i;
    row[0] = i;
    for (let j = 1; j <= columns; j++) {
      const other = target[j - 1] ?? 0;
      cell = Math.min((above[j] ?? 0) + 1, cell + 1, (above[j - 1] ?? 0) + (code === other ? 0 : 1));
      if (previous === other && code === target[j - 2]) cell = Math.min(cell, (twoAbove[j - 2] ?? 0) + 1);
      row[j] = cell;
    }
  }
  return row[columns] ?? 0;
};

/** Least number of edits that make one text the other, where no part is edited twice. */
export const editDistance = (a: string, b: string, swaps: Swaps): number => {
  if (a === b) return 0;
  if (swaps === 'none') {
    if (a.length === 0 || b.length === 0) return longerLength(a, b);
    const swapped = a.length > b.length;
    const shorter = swapped ? b : a;
    const distance = shorter.length <= WORD ? byUnits(shorter, swapped ? a : b) : -1;
    if (distance >= 0) return distance;
  }
  readDifference(a, b);
  const pattern = left.length <= right.length ? left : right;
  const text = pattern === left ? right : left;
  if (pattern.length === 0) return text.length;
  return pattern.length <= WORD ? bitParallel(pattern, text, swaps) : byTable(pattern, text, swaps);
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
