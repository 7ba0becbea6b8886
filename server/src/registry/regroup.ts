import type { GoldenWrite } from '../domain/change-set.ts';
import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Adjudication, Link, Pair, PairName, Verdict } from '../domain/links.ts';
import type { GoldenRecord, SourceRecord } from '../domain/records.ts';
import type { TaskKind } from '../domain/review.ts';
import { componentOf } from '../matching/components.ts';
import type { MatchingLimits } from '../matching/model.ts';
import { type Component, type Constraint, type RefusedJoin, resolve } from '../matching/resolve.ts';
import { compareStrength } from '../matching/score.ts';
import { type Assignment, assignCruids } from './continuity.ts';
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
  /** Records, other than the submitted one, that lost a companion other than the submitted one. */
  readonly moved: readonly RecordKey[];
  readonly refused: readonly RefusedJoin[];
  /** Records of components over the limit, or reached by a cut answer: nothing of theirs moved. */
  readonly tooLarge: ReadonlySet<RecordKey>;
  /** One of those already carries a task that says so: one task a component. */
  readonly tooLargeSaid: boolean;
}

export interface RegroupRequest {
  /** The registry with the change's records, pairs and adjudications already in it, links not yet. */
  readonly view: RegistryView;
  /** Records whose components it touched. */
  readonly seeds: readonly RecordKey[];
  /** The record just submitted, if any; `created` when it has no link yet. */
  readonly submitted: { readonly record: RecordKey; readonly created: boolean } | null;
  /** True where the submitted record's candidates were cut: the machine moves nothing. */
  readonly truncated: boolean;
  readonly ruleVersion: string;
  readonly limits: MatchingLimits;
  readonly nextGolden: GoldenKey;
  readonly newId: NewId;
}

const LIMIT_FLAGS: readonly TaskKind[] = ['too-large', 'truncated'];

interface Gathered {
  readonly record: SourceRecord;
  readonly pairs: readonly Pair[];
  readonly decisions: readonly Adjudication[];
}

/** `SourceRecord.golden` of a record that has no link yet: only inside the change set that creates it. */
export const UNLINKED: GoldenKey = 0;

/** What the pool's components know, each record read once. */
class Pool {
  readonly gathered = new Map<RecordKey, Gathered>();
  readonly components: (readonly RecordKey[])[] = [];
  readonly tooLarge = new Set<RecordKey>();
  tooLargeSaid = false;
  private readonly request: RegroupRequest;

  constructor(request: RegroupRequest) {
    this.request = request;
  }

  get(key: RecordKey): Gathered {
    const found = this.gathered.get(key);
    if (!found) throw new Error(`record ${key} is not in the pool`);
    return found;
  }

  private async gather(key: RecordKey): Promise<Gathered> {
    const known = this.gathered.get(key);
    if (known) return known;
    const { view } = this.request;
    const record = await view.record(key);
    if (!record) throw new Error(`record ${key} is named by a pair or a link, and does not exist`);
    const found = { record, pairs: await view.pairs(key), decisions: await view.adjudications(key) };
    this.gathered.set(key, found);
    return found;
  }

  private readonly neighbours = async (key: RecordKey): Promise<readonly RecordKey[]> => {
    const { pairs, decisions } = await this.gather(key);
    const other = (name: PairName): RecordKey => (name.a === key ? name.b : name.a);
    return [...pairs.filter((p) => p.class === 'auto'), ...decisions.filter((d) => d.verdict === 'same')].map(other);
  };

  private readonly placed = new Set<RecordKey>();

  /** Adds the component of `seed`, and those of everyone who shares a golden record with its members. */
  async add(seed: RecordKey): Promise<void> {
    const waiting = [seed];
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      if (this.placed.has(key)) continue;
      const { members, complete } = await componentOf([key], this.neighbours, this.request.limits.maxComponent);
      for (const member of members) this.placed.add(member);
      if (!complete || (this.request.truncated && key === this.request.submitted?.record)) {
        // The machine moves nothing here: the record itself keeps what it has.
        for (const member of members) {
          this.tooLarge.add(member);
          this.tooLargeSaid ||= this.gathered.get(member)?.record.flags.some((flag) => LIMIT_FLAGS.includes(flag)) ?? false;
        }
        if (key === this.request.submitted?.record) this.components.push([key]);
        continue;
      }
      this.components.push(members);
      for (const member of members) waiting.push(...(await this.companions(member)));
    }
  }

  private readonly visited = new Set<GoldenKey>([UNLINKED]);

  private async companions(key: RecordKey): Promise<readonly RecordKey[]> {
    const { golden } = (await this.gather(key)).record;
    if (this.visited.has(golden)) return [];
    this.visited.add(golden);
    return this.request.view.members(golden);
  }

  component(members: readonly RecordKey[]): Component {
    const inside = new Set(members);
    const gathered = members.map((key) => this.get(key));
    const within = <T extends PairName>(rows: readonly T[], key: RecordKey): readonly T[] =>
      rows.filter((row) => row.a === key && inside.has(row.b));
    return {
      members: gathered.map(({ record }) => ({ key: record.key, identity: record.identity })),
      pairs: gathered.flatMap(({ record, pairs }) => within(pairs, record.key)),
      constraints: gathered.flatMap(({ record, decisions }) => within(decisions, record.key)).filter(isConstraint),
    };
  }
}

