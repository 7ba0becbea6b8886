import type { RecordKey } from '../domain/identity.ts';

export interface Reached {
  /** In order of discovery, the start first; at most one more than the limit. */
  readonly members: readonly RecordKey[];
  /** False when the limit was passed: then `members` are only some of them. */
  readonly complete: boolean;
}

/**
 * The records reachable from `start` (breadth first), at most `limit` of them. Neighbours are read one record at a time,
 * as the store gives them.
 */
export async function componentOf(
  start: readonly RecordKey[],
  neighbours: (record: RecordKey) => Promise<readonly RecordKey[]>,
  limit: number,
): Promise<Reached> {
  const members = new Set(start);
  // A Set is walked in order of insertion, also what is added on the way.
  for (const record of members) {
    for (const next of await neighbours(record)) members.add(next);
    if (members.size > limit) return { members: [...members].slice(0, limit + 1), complete: false };
  }
  return { members: [...members], complete: true };
}
