import type { ChangeSet } from '../domain/change-set.ts';
import { RegistryError } from '../domain/errors.ts';
import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Pair, PairName } from '../domain/links.ts';
import { createUnionFind, type UnionFind } from '../matching/union-find.ts';
import { type Case, consequences, type Decider } from './decide.ts';
import { createOverlay } from './overlay.ts';
import type { Ledger, NewId, RegistryScan } from './ports.ts';

/** What a rematch does, or would do. */
export interface RematchCounts {
  readonly records: number;
  /** Components of more than one record. */
  readonly components: number;
  pairsBegun: number;
  pairsEnded: number;
  /** Records whose golden record is another. */
  moved: number;
  /** Golden records that are new or come back, and those that retire. */
  goldensBegun: number;
  goldensRetired: number;
  tasksOpened: number;
  /** Links begun again under the rules in force, with nothing else of them changed. */
  renewed: number;
  changeSets: number;
}

export interface RematchRequest {
  readonly ledger: Ledger;
  readonly scan: RegistryScan;
  readonly decider: Decider;
  /** Pair changes that the store does not hold yet (a preview), by their records; empty where it holds all. */
  readonly pending: PendingPairs;
  /** Commits a change set; a preview does not. */
  readonly keep: ((change: ChangeSet) => Promise<void>) | null;
  readonly agent: string;
  /** Of the records whose groups are to be decided: those that are right already are not. */
  readonly progress: (done: number, total: number) => void;
  /** Set when the caller wants to stop: what is committed stays, and the next run goes on. */
  readonly stopping: () => boolean;
}

/** Pairs that begin and end, held until their component is decided. */
export interface PendingPairs {
  readonly begun: readonly Pair[];
  readonly ended: readonly PairName[];
}

export const NOTHING_PENDING: PendingPairs = { begun: [], ended: [] };

/**
 * Commits change sets one by one. @throws RegistryError `conflict` where somebody else changed the registry: what is committed
 * stays, and a rematch that is started again goes on.
 */
export const keepIn =
  (ledger: Ledger, newId: NewId) =>
  async (change: ChangeSet): Promise<void> => {
    const head = await ledger.head();
    const after = (next: number, keys: readonly number[]): number => keys.reduce((most, key) => Math.max(most, key + 1), next);
    const next = {
      nextRecord: head.nextRecord,
      nextGolden: after(
        head.nextGolden,
        change.goldens.map(({ golden }) => golden.key),
      ),
      nextTask: after(
        head.nextTask,
        change.tasksOpened.map(({ key }) => key),
      ),
    };
    const { kind } = await ledger.commit(newId(), [change], head.sequence, next);
    if (kind === 'behind') throw new RegistryError('conflict', 'Another process changed the registry: start the rematch again.');
  };

/** Records decided together in one change set. */
const CHUNK = 400;

/** Where everybody is now. */
interface Standing {
  readonly golden: Uint32Array;
  /** 1 where the link in force is of other rules. */
  readonly outdated: Uint8Array;
  readonly records: number;
}

async function readStanding({ scan, decider }: RematchRequest, end: RecordKey): Promise<Standing> {
  const golden = new Uint32Array(end);
  const outdated = new Uint8Array(end);
  let records = 0;
  for await (const link of scan.links()) {
    golden[link.record] = link.golden;
    if (link.ruleVersion !== decider.rules.version) outdated[link.record] = 1;
    records += 1;
  }
  return { golden, outdated, records };
}

interface Components extends Pick<UnionFind, 'find'> {
  readonly ties: Uint16Array;
}

/** The components: what automatic pairs and "same" decisions tie, those of the store with what is pending laid over them. */
async function readComponents({ scan, pending }: RematchRequest, end: RecordKey): Promise<Components> {
  const found = createUnionFind(end);
  /** Ties of each record with those before it. */
  const ties = new Uint16Array(end);
  const gone = new Set([...pending.ended, ...pending.begun].map(({ a, b }) => a * end + b));
  const tie = ({ a, b }: PairName): void => {
    found.union(a, b);
    ties[b] = (ties[b] ?? 0) + 1;
  };
  for await (const { a, b, by } of scan.ties()) {
    if (by === 'people') found.union(a, b);
    else if (!gone.has(a * end + b)) tie({ a, b });
  }
  for (const pair of pending.begun) if (pair.class === 'auto') tie(pair);
  return { find: found.find, ties };
}

/** Whether the rules tie each two records of the family: `resolve` then makes one group of them, whatever the order. */
const isComplete = (records: readonly RecordKey[], { ties }: Components): boolean =>
  records.reduce((sum, record) => sum + (ties[record] ?? 0), 0) === (records.length * (records.length - 1)) / 2;

/**
 * Families: components, and those that share a golden record with them. Each is independent of every other, so that they can be
 * decided in any chunks. One that is a single person already and must be needs no decision.
 */
