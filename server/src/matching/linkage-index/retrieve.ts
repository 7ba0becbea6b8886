import type { RecordKey } from '../../domain/identity.ts';
import type { PairClass } from '../../domain/links.ts';
import type { Retrieval, ScoredCandidate } from '../candidates.ts';
import { classOf, normalised, rounded, ruleBounds } from '../decide.ts';
import type { FeatureValues } from '../model.ts';
import { verdict } from '../score.ts';
import { createAgreeingValues } from './agreeing.ts';
import type { CompiledRule, CompiledRules } from './compile.ts';
import { makePlan, type Plan } from './plan.ts';
import { createQuestion, type AskedComparison } from './question.ts';
import type { Records } from './records.ts';
import type { Tuning } from './tuning.ts';

/** More than rounding errors can add up to: a bound may let a record through in vain, never leave one out. */
const SLACK = 1e-6;

/** Accumulator value of a record that reached what it needs; past `FULL` how much more is not known. */
const CROSSED = 100;
const FULL = 255;

/** What the numbers alone say of a record: `verdict` gives the evidence for those that are kept. */
interface Found {
  readonly record: RecordKey;
  readonly rule: number;
  readonly class: PairClass;
  readonly normalised: number;
}

/** Which records may be answers. */
export interface Wanted {
  readonly skip: ReadonlySet<RecordKey>;
  /** Only records of greater key; 0 for all. */
  readonly above: RecordKey;
}

const strongestFirst = (x: Found, y: Found): number =>
  Number(x.class !== 'auto') - Number(y.class !== 'auto') ||
  x.rule - y.rule ||
  y.normalised - x.normalised ||
  x.record - y.record;

export type Retrieve = (values: FeatureValues, wanted: Wanted) => Retrieval;

/**
 * Answers queries over records that somebody else may own (another thread's arenas): what it allocates is its own. The
 * records are not written while it answers.
 */
