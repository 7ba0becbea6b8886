/** Disjoint sets of the numbers below `size` (R. Tarjan, JACM 22, 1975; halving of paths), four bytes each. */
export interface UnionFind {
  union(a: number, b: number): void;
  /** The same number for all of one set. */
  find(a: number): number;
}

export const createUnionFind = (size: number): UnionFind => {
  const parents = new Uint32Array(size);
  for (let i = 0; i < size; i++) parents[i] = i;
  const find = (a: number): number => {
    let at = a;
    for (;;) {
      const parent = parents[at] ?? at;
      if (parent === at) return at;
      const above = parents[parent] ?? parent;
      parents[at] = above;
      at = above;
    }
  };
  return {
    find,
    union: (a, b) => {
      const [x, y] = [find(a), find(b)];
      // The smaller number leads, so that a set is found by its first.
      if (x < y) parents[y] = x;
      else parents[x] = y;
    },
  };
};
