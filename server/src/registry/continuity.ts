import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { PairName } from '../domain/links.ts';

/** What the past says of the records that are grouped anew. Keys ascend with age. */
export interface Continuity {
  /** The new groups of the pool's records. */
  readonly groups: readonly (readonly RecordKey[])[];
  /** Golden record of each record's link in force; a new record has none. */
  readonly holder: ReadonlyMap<RecordKey, GoldenKey>;
  /** "Same" decisions in force, each with the golden record that it was made on. */
  readonly decidedOn: readonly { readonly golden: GoldenKey; readonly records: PairName }[];
  /** Retired golden records that some record of the pool once had, with those that had them last. */
  readonly retired: readonly { readonly golden: GoldenKey; readonly lastHolders: readonly RecordKey[] }[];
  /** Golden record of those last holders that are outside the pool. */
  readonly others: ReadonlyMap<RecordKey, GoldenKey>;
  /** Golden records that records outside the pool hold too: they stay with those. */
  readonly pinned: ReadonlySet<GoldenKey>;
  /** The record just submitted: it does not count for "most". */
  readonly updated: RecordKey | null;
}

export type Forward = { readonly group: number } | { readonly golden: GoldenKey } | null;

export interface Assignment {
  /** For each group the golden record that it keeps, gets back, or `new`. */
  readonly goldens: readonly (GoldenKey | 'new')[];
  /** Golden records without a group, newly or still, and where each now forwards to. */
  readonly retire: readonly { readonly golden: GoldenKey; readonly replacedBy: Forward }[];
  /** Those among `goldens` that were retired and come back. */
  readonly revive: readonly GoldenKey[];
}

/** Of several, the one with most votes; of equals, the one whose oldest voter is oldest. */
class Ballot<Option> {
  private readonly votes = new Map<string, { option: Option; count: number; oldest: number }>();

  cast(name: string, vote: { readonly option: Option; readonly weight: number; readonly voter: number }): void {
    const { option, weight, voter } = vote;
    const before = this.votes.get(name) ?? { option, count: 0, oldest: voter };
    this.votes.set(name, { option, count: before.count + weight, oldest: Math.min(before.oldest, voter) });
  }

  winner(): Option | undefined {
    return [...this.votes.values()].sort((x, y) => y.count - x.count || x.oldest - y.oldest)[0]?.option;
  }
}

/** Weights of votes: a person's decision outweighs any number of records, the record just updated counts for nothing. */
const DECISION = 1e6;

interface Claim {
  readonly golden: GoldenKey;
  readonly group: number;
}

class Assigner {
  private readonly input: Continuity;
  private readonly groupOf: ReadonlyMap<RecordKey, number>;

  constructor(input: Continuity) {
    this.input = input;
    this.groupOf = new Map(input.groups.flatMap((group, index) => group.map((record) => [record, index] as const)));
  }

  private weight(record: RecordKey): number {
    return record === this.input.updated ? 0 : 1;
  }

  /** Votes on where each CRUID in force goes: its decisions, then its records. */
  private claims(): readonly Claim[] {
    const ballots = new Map<GoldenKey, Ballot<number>>();
    const vote = (golden: GoldenKey, record: RecordKey, weight: number): void => {
      const group = this.groupOf.get(record);
      if (group === undefined) return;
      const ballot = ballots.get(golden) ?? new Ballot<number>();
      ballots.set(golden, ballot);
      ballot.cast(String(group), { option: group, weight, voter: record });
    };
    for (const [record, golden] of this.input.holder) vote(golden, record, this.weight(record));
    for (const { golden, records } of this.input.decidedOn) if (ballots.has(golden)) vote(golden, records.a, DECISION);
    return [...ballots].flatMap(([golden, ballot]) => {
      const group = ballot.winner();
      return group === undefined ? [] : [{ golden, group }];
    });
  }

  /** Of the CRUIDs that claim one group: one decided on there, else the one most of its records have, else the oldest. */
  private survivor(claims: readonly Claim[], group: number): GoldenKey | undefined {
    const ballot = new Ballot<GoldenKey>();
    for (const { golden } of claims) {
      const mine = [...this.input.holder].filter(([record, held]) => held === golden && this.groupOf.get(record) === group);
      const decided = this.input.decidedOn.some((one) => one.golden === golden && this.groupOf.get(one.records.a) === group);
      const records = mine.reduce((sum, [record]) => sum + this.weight(record), 0);
      ballot.cast(String(golden), { option: golden, weight: records + (decided ? DECISION : 0), voter: golden });
    }
    return ballot.winner();
  }

  private forward(lastHolders: readonly RecordKey[]): Forward {
    const ballot = new Ballot<Forward>();
    for (const record of lastHolders) {
      const group = this.groupOf.get(record);
      const golden = this.input.others.get(record);
      if (group !== undefined) ballot.cast(`group ${group}`, { option: { group }, weight: 1, voter: record });
      else if (golden !== undefined) ballot.cast(`golden ${golden}`, { option: { golden }, weight: 1, voter: record });
    }
    return ballot.winner() ?? null;
  }

  assign(): Assignment {
    const { groups, holder, retired, pinned } = this.input;
    const claims = this.claims();
    const kept = groups.map((_, group) =>
      this.survivor(
        claims.filter((claim) => claim.group === group),
        group,
      ),
    );
    const lost = claims.filter(({ golden }) => !kept.includes(golden) && !pinned.has(golden));
    const homeless = [
      ...lost.map(({ golden }) => ({
        golden,
        lastHolders: [...holder].filter(([, held]) => held === golden).map(([record]) => record),
      })),
      ...retired.filter(({ lastHolders }) => lastHolders.some((record) => this.groupOf.has(record))),
    ].map((one) => ({ ...one, replacedBy: this.forward(one.lastHolders) }));
    const goldens = kept.map((golden, group) => golden ?? this.takeBack(homeless, group) ?? 'new');
    return {
      goldens,
      retire: homeless
        .filter(({ golden }) => !goldens.includes(golden))
        .map(({ golden, replacedBy }) => ({ golden, replacedBy })),
      revive: retired.map(({ golden }) => golden).filter((golden) => goldens.includes(golden)),
    };
  }

  /** Of the CRUIDs that would forward to this group, the one that most of its records had last. */
  private takeBack(
    homeless: readonly { golden: GoldenKey; lastHolders: readonly RecordKey[]; replacedBy: Forward }[],
    group: number,
  ): GoldenKey | undefined {
    const ballot = new Ballot<GoldenKey>();
    for (const { golden, lastHolders, replacedBy } of homeless) {
      if (replacedBy === null || !('group' in replacedBy) || replacedBy.group !== group) continue;
      const mine = lastHolders.filter((record) => this.groupOf.get(record) === group).length;
      ballot.cast(String(golden), { option: golden, weight: mine, voter: golden });
    }
    return ballot.winner();
  }
}

/**
 * Which group keeps which CRUID (design §2.3: the CRUID is continuity, not partition). A CRUID goes to the group with a
 * person's decision made on it, else with most of the records that have it (the one just updated not counted), else
 * with the oldest of them. Of several that come to one group one survives; the others retire and forward to where most
 * of the records that had them last now are. A group without a CRUID takes back one that would forward to it, else it
 * gets a new one. So a forward always leads to an active golden record in one step, and a wrong join, once broken, gives
 * each person its old CRUID again.
 */
export const assignCruids = (input: Continuity): Assignment => new Assigner(input).assign();