const isConstraint = (decision: Adjudication): decision is Adjudication & Constraint => decision.verdict !== 'undecided';

/** The strongest pair from `record` into `group`. */
const because = (pool: Pool, record: RecordKey, group: ReadonlySet<RecordKey>): Link['because'] => {
  let best: (Verdict & { with: RecordKey }) | null = null;
  for (const { a, b, ...verdict } of pool.get(record).pairs) {
    const other = a === record ? b : a;
    if (verdict.class !== 'auto' || !group.has(other)) continue;
    if (best === null || compareStrength(verdict, best) < 0) best = { ...verdict, with: other };
  }
  return best;
};

const isManual = (pool: Pool, record: RecordKey, group: ReadonlySet<RecordKey>): boolean =>
  pool.get(record).decisions.some((d) => d.verdict === 'same' && group.has(d.a === record ? d.b : d.a));

const linkOf = (
  pool: Pool,
  request: RegroupRequest,
  place: { record: RecordKey; golden: GoldenKey; group: ReadonlySet<RecordKey> },
): Link => {
  const why = because(pool, place.record, place.group);
  const manual = isManual(pool, place.record, place.group);
  return {
    record: place.record,
    golden: place.golden,
    origin: manual ? 'manual' : why === null ? 'first' : 'auto',
    ruleVersion: request.ruleVersion,
    because: why,
  };
};

interface Past {
  readonly assignment: Assignment;
  /** Rule version of each record's link in force. */
  readonly ruleVersions: ReadonlyMap<RecordKey, string>;
}

/** Everything that continuity asks of the past (design §2.3). */
async function assign(pool: Pool, request: RegroupRequest, groups: readonly (readonly RecordKey[])[]): Promise<Past> {
  const { view, submitted } = request;
  const ruleVersions = new Map<RecordKey, string>();
  const holder = new Map<RecordKey, GoldenKey>();
  const retired = new Map<GoldenKey, readonly RecordKey[]>();
  const others = new Map<RecordKey, GoldenKey>();
  const inPool = new Set(groups.flat());
  for (const key of inPool) {
    const links = submitted?.created && submitted.record === key ? [] : await view.linksOf(key);
    const open = links.find((link) => link.until === null);
    if (open) {
      holder.set(key, open.golden);
      ruleVersions.set(key, open.ruleVersion);
    }
    for (const { golden } of links) {
      if (retired.has(golden)) continue;
      const at = (await view.golden(golden))?.retiredAt ?? null;
      if (at === null) continue;
      const last = (await view.linksTo(golden)).filter((link) => link.until === at).map((link) => link.record);
      retired.set(golden, last);
      for (const record of last) {
        const outside = inPool.has(record) ? undefined : await view.record(record);
        if (outside) others.set(record, outside.golden);
      }
    }
  }
  const pinned = new Set<GoldenKey>();
  for (const golden of new Set(holder.values())) {
    if ((await view.members(golden)).some((member) => !inPool.has(member))) pinned.add(golden);
  }
  const decidedOn = [...inPool].flatMap((key) =>
    pool
      .get(key)
      .decisions.flatMap((d) =>
        d.a === key && d.verdict === 'same' && d.golden !== null ? [{ golden: d.golden, records: d }] : [],
      ),
  );
  const assignment = assignCruids({
    groups,
    holder,
    decidedOn,
    retired: [...retired].map(([golden, lastHolders]) => ({ golden, lastHolders })),
    others,
    pinned,
    updated: submitted?.record ?? null,
  });
  return { assignment, ruleVersions };
}

/** Golden records as written: what stays as it is when only its members change. */
const goldenWrite = (
  before: GoldenRecord,
  after: Partial<Pick<GoldenRecord, 'active' | 'replacedBy'>>,
  retired: 'now' | 'stays',
): GoldenWrite => ({
  golden: {
    key: before.key,
    id: before.id,
    version: before.version + 1,
    active: before.active,
    replacedBy: before.replacedBy,
    ...after,
  },
  retired,
});

