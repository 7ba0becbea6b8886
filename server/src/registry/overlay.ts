import type { ChangeSet } from '../domain/change-set.ts';
import type { CompanionType } from '../domain/companions.ts';
import type { GoldenKey, RecordKey, Sequence } from '../domain/identity.ts';
import type { Adjudication, HeldLink, Pair, PairName } from '../domain/links.ts';
import type { GoldenRecord, SourceRecord } from '../domain/records.ts';
import type { ReviewTask } from '../domain/review.ts';
import { pairTerm, termsOf } from '../fhir/companions.ts';
import type { FeatureValues } from '../matching/model.ts';
import { otherOf } from '../domain/links.ts';
import type { Named, NextKeys, RegistryView, StoredCompanion } from './ports.ts';

/**
 * What the registry will look like once the change sets applied so far are committed: the base view with them laid over
 * it. A batch is decided in one, and a transaction Bundle in another on top; nobody else ever sees it, so nothing needs
 * undoing (design §2.1).
 */
export interface Overlay extends RegistryView {
  /** Sequence that the next applied change set will have. */
  readonly sequence: Sequence;
  readonly next: NextKeys;
  readonly changes: readonly ChangeSet[];
  /** Records that the applied change sets wrote with content: the candidate index is behind on them. */
  readonly rewritten: ReadonlySet<RecordKey>;
  /** Applies all of them, or none: reads what it needs of the base first, and then cannot fail. */
  apply(...changes: readonly ChangeSet[]): Promise<void>;
}

interface Start {
  readonly sequence: Sequence;
  readonly next: NextKeys;
  /** Of an overlay laid on another: the candidate index is behind on these already. */
  readonly rewritten?: ReadonlySet<RecordKey>;
}

type LinkEvent = { readonly at: Sequence; readonly link: HeldLink } | { readonly at: Sequence; readonly ends: PairOfLink };
interface PairOfLink {
  readonly record: RecordKey;
  readonly golden: GoldenKey;
}

const nameKey = (scope: string, system: string, value: string): string => JSON.stringify([scope, system, value]);

const push = <K, V>(map: Map<K, V[]>, key: K, value: V): void => {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
};

const override = <V>(map: Map<RecordKey, Map<RecordKey, V>>, { a, b }: PairName, value: V): void => {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const row = map.get(one) ?? new Map<RecordKey, V>();
    map.set(one, row.set(other, value));
  }
};

/** The base's rows about `record`, each replaced by the overlay's word on the same pair, if it has one. */
const overridden = <V extends PairName>(
  base: readonly V[],
  over: ReadonlyMap<RecordKey, V | null> | undefined,
  record: RecordKey,
): readonly V[] => {
  if (!over) return base;
  const kept = base.filter((row) => !over.has(otherOf(row, record)));
  return [...kept, ...[...over.values()].filter((row) => row !== null)];
};

const withEvents = (base: readonly HeldLink[], events: readonly LinkEvent[] | undefined): readonly HeldLink[] => {
  if (!events) return base;
  const links = [...base];
  for (const event of events) {
    if ('link' in event) links.push(event.link);
    else {
      const open = links.findIndex((l) => l.until === null && l.record === event.ends.record && l.golden === event.ends.golden);
      const link = links[open];
      if (link) links[open] = { ...link, until: event.at };
    }
  }
  return links;
};

const hasIdentifier = ({ companion, resource }: StoredCompanion, term: string): boolean =>
  resource !== null && termsOf(companion, resource).some(({ parameter, value }) => parameter === 'identifier' && value === term);

