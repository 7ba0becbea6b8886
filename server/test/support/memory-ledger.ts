/**
 * The ledger in plain maps: the contract's second reading, and the disk of the seeded simulation. A commit works on a
 * copy that takes the state's place at the end, so that it happens at once or not at all.
 */
import type { ChangeSet } from '../../src/domain/change-set.ts';
import type { CompanionType } from '../../src/domain/companions.ts';
import type { GoldenKey, RecordKey, Sequence } from '../../src/domain/identity.ts';
import { type Adjudication, type HeldLink, pairName } from '../../src/domain/links.ts';
import type { AskedTerm } from '../../src/fhir/companion-search.ts';
import { pairTerm, termsOf } from '../../src/fhir/companions.ts';
import type { FeatureSpec, FeatureValues } from '../../src/matching/model.ts';
import type {
  CommitOutcome,
  CompanionQuery,
  IdentifierQuery,
  Ledger,
  Named,
  NextKeys,
  Reader,
  RegistryScan,
  RegistryView,
  StoredCompanion,
  StoredGolden,
  StoredRecord,
} from '../../src/registry/ports.ts';
import { promised, type Sync } from '../../src/adapters/sql/promised.ts';
import {
  aliasName,
  append,
  copyOf,
  featureMap,
  featureName,
  last,
  type MemoryDisk,
  memoryDisk,
  nameOf,
  namesOf,
  type State,
} from './memory-state.ts';

export { type MemoryDisk, memoryDisk } from './memory-state.ts';

const commitOn =
  (disk: MemoryDisk, specs: readonly FeatureSpec[]) =>
  (batch: string, changes: readonly ChangeSet[], after: Sequence, next: NextKeys): CommitOutcome => {
    if (disk.state.head.sequence !== after) return { kind: 'behind' };
    if (changes.length === 0) return { kind: 'committed', head: disk.state.head };
    const draft = copyOf(disk.state);
    for (const change of changes) append(draft, specs, change);
    const { nextRecord, nextGolden, nextTask } = next;
    draft.head = { ...draft.head, nextRecord, nextGolden, nextTask };
    draft.batches.set(batch, draft.head.sequence);
    disk.state = draft;
    return { kind: 'committed', head: draft.head };
  };

const byKey = (a: number, b: number): number => a - b;

const allLinks = (state: State): readonly HeldLink[] => [...state.links.values()].flat();

/** Records linked to a golden record when the ledger stood at `at`. */
const membersAt = (state: State, golden: GoldenKey, at: Sequence): readonly RecordKey[] =>
  allLinks(state)
    .filter((link) => link.golden === golden && link.from <= at && (link.until === null || link.until > at))
    .map(({ record }) => record)
    .sort(byKey);

const resolveOn =
  (disk: MemoryDisk) =>
  (id: string, client: string): Named | undefined => {
    const { ids, aliases } = disk.state;
    const named = (key: RecordKey | undefined): Named | undefined => (key === undefined ? undefined : { kind: 'record', key });
    return named(aliases.get(aliasName(id, client))) ?? ids.get(id) ?? named(aliases.get(aliasName(id, '')));
  };

/** The latest adjudication on each pair of the record at a sequence. */
const decided = (state: State, record: RecordKey, at: Sequence): readonly Adjudication[] => {
  const latest = new Map<string, Adjudication>();
  for (const { at: since, ...one } of state.adjudications) {
    if (since <= at && (one.a === record || one.b === record)) latest.set(nameOf(one), one);
  }
  return [...latest.values()].sort((x, y) => x.a - y.a || x.b - y.b);
};

const companionOn =
  (disk: MemoryDisk) =>
  (type: CompanionType, id: string, client: string): StoredCompanion | undefined => {
    const all = [...disk.state.companions.values()].map((versions) => last(versions));
    const given = all.find(
      (one) => one?.companion.type === type && one.companion.source === client && one.companion.givenId === id,
    );
    return given ?? last(disk.state.companions.get(`${type}/${id}`));
  };

const meets = ({ companion, resource }: StoredCompanion, terms: readonly AskedTerm[]): boolean => {
  const own = resource === null ? [] : termsOf(companion, resource);
  return terms.some(({ parameter, value, match }) =>
    own.some((term) => {
      if (term.parameter !== parameter) return false;
      if (match === 'is') return term.value === value;
      return match === 'starts' ? term.value.startsWith(value) : term.value.includes(value);
    }),
  );
};