async function existing(view: RegistryView, key: GoldenKey): Promise<GoldenRecord> {
  const golden = await view.golden(key);
  if (!golden) throw new Error(`golden record ${key} is named by a link, and does not exist`);
  return golden;
}

interface Change {
  readonly ruleVersions: ReadonlyMap<RecordKey, string>;
  readonly begun: Link[];
  readonly ended: { record: RecordKey; golden: GoldenKey }[];
  readonly goldenOf: Map<RecordKey, GoldenKey>;
  /** Golden records that won or lost a member. */
  readonly remade: Set<GoldenKey>;
}

function relink(pool: Pool, request: RegroupRequest, group: readonly RecordKey[], golden: GoldenKey, change: Change): void {
  const members = new Set(group);
  for (const key of group) {
    change.goldenOf.set(key, golden);
    const before = pool.get(key).record.golden;
    // A link that stays but was decided under older rules is begun again under these; on the wire nothing changes.
    if (before === golden && change.ruleVersions.get(key) === request.ruleVersion) continue;
    if (before !== UNLINKED) change.ended.push({ record: key, golden: before });
    change.begun.push(linkOf(pool, request, { record: key, golden, group: members }));
    if (before !== golden) change.remade.add(before).add(golden);
  }
}

async function writeGoldens(
  request: RegroupRequest,
  assignment: Assignment,
  given: readonly GoldenKey[],
  remade: Set<GoldenKey>,
): Promise<readonly GoldenWrite[]> {
  const { view, newId } = request;
  const writes: GoldenWrite[] = [];
  for (const [index, golden] of assignment.goldens.entries()) {
    const key = given[index];
    if (key === undefined) continue;
    if (golden === 'new') {
      writes.push({ golden: { key, id: newId(), version: 1, active: true, replacedBy: null }, retired: 'stays' });
    } else if (remade.has(key) || assignment.revive.includes(key)) {
      writes.push(goldenWrite(await existing(view, key), { active: true, replacedBy: null }, 'stays'));
    }
  }
  for (const { golden, replacedBy } of assignment.retire) {
    const before = await existing(view, golden);
    const target = replacedBy === null ? null : 'group' in replacedBy ? (given[replacedBy.group] ?? null) : replacedBy.golden;
    if (!before.active && before.replacedBy === target) continue;
    writes.push(goldenWrite(before, { active: false, replacedBy: target }, before.active ? 'now' : 'stays'));
  }
  return writes;
}

/** Records that lost a companion other than the submitted record: another's arrival took their group apart. */
function separated(pool: Pool, request: RegroupRequest, goldenOf: ReadonlyMap<RecordKey, GoldenKey>): readonly RecordKey[] {
  const together = new Map<GoldenKey, RecordKey[]>();
  for (const key of goldenOf.keys()) {
    const before = pool.get(key).record.golden;
    if (before !== UNLINKED && key !== request.submitted?.record) together.set(before, [...(together.get(before) ?? []), key]);
  }
  return [...together.values()].flatMap((records) => {
    const now = new Set(records.map((key) => goldenOf.get(key)));
    return now.size < 2 ? [] : records.filter((key) => goldenOf.get(key) !== pool.get(key).record.golden);
  });
}

export async function regroup(request: RegroupRequest): Promise<Regrouping> {
  const pool = new Pool(request);
  for (const seed of request.seeds) await pool.add(seed);
  const partitions = pool.components.map((members) => resolve(pool.component(members), request.limits));
  const groups = partitions.flatMap((partition) => partition.groups);
  const { assignment, ruleVersions } = await assign(pool, request, groups);
  let nextGolden = request.nextGolden;
  const given = assignment.goldens.map((golden) => (golden === 'new' ? nextGolden++ : golden));
  const change: Change = { ruleVersions, begun: [], ended: [], goldenOf: new Map(), remade: new Set() };
  for (const [index, group] of groups.entries()) {
    const golden = given[index];
    if (golden !== undefined) relink(pool, request, group, golden, change);
  }
  return {
    linksBegun: change.begun,
    linksEnded: change.ended,
    goldens: await writeGoldens(request, assignment, given, change.remade),
    goldenOf: change.goldenOf,
    moved: separated(pool, request, change.goldenOf),
    refused: partitions.flatMap((partition) => partition.refused),
    tooLarge: pool.tooLarge,
    tooLargeSaid: pool.tooLargeSaid,
  };
}
