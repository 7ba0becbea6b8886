/**
 * Randomness without state: every number is a function of (seed, who, what), so that the n-th person can be made without the
 * ones before.
 */

/** Mixes three numbers into 32 bits (the finaliser of MurmurHash3, A. Appleby, between them). */
export const mix = (seed: number, who: number, what: number): number => {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(who + 1, 0xc2b2ae35) ^ Math.imul(what + 1, 0x27d4eb2f);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b) ^ Math.imul(Math.floor(who / 0x100000000) + 1, 0x165667b1);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** A number of [0, 1). */
export const share = (seed: number, who: number, what: number): number => mix(seed, who, what) / 2 ** 32;

/** A whole number of [0, below). */
export const below = (limit: number, seed: number, who: number, what: number): number =>
  Math.floor(share(seed, who, what) * limit);

/**
 * A place of a long-tailed list: that of rank r is drawn about 1 / (r + offset) times as often as the first (Zipf, Mandelbrot).
 */
export const rank = (length: number, offset: number, at: number): number =>
  Math.min(length - 1, Math.floor(offset * ((length + offset) / offset) ** at - offset));

/**
 * A permutation of [0, size): a four-round Feistel network over the least even number of bits that holds it, walked until it falls
 * inside.
 */
export const permuted = (index: number, size: number, seed: number): number => {
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2));
  const radix = 2 ** half;
  let at = index;
  do {
    let [left, right] = [Math.floor(at / radix), at % radix];
    for (let round = 0; round < 4; round++) [left, right] = [right, (left ^ (mix(seed, right, 900 + round) % radix)) >>> 0];
    at = left * radix + right;
  } while (at >= size);
  return at;
};
