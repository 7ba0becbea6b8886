import { distance as fastestLevenshtein } from 'fastest-levenshtein';
import jaroWinkler from 'jaro-winkler';
import talismanDamerau from 'talisman/metrics/damerau-levenshtein.js';
import { comparatorOf, comparators as all } from '../../server/src/matching/comparators/index.ts';
import { seeded } from '../../server/test/quality/seeded.ts';
import { ugandaRows } from '../../server/test/quality/uganda.ts';
import { SEED } from './seed.ts';

type Measure = (a: string, b: string) => number;

const PAIRS = 20_000;
const WARM_UP = 10;
const ROUNDS = 51;

function ours(comparator: string): Measure {
  const found = comparatorOf({ comparator });
  const parameters = Object.fromEntries(found.parameters.map(({ name, default: value }) => [name, value]));
  return (a, b) => found.measure(a, b, parameters);
}

/** The comparators of the shipped rules, and the fastest package that measures the same; npm has none that measures true Damerau right. */
const RIVALS: readonly { readonly comparator: string; readonly package: string; readonly measure: Measure }[] = [
  { comparator: 'levenshtein', package: 'fastest-levenshtein', measure: fastestLevenshtein },
  { comparator: 'optimal-string-alignment', package: 'talisman damerau-levenshtein', measure: talismanDamerau },
  { comparator: 'damerau-levenshtein', package: 'none; talisman’s allows less', measure: talismanDamerau },
  { comparator: 'jaro-winkler-similarity', package: 'jaro-winkler', measure: jaroWinkler },
];

type Pairs = readonly (readonly [string, string])[];

/** Pairs of values of opencr_uganda_5k. */
function pairsOf(values: readonly string[]): Pairs {
  const chance = seeded(SEED);
  const one = (): string => values[Math.floor(chance() * values.length)] ?? '';
  return Array.from({ length: PAIRS }, () => [one(), one()]);
}

/** Nanoseconds a pair of one round. The sum is used, so that no work is left out. */
function nanoseconds(measure: Measure, pairs: Pairs): number {
  const began = performance.now();
  let sum = 0;
  for (const [a, b] of pairs) sum += measure(a, b);
  const took = performance.now() - began;
  if (Number.isNaN(sum)) throw new Error('a measure is no number');
  return (took * 1e6) / pairs.length;
}

const median = (figures: readonly number[]): number => figures.toSorted((x, y) => x - y)[Math.floor(figures.length / 2)] ?? NaN;

/** The rounds of measures that take turns, so that what else runs on the cores meets them alike: a row of figures each. */
function roundsOf(measures: readonly Measure[], pairs: Pairs): readonly (readonly number[])[] {
  const rounds = Array.from({ length: WARM_UP + ROUNDS }, () => measures.map((measure) => nanoseconds(measure, pairs)));
  return measures.map((_, i) => rounds.slice(WARM_UP).map((round) => round[i] ?? NaN));
}

const line = (name: string, figures: readonly number[]): string => name.padEnd(34) + median(figures).toFixed(0).padStart(6);

/** Our comparators beside published packages, on surnames; dates where a comparator knows nothing else. */
export function comparators(): void {
  const people = ugandaRows();
  const names = pairsOf(people.flatMap(({ family }) => (family === '' ? [] : [family])));
  const dates = pairsOf(people.map(({ birthDate }) => birthDate.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')));
  console.log(
    `nanoseconds a pair of surnames, medians of ${ROUNDS} rounds of ${PAIRS} pairs, in turns, after ${WARM_UP}; Node ${process.version}`,
  );
  for (const rival of RIVALS) {
    const [own = [], other = []] = roundsOf([ours(rival.comparator), rival.measure], names);
    const ratio = median(own.map((figure, i) => figure / (other[i] ?? NaN)));
    console.log(`${line(rival.comparator, own)}   ${line(rival.package, other)}   ratio ${ratio.toFixed(2)}`);
  }
  const others = all.filter(({ name }) => RIVALS.every(({ comparator }) => comparator !== name));
  console.log(`the other ${others.length}, dateDamerau on dates of birth`);
  for (const { name } of others) {
    const [own = []] = roundsOf([ours(name)], name === 'dateDamerau' ? dates : names);
    console.log(line(name, own));
  }
}
