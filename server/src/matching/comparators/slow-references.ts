/** The comparators' definitions written out without any care for speed: the oracles of `laws.test.ts`. */

/** Levenshtein, or optimal string alignment where `swaps`, as the recurrence is printed. */
export const slowEditDistance = (left: string, right: string, swaps: boolean): number => {
  const [a, b] = [[...left], [...right]];
  const table: number[][] = [];
  const at = (i: number, j: number): number => table[i]?.[j] ?? Infinity;
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    table.push(row);
    for (let j = 0; j <= b.length; j++) {
      const options = [at(i - 1, j) + 1, (row[j - 1] ?? Infinity) + 1, at(i - 1, j - 1) + Number(a[i - 1] !== b[j - 1])];
      if (swaps && i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) options.push(at(i - 2, j - 2) + 1);
      row.push(i === 0 && j === 0 ? 0 : Math.min(...options));
    }
  }
  return at(a.length, b.length);
};

/** Unrestricted Damerau by trying every pair of places that could be exchanged, in O(n²m²). */
export const slowDamerau = (left: string, right: string): number => {
  const [a, b] = [[...left], [...right]];
  const table: number[][] = [];
  const at = (i: number, j: number): number => table[i]?.[j] ?? Infinity;
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    table.push(row);
    for (let j = 0; j <= b.length; j++) {
      let best = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? Infinity) + 1, at(i - 1, j - 1) + Number(a[i - 1] !== b[j - 1]));
      const [lastI, lastJ] = [a.lastIndexOf(b[j - 1] ?? '', i - 2), b.lastIndexOf(a[i - 1] ?? '', j - 2)];
      if (i > 1 && j > 1 && lastI >= 0 && lastJ >= 0) {
        best = Math.min(best, at(lastI, lastJ) + (i - 2 - lastI) + 1 + (j - 2 - lastJ));
      }
      row.push(i === 0 && j === 0 ? 0 : best);
    }
  }
  return at(a.length, b.length);
};

const editsOf = (text: string): readonly string[] =>
  Array.from({ length: text.length + 1 }, (_, i) => [text.slice(0, i), text.slice(i)] as const).flatMap(([head, tail]) => [
    head + tail.slice(1),
    ...[...'abc'].flatMap((letter) => [head + letter + tail, head + letter + tail.slice(1)]),
    head + tail.slice(1, 2) + tail.slice(0, 1) + tail.slice(2),
  ]);

/** Breadth first over all texts of a, b and c that one edit reaches: the definition itself. */
export const trueDamerauByEdits = (from: string, to: string): number => {
  const seen = new Set([from]);
  for (let distance = 0, frontier = [from]; ; distance++) {
    if (seen.has(to)) return distance;
    frontier = frontier.flatMap(editsOf).filter((text) => !seen.has(text) && seen.add(text));
  }
};

/** Jaro-Winkler from its published description, with sets of places instead of flags. */
export const slowJaroWinkler = (left: string, right: string, boostThreshold: number): number => {
  const [a, b] = [[...left], [...right]];
  if (left === right) return 1;
  const window = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const partners = new Map<number, number>();
  const free = new Set(b.keys());
  for (const [i, character] of a.entries()) {
    const partner = [...free].sort((x, y) => x - y).find((j) => Math.abs(i - j) <= window && b[j] === character);
    if (partner === undefined) continue;
    partners.set(i, partner);
    free.delete(partner);
  }
  if (partners.size === 0) return 0;
  const inB = [...partners.values()].sort((x, y) => x - y).map((j) => b[j]);
  const exchanged = [...partners.keys()].filter((i, place) => a[i] !== inB[place]).length / 2;
  const m = partners.size;
  const jaro = (m / a.length + m / b.length + (m - exchanged) / m) / 3;
  const differs = [0, 1, 2, 3].findIndex((k) => a[k] === undefined || a[k] !== b[k]);
  return jaro < boostThreshold ? jaro : jaro + (differs < 0 ? 4 : differs) * 0.1 * (1 - jaro);
};

/** Soundex as the National Archives print it, rule after rule, of letters a to z. */
export const slowSoundex = (letters: string): string => {
  const digits = letters.replace(/(?!^)[hw]/g, '').replace(/[a-z]/g, (letter) => {
    const group = ['aeiouyhw', 'bfpv', 'cgjkqsxz', 'dt', 'l', 'mn', 'r'].findIndex((members) => members.includes(letter));
    return String(group);
  });
  const code = digits
    .replace(/(.)\1+/g, '$1')
    .slice(1)
    .replaceAll('0', '');
  return letters.charAt(0).toUpperCase() + `${code}000`.slice(0, 3);
};