export function createOverlay(base: RegistryView, start: Start): Overlay {
  let sequence = start.sequence;
  let next = start.next;
  const changes: ChangeSet[] = [];
  const rewritten = new Set(start.rewritten);
  const names = new Map<string, RecordKey>();
  const ids = new Map<string, Named>();
  const aliases = new Map<string, RecordKey>();
  const records = new Map<RecordKey, SourceRecord>();
  const created = new Set<RecordKey>();
  const contents = new Map<RecordKey, { resource: string; features: FeatureValues; names: ReadonlySet<string> }>();
  const goldens = new Map<GoldenKey, GoldenRecord>();
  const linkEvents = new Map<RecordKey, LinkEvent[]>();
  const goldenEvents = new Map<GoldenKey, LinkEvent[]>();
  const pairs = new Map<RecordKey, Map<RecordKey, Pair | null>>();
  const adjudications = new Map<RecordKey, Map<RecordKey, Adjudication | null>>();
  const opened = new Map<RecordKey, ReviewTask[]>();
  const closed = new Set<number>();
  const companions = new Map<string, StoredCompanion>();
  const givenIds = new Map<string, string>();

  const applyRecords = (change: ChangeSet): void => {
    for (const { record, content, features } of change.records) {
      records.set(record.key, { ...record, since: sequence, lastUpdated: change.at });
      if (record.version === 1) created.add(record.key);
      ids.set(record.id, { kind: 'record', key: record.key });
      next = { ...next, nextRecord: Math.max(next.nextRecord, record.key + 1) };
      if (!content || !features) continue;
      rewritten.add(record.key);
      const own = content.identifiers.filter((i) => i.names).map((i) => nameKey(i.scope, i.system, i.value));
      contents.set(record.key, { resource: content.resource, features, names: new Set(own) });
      for (const name of own) names.set(name, record.key);
    }
    for (const alias of change.aliases) aliases.set(nameKey('', alias.client, alias.id), alias.record);
  };

  /** Golden records of the base that stay retired. */
  const staying = async (applied: readonly ChangeSet[]): Promise<ReadonlyMap<GoldenKey, GoldenRecord>> => {
    const found = new Map<GoldenKey, GoldenRecord>();
    for (const { golden, retired } of applied.flatMap((change) => change.goldens)) {
      const before = golden.active || retired === 'now' ? undefined : await base.golden(golden.key);
      if (before) found.set(golden.key, before);
    }
    return found;
  };

  const applyGoldens = (change: ChangeSet, stay: ReadonlyMap<GoldenKey, GoldenRecord>): void => {
    for (const { golden, retired } of change.goldens) {
      const before = goldens.get(golden.key) ?? stay.get(golden.key);
      const retiredAt = retired === 'now' ? sequence : golden.active ? null : (before?.retiredAt ?? null);
      goldens.set(golden.key, { ...golden, retiredAt, since: sequence, lastUpdated: change.at });
      ids.set(golden.id, { kind: 'golden', key: golden.key });
      next = { ...next, nextGolden: Math.max(next.nextGolden, golden.key + 1) };
    }
  };

  const applyLinks = (change: ChangeSet): void => {
    const record = (event: LinkEvent, of: PairOfLink): void => {
      push(linkEvents, of.record, event);
      push(goldenEvents, of.golden, event);
    };
    for (const ends of change.linksEnded) record({ at: sequence, ends }, ends);
    for (const link of change.linksBegun) {
      record({ at: sequence, link: { ...link, from: sequence, until: null } }, link);
    }
  };

  const applyPairs = (change: ChangeSet): void => {
    for (const name of change.pairsEnded) override<Pair | null>(pairs, name, null);
    for (const pair of change.pairsBegun) override<Pair | null>(pairs, pair, pair);
    for (const said of change.adjudications) {
      override<Adjudication | null>(adjudications, said, said.verdict === 'undecided' ? null : said);
    }
    for (const key of change.tasksClosed) closed.add(key);
    for (const task of change.tasksOpened) {
      push(opened, task.record, task);
      next = { ...next, nextTask: Math.max(next.nextTask, task.key + 1) };
    }
  };

  const companionKey = (type: CompanionType, id: string): string => `${type}/${id}`;
  const applyCompanions = (change: ChangeSet): void => {
    for (const { companion, resource } of change.companions) {
      const { type, id, source, givenId } = companion;
      companions.set(companionKey(type, id), { companion: { ...companion, since: sequence, lastUpdated: change.at }, resource });
      if (givenId !== null) givenIds.set(nameKey(type, source, givenId), id);
    }
  };

  /** The base's rows about a record; it has none about one that was created here. */
  const below = async <V>(record: RecordKey, read: (record: RecordKey) => Promise<readonly V[]>): Promise<readonly V[]> =>
    created.has(record) ? [] : read(record);

  return {
    get sequence() {
      return sequence;
    },
    get next() {
      return next;
    },
    changes,
    rewritten,
    async apply(...applied) {
      const stay = await staying(applied);
      for (const change of applied) {
        applyRecords(change);
        applyGoldens(change, stay);
        applyLinks(change);
        applyPairs(change);
        applyCompanions(change);
        changes.push(change);
        sequence += 1;
      }
    },
    async named(scope, system, value) {
      const name = nameKey(scope, system, value);
      const over = names.get(name);
      if (over !== undefined && contents.get(over)?.names.has(name)) return over;
      const found = await base.named(scope, system, value);
      // The base's record may have lost this identifier to a later version.
      if (found === undefined || !contents.has(found)) return found;
      return contents.get(found)?.names.has(name) ? found : undefined;
    },
    async resolveId(id, client) {
      const alias = aliases.get(nameKey('', client, id));
      if (alias !== undefined) return { kind: 'record', key: alias };
      return (await base.resolveId(id, client)) ?? ids.get(id);
    },
    record: async (key) => records.get(key) ?? base.record(key),
    resource: async (key) => contents.get(key)?.resource ?? base.resource(key),
    features: async (key) => contents.get(key)?.features ?? base.features(key),
    golden: async (key) => goldens.get(key) ?? base.golden(key),
    async members(golden) {
      const events = goldenEvents.get(golden);
      if (!events) return base.members(golden);
      const members = new Set(await base.members(golden));
      for (const event of events) {
        if ('link' in event) members.add(event.link.record);
        else members.delete(event.ends.record);
      }
      return [...members].sort((x, y) => x - y);
    },
    async subsumed(record) {
      const base_ = (await below(record, base.subsumed)).filter((key) => !records.has(key));
      const own = [...records.values()].filter((one) => one.mergedInto === record).map(({ key }) => key);
      return own.length === 0 ? base_ : [...base_, ...own].sort((x, y) => x - y);
    },
    linksOf: async (record) => withEvents(await below(record, base.linksOf), linkEvents.get(record)),
    linksTo: async (golden) => withEvents(await base.linksTo(golden), goldenEvents.get(golden)),
    pairs: async (record) => overridden<Pair>(await below(record, base.pairs), pairs.get(record), record),
    adjudications: async (record) =>
      overridden<Adjudication>(await below(record, base.adjudications), adjudications.get(record), record),
    async openTasks(record) {
      const tasks = [...(await below(record, base.openTasks)), ...(opened.get(record) ?? [])];
      return closed.size === 0 ? tasks : tasks.filter((task) => !closed.has(task.key));
    },
    async companion(type, id, client) {
      const given = givenIds.get(nameKey(type, client, id));
      if (given !== undefined) return companions.get(companionKey(type, given));
      const found = await base.companion(type, id, client);
      return companions.get(companionKey(type, found?.companion.id ?? id)) ?? found;
    },
    async companionsBy(type, identifier, source) {
      const found = await base.companionsBy(type, identifier, source);
      if (companions.size === 0) return found;
      const term = pairTerm(identifier.system, identifier.value);
      const over = [...companions.values()].filter(
        (one) => one.companion.type === type && (source === null || one.companion.source === source) && hasIdentifier(one, term),
      );
      return [...found.filter(({ companion }) => !companions.has(companionKey(type, companion.id))), ...over];
    },
  };
}
