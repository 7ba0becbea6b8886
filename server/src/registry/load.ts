import { emptyChange } from '../domain/change-set.ts';
import type { ChangeSet } from '../domain/change-set.ts';
import type { RecordKey } from '../domain/identity.ts';
import { type Pair, type PairName, otherOf } from '../domain/links.ts';
import type { Query, Retrieval } from '../matching/candidates.ts';
import { serialRetrieval } from '../matching/serial.ts';
import type { CommandResult, LoadedEntry, Submission } from './commands.ts';
import { type Case, consequences, pairChanges, type SubmittedRecord } from './decide.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import { standing } from './merge.ts';
import { isCreated, isUnchanged, submittedRecord, withReferences } from './submit.ts';
import { target } from './target.ts';
import { whichRecord } from './which-record.ts';

/** What is decided together, in one change set: each record at most once. */
interface Chunk {
  /** The registry with the chunk's records in it, their groups not yet. */
  readonly staging: Overlay;
  readonly submitted: Map<RecordKey, SubmittedRecord>;
  readonly aliases: ChangeSet['aliases'][number][];
}

const beginChunk = ({ overlay }: Case): Chunk => ({
  staging: createOverlay(overlay, overlay),
  submitted: new Map(),
  aliases: [],
});

/**
 * Retrieval for all records of the chunk at once. The index is behind on them, and on what the batch wrote before: for this
 * long they are in it, so that they find one another, and whatever comes of it the index is then as it was.
 */
async function retrieveAll(
  { index, bulk = serialRetrieval(index) }: Case,
  { staging, submitted }: Chunk,
): Promise<readonly Retrieval[]> {
  const queries: Query[] = [];
  for (const { record, features } of submitted.values()) {
    if (record.active) queries.push({ record: record.key, values: features });
  }
  const before = [...staging.rewritten].map((key) => ({ key, values: index.valuesOf(key) }));
  try {
    for (const { key } of before) {
      const values = (await staging.record(key))?.active ? await staging.features(key) : undefined;
      if (values) index.upsert(key, values);
      else index.remove(key);
    }
    return await bulk.retrieveMany(queries);
  } finally {
    for (const { key, values } of before) {
      if (values) index.upsert(key, values);
      else index.remove(key);
    }
  }
}

interface Paired {
  readonly begun: readonly Pair[];
  readonly ended: readonly PairName[];
  /** Records that were tied to one of the chunk by an automatic pair. */
  readonly neighbours: readonly RecordKey[];
  readonly truncated: ReadonlySet<RecordKey>;
}

const nameOf = ({ a, b }: PairName): string => `${a} ${b}`;

/** What the chunk's records change of their pairs; one between two of them is found from both sides, and counts once. */
async function pairUp(one: Case, chunk: Chunk): Promise<Paired> {
  const retrievals = await retrieveAll(one, chunk);
  const begun = new Map<string, Pair>();
  const ended = new Map<string, PairName>();
  const neighbours: RecordKey[] = [];
  const truncated = new Set<RecordKey>();
  let place = 0;
  for (const { record, created } of chunk.submitted.values()) {
    const found = record.active ? retrievals[place++] : undefined;
    if (found?.truncated) truncated.add(record.key);
    const old = created ? [] : await chunk.staging.pairs(record.key);
    const changes = pairChanges(record.key, old, found?.candidates ?? []);
    for (const pair of changes.begun) begun.set(nameOf(pair), pair);
    for (const pair of changes.ended) ended.set(nameOf(pair), pair);
    neighbours.push(...old.filter((pair) => pair.class === 'auto').map((pair) => otherOf(pair, record.key)));
  }
  // A cut answer may lack a pair that the other record found.
  for (const name of begun.keys()) ended.delete(name);
  return { begun: [...begun.values()], ended: [...ended.values()], neighbours, truncated };
}

/** Decides the chunk as one change set, and lays it on the overlay. */
async function decideChunk(one: Case, chunk: Chunk, what: string): Promise<void> {
  if (chunk.submitted.size === 0 && chunk.aliases.length === 0) return;
  const { begun, ended, neighbours, truncated } = await pairUp(one, chunk);
  const submitted = [...chunk.submitted.values()].map((record) => ({ ...record, truncated: truncated.has(record.record.key) }));
  const { agent, address, requestId } = one.sender;
  const action = submitted.some(({ created }) => created) ? 'create' : 'update';
  const change = await consequences(one, {
    at: one.clock.now(),
    audit: { action, agent, address, requestId, record: null, what },
    submitted,
    change: { aliases: chunk.aliases, pairsBegun: begun, pairsEnded: ended },
    seeds: [...chunk.submitted.keys(), ...neighbours],
    shown: [],
  });
  await one.overlay.apply(change);
}

type Staged = LoadedEntry | 'written-already';

/** Puts one submission into the chunk, unless its record is there already. */
async function stage(one: Case, chunk: Chunk, sent: Submission): Promise<Staged> {
  const at = one.clock.now();
  const { staging } = chunk;
  const case_ = { ...one, overlay: staging };
  const submission = await withReferences(case_, sent);
  if ('kind' in submission) return { status: 'refused', refusal: submission.refusal };
  const which = await whichRecord(staging, { ...submission, client: one.sender.agent });
  if (which.kind === 'refused') return { status: 'refused', refusal: which.refusal };
  const to = await target(case_, which);
  if (to.before && chunk.submitted.has(to.key)) return 'written-already';
  chunk.aliases.push(...to.aliases);
  const stands = await standing(case_, submission, to);
  if ('refusal' in stands) return { status: 'refused', refusal: stands.refusal };
  if (await isUnchanged(case_, submission, { to, stands })) return { status: 'unchanged', id: to.id };
  const record = submittedRecord(case_, submission, { to, stands, at, truncated: false });
  chunk.submitted.set(to.key, record);
  const audit = { action: 'update' as const, agent: '', address: '', requestId: '', record: null, what: '' };
  await staging.apply({ ...emptyChange(at, audit), records: [record], aliases: to.aliases });
  return { status: isCreated(to) ? 'created' : 'updated', id: to.id };
}

/**
 * Many submissions of one client at once (a file that is imported): decided together, each in turn as `submit` would find its
 * record, and written in one change set, or in a few where a record comes more than once. Who is one person is a function of
 * records and pairs, so the same groups come out as one by one.
 */
export async function load(one: Case, submissions: readonly Submission[], what: string): Promise<CommandResult> {
  const entries: LoadedEntry[] = [];
  let chunk = beginChunk(one);
  for (const submission of submissions) {
    let staged = await stage(one, chunk, submission);
    if (staged === 'written-already') {
      await decideChunk(one, chunk, what);
      chunk = beginChunk(one);
      staged = await stage(one, chunk, submission);
    }
    if (staged === 'written-already') throw new Error('a record is in a chunk that has just begun');
    entries.push(staged);
  }
  await decideChunk(one, chunk, what);
  return { kind: 'loaded', entries };
}
