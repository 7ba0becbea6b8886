import type { GoldenKey, RecordKey, Sequence } from './identity.ts';

export type PairClass = 'auto' | 'potential';

/** How one comparison of a rule came out: what it measured and what it added to the score. */
export interface Evidence {
  /** Name of the comparison (the field's name in the rule). */
  readonly comparison: string;
  /** Similarity or distance; null where a value was missing. */
  readonly measure: number | null;
  /** Whether the comparison counted as agreement. */
  readonly agrees: boolean;
  readonly contribution: number;
  /** Name of the level that held, where the comparison has several. */
  readonly level?: string;
}

/** What a decision rule said of two records. */
export interface Verdict {
  readonly class: PairClass;
  /** Version of the decision rules (see RuleSet.version). */
  readonly ruleVersion: string;
  /** Place of the rule in its file, from 0: an earlier rule is stronger. */
  readonly rule: number;
  readonly ruleName: string;
  readonly score: number;
  /** Score on the rule's own scale from its minimum (0) to its maximum (1). */
  readonly normalised: number;
  readonly evidence: readonly Evidence[];
  /** The rule saw what no two records of one person have: the machine keeps their groups apart. */
  readonly vetoed?: true;
}

/** Two source records at potential level or above; `a < b`. */
export interface Pair extends Verdict {
  readonly a: RecordKey;
  readonly b: RecordKey;
}

/** Two records, the smaller key first: the name of a pair. */
export interface PairName {
  readonly a: RecordKey;
  readonly b: RecordKey;
}

/** The other record of a pair. */
export const otherOf = ({ a, b }: PairName, record: RecordKey): RecordKey => (a === record ? b : a);

export const pairName = (x: RecordKey, y: RecordKey): PairName => (x < y ? { a: x, b: y } : { a: y, b: x });

/** Source → golden, from its change set's sequence until it ends. Never overwritten. */
export interface Link {
  readonly record: RecordKey;
  readonly golden: GoldenKey;
  /** `auto`: rules; `manual`: a person's decision or its own system's merge holds it; `first`: nobody matched, the record began its group. */
  readonly origin: 'auto' | 'manual' | 'first';
  /** Version of the rules it was decided under. */
  readonly ruleVersion: string;
  /** The strongest pair into its group when the link began; null for `first` and for a purely manual link. */
  readonly because: (Verdict & { readonly with: RecordKey }) | null;
}

export interface HeldLink extends Link {
  readonly from: Sequence;
  readonly until: Sequence | null;
}

/** A person's decision on two source records; the latest on a pair wins. A BrokenLink is one that says "different". */
export interface Adjudication extends PairName {
  /** `undecided` takes an earlier decision back: the rules decide again. */
  readonly verdict: 'same' | 'different' | 'undecided';
  readonly by: string;
  /** The golden record that the decision was made on, where it says "same". */
  readonly golden: GoldenKey | null;
}
