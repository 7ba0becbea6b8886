import { left, readBoth, right, type CodePoints } from './code-points.ts';
import type { Comparator, ComparatorParameter } from './comparator.ts';

const n: ComparatorParameter = { name: 'n', about: 'Characters in an n-gram.', min: 1, max: 5, default: 2, whole: true };

/** Stands before the beginning of each text, so that its first letters are in as many n-grams as the others. */
const AFFIX = -1;

const letterAt = ({ codes }: CodePoints, at: number): number => (at < 0 ? AFFIX : (codes[at] ?? AFFIX));

/** Share of places that differ in the n-grams that end before `i` and `j`; places where both have the affix do not count. */
const gramDistance = (i: number, j: number, size: number): number => {
  const places = Math.min(size, Math.max(i, j));
  let differing = 0;
  for (let back = 1; back <= places; back++) {
    if (letterAt(left, i - back) !== letterAt(right, j - back)) differing++;
  }
  return differing / places;
};

let rows = [new Float64Array(0), new Float64Array(0)] as const;

/** Edit distance of what `readBoth` read, over n-grams in place of letters. */
const gramEdits = (size: number): number => {
  const columns = right.length;
  if (rows[0].length <= columns) rows = [new Float64Array(2 * columns + 1), new Float64Array(2 * columns + 1)];
  let [row, above] = rows;
  for (let j = 0; j <= columns; j++) row[j] = j;
  for (let i = 1; i <= left.length; i++) {
    [row, above] = [above, row];
    row[0] = i;
    for (let j = 1; j <= columns; j++) {
      const replaced = (above[j - 1] ?? 0) + gramDistance(i, j, size);
      row[j] = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced);
    }
  }
  return row[columns] ?? 0;
};

/** G. Kondrak, "N-gram similarity and distance", SPIRE 2005, LNCS 3772. */
export const ngram: Comparator = {
  name: 'ngram',
  aliases: [],
  kind: 'distance',
  about: 'Kondrak’s distance: edits counted over runs of n characters, divided by the length of the longer text.',
  greatest: 1,
  parameters: [n],
  cost: 600,
  measure: (a, b, parameters) => {
    if (a === b) return 0;
    readBoth(a, b);
    return gramEdits(parameters['n'] ?? n.default) / Math.max(left.length, right.length);
  },
};
