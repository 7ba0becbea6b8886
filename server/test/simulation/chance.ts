/** Pseudo-random choices from a seed: the same seed, the same choices (sfc32, Chris Doty-Humphrey's PractRand). */
export interface Chance {
  /** In [0, 1). */
  next(): number;
  /** An integer in [0, n). */
  below(n: number): number;
  /** True with probability `p`. */
  hits(p: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** An independent stream: what one part of a history draws does not move what another does. */
  branch(): Chance;
}

export function createChance(seed: number, stream = 0): Chance {
  let [a, b, c, counter] = [seed | 0, (seed / 2 ** 32) | 0, stream | 0, 1];
  let branches = 0;
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return {
    next,
    below: (n) => Math.floor(next() * n),
    hits: (p) => next() < p,
    pick: (list) => list[Math.floor(next() * list.length)]!,
    branch: () => createChance(seed, (stream + 1) * 1000 + ++branches),
  };
}
