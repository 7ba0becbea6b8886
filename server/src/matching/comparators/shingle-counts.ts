import { left, perCodePoint, readBoth, right, threeRows, type CodePoints } from './code-points.ts';

/** What two texts have in common as bags and as sets of shingles. */
export interface ShingleCounts {
  /** Different shingles of each text, and of both. */
  readonly ofLeft: number;
  readonly ofRight: number;
  readonly ofBoth: number;
  /** Sums over all shingles, of how often each stands in the texts: x·x, y·y, x·y and |x - y|. */
  readonly leftSquares: number;
  readonly rightSquares: number;
  readonly products: number;
  readonly differences: number;
}

const BLANK = 32;

/** The white space of Java's regular expressions, which 1.x's library squeezes. */
const isBlank = (code: number): boolean => code === BLANK || (code >= 9 && code <= 13);

/** Renames the code points of both texts 1, 2, 3 … in order of first sight, blanks in a row as one; answers how many there are. */
const renameLetters = (): number => {
  const [met] = threeRows(left.length + right.length);
  let count = 0;
  for (const text of [left, right]) {
    let length = 0;
    let before = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.codes[i] ?? 0;
      const letter = isBlank(code) ? BLANK : code;
      if (letter === BLANK && before === BLANK) continue;
      before = letter;
      let name = perCodePoint[letter] ?? 0;
      if (name === 0) {
        met[count++] = letter;
        name = count;
        perCodePoint[letter] = name;
      }
      text.codes[length++] = name;
    }
    text.length = length;
  }
  for (let i = 0; i < count; i++) perCodePoint[met[i] ?? 0] = 0;
  return count;
};

/** The shingles of a text as numbers in ascending order: their letters' names as the digits of one number. */
const shinglesOf = ({ codes, length }: CodePoints, k: number, base: number): Float64Array => {
  const size = Math.min(k, length);
  const shingles = new Float64Array(length === 0 ? 0 : length - size + 1);
  for (let i = 0; i < shingles.length; i++) {
    let number = 0;
    for (let j = i; j < i + size; j++) number = number * base + (codes[j] ?? 0);
    shingles[i] = number;
  }
  return shingles.sort();
};

/**
 * Counts the k-shingles of two texts: all runs of k code points, after blanks in a row became one (Leskovec, Rajaraman,
 * Ullman, "Mining of Massive Datasets", §3.2). A text shorter than k is its own only shingle. Exact while the number of
 * different code points in both, to the power of k, stays below 2^53: for k = 5 up to some 1,500.
 */
export const countShingles = (a: string, b: string, k: number): ShingleCounts => {
  readBoth(a, b);
  const base = renameLetters() + 1;
  const [ofA, ofB] = [shinglesOf(left, k, base), shinglesOf(right, k, base)];
  const counts = { ofLeft: 0, ofRight: 0, ofBoth: 0, leftSquares: 0, rightSquares: 0, products: 0, differences: 0 };
  for (let i = 0, j = 0; i < ofA.length || j < ofB.length;) {
    const shingle = Math.min(ofA[i] ?? Infinity, ofB[j] ?? Infinity);
    const [startA, startB] = [i, j];
    while (ofA[i] === shingle) i++;
    while (ofB[j] === shingle) j++;
    const [x, y] = [i - startA, j - startB];
    if (x > 0) counts.ofLeft++;
    if (y > 0) counts.ofRight++;
    if (x > 0 && y > 0) counts.ofBoth++;
    counts.leftSquares += x * x;
    counts.rightSquares += y * y;
    counts.products += x * y;
    counts.differences += Math.abs(x - y);
  }
  return counts;
};
