import type { RecordKey } from '../domain/identity.ts';
import type { BulkRetrieval, RangePairs } from '../matching/candidates.ts';
import type { RegistryScan } from './ports.ts';
import { type PairChanges, pairChanges } from './decide.ts';

/** Records of a range that is asked for at once; several ranges are under way at a time, one for each core and more. */
const RANGE = 1000;
const UNDER_WAY = 6;

export interface RangeChanges extends PairChanges {
  readonly last: RecordKey;
  /** All pairs of the range, changed or not. */
  readonly found: RangePairs;
}

/**
 * Every pair of the registry under the rules in force, range by range in order of the smaller key, with what it changes of
 * the stored ones.
 */
export async function* allPairs(
  scan: Pick<RegistryScan, 'pairsFrom'>,
  bulk: BulkRetrieval,
  last: RecordKey,
): AsyncGenerator<RangeChanges> {
  const ahead: { readonly first: RecordKey; readonly found: Promise<RangePairs> }[] = [];
  let next = 1;
  while (next <= last || ahead.length > 0) {
    while (next <= last && ahead.length < UNDER_WAY) {
      const found = bulk.pairsWithin(next, Math.min(last, next + RANGE - 1));
      // Whoever comes to it hears of a failure.
      found.catch(() => undefined);
      ahead.push({ first: next, found });
      next += RANGE;
    }
    const range = ahead.shift();
    if (!range) return;
    yield changesOf(scan, { first: range.first, last: Math.min(last, range.first + RANGE - 1) }, await range.found);
  }
}

async function changesOf(
  scan: Pick<RegistryScan, 'pairsFrom'>,
  { first, last }: { readonly first: RecordKey; readonly last: RecordKey },
  found: RangePairs,
): Promise<RangeChanges> {
  const byRecord = Map.groupBy(found.pairs, ({ a }) => a);
  const standing = Map.groupBy(await scan.pairsFrom(first, last), ({ a }) => a);
  const begun: PairChanges['begun'][number][] = [];
  const ended: PairChanges['ended'][number][] = [];
  for (let record = first; record <= last; record++) {
    const before = standing.get(record) ?? [];
    const after = (byRecord.get(record) ?? []).map(({ a: _a, b, ...verdict }) => ({ record: b, verdict }));
    if (before.length + after.length === 0) continue;
    const changes = pairChanges(record, before, after);
    begun.push(...changes.begun);
    ended.push(...changes.ended);
  }
  return { last, found, begun, ended };
}