/** With their places in the order in which they were created, from 1. */
const companionsIn = ({ state }: MemoryDisk, { type, source, terms }: CompanionQuery) =>
  [...state.companions.values()].flatMap((versions, index) => {
    const one = last(versions);
    const found =
      one?.companion.type === type &&
      one.resource !== null &&
      (source === null || one.companion.source === source) &&
      terms.every((list) => meets(one, list));
    return one && found ? [{ one, key: index + 1 }] : [];
  });

const viewOf = (disk: MemoryDisk, specs: readonly FeatureSpec[]): Sync<RegistryView> => {
  const current = (key: RecordKey): StoredRecord | undefined => last(disk.state.records.get(key));
  const named = (scope: string, system: string, value: string): RecordKey | undefined =>
    [...disk.state.records.keys()].find((key) => {
      const stored = current(key);
      return stored && namesOf(stored).includes(JSON.stringify([scope, system, value]));
    });
  const valuesOf = (key: RecordKey): FeatureValues =>
    specs.map((spec) => disk.state.features.get(key)?.get(featureName(spec)) ?? '');
  return {
    named,
    resolveId: resolveOn(disk),
    record: (key) => current(key)?.record,
    resource: (key) => current(key)?.resource,
    features: (key) => (current(key) ? valuesOf(key) : undefined),
    golden: (key) => last(disk.state.goldens.get(key)),
    members: (golden) => membersAt(disk.state, golden, disk.state.head.sequence),
    subsumed: (record) => [...disk.state.records.keys()].filter((key) => current(key)?.record.mergedInto === record).sort(byKey),
    linksOf: (record) => disk.state.links.get(record) ?? [],
    linksTo: (golden) =>
      allLinks(disk.state)
        .filter((link) => link.golden === golden)
        .sort((x, y) => x.from - y.from || x.record - y.record),
    pairs: (record) =>
      [...disk.state.pairs.values()].filter(({ a, b }) => a === record || b === record).sort((x, y) => x.a - y.a || x.b - y.b),
    adjudications: (record) => decided(disk.state, record, Infinity).filter(({ verdict }) => verdict !== 'undecided'),
    openTasks: (record) => [...disk.state.tasks.values()].filter((task) => task.record === record),
    companion: companionOn(disk),
    companionsBy: (type, { system, value }, source) => {
      const term: AskedTerm = { parameter: 'identifier', value: pairTerm(system, value), match: 'is' };
      return companionsIn(disk, { type, source, terms: [[term]] }).map(({ one }) => one);
    },
  };
};

const holders = ({ state }: MemoryDisk, queries: readonly IdentifierQuery[]): readonly RecordKey[] =>
  [...state.records]
    .filter(([, versions]) =>
      last(versions)?.identifiers.some((held) =>
        queries.some(
          ({ system, value }) => (system === null || system === held.system) && (value === null || value === held.value),
        ),
      ),
    )
    .map(([key]) => key)
    .sort(byKey);

const newestFirst = <T>(list: readonly T[] | undefined): readonly T[] => [...(list ?? [])].reverse();

const readerOf = (disk: MemoryDisk): Sync<Reader> => {
  const goldenVersions = (key: GoldenKey): readonly StoredGolden[] =>
    (disk.state.goldens.get(key) ?? []).map((golden, index, all) => {
      const end = (all[index + 1]?.since ?? disk.state.head.sequence + 1) - 1;
      return { golden, members: membersAt(disk.state, key, end) };
    });
  const recordVersions = (key: RecordKey): readonly StoredRecord[] => disk.state.records.get(key) ?? [];
  const idOf = (key: RecordKey): string => last(disk.state.records.get(key))?.record.id ?? '';
  return {
    head: () => disk.state.head,
    resolveId: resolveOn(disk),
    storedRecord: (key) => last(recordVersions(key)),
    storedGolden: (key) => last(goldenVersions(key)),
    recordVersions: (key, before, limit) =>
      newestFirst(recordVersions(key).filter(({ record }) => record.version < before)).slice(0, limit),
    recordVersion: (key, version) => recordVersions(key).find(({ record }) => record.version === version),
    goldenVersions: (key, before, limit) =>
      newestFirst(goldenVersions(key).filter(({ golden }) => golden.version < before)).slice(0, limit),
    goldenVersion: (key, version) => goldenVersions(key).find(({ golden }) => golden.version === version),
    brokenWith: (key, at) =>
      decided(disk.state, key, at)
        .filter(({ verdict }) => verdict === 'different')
        .map(({ a, b }) => idOf(a === key ? b : a)),
    byIdentifier: (queries, after, limit) =>
      holders(disk, queries)
        .filter((key) => key > after)
        .slice(0, limit),
    countByIdentifier: (queries) => holders(disk, queries).length,
    companion: companionOn(disk),
    companionVersions: (type, id, before, limit) =>
      newestFirst(disk.state.companions.get(`${type}/${id}`)?.filter(({ companion }) => companion.version < before)).slice(
        0,
        limit,
      ),
    companions: (query, after, limit) => {
      const all = companionsIn(disk, query);
      const rest = all.filter(({ key }) => key > after);
      const shown = rest.slice(0, limit);
      return {
        found: shown.map(({ one }) => one),
        total: all.length,
        next: rest.length > shown.length ? (last(shown)?.key ?? null) : null,
      };
    },
    clients: () => [...disk.state.clients.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    ruleDefinition: (version) => disk.state.definitions.get(version),
    certificates: () => [...disk.state.certificates.values()].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)),
    revocations: () => disk.state.revocations,
    changes: (after, limit) => disk.state.log.filter(({ sequence }) => sequence > after).slice(0, limit),
    passwords: () => [...disk.state.passwords.values()].sort((x, y) => (x.client < y.client ? -1 : 1)),
    changeSets: (before, limit) => newestFirst(disk.state.log.filter(({ sequence }) => sequence < before)).slice(0, limit),
  };
};