function familiesOf(
  { golden, outdated }: Standing,
  components: Components,
  { touched, maxGroup }: { readonly touched: ReadonlySet<RecordKey>; readonly maxGroup: number },
) {
  const families = createUnionFind(golden.length);
  const firstOf = new Map<GoldenKey, RecordKey>();
  const sizes = new Map<RecordKey, number>();
  const records: RecordKey[] = [];
  for (let record = 1; record < golden.length; record++) {
    const key = golden[record] ?? 0;
    if (key === 0) continue;
    records.push(record);
    const component = components.find(record);
    sizes.set(component, (sizes.get(component) ?? 0) + 1);
    families.union(record, component);
    const first = firstOf.get(key);
    if (first === undefined) firstOf.set(key, record);
    else families.union(record, first);
  }
  const members = Map.groupBy(records, (record) => families.find(record));
  for (const [first, those] of members) {
    const inOrder = those.every((record) => outdated[record] === 0 && golden[record] === golden[first] && !touched.has(record));
    if (inOrder && those.length <= maxGroup && isComplete(those, components)) members.delete(first);
  }
  return { families, members, components: [...sizes.values()].filter((size) => size > 1).length };
}

const isNothing = (change: ChangeSet): boolean =>
  [
    change.records,
    change.goldens,
    change.linksBegun,
    change.pairsBegun,
    change.pairsEnded,
    change.tasksOpened,
    change.tasksClosed,
  ].every((list) => list.length === 0);

function count(counts: RematchCounts, change: ChangeSet): void {
  const before = new Map(change.linksEnded.map(({ record, golden }) => [record, golden]));
  counts.pairsBegun += change.pairsBegun.length;
  counts.pairsEnded += change.pairsEnded.length;
  for (const { record, golden } of change.linksBegun) {
    if (before.get(record) === golden) counts.renewed += 1;
    else counts.moved += 1;
  }
  counts.goldensBegun += change.goldens.filter(({ golden }) => golden.active && golden.version === 1).length;
  counts.goldensRetired += change.goldens.filter(({ retired }) => retired === 'now').length;
  counts.tasksOpened += change.tasksOpened.length;
  counts.changeSets += 1;
}

/** Decides the components of these records; answers what changes, undefined where nothing does. */
async function decideComponents(
  { ledger, decider, agent }: RematchRequest,
  seeds: readonly RecordKey[],
  pairs: PendingPairs,
): Promise<ChangeSet | undefined> {
  const head = await ledger.head();
  const overlay = createOverlay(ledger, { sequence: head.sequence + 1, next: head });
  const one: Case = { ...decider, overlay, sender: { agent, address: '', requestId: '' } };
  const change = await consequences(one, {
    at: decider.clock.now(),
    audit: { action: 'link', agent, address: '', requestId: '', record: null, what: 'rematch' },
    submitted: [],
    change: { pairsBegun: pairs.begun, pairsEnded: pairs.ended },
    seeds,
    shown: [],
  });
  return isNothing(change) ? undefined : change;
}

/** Pending pairs by the component that they end or begin in. */
function pendingOf(
  { pending }: RematchRequest,
  families: UnionFind,
): ReadonlyMap<RecordKey, { begun: Pair[]; ended: PairName[] }> {
  const found = new Map<RecordKey, { begun: Pair[]; ended: PairName[] }>();
  const at = (record: RecordKey) => {
    const first = families.find(record);
    const known = found.get(first) ?? { begun: [], ended: [] };
    found.set(first, known);
    return known;
  };
  for (const pair of pending.begun) at(pair.b).begun.push(pair);
  for (const name of pending.ended) at(name.b).ended.push(name);
  return found;
}

/**
 * Puts the whole registry in the state that the law promises (design §2.3): every component resolved under the rules in force, each
 * CRUID where continuity has it. The pairs of the store, with what is pending, are those of the rules. What is right is left alone, so
 * that an interrupted rematch goes on, and one that is done changes nothing. Each chunk of families is one change set.
 */
export async function rematch(request: RematchRequest): Promise<RematchCounts> {
  const { ledger, keep, progress, stopping, pending } = request;
  const end = (await ledger.head()).nextRecord;
  const standing = await readStanding(request, end);
  const components = await readComponents(request, end);
  const touched = new Set([...pending.begun, ...pending.ended].flatMap(({ a, b }) => [a, b]));
  const {
    families,
    members,
    components: several,
  } = familiesOf(standing, components, {
    touched,
    maxGroup: request.decider.rules.limits.maxGroup,
  });
  const pairs = pendingOf(request, families);
  const counts: RematchCounts = {
    records: standing.records,
    components: several,
    pairsBegun: 0,
    pairsEnded: 0,
    moved: 0,
    goldensBegun: 0,
    goldensRetired: 0,
    tasksOpened: 0,
    renewed: 0,
    changeSets: 0,
  };
  let seeds: RecordKey[] = [];
  let begun: Pair[] = [];
  let ended: PairName[] = [];
  let done = 0;
  let total = 0;
  for (const those of members.values()) total += those.length;
  const flush = async (): Promise<void> => {
    const change = await decideComponents(request, seeds, { begun, ended });
    if (change) {
      count(counts, change);
      await keep?.(change);
    }
    done += seeds.length;
    progress(done, total);
    [seeds, begun, ended] = [[], [], []];
  };
  for (const [first, those] of members) {
    seeds.push(...those);
    begun.push(...(pairs.get(first)?.begun ?? []));
    ended.push(...(pairs.get(first)?.ended ?? []));
    if (seeds.length < CHUNK) continue;
    await flush();
    if (stopping()) return counts;
  }
  if (seeds.length > 0) await flush();
  return counts;
}
