/**
 * Compares with every record, over typed columns in memory: exact by definition, and the oracle of every faster index.
 * A scan sums what each comparison adds and leaves a record as soon as it cannot reach the threshold any more; each
 * distinct value is measured at most once per comparison and retrieval. What the scan lets through is judged by
 * `verdict`, the only place that decides.
 */
import type { RecordKey } from '../domain/identity.ts';
import type { CandidateIndex, Retrieval, ScoredCandidate } from './candidates.ts';
import { comparatorOf } from './comparators/index.ts';
import { comparisonBounds } from './decide.ts';
import type { Agreement, Comparison, FeatureValues, Rule, RuleSet } from './model.ts';
import { compare, compareStrength, verdict } from './score.ts';
import { createColumn, grown, setValue, valueAt, type ValueColumn } from './value-column.ts';

/** More than rounding errors can add up to: the scan may let a record through in vain, never leave one out. */
const SLACK = 1e-6;

const LAST_GENERATION = 0xffffffff;

/** A comparison with what it added for each value met since the retrieval `generation` began. */
interface Probe {
  readonly comparison: Comparison;
  /** Of the feature, where the comparison is of one: what it adds is then found once a distinct value. */
  readonly column: ValueColumn | null;
  /** Most that the probes after this one can add. */
  readonly rest: number;
  query: FeatureValues;
  /** The other record's value of the one feature, at its place. */
  readonly other: string[];
  generation: number;
  contributions: Float64Array;
  /** Generation in which the contribution of a value was found. */
  foundIn: Uint32Array;
}

interface RuleScan {
  readonly rule: Rule;
  readonly filters: readonly { readonly feature: number; readonly column: ValueColumn; wanted: string }[];
  /** Cheapest first. */
  readonly probes: readonly Probe[];
}

const within =
  (features: readonly number[]) =>
  ({ feature, other }: Agreement): boolean =>
    features.includes(feature) && features.includes(other);

const costOf = ({ levels }: Comparison): number =>
  levels.flatMap(({ agreements }) => agreements).reduce((sum, agreement) => sum + comparatorOf(agreement).cost, 0);

const compileRule = (rule: Rule, columns: readonly ValueColumn[]): RuleScan => {
  const columnOf = (feature: number): ValueColumn => {
    const column = columns[feature];
    if (column === undefined) throw new Error(`rule ${rule.name} names feature ${feature}, which is not in the rule set`);
    return column;
  };
  const onlyColumn = ({ features, levels }: Comparison): ValueColumn | null => {
    const [column = null, ...others] = features.map(columnOf);
    for (const { agreements } of levels) for (const { feature, other } of agreements) [feature, other].map(columnOf);
    return others.length === 0 && levels.every(({ agreements }) => agreements.every(within(features))) ? column : null;
  };
  const byCost = rule.comparisons.map((comparison) => ({ comparison, cost: costOf(comparison) })).sort((x, y) => x.cost - y.cost);
  return {
    rule,
    filters: rule.filters.map((feature) => ({ feature, column: columnOf(feature), wanted: '' })),
    probes: byCost.map(({ comparison }, place) => ({
      comparison,
      column: onlyColumn(comparison),
      rest: byCost.slice(place + 1).reduce((sum, later) => sum + comparisonBounds(later.comparison).max, 0),
      query: [],
      other: [],
      generation: 0,
      contributions: new Float64Array(0),
      foundIn: new Uint32Array(0),
    })),
  };
};

/** Forgets what was found for another query, without clearing anything but once in four thousand million times. */
const renew = (probe: Probe, query: FeatureValues): void => {
  probe.query = query;
  const distinct = probe.column?.texts.length ?? 0;
  probe.contributions = grown(probe.contributions, distinct);
  probe.foundIn = grown(probe.foundIn, distinct);
  if (probe.generation === LAST_GENERATION) {
    probe.foundIn.fill(0);
    probe.generation = 0;
  }
  probe.generation++;
};

/** What the values of all features at a slot are to one scan. */
interface Scanned {
  readonly rules: RuleSet;
  readonly valuesAt: (slot: number) => FeatureValues;
}

const contribution = ({ rules, valuesAt }: Scanned, probe: Probe, slot: number): number => {
  const { comparison, column, query, other } = probe;
  if (column === null) return compare(rules, comparison, { a: query, b: valuesAt(slot) }).contribution;
  const id = column.ids[slot] ?? 0;
  if (probe.foundIn[id] !== probe.generation) {
    other[comparison.features[0] ?? 0] = column.texts[id] ?? '';
    probe.contributions[id] = compare(rules, comparison, { a: query, b: other }).contribution;
    probe.foundIn[id] = probe.generation;
  }
  return probe.contributions[id] ?? 0;
};

