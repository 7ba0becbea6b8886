import { assignCruids, type Continuity } from './continuity.ts';

export type Partition = readonly (readonly number[])[];

/** A "same" decision and the CRUID that it was made on. */
export interface Decision {
  readonly a: number;
  readonly b: number;
  readonly golden: number;
}

/**
 * As much of the ledger as continuity is about: links with the step they ended at, golden records with the step of
 * their retirement. Records and CRUIDs are small numbers.
 */
export class World {
  decisions: readonly Decision[] = [];
  readonly goldens = new Map<number, { readonly retiredAt: number | null; readonly replacedBy: number | null }>();
  private readonly links: { readonly record: number; readonly golden: number; until: number | null }[] = [];
  private step = 0;

  holder(record: number): number | undefined {
    return this.links.find((link) => link.record === record && link.until === null)?.golden;
  }

  /** The records that have the CRUID, or had it last. */
  lastHolders(golden: number): readonly number[] {
    const at = this.goldens.get(golden)?.retiredAt ?? null;
    return this.links.filter((link) => link.golden === golden && link.until === at).map(({ record }) => record);
  }

  /** The CRUID that a reader of this one is led to. */
  target(golden: number): number | null {
    const { retiredAt = null, replacedBy = null } = this.goldens.get(golden) ?? {};
    return retiredAt === null ? golden : replacedBy;
  }

  partition(): Partition {
    return [...this.goldens].flatMap(([golden, { retiredAt }]) => (retiredAt === null ? [this.lastHolders(golden)] : []));
  }

  past(groups: Partition, updated: number | null): Continuity {
    const pool = new Set(groups.flat());
    const goldenOf = (records: Iterable<number>): ReadonlyMap<number, number> =>
      new Map(
        [...records].flatMap((record) => {
          const golden = this.holder(record);
          return golden === undefined ? [] : [[record, golden]];
        }),
      );
    const retired = [...this.goldens]
      .flatMap(([golden, { retiredAt: at }]) => (at === null ? [] : [{ golden, at, lastHolders: this.lastHolders(golden) }]))
      .filter(({ golden }) => this.links.some((link) => link.golden === golden && pool.has(link.record)))
      .sort((x, y) => x.at - y.at);
    const holder = goldenOf(pool);
    return {
      groups,
      holder,
      decidedOn: this.decisions.filter(({ a }) => pool.has(a)).map(({ golden, ...records }) => ({ golden, records })),
      retired,
      others: goldenOf(retired.flatMap(({ lastHolders }) => lastHolders).filter((record) => !pool.has(record))),
      pinned: new Set([...holder.values()].filter((golden) => this.lastHolders(golden).some((record) => !pool.has(record)))),
      uncounted: new Set(updated === null ? [] : [updated]),
      leaving: new Set(),
    };
  }

  /** Groups records anew and writes what follows; answers the CRUID of each group. */
  regroup(groups: Partition, updated: number | null = null): readonly number[] {
    this.step += 1;
    const { goldens, retire, revive } = assignCruids(this.past(groups, updated));
    const given = goldens.map((golden) => (golden === 'new' ? this.activate(this.goldens.size + 1) : golden));
    revive.forEach((golden) => this.activate(golden));
    for (const [index, golden] of given.entries()) groups[index]?.forEach((record) => this.move(record, golden));
    for (const { golden, replacedBy } of retire) {
      const target = replacedBy === null ? null : 'golden' in replacedBy ? replacedBy.golden : (given[replacedBy.group] ?? null);
      this.goldens.set(golden, { retiredAt: this.goldens.get(golden)?.retiredAt ?? this.step, replacedBy: target });
    }
    return given;
  }

  private activate(golden: number): number {
    this.goldens.set(golden, { retiredAt: null, replacedBy: null });
    return golden;
  }

  private move(record: number, golden: number): void {
    if (this.holder(record) === golden) return;
    for (const link of this.links) if (link.record === record) link.until ??= this.step;
    this.links.push({ record, golden, until: null });
  }
}

/** A world in which each group was registered in turn: its CRUIDs are 1, 2, 3… */
export function worldOf(...groups: Partition): World {
  const world = new World();
  for (const group of groups) world.regroup([group]);
  return world;
}
