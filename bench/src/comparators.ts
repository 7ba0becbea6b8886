import { distance as fastestLevenshtein } from 'fastest-levenshtein';
import jaroWinkler from 'jaro-winkler';
import talismanDamerau from 'talisman/metrics/damerau-levenshtein.js';
import { comparatorOf } from '../../server/src/matching/comparators/index.ts';
import { seeded } from '../../server/test/quality/seeded.ts';
import { ugandaRows } from '../../server/test/quality/uganda.ts';
import { SEED } from './seed.ts';

type Measure = (a: string, b: string) => number;

const PAIRS = 20_000;
const ROUNDS = 7;

function ours(comparator: string): Measure {
  const found = comparatorOf({ comparator });
  const parameters = Object.fromEntries(found.parameters.map(({ name, default: value }) => [name, value]));
  return (a, b) => found.measure(a, b, parameters);
}

/** Ours, and the package that measures the same or the nearest thing. */
const RIVALS: readonly { readonly comparator: string; readonly package: string; readonly measure: Measure }[] = [
  { comparator: 'levenshtein', package: 'fastest-levenshtein', measure: fastestLevenshtein },
  { comparator: 'optimal-string-alignment', package: 'talisman damerau-levenshtein', measure: talismanDamerau },
  { comparator: 'damerau-levenshtein', package: 'talisman damerau-levenshtein', measure: talismanDamerau },
  { comparator: 'jaro-winkler-similarity', package: 'jaro-winkler', measure: jaroWinkler },
];

/** Pairs of surnames of opencr_uganda_5k. */
function pairsOfNames(): readonly (readonly [string, string])[] {
  const chance = seeded(SEED);
  const names = ugandaRows().flatMap(({ family }) => (family === '' ? [] : [family]));
  const one = (): string => names[Math.floor(chance() * names.length)] ?? '';
  return Array.from({ length: PAIRS }, () => [one(), one()]);
}

/** Nanoseconds a pair: the median of some rounds, after one to warm up. The sum is used, so that no work is left out. */
function nanoseconds(measure: Measure, pairs: readonly (readonly [string, string])[]): number {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const began = performance.now();
    let sum = 0;
    for (const [a, b] of pairs) sum += measure(a, b);
    const took = performance.now() - began;
    if (Number.isNaN(sum)) throw new Error('a measure is no number');
    return (took * 1e6) / pairs.length;
  });
  return rounds.slice(1).sort((x, y) => x - y)[Math.floor(ROUNDS / 2)] ?? NaN;
}

/** Our comparators beside published packages, on surnames. */
export function comparators(): void {
  const pairs = pairsOfNames();
  console.log(`nanoseconds a pair of surnames, medians of ${ROUNDS} rounds of ${PAIRS} pairs, Node ${process.version}`);
  for (const rival of RIVALS) {
    const [own, other] = [nanoseconds(ours(rival.comparator), pairs), nanoseconds(rival.measure, pairs)];
    console.log(
      `${rival.comparator.padEnd(26)}${own.toFixed(0).padStart(6)}   ${rival.package.padEnd(30)}${other.toFixed(0).padStart(6)}`,
    );
  }
}