const passesFilters = ({ filters }: RuleScan, slot: number): boolean => {
  for (const { wanted, column } of filters) if (valueAt(column, slot) !== wanted) return false;
  return true;
};

const mayReach = (scanned: Scanned, scan: RuleScan, slot: number): boolean => {
  if (!passesFilters(scan, slot)) return false;
  const least = scan.rule.potential - SLACK;
  let sum = scan.rule.base;
  for (const probe of scan.probes) {
    sum += contribution(scanned, probe, slot);
    if (sum + probe.rest < least) return false;
  }
  return sum >= least;
};

/** Readies a rule for a query; false where a filter has no value, so that the rule finds nobody. */
const begin = ({ filters, probes }: RuleScan, query: FeatureValues): boolean => {
  for (const probe of probes) renew(probe, query);
  for (const filter of filters) filter.wanted = query[filter.feature] ?? '';
  return filters.every(({ wanted }) => wanted);
};

const strongestFirst = (x: ScoredCandidate, y: ScoredCandidate): number =>
  compareStrength(x.verdict, y.verdict) || x.record - y.record;

/** Keeps the strongest `limit` of what it is given, in memory for twice as many. */
const keepStrongest = (limit: number) => {
  const kept: ScoredCandidate[] = [];
  let truncated = false;
  const trim = (): void => {
    kept.sort(strongestFirst);
    if (kept.length > limit) truncated = true;
    kept.length = Math.min(kept.length, limit);
  };
  return {
    add: (candidate: ScoredCandidate): void => {
      if (kept.push(candidate) > 2 * limit) trim();
    },
    retrieval: (): Retrieval => {
      trim();
      return { candidates: kept, truncated };
    },
  };
};

/** An empty index for these rules. A record takes 8 B, 4 B a feature and an entry of a Map; each distinct value is held once. */
export const createExhaustiveIndex = (rules: RuleSet): CandidateIndex => {
  const columns = rules.features.map(createColumn);
  const scans = rules.rules.map((rule) => compileRule(rule, columns));
  const slots = new Map<RecordKey, number>();
  const freeSlots: number[] = [];
  /** Record by slot; 0 where the slot is free (keys begin at 1). */
  let keys: Float64Array = new Float64Array(0);
  let usedSlots = 0;

  const setValues = (slot: number, values: FeatureValues): void =>
    columns.forEach((column, feature) => setValue(column, slot, values[feature] ?? ''));

  const valuesAt = (slot: number): FeatureValues => columns.map((column) => valueAt(column, slot));

  const slotOf = (record: RecordKey): number => {
    const slot = slots.get(record) ?? freeSlots.pop() ?? usedSlots++;
    slots.set(record, slot);
    keys = grown(keys, usedSlots);
    keys[slot] = record;
    return slot;
  };

  const upsert = (record: RecordKey, values: FeatureValues): void => setValues(slotOf(record), values);

  const remove = (record: RecordKey): void => {
    const slot = slots.get(record);
    if (slot === undefined) return;
    slots.delete(record);
    freeSlots.push(slot);
    keys[slot] = 0;
    setValues(slot, []);
  };

  const retrieve = (query: FeatureValues, skip: ReadonlySet<RecordKey>): Retrieval => {
    const active = scans.filter((scan) => begin(scan, query));
    const scanned = { rules, valuesAt };
    const strongest = keepStrongest(rules.limits.maxCandidates);
    const hopeful = (slot: number): boolean => {
      for (const scan of active) if (mayReach(scanned, scan, slot)) return true;
      return false;
    };
    for (let slot = 0; slot < usedSlots; slot++) {
      const record = keys[slot] ?? 0;
      if (record === 0 || !hopeful(slot) || skip.has(record)) continue;
      const said = verdict(rules, query, valuesAt(slot));
      if (said !== null) strongest.add({ record, verdict: said });
    }
    return strongest.retrieval();
  };

  return {
    get size() {
      return slots.size;
    },
    upsert,
    remove,
    valuesOf(record) {
      const slot = slots.get(record);
      return slot === undefined ? undefined : valuesAt(slot);
    },
    retrieve,
  };
};
