import type { GoldenWrite } from '../domain/change-set.ts';
import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Link, Verdict } from '../domain/links.ts';
import type { GoldenRecord } from '../domain/records.ts';
import { UNLINKED } from '../domain/records.ts';
import type { MatchingLimits } from '../matching/model.ts';
import { type RefusedJoin, resolve } from '../matching/resolve.ts';
import { compareStrength } from '../matching/score.ts';
import { type Assignment, assignCruids } from './continuity.ts';
import { readPast } from './past.ts';
import { otherOf } from '../domain/links.ts';
import { Pool } from './pool.ts';
import type { NewId, RegistryView } from './ports.ts';

/**
 * Re-resolves the components that a change touched, before and after it, and says what follows for links and golden
 * records: the mission's "pool the patients previously matched, break the matches, rerun" (design §2.3).
 */
export interface Regrouping {
  readonly linksBegun: readonly Link[];
  readonly linksEnded: readonly { readonly record: RecordKey; readonly golden: GoldenKey }[];
  readonly goldens: readonly GoldenWrite[];
  /** New golden record of every record of the pool. */
  readonly goldenOf: ReadonlyMap<RecordKey, GoldenKey>;
  /** Pairs and decisions in force of each of those, read once: a big component has hundreds of thousands. */
  readonly known: (record: RecordKey) => Pick<ReturnType<Pool['get']>, 'pairs' | 'decisions'>;
  /** Records, other than those submitted, that lost a companion other than those submitted. */
  readonly moved: ReadonlySet<RecordKey>;
  readonly refused: readonly RefusedJoin[];
  /** Records of components over the limit, or reached by a cut answer: nothing of theirs moved. */
  readonly tooLarge: ReadonlySet<RecordKey>;
  /** One of those already carries a task that says so: one task a component. */
  readonly tooLargeSaid: boolean;
}

/** What was just submitted, by record. */
export type Submitted = ReadonlyMap<RecordKey, { readonly created: boolean; readonly truncated: boolean }>;

export interface RegroupRequest {
  /** The registry with the change's records, pairs and adjudications already in it, links not yet. */
  readonly view: RegistryView;
  /** Records whose components it touched. */
  readonly seeds: readonly RecordKey[];
  /** The records just submitted; `created`: without a link yet; `truncated`: its candidates were cut, the machine moves nothing. */
  readonly submitted: Submitted;
  /** Records that lose their link with this change. */
  readonly leaving: ReadonlySet<RecordKey>;
  readonly ruleVersion: string;
  readonly limits: MatchingLimits;
  readonly nextGolden: GoldenKey;
  readonly newId: NewId;
}

/** What the steps of one regrouping share. */
interface Context {
  readonly request: RegroupRequest;
  readonly pool: Pool;
  /** Rule version of each record's link in force. */
  readonly ruleVersions: ReadonlyMap<RecordKey, string>;
  /** Golden records that records outside the pool hold too. */
  readonly pinned: ReadonlySet<GoldenKey>;
}

interface Place {
  readonly record: RecordKey;
  readonly golden: GoldenKey;
  readonly group: ReadonlySet<RecordKey>;
}

/** The strongest pair from the record into its group. */
function because(pool: Pool, { record, group }: Place): Link['because'] {
  let best: (Verdict & { with: RecordKey }) | null = null;
  for (const pair of pool.get(record).pairs) {
    const other = otherOf(pair, record);
    if (pair.class !== 'auto' || !group.has(other)) continue;
    const { a: _a, b: _b, ...verdict } = pair;
    if (best === null || compareStrength(verdict, best) < 0) best = { ...verdict, with: other };
  }
  return best;
}

/** A decision or a merge ties it to another of its group. */
const isManual = (pool: Pool, { record, group }: Place): boolean =>
  pool.get(record).record.mergedInto !== undefined ||
  pool.get(record).subsumed.length > 0 ||
  pool.get(record).decisions.some((decision) => decision.verdict === 'same' && group.has(otherOf(decision, record)));

function linkOf({ pool, request }: Context, place: Place): Link {
  const why = because(pool, place);
  const origin = isManual(pool, place) ? 'manual' : why === null ? 'first' : 'auto';
  return { record: place.record, golden: place.golden, origin, ruleVersion: request.ruleVersion, because: why };
}

interface Relinked {
  readonly begun: Link[];
  readonly ended: { record: RecordKey; golden: GoldenKey }[];
  /** Golden records that won or lost a member. */
  readonly remade: Set<GoldenKey>;
}

/** What leaves ends its link, and the golden record loses it. */
function leave({ pool, request }: Context): Relinked {
  const ended = [...request.leaving].flatMap((record) => {
    const { golden } = pool.get(record).record;
    return golden === UNLINKED ? [] : [{ record, golden }];
  });
  return { begun: [], ended, remade: new Set(ended.map(({ golden }) => golden)) };
}

function relink(context: Context, group: readonly RecordKey[], golden: GoldenKey): Relinked {
  const relinked: Relinked = { begun: [], ended: [], remade: new Set() };
  const members = new Set(group);
  for (const record of group) {
    const before = context.pool.get(record).record.golden;
    // A link that stays but was decided under older rules is begun again under these; on the wire nothing changes.
    // Where records outside share it, the machine decided nothing on it: the link stands with what it rested on.
    const stands = context.ruleVersions.get(record) === context.request.ruleVersion || context.pinned.has(golden);
    if (before === golden && stands) continue;
    if (before !== UNLINKED) relinked.ended.push({ record, golden: before });
    relinked.begun.push(linkOf(context, { record, golden, group: members }));
    if (before !== golden) relinked.remade.add(before).add(golden);
  }
  return relinked;
}

