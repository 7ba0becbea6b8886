import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { PairName } from '../domain/links.ts';

/** What the past says of the records that are grouped anew. Keys ascend in order of creation. */
export interface Continuity {
  /** The new groups of the pool's records. */
  readonly groups: readonly (readonly RecordKey[])[];
  /** Golden record of each record's link in force; a new record has none. */
  readonly holder: ReadonlyMap<RecordKey, GoldenKey>;
  /** "Same" decisions in force, each with the golden record that it was made on. */
  readonly decidedOn: readonly { readonly golden: GoldenKey; readonly records: PairName }[];
  /** Retired golden records that some record of the pool once had, with those that had them last; the first retired first. */
  readonly retired: readonly { readonly golden: GoldenKey; readonly lastHolders: readonly RecordKey[] }[];
  /** Golden record of those last holders that are outside the pool. */
  readonly others: ReadonlyMap<RecordKey, GoldenKey>;
  /** Golden records that records outside the pool hold too: they stay with those, and nobody new is linked to them. */
  readonly pinned: ReadonlySet<GoldenKey>;
  /** Records that do not count for "most": those just submitted, and those that others stand for. */
  readonly uncounted: ReadonlySet<RecordKey>;
  /** Records in no group, whose links end: a CRUID that they alone had retires, and leads nowhere. */
  readonly leaving: ReadonlySet<RecordKey>;
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

/** The records of one group that hold one golden record in force. */
interface Holding {
  readonly golden: GoldenKey;
  readonly group: number;
  readonly records: readonly RecordKey[];
}

/** The CRUID that a group takes back where it is left without one. */
interface Spare {
  readonly golden: GoldenKey;
  /** Records of the group that had it last. */
  readonly count: number;
  /** Place in the order of retirement. */
  readonly order: number;
}

type Former = Continuity['retired'][number] & { readonly replacedBy: Forward };

interface Scene extends Continuity {
  readonly groupOf: ReadonlyMap<RecordKey, number>;
}

/** The option that is more by the first criterion on which two differ. */
function best<Option>(options: readonly Option[], ...criteria: readonly ((option: Option) => number)[]): Option | undefined {
  return options.toSorted((x, y) => criteria.reduce((said, criterion) => said || criterion(y) - criterion(x), 0))[0];
}

const age = (records: readonly RecordKey[]): number => -records.reduce((x, y) => Math.min(x, y));

const countOf = ({ uncounted }: Scene, records: readonly RecordKey[]): number =>
  records.filter((record) => !uncounted.has(record)).length;

/** A decision counts where a record that it is about still holds the CRUID that it was made on. */
const isDecided = ({ decidedOn }: Scene, { golden, records }: Holding): boolean =>
  decidedOn.some(({ golden: on, records: { a, b } }) => on === golden && (records.includes(a) || records.includes(b)));

/**
 * A pinned CRUID stays with the records outside. A group that has it whole may keep it (nothing moves, and no other CRUID
 * claims the group, so it is never retired); a group with anybody else may not, or they would be linked to those outside.
 */
const holdings = ({ groups, holder, pinned }: Scene): readonly Holding[] =>
  groups.flatMap((members, group) =>
    [...Map.groupBy(members, (record) => holder.get(record))].flatMap(([golden, records]) =>
      golden === undefined || (pinned.has(golden) && records.length < members.length) ? [] : [{ golden, group, records }],
    ),
  );

/** Where most of the last holders are now; of equals, where the oldest of them is. `kept`: the CRUID that each group keeps. */
function forward(scene: Scene, lastHolders: readonly RecordKey[], kept: readonly (GoldenKey | undefined)[]): Forward {
  const placeOf = (record: RecordKey): Forward => {
    const group = scene.groupOf.get(record);
    const golden = group === undefined ? scene.others.get(record) : kept[group];
    if (golden !== undefined) return { golden };
    return group === undefined ? null : { group };
  };
  const places = Map.groupBy(lastHolders, (record) => JSON.stringify(placeOf(record)));
  places.delete('null');
  const [someone] = best([...places.values()], (records) => records.length, age) ?? [];
  return someone === undefined ? null : placeOf(someone);
}

/** Of the CRUIDs that lead to a group, the one that most of its records had last; of equals the last retired. */
function spares(scene: Scene, formers: readonly Former[]): ReadonlyMap<number, Spare> {
  const all = formers.flatMap(({ golden, lastHolders, replacedBy }, order) => {
    if (replacedBy === null || 'golden' in replacedBy) return [];
    const { group } = replacedBy;
    const mine = lastHolders.filter((record) => scene.groupOf.get(record) === group);
    return [{ golden, group, order, count: countOf(scene, mine) }];
  });
  const found = [...Map.groupBy(all, ({ group }) => group)];
  return new Map(
    found.flatMap(([group, those]) => {
      const spare = best(
        those,
        ({ count }) => count,
        ({ order }) => order,
      );
      return spare ? [[group, spare] as const] : [];
    }),
  );
}

/** The group that each CRUID in force goes to, if it survives there. */
function claims(scene: Scene, spare: ReadonlyMap<number, Spare>): readonly Holding[] {
  return [...Map.groupBy(holdings(scene), ({ golden }) => golden).values()].flatMap(
    (those) =>
      best(
        those,
        (one) => Number(isDecided(scene, one)),
        ({ group, records }) => countOf(scene, records) - (spare.get(group)?.count ?? 0),
        ({ group }) => -(spare.get(group)?.order ?? -1),
        ({ records }) => age(records),
      ) ?? [],
  );
}

/** For each group the CRUID that survives of those that go to it. */
function survivors(scene: Scene, claimed: readonly Holding[]): readonly (GoldenKey | undefined)[] {
  const byGroup = Map.groupBy(claimed, ({ group }) => group);
  return scene.groups.map(
    (_, group) =>
      best(
        byGroup.get(group) ?? [],
        (one) => Number(isDecided(scene, one)),
        ({ records }) => countOf(scene, records),
        ({ golden }) => -golden,
      )?.golden,
  );
}

/**
 * Which group keeps which CRUID (design §2.3: the CRUID is continuity, not partition).
 *
 * A CRUID in force goes to one group: the one with a person's decision made on it, else the one whose records would
 * lose most without it: most of the records that have it (those just updated not counted), less those that the group
 * could give an earlier CRUID of their own again; of equals, the one that could give none, or the one retired first
 * (so that the last join is undone first), then the one with the oldest record. Counting heads alone would, when a wrong
 * join is broken, leave one person's CRUID to another wherever the joined were as many or more.
 *
 * Of several that come to one group one survives: one decided on, else the one of most of its records, else the oldest.
 * The others retire and lead to where most of the records that had them last are now, of equals to the oldest. A group
 * without a CRUID takes back, of those that lead to it, the one that most of its records had last, of equals the last
 * retired; else it gets a new one. So a retired CRUID always leads to one in force in one step, and a wrong join, once
 * broken with nothing else in between, gives each person its old CRUID again.
 */
export function assignCruids(input: Continuity): Assignment {
  const { groups, holder, leaving, pinned } = input;
  const scene = { ...input, groupOf: new Map(groups.flatMap((group, index) => group.map((record) => [record, index] as const))) };
  const isHere = (record: RecordKey): boolean => scene.groupOf.has(record) || leaving.has(record);
  const retired = input.retired.filter(({ lastHolders }) => lastHolders.some(isHere));
  const leading = (those: Continuity['retired'], kept: readonly (GoldenKey | undefined)[]): readonly Former[] =>
    those.map((one) => ({ ...one, replacedBy: forward(scene, one.lastHolders, kept) }));

  const claimed = claims(scene, spares(scene, leading(retired, [])));
  const kept = survivors(scene, claimed);
  const holders = Map.groupBy(holder.keys(), (record) => holder.get(record));
  const surviving = new Set(kept);
  const orphaned = [...holders].flatMap(([golden, records]) =>
    golden !== undefined && !pinned.has(golden) && records.every((record) => leaving.has(record)) ? [{ golden }] : [],
  );
  const lost = [...claimed.filter(({ golden }) => !surviving.has(golden)), ...orphaned].map(({ golden }) => ({
    golden,
    lastHolders: holders.get(golden) ?? [],
  }));
  const formers = leading([...retired, ...lost], kept);
  const spare = spares(scene, formers);
  const goldens = kept.map((golden, group) => golden ?? spare.get(group)?.golden ?? 'new');
  const given = new Set(goldens);
  return {
    goldens,
    retire: formers.filter(({ golden }) => !given.has(golden)).map(({ golden, replacedBy }) => ({ golden, replacedBy })),
    revive: retired.map(({ golden }) => golden).filter((golden) => given.has(golden)),
  };
}
