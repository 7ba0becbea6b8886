/** The definitions of OpenCR 1.x's further comparators, written out without any care for speed: oracles of the tests. */

/** How often each shingle stands in a text; one shorter than k is its own only shingle. */
const profileOf = (text: string, k: number): ReadonlyMap<string, number> => {
  const letters = [...text.replace(/[ \t-\r]+/g, ' ')];
  const profile = new Map<string, number>();
  const starts = letters.length === 0 ? 0 : Math.max(1, letters.length - k + 1);
  for (let i = 0; i < starts; i++) {
    const shingle = letters.slice(i, i + k).join('');
    profile.set(shingle, (profile.get(shingle) ?? 0) + 1);
  }
  return profile;
};

interface SlowShingles {
  readonly cosine: number;
  readonly jaccard: number;
  readonly dice: number;
  readonly qgram: number;
}

/** Similarities, and the q-gram distance, of two texts that are not both empty. */
export const slowShingles = (a: string, b: string, k: number): SlowShingles => {
  const [p, q] = [profileOf(a, k), profileOf(b, k)];
  const union = [...new Set([...p.keys(), ...q.keys()])];
  const both = union.filter((shingle) => p.has(shingle) && q.has(shingle)).length;
  const sum = (of: (x: number, y: number) => number): number =>
    union.reduce((total, shingle) => total + of(p.get(shingle) ?? 0, q.get(shingle) ?? 0), 0);
  const norms = Math.sqrt(sum((x) => x * x)) * Math.sqrt(sum((_, y) => y * y));
  return {
    cosine: norms === 0 ? 0 : sum((x, y) => x * y) / norms,
    jaccard: both / union.length,
    dice: (2 * both) / (p.size + q.size),
    qgram: sum((x, y) => Math.abs(x - y)),
  };
};

/** Length of the longest common subsequence, as the recurrence is printed. */
export const slowLcs = (left: string, right: string): number => {
  const [a, b] = [[...left], [...right]];
  const table: number[][] = [];
  const at = (i: number, j: number): number => table[i]?.[j] ?? 0;
  for (let i = 0; i < a.length; i++) {
    const row: number[] = [];
    table.push(row);
    for (let j = 0; j < b.length; j++) {
      row.push(a[i] === b[j] ? at(i - 1, j - 1) + 1 : Math.max(at(i - 1, j), row[j - 1] ?? 0));
    }
  }
  return at(a.length - 1, b.length - 1);
};

/** Kondrak's distance over the n-grams themselves, each written out; a blank of its own stands before the texts. */
export const slowNgram = (left: string, right: string, n: number): number => {
  const gramsOf = (text: string): readonly (readonly string[])[] => {
    const letters = [...Array<string>(n - 1).fill('affix'), ...text];
    return [...text].map((_, i) => letters.slice(i, i + n));
  };
  const [a, b] = [gramsOf(left), gramsOf(right)];
  const cost = (x: readonly string[], y: readonly string[]): number => {
    const counted = x.map((letter, i) => [letter, y[i]]).filter(([s, t]) => s !== 'affix' || t !== 'affix');
    return counted.filter(([s, t]) => s !== t).length / counted.length;
  };
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, gram] of a.entries()) {
    const row = [i + 1];
    for (const [j, other] of b.entries()) {
      row.push(Math.min((above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1, (above[j] ?? 0) + cost(gram, other)));
    }
    above = row;
  }
  return a.length + b.length === 0 ? 0 : (above[b.length] ?? 0) / Math.max(a.length, b.length);
};

/** Likeness of two dates, part by part as numbers. */
export const slowDateDamerau = (a: string, b: string): number => {
  if (a === b) return 1;
  if (![a, b].every((text) => /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text))) return 0;
  const [[y1 = 0, m1 = 0, d1 = 0], [y2 = 0, m2 = 0, d2 = 0]] = [a.split('-').map(Number), b.split('-').map(Number)];
  const part = (x: number, y: number): number => {
    if (x === y) return 1;
    const sameCentury = Math.floor(x / 100) === Math.floor(y / 100);
    const [tens, ones] = [Math.floor((x % 100) / 10), x % 10];
    return sameCentury && y % 100 === ones * 10 + tens ? 0.6 : 0;
  };
  const score = (part(y1, y2) * 5 + part(m1, m2) * 4 + part(d1, d2) * 3) / 12;
  return y1 === y2 && m1 === d2 && d1 === m2 ? Math.max(score, 0.9) : score;
};
