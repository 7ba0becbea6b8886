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
import type { Comparison, FeatureValues, MultiValue, Rule, RuleSet } from './model.ts';
import { compareStrength, compareValues, verdict } from './score.ts';
import { createColumn, grown, setValue, valueAt, type ValueColumn } from './value-column.ts';

/** More than rounding errors can add up to: the scan may let a record through in vain, never leave one out. */
const SLACK = 1e-6;

const LAST_GENERATION = 0xffffffff;

/** A comparison with what it added for each value met since the retrieval `generation` began. */
interface Probe {
  readonly comparison: Comparison;
  readonly multi: MultiValue;
  readonly column: ValueColumn;
  /** Most that the probes after this one can add. */
  readonly rest: number;
  query: string;
  generation: number;
  contributions: Float64Array;
  /** Generation in which the contribution of a value was found. */
  foundIn: Uint32Array;
}

interface RuleScan {
  readonly rule: Rule;
  readonly filters: readonly { readonly feature: number; readonly column: ValueColumn }[];
  /** Cheapest first. */
  readonly probes: readonly Probe[];
}

const compileRule = (rules: RuleSet, rule: Rule, columns: readonly ValueColumn[]): RuleScan => {
  const columnOf = (feature: number): ValueColumn => {
    const column = columns[feature];
    if (column === undefined) throw new Error(`rule ${rule.name} names feature ${feature}, which is not in the rule set`);
    return column;
  };
  const byCost = rule.comparisons
    .map((comparison) => ({ comparison, cost: comparatorOf(comparison).cost }))
    .sort((x, y) => x.cost - y.cost);
  return {
    rule,
    filters: rule.filters.map((feature) => ({ feature, column: columnOf(feature) })),
    probes: byCost.map(({ comparison }, place) => ({
      comparison,
      multi: rules.features[comparison.feature]?.multi ?? 'join',
      column: columnOf(comparison.feature),
      rest: byCost.slice(place + 1).reduce((sum, later) => sum + comparisonBounds(later.comparison).max, 0),
      query: '',
      generation: 0,
      contributions: new Float64Array(0),
      foundIn: new Uint32Array(0),
    })),
  };
};

/** Forgets what was found for another query, without clearing anything but once in four thousand million times. */
const renew = (probe: Probe, query: string): void => {
  probe.query = query;
  probe.contributions = grown(probe.contributions, probe.column.texts.length);
  probe.foundIn = grown(probe.foundIn, probe.column.texts.length);
  if (probe.generation === LAST_GENERATION) {
    probe.foundIn.fill(0);
    probe.generation = 0;
  }
  probe.generation++;
};

const contribution = (probe: Probe, id: number): number => {
  if (probe.foundIn[id] !== probe.generation) {
    const values = { a: probe.query, b: probe.column.texts[id] ?? '' };
    probe.contributions[id] = compareValues(probe.comparison, probe.multi, values).contribution;
    probe.foundIn[id] = probe.generation;
  }
  return probe.contributions[id] ?? 0;
};

const passesFilters = ({ filters }: RuleScan, query: FeatureValues, slot: number): boolean => {
  for (const { feature, column } of filters) if (valueAt(column, slot) !== query[feature]) return false;
  return true;
};

const mayReach = (scan: RuleScan, query: FeatureValues, slot: number): boolean => {
  if (!passesFilters(scan, query, slot)) return false;
  const least = scan.rule.potential - SLACK;
  let sum = scan.rule.base;
  for (const probe of scan.probes) {
    sum += contribution(probe, probe.column.ids[slot] ?? 0);
    if (sum + probe.rest < least) return false;
  }
  return sum >= least;
};

/** Readies a rule for a query; false where a filter has no value, so that the rule finds nobody. */
const begin = ({ filters, probes }: RuleScan, query: FeatureValues): boolean => {
  for (const probe of probes) renew(probe, query[probe.comparison.feature] ?? '');
  return filters.every(({ feature }) => query[feature]);
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
  const scans = rules.rules.map((rule) => compileRule(rules, rule, columns));
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
    const strongest = keepStrongest(rules.limits.maxCandidates);
    const hopeful = (slot: number): boolean => {
      for (const scan of active) if (mayReach(scan, query, slot)) return true;
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
