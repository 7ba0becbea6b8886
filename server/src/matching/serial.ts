import type { RecordKey } from '../domain/identity.ts';
import { pairName } from '../domain/links.ts';
import type { BulkRetrieval, CandidateIndex, PairSource, RangePairs } from './candidates.ts';

/** The pairs of the indexed records with first ≤ key ≤ last, each with records of greater key. */
export const rangePairs = (index: PairSource, first: RecordKey, last: RecordKey): RangePairs => {
  const found: { pairs: RangePairs['pairs'][number][]; truncated: RecordKey[] } = { pairs: [], truncated: [] };
  for (let record = first; record <= last; record++) {
    const values = index.valuesOf(record);
    if (values === undefined) continue;
    const { candidates, truncated } = index.retrieveAbove(values, record);
    if (truncated) found.truncated.push(record);
    for (const candidate of candidates) found.pairs.push({ ...candidate.verdict, ...pairName(candidate.record, record) });
  }
  return found;
};

/** Of an index that does not know how to look at greater keys alone. */
const pairSource = (index: CandidateIndex): PairSource => ({
  valuesOf: index.valuesOf,
  retrieveAbove: (values, above) => {
    const { candidates, truncated } = index.retrieve(values, new Set([above]));
    return { candidates: candidates.filter(({ record }) => record > above), truncated };
  },
});

/** Many retrievals one after the other, in this thread. */
export const serialRetrieval = (index: CandidateIndex): BulkRetrieval => ({
  retrieveMany: (queries) => Promise.resolve(queries.map(({ record, values }) => index.retrieve(values, new Set([record])))),
  pairsWithin: (first, last) => Promise.resolve(rangePairs(pairSource(index), first, last)),
});
