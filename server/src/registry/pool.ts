import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Adjudication, Pair, PairName } from '../domain/links.ts';
import { otherOf, pairName } from '../domain/links.ts';
import { type SourceRecord, UNLINKED } from '../domain/records.ts';
import type { TaskKind } from '../domain/review.ts';
import { componentOf } from '../matching/components.ts';
import type { Component, Constraint } from '../matching/resolve.ts';
import type { RegistryView } from './ports.ts';

const LIMIT_FLAGS: readonly TaskKind[] = ['too-large', 'truncated'];

/** What is known of a record of the pool, read once. */
interface Gathered {
  readonly record: SourceRecord;
  readonly pairs: readonly Pair[];
  /** Decisions on it and on the records that were merged into it, as decisions on it. */
  readonly decisions: readonly Adjudication[];
  /** Records that were merged into it, and into those. */
  readonly subsumed: readonly RecordKey[];
}

export interface PoolRequest {
  readonly view: RegistryView;
  /** Records past which a component is too large for the machine to move anything. */
  readonly maxComponent: number;
  /** The records just submitted; `truncated`: its candidates were cut, so its component may be larger than it looks. */
  readonly submitted: ReadonlyMap<RecordKey, { readonly truncated: boolean }>;
}

const isConstraint = (decision: Adjudication): decision is Adjudication & Constraint => decision.verdict !== 'undecided';

/**
 * The records that a change may regroup: the components that it touched, and those of everybody who shares a golden
 * record with one of them (which are the same components, but for links of older rules). Records that were merged into others
 * are in no component: they go where their survivors go, and what people decided on them holds for the survivors.
 */
export class Pool {
  readonly components: (readonly RecordKey[])[] = [];
  /** Members found of components over the limit. */
  readonly tooLarge = new Set<RecordKey>();
  /** One of those already carries a task that says so. */
  tooLargeSaid = false;
  private readonly request: PoolRequest;
  private readonly gathered = new Map<RecordKey, Gathered>();
  private readonly placed = new Set<RecordKey>();
  private readonly visited = new Set<GoldenKey>([UNLINKED]);
  private readonly records = new Map<RecordKey, SourceRecord | undefined>();
  private readonly survivors = new Map<RecordKey, RecordKey | undefined>();

  constructor(request: PoolRequest) {
    this.request = request;
  }

  get(key: RecordKey): Gathered {
    const found = this.gathered.get(key);
    if (!found) throw new Error(`record ${key} is not in the pool`);
    return found;
  }

  /** Adds the component of `seed`, and those of its members' companions. */
  async add(seed: RecordKey): Promise<void> {
    const survivor = await this.survivorOf(seed);
    if (survivor !== undefined) await this.addAll([survivor]);
  }

  /** Reads records whose links end, and adds the components of those who stay in their golden records. */
  async addLeaving(leaving: Iterable<RecordKey>): Promise<void> {
    for (const key of leaving) {
      await this.gather(key);
      await this.addAll(await this.companions(key));
    }
  }

