/** The state of the ledger in plain maps, and what a change set does to it; see memory-ledger.ts. */
import { createHash } from 'node:crypto';
import type { ChangeSet, Committed, GoldenWrite, RecordWrite } from '../../src/domain/change-set.ts';
import type { CompanionWrite } from '../../src/domain/companions.ts';
import type { GoldenKey, Instant, RecordKey, Sequence } from '../../src/domain/identity.ts';
import type { Adjudication, HeldLink, Pair, PairName } from '../../src/domain/links.ts';
import type { Client, ClientPassword, IssuedCertificate, Revocation } from '../../src/domain/principals.ts';
import type { GoldenRecord } from '../../src/domain/records.ts';
import type { ReviewTask } from '../../src/domain/review.ts';
import type { FeatureSpec, FeatureValues } from '../../src/matching/model.ts';
import type { Head, Named, StoredCompanion, StoredRecord } from '../../src/registry/ports.ts';

export interface State {
  head: Head;
  readonly log: Committed[];
  /** By sequence less one. */
  readonly hashes: string[];
  readonly batches: Map<string, Sequence>;
  readonly ids: Map<string, Named>;
  readonly aliases: Map<string, RecordKey>;
  /** Oldest first. */
  readonly records: Map<RecordKey, readonly StoredRecord[]>;
  readonly goldens: Map<GoldenKey, readonly GoldenRecord[]>;
  readonly links: Map<RecordKey, readonly HeldLink[]>;
  readonly pairs: Map<string, Pair>;
  readonly adjudications: (Adjudication & { readonly at: Sequence })[];
  readonly tasks: Map<number, ReviewTask>;
  readonly clients: Map<string, Client>;
  readonly certificates: Map<string, IssuedCertificate>;
  readonly definitions: Map<string, string>;
  readonly revocations: Revocation[];
  readonly passwords: Map<string, ClientPassword>;
  /** By type and id, in the order in which they were created; their versions oldest first. */
  readonly companions: Map<string, readonly StoredCompanion[]>;
  /** By record, then by feature. */
  readonly features: Map<RecordKey, ReadonlyMap<string, string>>;
}

/** What outlives a crash: ledgers opened on the same disk see the same registry. */
export interface MemoryDisk {
  state: State;
}

export const memoryDisk = (): MemoryDisk => ({
  state: {
    head: { sequence: 0, hash: '0'.repeat(64), nextRecord: 1, nextGolden: 1, nextTask: 1, ruleVersion: '' },
    log: [],
    hashes: [],
    batches: new Map(),
    ids: new Map(),
    aliases: new Map(),
    records: new Map(),
    goldens: new Map(),
    links: new Map(),
    pairs: new Map(),
    adjudications: [],
    tasks: new Map(),
    clients: new Map(),
    certificates: new Map(),
    definitions: new Map(),
    revocations: [],
    passwords: new Map(),
    companions: new Map(),
    features: new Map(),
  },
});

export const copyOf = (state: State): State => ({
  head: state.head,
  log: [...state.log],
  hashes: [...state.hashes],
  batches: new Map(state.batches),
  ids: new Map(state.ids),
  aliases: new Map(state.aliases),
  records: new Map(state.records),
  goldens: new Map(state.goldens),
  links: new Map(state.links),
  pairs: new Map(state.pairs),
  adjudications: [...state.adjudications],
  tasks: new Map(state.tasks),
  clients: new Map(state.clients),
  certificates: new Map(state.certificates),
  definitions: new Map(state.definitions),
  revocations: [...state.revocations],
  passwords: new Map(state.passwords),
  companions: new Map(state.companions),
  features: new Map(state.features),
});

const fail = (text: string): never => {
  throw new Error(text);
};

export const nameOf = ({ a, b }: PairName): string => `${a} ${b}`;
export const aliasName = (id: string, client: string): string => JSON.stringify([id, client]);
export const featureName = ({ path, normaliser, multi }: FeatureSpec): string => JSON.stringify([path, normaliser, multi]);
export const last = <T>(list: readonly T[] | undefined): T | undefined => list?.at(-1);

export const featureMap = (specs: readonly FeatureSpec[], values: FeatureValues): ReadonlyMap<string, string> =>
  new Map(specs.map((spec, index) => [featureName(spec), values[index] ?? '']));

const giveId = (state: State, id: string, named: Named): void => {
  if (state.ids.has(id)) fail(`the id of ${named.kind} ${named.key} is taken`);
  state.ids.set(id, named);
};

/** Where in time a change set stands. */
interface Place {
  readonly since: Sequence;
  readonly lastUpdated: Instant;
}

const writeRecord = (state: State, { record, content }: RecordWrite, place: Place): void => {
  const before = state.records.get(record.key);
  const shown = content ?? last(before) ?? fail(`record ${record.key} begins without content`);
  if (!before) giveId(state, record.id, { kind: 'record', key: record.key });
  const { resource, identifiers } = shown;
  state.records.set(record.key, [...(before ?? []), { record: { ...record, ...place }, resource, identifiers }]);
};