async function* featureRows({ state }: MemoryDisk, specs: readonly FeatureSpec[]) {
  await Promise.resolve();
  for (const [record, versions] of [...state.records].sort(([a], [b]) => a - b)) {
    if (last(versions)?.record.active !== true) continue;
    yield { record, values: specs.map((spec) => state.features.get(record)?.get(featureName(spec)) ?? '') };
  }
}

async function* linksInForce({ state }: MemoryDisk) {
  await Promise.resolve();
  for (const [record, links] of [...state.links].sort(([a], [b]) => a - b)) {
    const link = links.find(({ until }) => until === null);
    if (link) yield { record, golden: link.golden, ruleVersion: link.ruleVersion };
  }
}

async function* tiesOf(disk: MemoryDisk) {
  await Promise.resolve();
  for (const { a, b } of disk.state.adjudications) {
    const now = decided(disk.state, a, disk.state.head.sequence).find((said) => said.a === a && said.b === b);
    const gone = [a, b].some((key) => last(disk.state.records.get(key))?.record.deleted);
    if (now?.verdict === 'same' && !gone) yield { a, b, by: 'people' as const };
  }
  for (const [key, versions] of disk.state.records) {
    const into = last(versions)?.record.mergedInto;
    if (into !== undefined) yield { ...pairName(key, into), by: 'people' as const };
  }
  for (const { a, b, class: level } of disk.state.pairs.values()) if (level === 'auto') yield { a, b, by: 'rules' as const };
}

const scanOf = (disk: MemoryDisk): RegistryScan => ({
  featureRows: (specs) => featureRows(disk, specs),
  links: () => linksInForce(disk),
  ties: () => tiesOf(disk),
  ...promised<Omit<RegistryScan, 'featureRows' | 'links' | 'ties'>>({
    pairsFrom: (first, last) =>
      [...disk.state.pairs.values()].filter(({ a }) => a >= first && a <= last).sort((x, y) => x.a - y.a || x.b - y.b),
    completeFeatures: (specs) =>
      specs.map((spec) => [...disk.state.records.keys()].every((key) => disk.state.features.get(key)?.has(featureName(spec)))),
    hashAt: (sequence) => disk.state.hashes[sequence - 1],
    lacking: (specs, after, limit) =>
      [...disk.state.records]
        .filter(([key]) => key > after && specs.some((spec) => !disk.state.features.get(key)?.has(featureName(spec))))
        .sort(([a], [b]) => a - b)
        .slice(0, limit)
        .map(([record, versions]) => ({ record, resource: last(versions)?.resource ?? '' })),
    putFeatures: (specs, rows) => {
      for (const { record, values } of rows) {
        const merged = new Map([...(disk.state.features.get(record) ?? []), ...featureMap(specs, values)]);
        disk.state.features.set(record, merged);
      }
    },
  }),
});

export interface MemoryStore {
  readonly ledger: Ledger;
  readonly reader: Reader;
  readonly scan: RegistryScan;
}

/** A registry on `disk`, under rules with these features. */
export const openMemoryStore = (specs: readonly FeatureSpec[], disk: MemoryDisk = memoryDisk()): MemoryStore => ({
  ledger: promised<Ledger>({
    ...viewOf(disk, specs),
    head: () => disk.state.head,
    commit: commitOn(disk, specs),
    committed: (batch) => disk.state.batches.get(batch),
    changes: (after, limit) => disk.state.log.filter(({ sequence }) => sequence > after).slice(0, limit),
  }),
  reader: promised<Reader>(readerOf(disk)),
  scan: scanOf(disk),
});
