import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Adjudication, Pair, PairName } from '../domain/links.ts';
import { otherOf } from '../domain/links.ts';
import type { SourceRecord } from '../domain/records.ts';
import type { TaskKind } from '../domain/review.ts';
import { componentOf } from '../matching/components.ts';
import type { Component, Constraint } from '../matching/resolve.ts';
import type { RegistryView } from './ports.ts';

/** `SourceRecord.golden` of a record that has no link yet: only inside the change set that creates it. */
export const UNLINKED: GoldenKey = 0;

const LIMIT_FLAGS: readonly TaskKind[] = ['too-large', 'truncated'];

/** What is known of a record of the pool, read once. */
interface Gathered {
  readonly record: SourceRecord;
  readonly pairs: readonly Pair[];
  readonly decisions: readonly Adjudication[];
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
 * record with one of them (which are the same components, but for links of older rules).
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
    const waiting = [seed];
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
      for (const member of await this.request.view.members(golden)) if (!resolved.has(member)) decided.add(member);
    }
    for (const key of decided) await this.gather(key);
    if (decided.size > 0) this.components.push([...decided]);
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
      const record = await this.request.view.record(next);
      if (record?.flags.some((flag) => LIMIT_FLAGS.includes(flag))) return true;
    }
    return false;
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
    const tied: readonly PairName[] = [
      ...pairs.filter((pair) => pair.class === 'auto'),
      ...decisions.filter((decision) => decision.verdict === 'same'),
    ];
    return tied.map((name) => otherOf(name, key));
  };

  private async companions(key: RecordKey): Promise<readonly RecordKey[]> {
    const { golden } = this.get(key).record;
    if (this.visited.has(golden)) return [];
    this.visited.add(golden);
    return this.request.view.members(golden);
  }
}