export function createRetrieve(compiled: CompiledRules, records: Records, tuning: Tuning): Retrieve {
  const { rules } = compiled;
  const width = rules.features.length;
  const question = createQuestion(compiled, records, createAgreeingValues(records, compiled.agreements, tuning));
  const scene = { question, records, costs: tuning.costs };
  const bounds = rules.rules.map(ruleBounds);
  let accumulator = new Uint8Array(0);
  let crossed = new Uint32Array(1024);
  let count = 0;

  const cross = (record: RecordKey): void => {
    if (count === crossed.length) {
      const larger = new Uint32Array(2 * count);
      larger.set(crossed);
      crossed = larger;
    }
    crossed[count++] = record;
  };

  /** Adds to the accumulator of every record of the lists, of greater key than `above`, what being there gains it; notes those that cross. */
  const walk = (plan: Extract<Plan, { kind: 'lists' }>, needed: number, above: RecordKey): void => {
    const blocks = records.blocks.words.view;
    for (const { asked, gain } of plan.walks) {
      // Rounded up: it stays an upper bound.
      const step = Math.min(FULL, Math.ceil((gain / needed) * CROSSED + 1e-9));
      const before = CROSSED - step;
      const heads = records.postings[asked.agreement.other]?.heads.view ?? new Uint32Array(0);
      const totals = accumulator;
      const add = (record: RecordKey): void => {
        if (record <= above) return;
        const total = totals[record] ?? 0;
        totals[record] = Math.min(FULL, total + step);
        if (total < CROSSED && total >= before) cross(record);
      };
      for (let i = 0; i < asked.listed; i++) {
        const id = asked.list[i] ?? 0;
        const start = heads[2 * id] ?? 0;
        const length = heads[2 * id + 1] ?? 0;
        if (length === 1) add(start);
        else for (let at = start; at < start + length; at++) add(blocks[at] ?? 0);
      }
    }
  };

  const clear = (plan: Extract<Plan, { kind: 'lists' }>, above: RecordKey): void => {
    const postings = plan.walks.reduce((sum, { asked }) => sum + asked.postings, 0);
    if (postings > records.end / 4) {
      accumulator.fill(0);
      return;
    }
    const blocks = records.blocks.words.view;
    for (const { asked } of plan.walks) {
      const heads = records.postings[asked.agreement.other]?.heads.view ?? new Uint32Array(0);
      for (let i = 0; i < asked.listed; i++) {
        const id = asked.list[i] ?? 0;
        const start = heads[2 * id] ?? 0;
        const length = heads[2 * id + 1] ?? 0;
        if (length === 1) accumulator[start] = 0;
        else {
          for (let at = start; at < start + length; at++) {
            const record = blocks[at] ?? 0;
            if (record > above) accumulator[record] = 0;
          }
        }
      }
    }
  };

  /** Whether the lists that the record is in, and what the other comparisons really add, still let it reach the threshold. */
  const mayReach = (plan: Extract<Plan, { kind: 'lists' }>, record: RecordKey, needed: number): boolean => {
    const total = accumulator[record] ?? 0;
    if (total === FULL) return true;
    let missing = needed - (total * needed) / CROSSED;
    for (const { asked, most } of plan.unwalked) {
      missing += most - question.contribution(asked, record * width);
      if (missing > SLACK) return false;
    }
    return true;
  };

  const passesFilters = ({ rule }: CompiledRule, record: RecordKey): boolean => {
    if (rule.filters.length === 0) return true;
    const values = records.valuesOf(record);
    return rule.filters.every((feature) => values[feature] === question.values[feature]);
  };

  const contributions: number[] = [];

  /** The rule's score of the record, exactly as `scoreRule` adds it up; null as soon as it cannot reach the threshold. */
  const scoreOf = (asked: readonly AskedComparison[], { rule }: CompiledRule, record: RecordKey): number | null => {
    const least = rounded(rule.potential) - SLACK;
    let most = asked.reduce((sum, { max }) => sum + max, rule.base);
    for (const [place, one] of asked.entries()) {
      const contribution = question.contribution(one, record * width);
      contributions[place] = contribution;
      most += contribution - one.max;
      if (most < least) return null;
    }
    let score = rule.base;
    for (let place = 0; place < asked.length; place++) score += contributions[place] ?? 0;
    return rounded(score);
  };

  const judge = (compiledRule: CompiledRule, record: RecordKey): Found | null => {
    const asked = question.rules[compiledRule.place]?.comparisons ?? [];
    const { rule, place } = compiledRule;
    const score = scoreOf(asked, compiledRule, record);
    const reached = score === null ? null : classOf(score, rule);
    if (score === null || reached === null || !passesFilters(compiledRule, record)) return null;
    const vetoed = rule.comparisons.some(({ levels }) => levels.some(({ veto }) => veto))
      ? asked.some((one) => question.isVeto(one, record * width))
      : false;
    const scale = bounds[place] ?? { min: 0, max: 0 };
    return { record, rule: place, class: vetoed ? 'potential' : reached, normalised: normalised(score, scale) };
  };

  /** Of what several rules say of a record: the automatic class first, then the earlier rule. */
  const keep = (found: Map<RecordKey, Found>, said: Found | null): void => {
    if (said === null) return;
    const known = found.get(said.record);
    if (known === undefined || (known.class !== 'auto' && said.class === 'auto')) found.set(said.record, said);
  };

  const applyRule = (rule: CompiledRule, { skip, above }: Wanted, found: Map<RecordKey, Found>): void => {
    if (!rule.rule.filters.every((feature) => question.values[feature])) return;
    const least = rounded(rule.rule.potential) - SLACK;
    const plan = makePlan(scene, rule.place, { base: rule.rule.base, least });
    if (plan.kind === 'all') {
      for (let record = above + 1; record < records.end; record++) {
        if (records.has(record) && !skip.has(record)) keep(found, judge(rule, record));
      }
      return;
    }
    if (accumulator.length < records.end) accumulator = new Uint8Array(records.end + (records.end >> 3) + 64);
    const needed = least - plan.residual;
    count = 0;
    walk(plan, needed, above);
    for (let i = 0; i < count; i++) {
      const record = crossed[i] ?? 0;
      if (!skip.has(record) && mayReach(plan, record, needed)) keep(found, judge(rule, record));
    }
    clear(plan, above);
  };

  /** The evidence, for those that are kept. */
  const explain = ({ record }: Found, values: FeatureValues): ScoredCandidate => {
    const said = verdict(rules, values, records.valuesOf(record));
    if (said === null) throw new Error(`the index found record ${record}, which no rule matches`);
    return { record, verdict: said };
  };

  return (values, wanted) => {
    question.begin(values);
    const found = new Map<RecordKey, Found>();
    for (const rule of compiled.compiled) applyRule(rule, wanted, found);
    const { maxCandidates } = rules.limits;
    const kept = [...found.values()].sort(strongestFirst).slice(0, maxCandidates);
    return { candidates: kept.map((one) => explain(one, values)), truncated: found.size > maxCandidates };
  };
}
