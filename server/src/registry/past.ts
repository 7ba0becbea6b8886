import type { GoldenKey, RecordKey, Sequence } from '../domain/identity.ts';
import { UNLINKED } from '../domain/records.ts';
import type { Continuity } from './continuity.ts';
import type { Pool } from './pool.ts';
import type { RegistryView } from './ports.ts';

export interface Past {
  readonly continuity: Continuity;
  /** Rule version of each record's link in force. */
  readonly ruleVersions: ReadonlyMap<RecordKey, string>;
}

interface PastRequest {
  readonly view: RegistryView;
  readonly submitted: ReadonlyMap<RecordKey, { readonly created: boolean }>;
  readonly leaving: ReadonlySet<RecordKey>;
}

interface Retired {
  readonly golden: GoldenKey;
  readonly at: Sequence;
  readonly lastHolders: readonly RecordKey[];
}

/** Who had a retired golden record last: the links that ended when it retired. */
async function retirement(view: RegistryView, golden: GoldenKey): Promise<Retired | undefined> {
  const at = (await view.golden(golden))?.retiredAt ?? null;
  if (at === null) return undefined;
  const lastHolders = (await view.linksTo(golden)).filter((link) => link.until === at).map((link) => link.record);
  return { golden, at, lastHolders };
}

/** Where last holders outside the pool are now. */
async function elsewhere(
  view: RegistryView,
  holders: readonly RecordKey[],
  pool: ReadonlySet<RecordKey>,
): Promise<ReadonlyMap<RecordKey, GoldenKey>> {
  const found = new Map<RecordKey, GoldenKey>();
  for (const key of new Set(holders)) {
    const record = pool.has(key) ? undefined : await view.record(key);
    if (record && record.golden !== UNLINKED) found.set(key, record.golden);
  }
  return found;
}

/** Golden records that records outside the pool hold as well. */
async function pinned(
  view: RegistryView,
  goldens: Iterable<GoldenKey>,
  pool: ReadonlySet<RecordKey>,
): Promise<ReadonlySet<GoldenKey>> {
  const found = new Set<GoldenKey>();
  for (const golden of new Set(goldens)) {
    if ((await view.members(golden)).some((member) => !pool.has(member))) found.add(golden);
  }
  return found;
}

/** "Same" decisions inside the pool, each with the golden record that it was made on. */
const decisionsOf = (pool: Pool, inPool: ReadonlySet<RecordKey>): Continuity['decidedOn'] =>
  [...inPool].flatMap((key) =>
    pool
      .get(key)
      .decisions.flatMap((decision) =>
        decision.a === key && decision.verdict === 'same' && decision.golden !== null
          ? [{ golden: decision.golden, records: decision }]
          : [],
      ),
  );

/** Everything that the continuity of CRUIDs asks of the past (design §2.3). */
export async function readPast(
  { view, submitted, leaving }: PastRequest,
  pool: Pool,
  groups: Continuity['groups'],
): Promise<Past> {
  const inPool = new Set([...groups.flat(), ...leaving]);
  const holder = new Map<RecordKey, GoldenKey>();
  const ruleVersions = new Map<RecordKey, string>();
  const everHeld = new Set<GoldenKey>();
  for (const key of inPool) {
    if (submitted.get(key)?.created) continue;
    for (const link of await view.linksOf(key)) {
      everHeld.add(link.golden);
      if (link.until !== null) continue;
      holder.set(key, link.golden);
      ruleVersions.set(key, link.ruleVersion);
    }
  }
  const retirements = await Promise.all([...everHeld].map((golden) => retirement(view, golden)));
  const retired = retirements.filter((one) => one !== undefined).sort((x, y) => x.at - y.at || x.golden - y.golden);
  const others = await elsewhere(
    view,
    retired.flatMap((one) => one.lastHolders),
    inPool,
  );
  const continuity: Continuity = {
    groups,
    holder,
    decidedOn: decisionsOf(pool, inPool),
    retired,
    others,
    pinned: await pinned(view, holder.values(), inPool),
    uncounted: new Set([...submitted.keys(), ...groups.flat().filter((key) => pool.get(key).record.mergedInto !== undefined)]),
    leaving,
  };
  return { continuity, ruleVersions };
}
