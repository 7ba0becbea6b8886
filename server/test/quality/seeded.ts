/** Chance that is the same in every run: mulberry32 (Tommy Ettinger, public domain), numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The items in another order, each order as likely. */
export function shuffled<T>(items: readonly T[], chance: () => number): readonly T[] {
  const keyed = items.map((item) => ({ item, at: chance() }));
  return keyed.sort((x, y) => x.at - y.at).map(({ item }) => item);
}