/** A golden record's next version: what is not said stays as it is. */
const goldenWrite = (
  { key, id, version, active, replacedBy }: GoldenRecord,
  after: Partial<Pick<GoldenRecord, 'active' | 'replacedBy'>>,
  retired: GoldenWrite['retired'],
): GoldenWrite => ({ golden: { key, id, version: version + 1, active, replacedBy, ...after }, retired });

async function existing(view: RegistryView, key: GoldenKey): Promise<GoldenRecord> {
  const golden = await view.golden(key);
  if (!golden) throw new Error(`golden record ${key} is named by a link, and does not exist`);
  return golden;
}

interface Given {
  readonly assignment: Assignment;
  /** The golden record of each group; new ones have their keys. */
  readonly goldens: readonly GoldenKey[];
}

/** Golden records that are new, revived, or won or lost a member. */
async function writeActive(
  { view, newId }: RegroupRequest,
  { assignment, goldens }: Given,
  remade: ReadonlySet<GoldenKey>,
): Promise<readonly GoldenWrite[]> {
  const writes: GoldenWrite[] = [];
  for (const [index, key] of goldens.entries()) {
    if (assignment.goldens[index] === 'new') {
      writes.push({ golden: { key, id: newId(), version: 1, active: true, replacedBy: null }, retired: 'stays' });
    } else if (remade.has(key) || assignment.revive.includes(key)) {
      writes.push(goldenWrite(await existing(view, key), { active: true, replacedBy: null }, 'stays'));
    }
  }
  return writes;
}

/** Golden records that retire, or forward elsewhere than before; a pinned one that only lost a member stays active. */
async function writeRetired(
  { view }: RegroupRequest,
  { assignment, goldens }: Given,
  remade: ReadonlySet<GoldenKey>,
): Promise<readonly GoldenWrite[]> {
  const writes: GoldenWrite[] = [];
  for (const { golden, replacedBy } of assignment.retire) {
    const before = await existing(view, golden);
    const target = replacedBy === null ? null : 'group' in replacedBy ? (goldens[replacedBy.group] ?? null) : replacedBy.golden;
    if (!before.active && before.replacedBy === target) continue;
    writes.push(goldenWrite(before, { active: false, replacedBy: target }, before.active ? 'now' : 'stays'));
  }
  const written = new Set([...goldens, ...assignment.retire.map(({ golden }) => golden), UNLINKED]);
  for (const golden of remade) if (!written.has(golden)) writes.push(goldenWrite(await existing(view, golden), {}, 'stays'));
  return writes;
}

/** Records that lost a companion other than those submitted: their arrival took the group apart. */
function separated({ pool, request }: Context, goldenOf: ReadonlyMap<RecordKey, GoldenKey>): ReadonlySet<RecordKey> {
  const before = Map.groupBy(
    [...goldenOf.keys()].filter((record) => !request.submitted.has(record) && !request.leaving.has(record)),
    (record) => pool.get(record).record.golden,
  );
  before.delete(UNLINKED);
  const moved = [...before].flatMap(([golden, records]) => {
    const together = new Set(records.map((record) => goldenOf.get(record))).size === 1;
    return together ? [] : records.filter((record) => goldenOf.get(record) !== golden);
  });
  return new Set(moved);
}

async function gather({ view, limits, submitted, leaving, seeds }: RegroupRequest): Promise<Pool> {
  const pool = new Pool({ view, maxComponent: limits.maxComponent, submitted });
  await pool.addLeaving(leaving);
  for (const seed of seeds) await pool.add(seed);
  if (submitted.size === 0) await pool.addDecided(seeds);
  else await pool.addMerged();
  return pool;
}

export async function regroup(request: RegroupRequest): Promise<Regrouping> {
  const pool = await gather(request);
  const partitions = pool.components.map((members) => resolve(pool.component(members), request.limits));
  const groups = partitions
    .flatMap((partition) => partition.groups)
    .map((group) => group.flatMap((record) => [record, ...pool.get(record).subsumed]));
  const { continuity, ruleVersions } = await readPast(request, pool, groups);
  const assignment = assignCruids(continuity);
  let nextGolden = request.nextGolden;
  const given: Given = { assignment, goldens: assignment.goldens.map((golden) => (golden === 'new' ? nextGolden++ : golden)) };
  const context: Context = { request, pool, ruleVersions, pinned: continuity.pinned };
  const goldenOf = new Map(
    groups.flatMap((group, index) => group.map((record) => [record, given.goldens[index] ?? UNLINKED] as const)),
  );
  for (const record of request.leaving) goldenOf.set(record, UNLINKED);
  const relinked = [leave(context), ...groups.map((group, index) => relink(context, group, given.goldens[index] ?? UNLINKED))];
  const remade = new Set(relinked.flatMap((one) => [...one.remade]));
  return {
    linksBegun: relinked.flatMap((one) => one.begun),
    linksEnded: relinked.flatMap((one) => one.ended),
    goldens: [...(await writeActive(request, given, remade)), ...(await writeRetired(request, given, remade))],
    goldenOf,
    known: (record) => pool.get(record),
    moved: separated(context, goldenOf),
    refused: partitions.flatMap((partition) => partition.refused),
    tooLarge: pool.tooLarge,
    tooLargeSaid: pool.tooLargeSaid,
  };
}
