import type { RecordKey } from '../../domain/identity.ts';
import type { CandidateIndex, PairSource, Retrieval, ScoredCandidate } from '../candidates.ts';
import type { FeatureValues, RuleSet } from '../model.ts';
import { compareStrength, verdict } from '../score.ts';
import { type Arena, type Arenas, createArenas } from './arena.ts';
import { compileRules } from './compile.ts';
import { openRecords } from './records.ts';
import { createRetrieve, type Wanted } from './retrieve.ts';
import { type Tuning, TUNING } from './tuning.ts';

/**
 * The exact linkage index (design §2.2): answers with every record whose score reaches the potential threshold of some rule,
 * and no other, without comparing with each of them.
 */
export interface LinkageIndex extends CandidateIndex {
  /** The arrays, as other threads and snapshots may read them while the index is frozen. */
  readonly arenas: readonly Arena[];
  /** What the arrays hold depends on nothing else: a snapshot of another layout does not fit. */
  readonly layout: string;
  /** From here to `thaw` the arrays do not change: what is written meanwhile is kept aside, and answers hold it all the same. */
  freeze(): void;
  thaw(): void;
}

export interface LinkageIndexOptions {
  /** Arrays of a snapshot of the same layout; an empty index without. */
  readonly arenas?: readonly Arena[];
  /** Bytes that each array may grow to. */
  readonly reserve?: number;
  readonly tuning?: Tuning;
}

const byStrength = (x: ScoredCandidate, y: ScoredCandidate): number =>
  compareStrength(x.verdict, y.verdict) || x.record - y.record;

export function createLinkageIndex(rules: RuleSet, options: LinkageIndexOptions = {}): LinkageIndex {
  const { arenas: existing, reserve, tuning = TUNING } = options;
  const compiled = compileRules(rules);
  const arenas: Arenas = createArenas(existing, reserve);
  const records = openRecords(arenas, compiled, tuning);
  const retrieve = createRetrieve(compiled, records, tuning);
  /** Written while frozen; null where removed. */
  let aside: Map<RecordKey, FeatureValues | null> | null = null;

  const asideOnes = (values: FeatureValues, skip: ReadonlySet<RecordKey>): readonly ScoredCandidate[] =>
    [...(aside ?? [])].flatMap(([record, own]) => {
      const said = own === null || skip.has(record) ? null : verdict(rules, values, own);
      return said === null ? [] : [{ record, verdict: said }];
    });

  const answer = (values: FeatureValues, skip: ReadonlySet<RecordKey>): Retrieval => {
    if (aside === null) return retrieve(values, { skip, above: 0 });
    const base = retrieve(values, { skip: new Set([...skip, ...aside.keys()]), above: 0 });
    const all = [...base.candidates, ...asideOnes(values, skip)].sort(byStrength);
    const { maxCandidates } = rules.limits;
    return { candidates: all.slice(0, maxCandidates), truncated: base.truncated || all.length > maxCandidates };
  };

  const sizeAside = (): number => {
    let change = 0;
    for (const [record, own] of aside ?? []) change += Number(own !== null) - Number(records.has(record));
    return change;
  };

  return {
    get size() {
      return records.size + sizeAside();
    },
    get arenas() {
      return arenas.all();
    },
    layout: compiled.layout,
    upsert(record, values) {
      if (aside === null) records.put(record, values);
      else aside.set(record, values);
    },
    remove(record) {
      if (aside === null) records.remove(record);
      else aside.set(record, null);
    },
    valuesOf(record) {
      const own = aside?.get(record);
      if (own !== undefined) return own ?? undefined;
      return records.has(record) ? records.valuesOf(record) : undefined;
    },
    retrieve: answer,
    freeze() {
      aside ??= new Map();
    },
    thaw() {
      const written = aside ?? [];
      aside = null;
      for (const [record, values] of written) {
        if (values === null) records.remove(record);
        else records.put(record, values);
      }
    },
  };
}

/** What the arrays of an index under these rules hold: see `LinkageIndex.layout`. */
export const layoutOf = (rules: RuleSet): string => compileRules(rules).layout;

/** Retrieval over the arrays of another thread's index, which it does not write meanwhile. */
export interface IndexReader extends PairSource {
  /** Sees what the owner has written since. */
  refresh(): void;
  retrieve(values: FeatureValues, wanted: Wanted): Retrieval;
}

const NOBODY: ReadonlySet<RecordKey> = new Set();

export function openIndexReader(rules: RuleSet, shared: readonly Arena[], tuning = TUNING): IndexReader {
  const compiled = compileRules(rules);
  const arenas = createArenas(shared);
  const records = openRecords(arenas, compiled, tuning);
  const retrieve = createRetrieve(compiled, records, tuning);
  return {
    refresh: arenas.refresh,
    valuesOf: (record) => (records.has(record) ? records.valuesOf(record) : undefined),
    retrieve,
    retrieveAbove: (values, above) => retrieve(values, { skip: NOBODY, above }),
  };
}
