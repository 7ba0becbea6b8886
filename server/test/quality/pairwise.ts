/** How well clusters agree with the truth, counted over pairs of records. */
export interface Quality {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

const size = (groups: ReadonlyMap<unknown, readonly string[]>): number =>
  [...groups.values()].reduce((sum, { length: n }) => sum + (n * (n - 1)) / 2, 0);

/** Clusters of the records that pairs join, directly or through others: the name of each one's cluster. */
function joined(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const parents = new Map<string, string>();
  const rootOf = (name: string): string => {
    const parent = parents.get(name) ?? name;
    return parent === name ? name : rootOf(parent);
  };
  for (const [a, b] of pairs) parents.set(rootOf(a), rootOf(b));
  return new Map(pairs.flat().map((name) => [name, rootOf(name)]));
}

/** B-cubed F1 (A. Bagga, B. Baldwin, LREC 1998): precision and recall of each record's own cluster, averaged. */
export function bCubed(found: ReadonlyMap<string, string>, truePairs: readonly (readonly [string, string])[]): number {
  const truth = joined(truePairs);
  const names = [...found.keys()];
  const clusterOf = (name: string): string => found.get(name) ?? name;
  const personOf = (name: string): string => truth.get(name) ?? name;
  const both = Map.groupBy(names, (name) => JSON.stringify([clusterOf(name), personOf(name)]));
  const [clusters, persons] = [Map.groupBy(names, clusterOf), Map.groupBy(names, personOf)];
  const mean = (sizeOf: (name: string) => number): number =>
    [...both.values()].reduce((sum, group) => sum + group.length ** 2 / sizeOf(group[0] ?? ''), 0) / names.length;
  const precision = mean((name) => clusters.get(clusterOf(name))?.length ?? 1);
  const recall = mean((name) => persons.get(personOf(name))?.length ?? 1);
  return (2 * precision * recall) / (precision + recall);
}

/**
 * @param found The cluster of every record.
 * @param truePairs Pairs of one person; whoever two pairs share is one with both.
 */
export function pairwise(found: ReadonlyMap<string, string>, truePairs: readonly (readonly [string, string])[]): Quality {
  const truth = joined(truePairs);
  const names = [...found.keys()];
  const clusterOf = (name: string): string => found.get(name) ?? name;
  const personOf = (name: string): string => truth.get(name) ?? name;
  const right = size(Map.groupBy(names, (name) => JSON.stringify([clusterOf(name), personOf(name)])));
  const precision = right / size(Map.groupBy(names, clusterOf));
  const recall = right / size(Map.groupBy(names, personOf));
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}
