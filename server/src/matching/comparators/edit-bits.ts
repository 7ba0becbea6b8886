/**
 * Edit distances, a column of the table at a time, its rows as the bits of numbers. D[i,j] is the distance between the first i
 * letters of the pattern and the first j of the text. Bit i-1 of `vp` and `vn` says whether D[i,j] is one more or less than
 * D[i-1,j], of `hp` and `hn` the same against D[i,j-1], and of `d0` whether D[i,j] is D[i-1,j-1]. Without exchanges and with
 * 'adjacent' ones this is H. Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", Nordic Journal
 * of Computing 10 (2003), whose names these are. The differences down the last column give the distance, so that no step counts.
 *
 * Exchanges of 'any' kind may have letters deleted or inserted between. By R. Lowrance, R. Wagner, "An extension of the
 * string-to-string correction problem", JACM 22 (1975), D[i,j] is the least of what Levenshtein allows and of
 *   E = D[k-1,l-1] + (i-k) + (j-l) - 1,
 * k < i being the nearest row with the letter of column j, l < j the nearest column with the letter of row i. One edit parts
 * neighbouring cells, therefore
 *   D[i-1,j-1] <= D[k-1,l-1] + max(i-k, j-l) <= E.                                                                           (1)
 * So D[i,j] is never less than D[i-1,j-1], which is all that Hyyrö's relations need, and an exchange matters only where both signs
 * of (1) are equalities: then it sets `d0`. The second is one where i-k or j-l is 1. The first is one where each step of a
 * shortest way from (k-1,l-1) to (i-1,j-1), a diagonal one and then straight ones, adds 1:
 *   - j-l = 1: `d0` is 0 at (k,j-1), and `vp` is 1 from there to row i-1. `run` goes so from every k, as a farther one, too, gives
 *     a sequence of E edits.
 *   - i-k = 1: `d0` is 0 at (i-1,l), and `hp` is 1 from there to column j-1. `open` begins with each l and lasts as long.
 * What an exchange sets need not go on down the column by the addition, which goes on only where `vp` is 1: as the letters of row
 * i and column l are the same, D[i,j-1] <= D[i,l] + (j-1-l) <= D[k-1,l-1] + (i-k) + (j-1-l) = E = D[i-1,j-1].
 */
import { FIRST_SURROGATE, mark, onesByBytes, sumOfBytes, unmark, WORD } from './bits.ts';
import { perCodePoint as masks, type CodePoints } from './code-points.ts';

/** Which exchanges count as one edit: none, of two neighbours that stay neighbours, or of any that become or were neighbours. */
export type Swaps = 'none' | 'adjacent' | 'any';

/** The sum of the first 1 to 32 differences down a column: bits of `vp` that are 1, less those of `vn`, which are 32 without its zeros. */
const descent = (vp: number, vn: number, rows: number): number => {
  const unused = WORD - rows;
  return sumOfBytes(onesByBytes(vp << unused) + onesByBytes(~(vn << unused))) - WORD;
};

/** Levenshtein straight from strings, the pattern of 1 to 32 units; -1 where there may be surrogates. */
export const levenshteinOfUnits = (pattern: string, text: string): number => {
  let seen = mark(pattern);
  let vp = -1;
  let vn = 0;
  for (let j = 0; j < text.length; j++) {
    const unit = text.charCodeAt(j);
    seen |= unit;
    const pm = masks[unit] ?? 0;
    const d0 = (((pm & vp) + vp) ^ vp) | pm | vn;
    const hp = ((vn | ~(d0 | vp)) << 1) | 1;
    vp = ((d0 & vp) << 1) | ~(d0 | hp);
    vn = hp & d0;
  }
  unmark(pattern.length);
  return seen < FIRST_SURROGATE ? text.length + descent(vp, vn, pattern.length) : -1;
};

/** The same with exchanges. */
export const damerauOfUnits = (pattern: string, text: string, swaps: Swaps): number => {
  const any = swaps === 'any' ? -1 : 0;
  let seen = mark(pattern);
  let [vp, vn, d0, before, open] = [-1, 0, -1, 0, 0];
  for (let j = 0; j < text.length; j++) {
    const unit = text.charCodeAt(j);
    seen |= unit;
    const pm = masks[unit] ?? 0;
    const start = (pm & ~d0) << 1;
    const run = (((start & vp & any) + vp) ^ vp) | start;
    d0 = (((pm & vp) + vp) ^ vp) | pm | vn | (run & before) | ((pm << 1) & open & any);
    const hp = ((vn | ~(d0 | vp)) << 1) | 1;
    vp = ((d0 & vp) << 1) | ~(d0 | hp);
    vn = hp & d0;
    open = (pm & ~(d0 << 1)) | (open & hp & ~pm);
    before = pm;
  }
  unmark(pattern.length);
  return seen < FIRST_SURROGATE ? text.length + descent(vp, vn, pattern.length) : -1;
};

/** What the last row of a strip hands to the first of the next, a bit each, for each column. */
let edges = new Uint8Array(512);

/** Any distance of two texts of any length, neither empty: strips of 32 rows, one after the other. */
export const byStrips = (pattern: CodePoints, text: CodePoints, swaps: Swaps): number => {
  const some = swaps === 'none' ? 0 : -1;
  const any = swaps === 'any' ? -1 : 0;
  const { codes: target, length: columns } = text;
  if (edges.length < columns) edges = new Uint8Array(2 * columns);
  // Above the first row `hp` is 1 and nothing else.
  edges.fill(1, 0, columns);
  let distance = columns;
  for (let top = 0; top < pattern.length; top += WORD) {
    const rows = pattern.codes.subarray(top, Math.min(top + WORD, pattern.length));
    for (let i = 0; i < rows.length; i++) masks[rows[i] ?? 0] = (masks[rows[i] ?? 0] ?? 0) | (1 << i);
    let [vp, vn, d0, before, open] = [-1, 0, -1, 0, 0];
    for (let j = 0; j < columns; j++) {
      const edge = edges[j] ?? 0;
      const pm = masks[target[j] ?? 0] ?? 0;
      const begin = pm & ~d0;
      const start = (begin << 1) | ((edge >> 2) & 1);
      const run = (((start & vp & any) + vp) ^ vp) | start;
      const below = begin | (run & vp & any);
      const above = (edge >> 1) & 1;
      const met = pm | above;
      const met1 = (pm << 1) | ((edge >> 3) & 1);
      d0 = (((met & vp) + vp) ^ vp) | met | vn | (run & before & some) | (met1 & open & any);
      const hp = vn | ~(d0 | vp);
      const hn = d0 & vp;
      edges[j] = (hp >>> 31) | ((hn >>> 31) << 1) | ((below >>> 31) << 2) | ((pm >>> 31) << 3) | ((d0 >>> 31) << 4);
      const hp1 = (hp << 1) | (edge & 1);
      vp = (hn << 1) | above | ~(d0 | hp1);
      vn = hp1 & d0;
      open = (pm & ~((d0 << 1) | (edge >> 4))) | (open & hp1 & ~pm);
      before = pm;
    }
    for (let i = 0; i < rows.length; i++) masks[rows[i] ?? 0] = 0;
    distance += descent(vp, vn, rows.length);
  }
  return distance;
};