  private async addAll(those: readonly RecordKey[]): Promise<void> {
    const waiting = [...those];
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      if (this.placed.has(key)) continue;
      const members = await this.componentAround(key);
      for (const member of members ?? []) waiting.push(...(await this.companions(member)));
    }
  }

  /**
   * A person's decision is carried out even where the component is too large for the machine: among the groups that the
   * records decided on are in, and nowhere else.
   */
  async addDecided(seeds: readonly RecordKey[]): Promise<void> {
    const resolved = new Set(this.components.flat());
    const decided = new Set<RecordKey>();
    for (const seed of seeds) {
      if (!this.tooLarge.has(seed)) continue;
      const { golden } = (await this.gather(seed)).record;
      for (const member of await this.survivorsOf(golden)) if (!resolved.has(member)) decided.add(member);
    }
    for (const key of decided) await this.gather(key);
    if (decided.size > 0) this.components.push([...decided]);
  }

  /** Likewise a merge: the records that others were just merged into. */
  async addMerged(): Promise<void> {
    const survivors: RecordKey[] = [];
    for (const key of this.request.submitted.keys()) {
      const survivor = await this.survivorOf(key);
      if (survivor !== undefined && survivor !== key) survivors.push(survivor);
    }
    await this.addDecided(survivors);
  }

  /** The component with all that is known inside it. */
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

  /** Places the component; undefined where the machine may move nothing in it. */
  private async componentAround(key: RecordKey): Promise<readonly RecordKey[] | undefined> {
    const { maxComponent, submitted } = this.request;
    const known = this.tooLarge.size > 0 && (await this.neighbours(key)).some((next) => this.tooLarge.has(next));
    const { members, complete } = known
      ? { members: [key], complete: false }
      : await componentOf([key], this.neighbours, maxComponent);
    for (const member of members) this.placed.add(member);
    if (complete && !members.some((member) => submitted.get(member)?.truncated)) {
      this.components.push(members);
      return members;
    }
    for (const member of members) this.tooLarge.add(member);
    this.tooLargeSaid ||= await this.saysTooLarge(key);
    // A submitted record still needs a golden record: it keeps its own, or gets one.
    for (const member of members) if (submitted.has(member)) this.components.push([member]);
    return undefined;
  }

  /** Whether the record or one that it is tied to carries a task that says so already. */
  private async saysTooLarge(key: RecordKey): Promise<boolean> {
    for (const next of [key, ...(await this.neighbours(key))]) {
      const record = await this.record(next);
      if (record?.flags.some((flag) => LIMIT_FLAGS.includes(flag))) return true;
    }
    return false;
  }

  private async record(key: RecordKey): Promise<SourceRecord | undefined> {
    if (!this.records.has(key)) this.records.set(key, await this.request.view.record(key));
    return this.records.get(key);
  }

  private async gather(key: RecordKey): Promise<Gathered> {
    const known = this.gathered.get(key);
    if (known) return known;
    const { view } = this.request;
    const record = await this.record(key);
    if (!record) throw new Error(`record ${key} is named by a pair or a link, and does not exist`);
    const subsumed = await this.subsumedBy(key);
    const found = { record, pairs: await view.pairs(key), decisions: await this.decisionsOn(key, subsumed), subsumed };
    this.gathered.set(key, found);
    for (const one of subsumed) {
      const theirs = await this.record(one);
      if (theirs) this.gathered.set(one, { record: theirs, pairs: [], decisions: [], subsumed: [] });
    }
    return found;
  }

  private async subsumedBy(key: RecordKey): Promise<readonly RecordKey[]> {
    const direct = await this.request.view.subsumed(key);
    if (direct.length === 0) return direct;
    return [...direct, ...(await Promise.all(direct.map((one) => this.subsumedBy(one)))).flat()];
  }

  private async decisionsOn(key: RecordKey, subsumed: readonly RecordKey[]): Promise<readonly Adjudication[]> {
    const found: Adjudication[] = [];
    for (const one of [key, ...subsumed]) {
      for (const said of await this.request.view.adjudications(one)) {
        const other = await this.survivorOf(otherOf(said, one));
        if (other !== undefined && other !== key) found.push({ ...said, ...pairName(key, other) });
      }
    }
    return found;
  }

  /** The record that stands for a record: the one that it was merged into in the end, or itself; undefined where that is deleted. */
  private async survivorOf(key: RecordKey): Promise<RecordKey | undefined> {
    if (this.survivors.has(key)) return this.survivors.get(key);
    const record = await this.record(key);
    const into = record?.mergedInto;
    const own = record?.deleted ? undefined : key;
    const survivor = into === undefined ? own : await this.survivorOf(into);
    this.survivors.set(key, survivor);
    return survivor;
  }

  /** The records of a golden record that stand for themselves. */
  private async survivorsOf(golden: GoldenKey): Promise<readonly RecordKey[]> {
    const members = await this.request.view.members(golden);
    const survivors = await Promise.all(members.map((member) => this.survivorOf(member)));
    return [...new Set(survivors)].filter((key) => key !== undefined);
  }

  private readonly neighbours = async (key: RecordKey): Promise<readonly RecordKey[]> => {
    const { pairs, decisions } = await this.gather(key);
    const tied: readonly PairName[] = [
      ...pairs.filter((pair) => pair.class === 'auto'),
      ...decisions.filter((decision) => decision.verdict === 'same'),
    ];
    return tied.map((name) => otherOf(name, key));
  };

  private async companions(key: RecordKey): Promise<readonly RecordKey[]> {
    const found: RecordKey[] = [];
    for (const one of [key, ...this.get(key).subsumed]) {
      const { golden } = this.get(one).record;
      if (this.visited.has(golden)) continue;
      this.visited.add(golden);
      found.push(...(await this.survivorsOf(golden)));
    }
    return found;
  }
}
