import type { AuditFacts, ChangeSet, RecordWrite } from '../domain/change-set.ts';
import { emptyChange } from '../domain/change-set.ts';
import type { Instant, RecordKey } from '../domain/identity.ts';
import type { Pair, PairName } from '../domain/links.ts';
import { otherOf, pairName } from '../domain/links.ts';
import type { SourceContent, SourceRecord } from '../domain/records.ts';
import type { BulkRetrieval, CandidateIndex, Retrieval, ScoredCandidate } from '../matching/candidates.ts';
import type { FeatureValues, RuleSet } from '../matching/model.ts';
import { compareStrength, verdict } from '../matching/score.ts';
import type { Sender } from './commands.ts';
import type { Overlay } from './overlay.ts';
import { createOverlay } from './overlay.ts';
import type { Clock, NewId } from './ports.ts';
import { regroup } from './regroup.ts';
import { reviewTasks } from './tasks.ts';

/** What deciding needs besides the registry itself. */
export interface Decider {
  readonly rules: RuleSet;
  readonly index: CandidateIndex;
  /** Retrieval for many records at once; one after the other in this thread where there is none. */
  readonly bulk?: BulkRetrieval;
  /** A Patient's values for the features of the rules, from its stored text. */
  readonly extract: (resource: string) => FeatureValues;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** One command being decided: for whom, and on what the registry will look like once the batch so far is committed. */
export interface Case extends Decider {
  readonly overlay: Overlay;
  readonly sender: Sender;
}

/** Every record at potential level or above: the index's answer, and the batch's own records, which it does not hold yet. */
export async function retrieve({ index, rules, overlay }: Case, self: RecordKey, values: FeatureValues): Promise<Retrieval> {
  const base = index.retrieve(values, new Set([...overlay.rewritten, self]));
  const fresh: ScoredCandidate[] = [];
  for (const key of overlay.rewritten) {
    const other = key === self ? undefined : await overlay.record(key);
    const features = other?.active ? await overlay.features(key) : undefined;
    const found = features ? verdict(rules, values, features) : null;
    if (found) fresh.push({ record: key, verdict: found });
  }
  if (fresh.length === 0) return base;
  const all = [...base.candidates, ...fresh].sort((x, y) => compareStrength(x.verdict, y.verdict) || x.record - y.record);
  const { maxCandidates } = rules.limits;
  return { candidates: all.slice(0, maxCandidates), truncated: base.truncated || all.length > maxCandidates };
}

export interface PairChanges {
  readonly begun: readonly Pair[];
  readonly ended: readonly PairName[];
}

/** What a record's new pairs change of its old ones. A pair whose verdict stands is left alone. */
export function pairChanges(record: RecordKey, before: readonly Pair[], candidates: readonly ScoredCandidate[]): PairChanges {
  const old = new Map(before.map((pair) => [otherOf(pair, record), pair]));
  const begun: Pair[] = [];
  for (const candidate of candidates) {
    const pair: Pair = { ...candidate.verdict, ...pairName(record, candidate.record) };
    const was = old.get(candidate.record);
    if (was && sameVerdict(was, pair)) old.delete(candidate.record);
    else begun.push(pair);
  }
  return { begun, ended: [...old.values()].map(({ a, b }) => ({ a, b })) };
}

const sameVerdict = (x: Pair, y: Pair): boolean =>
  x.class === y.class &&
  x.rule === y.rule &&
  x.score === y.score &&
  x.ruleVersion === y.ruleVersion &&
  JSON.stringify(x.evidence) === JSON.stringify(y.evidence);

/** A record that is submitted, in its next version; its golden record and flags are consequences. */
export interface SubmittedRecord {
  readonly record: SourceRecord;
  readonly content: SourceContent;
  readonly features: FeatureValues;
  /** It has no link yet. */
  readonly created: boolean;
  /** Its candidates were cut: the machine moves nothing of its component. */
  readonly truncated: boolean;
}

/** A change before its consequences: what is said of records, pairs and decisions. */
export interface Draft {
  readonly at: Instant;
  readonly audit: AuditFacts;
  readonly submitted: readonly SubmittedRecord[];
  readonly change: Partial<Pick<ChangeSet, 'aliases' | 'pairsBegun' | 'pairsEnded' | 'adjudications'>>;
  /** Records whose components the change touches; those submitted first. */
  readonly seeds: readonly RecordKey[];
  /** Records that lose their link; none where nothing is deleted. */
  readonly leaving?: ReadonlySet<RecordKey>;
  /** Records that show the change on the wire although neither their link nor their flags change (a broken match). */
  readonly shown: readonly RecordKey[];
}

/** A draft with all that follows from it: groups, links, golden records, tasks, versions (design §2.3). */
export async function consequences(decided: Case, draft: Draft): Promise<ChangeSet> {
  const { overlay, rules, newId } = decided;
  const { at, audit, submitted } = draft;
  const contents = new Map(submitted.map((one) => [one.record.key, one]));
  const shown = new Set(draft.shown);
  const drafted: ChangeSet = {
    ...emptyChange(at, audit),
    ...draft.change,
    records: submitted.map(({ record, content, features }) => ({ record, content, features })),
  };
  const interim = createOverlay(overlay, overlay);
  await interim.apply(drafted);
  const regrouping = await regroup({
    view: interim,
    seeds: draft.seeds,
    submitted: contents,
    leaving: draft.leaving ?? new Set(),
    ruleVersion: rules.version,
    limits: rules.limits,
    nextGolden: overlay.next.nextGolden,
    newId,
  });
  const tasks = await reviewTasks({
    view: interim,
    regrouping,
    submitted: contents,
    nextTask: overlay.next.nextTask,
  });
  const records: RecordWrite[] = [];
  for (const [key, golden] of regrouping.goldenOf) {
    const flags = tasks.flags.get(key) ?? [];
    const { since: _since, lastUpdated: _lastUpdated, ...record } = await existingRecord(interim, key);
    const own = contents.get(key);
    if (own) records.push({ record: { ...record, golden, flags }, content: own.content, features: own.features });
    else if (record.golden !== golden || record.flags.join() !== flags.join() || shown.has(key)) {
      records.push({ record: { ...record, golden, flags, version: record.version + 1 }, content: null, features: null });
    }
  }
  return {
    ...drafted,
    records,
    goldens: regrouping.goldens,
    linksBegun: regrouping.linksBegun,
    linksEnded: regrouping.linksEnded,
    tasksOpened: tasks.opened,
    tasksClosed: tasks.closed,
  };
}

async function existingRecord(view: Overlay, key: RecordKey): Promise<SourceRecord> {
  const record = await view.record(key);
  if (!record) throw new Error(`record ${key} does not exist`);
  return record;
}
