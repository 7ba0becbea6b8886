import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Patient } from '../../server/src/fhir/r4.ts';
import type { Pair } from '../../server/src/domain/links.ts';
import { createExhaustiveIndex } from '../../server/src/matching/exhaustive.ts';
import { createLinkageIndex, type LinkageIndex } from '../../server/src/matching/linkage-index/index.ts';
import type { FeatureValues } from '../../server/src/matching/model.ts';
import { resolve } from '../../server/src/matching/resolve.ts';
import { createExtractor } from '../../server/src/registry/extract.ts';
import { profiles } from './generator/profiles.ts';
import { recordAt, type Register } from './generator/records.ts';
import { patientOf } from './generator/write.ts';
import { defaultSettings } from './settings.ts';

const QUERIES = 5000;
/** Submissions that brute force answers too; it takes seconds each at a million. */
const ORACLE = 1000;
const ORACLE_UP_TO = 100_000;

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;

const quantiles = (took: readonly number[]): string => {
  const sorted = took.toSorted((x, y) => x - y);
  return [0.5, 0.95, 0.99, 1].map((share) => quantile(sorted, share).toFixed(3)).join(' / ');
};

/** The pure part of a decision: features, candidates, scores, and the groups of the component that it makes. */
function decide(
  index: LinkageIndex,
  patient: object,
  extract: (patient: Patient) => FeatureValues,
  limits: Parameters<typeof resolve>[1],
) {
  const values = extract(patient as Patient);
  const { candidates } = index.retrieve(values, new Set());
  const key = 0;
  const members = [key, ...candidates.map(({ record }) => record)];
  const pairs = candidates.map(({ record, verdict }): Pair => ({ ...verdict, a: key, b: record }));
  const named = members.map((member) => ({ key: member, identity: { system: '', value: String(member), client: '' } }));
  resolve({ members: named, pairs, constraints: [] }, limits);
  return candidates.length;
}

/** `npm run bench -- decisions`: what a decision takes without I/O, how large the index is, and whether brute force agrees. */
export function decisions(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: { records: { type: 'string', default: '100000' }, profile: { type: 'string', default: 'uganda' } },
  });
  const [records, profile] = [Number(values.records), profiles[values.profile]];
  if (!profile || !Number.isInteger(records)) throw new Error('--records N --profile NAME');
  const rules = defaultSettings().ruleSet;
  const extract = createExtractor(rules.features);
  const register: Register = { profile, seed: 1, total: records + QUERIES };
  const index = createLinkageIndex(rules);
  let [longest, putting] = [0, 0];
  for (let n = 0; n < records; n++) {
    const own = extract(patientOf(recordAt(register, n)) as Patient);
    const began = performance.now();
    index.upsert(n + 1, own);
    const took = performance.now() - began;
    putting += took;
    longest = Math.max(longest, took);
  }
  const bytes = index.arenas.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  console.log(
    `${values.profile}, ${records} records, Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}: ` +
      `index ${(bytes / records).toFixed(1)} B a record; an insertion ${((1000 * putting) / records).toFixed(1)} us, the longest ${longest.toFixed(1)} ms`,
  );
  const queries = Array.from({ length: QUERIES }, (_, n) => patientOf(recordAt(register, records + n)));
  let found = 0;
  const took = queries.map((query) => {
    const began = performance.now();
    found += decide(index, query, extract, rules.limits);
    return performance.now() - began;
  });
  console.log(`a decision, ms p50 / p95 / p99 / most: ${quantiles(took)}; ${(found / QUERIES).toFixed(2)} candidates`);
  if (records <= ORACLE_UP_TO) compareWithBruteForce(index, queries.slice(0, ORACLE), extract);
}

function compareWithBruteForce(
  index: LinkageIndex,
  queries: readonly object[],
  extract: (patient: Patient) => FeatureValues,
): void {
  const oracle = createExhaustiveIndex(defaultSettings().ruleSet);
  for (let record = 1; record <= index.size; record++) oracle.upsert(record, index.valuesOf(record) ?? []);
  let different = 0;
  const took = queries.map((query) => {
    const own = extract(query as Patient);
    const began = performance.now();
    const expected = oracle.retrieve(own, new Set());
    const milliseconds = performance.now() - began;
    if (JSON.stringify(expected) !== JSON.stringify(index.retrieve(own, new Set()))) different += 1;
    return milliseconds;
  });
  console.log(`brute force, ms p50 / p95 / p99 / most: ${quantiles(took)}; ${different} of ${queries.length} answers differ`);
  if (different > 0) process.exitCode = 1;
}