const writeGolden = (state: State, { golden, retired }: GoldenWrite, place: Place): void => {
  const before = state.goldens.get(golden.key);
  if (!before) giveId(state, golden.id, { kind: 'golden', key: golden.key });
  const left = retired === 'now' ? place.since : (last(before)?.retiredAt ?? null);
  const next = { ...golden, ...place, retiredAt: golden.active ? null : left };
  state.goldens.set(golden.key, [...(before ?? []), next]);
};

export const namesOf = (stored: StoredRecord): readonly string[] =>
  stored.identifiers.filter(({ names }) => names).map(({ scope, system, value }) => JSON.stringify([scope, system, value]));

const checkNames = (state: State): void => {
  const holders = new Map<string, RecordKey>();
  for (const [key, versions] of state.records) {
    for (const name of versions.slice(-1).flatMap(namesOf)) {
      if ((holders.get(name) ?? key) !== key) fail(`one identifier would name the records ${holders.get(name)} and ${key}`);
      holders.set(name, key);
    }
  }
};

const currentLink = (state: State, record: RecordKey): HeldLink | undefined =>
  state.links.get(record)?.find(({ until }) => until === null);

const writeLinks = (state: State, { linksEnded, linksBegun }: ChangeSet, sequence: Sequence): void => {
  for (const { record, golden } of linksEnded) {
    const ended = currentLink(state, record);
    if (ended?.golden !== golden) fail(`record ${record} is not linked to golden record ${golden}`);
    const links = state.links.get(record) ?? [];
    state.links.set(
      record,
      links.map((link) => (link === ended ? { ...link, until: sequence } : link)),
    );
  }
  for (const link of linksBegun) {
    if (currentLink(state, link.record)) fail(`record ${link.record} is already linked`);
    if (!state.records.has(link.record) || !state.goldens.has(link.golden)) fail('a link names nothing');
    state.links.set(link.record, [...(state.links.get(link.record) ?? []), { ...link, from: sequence, until: null }]);
  }
};

const writeTasks = (state: State, { tasksClosed, tasksOpened }: ChangeSet): void => {
  for (const key of tasksClosed) if (!state.tasks.delete(key)) fail(`task ${key} is not open`);
  for (const task of tasksOpened) state.tasks.set(task.key, task);
};

const writeRegisters = (state: State, change: ChangeSet): void => {
  for (const { id, client, record } of change.aliases) state.aliases.set(aliasName(id, client), record);
  for (const client of change.clients) state.clients.set(client.name, client);
  if (change.rules) state.definitions.set(change.rules.version, change.rules.definition);
  for (const certificate of change.certificates) state.certificates.set(certificate.fingerprint, certificate);
  state.revocations.push(...change.revocations);
  for (const password of change.passwords) {
    if (password.hash === null) state.passwords.delete(password.client);
    else state.passwords.set(password.client, password);
  }
};

const writeCompanion = (state: State, { companion, resource }: CompanionWrite, place: Place): void => {
  const key = `${companion.type}/${companion.id}`;
  state.companions.set(key, [...(state.companions.get(key) ?? []), { companion: { ...companion, ...place }, resource }]);
};

const chained = (previous: string, change: ChangeSet): string =>
  createHash('sha256').update(previous).update(JSON.stringify(change)).digest('hex');

export const append = (state: State, specs: readonly FeatureSpec[], change: ChangeSet): void => {
  const sequence = state.head.sequence + 1;
  const place = { since: sequence, lastUpdated: change.at };
  for (const golden of change.goldens) writeGolden(state, golden, place);
  for (const record of change.records) writeRecord(state, record, place);
  if (change.records.length > 0) checkNames(state);
  writeLinks(state, change, sequence);
  for (const name of change.pairsEnded) state.pairs.delete(nameOf(name));
  for (const pair of change.pairsBegun) state.pairs.set(nameOf(pair), pair);
  state.adjudications.push(...change.adjudications.map((adjudication) => ({ ...adjudication, at: sequence })));
  writeTasks(state, change);
  writeRegisters(state, change);
  for (const companion of change.companions) writeCompanion(state, companion, place);
  for (const { record, features } of change.records) if (features) state.features.set(record.key, featureMap(specs, features));
  const records = change.records.map((write) => ({ ...write, features: null }));
  const passwords = change.passwords.map((password) => ({ ...password, hash: null }));
  state.log.push({ sequence, change: { ...change, records, passwords } });
  const ruleVersion = change.rules?.version ?? state.head.ruleVersion;
  const hash = chained(state.head.hash, change);
  state.hashes.push(hash);
  state.head = { ...state.head, sequence, hash, ruleVersion };
};
