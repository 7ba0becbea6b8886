import type { GoldenWrite } from '../../domain/change-set.ts';
import type { RecordIdentifier, RecordKey } from '../../domain/identity.ts';
import type { Connection } from './connection.ts';
import { namingOf, type Payload, type Placed, type RecordSkeleton } from './skeleton.ts';
import type { Words } from './words.ts';

/** SQLite has no booleans. */
const bit = (value: boolean): 0 | 1 => (value ? 1 : 0);

const recordIdNumber = (key: number): number => 2 * key;
const goldenIdNumber = (key: number): number => 2 * key + 1;

interface IdentifierWriter {
  release(record: RecordKey, identifiers: readonly RecordIdentifier[]): void;
  take(record: RecordKey, identifiers: readonly RecordIdentifier[]): void;
}

const openIdentifierWriter = (db: Connection, words: Words): IdentifierWriter => {
  const remove = db.prepare<[string, number, number]>('DELETE FROM identifier WHERE value = ? AND system = ? AND record = ?');
  const add = db.prepare<[string, number, number, number, number]>(
    'INSERT INTO identifier (value, system, record, names, scope) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const holder = db
    .prepare<[string, number, number], number>(
      'SELECT record FROM identifier WHERE value = ? AND system = ? AND names = 1 AND scope = ?',
    )
    .pluck();
  const take = (record: RecordKey, { system, value, names, scope }: RecordIdentifier): void => {
    const [systemWord, scopeWord] = [words.number(system), words.number(scope)];
    const other = names ? holder.get(value, systemWord, scopeWord) : undefined;
    if (other !== undefined && other !== record) throw new Error(`one identifier would name the records ${other} and ${record}`);
    add.run(value, systemWord, record, bit(names), scopeWord);
  };
  return {
    release: (record, identifiers) => {
      for (const { system, value } of identifiers) remove.run(value, words.number(system), record);
    },
    take: (record, identifiers) => {
      for (const identifier of identifiers) take(record, identifier);
    },
  };
};

/** Stores a version's payload where it has one; answers the key of the payload that the version shows. */
const openPayloadWriter = (db: Connection) => {
  const add = db.prepare<[Buffer | null, string | null, string | null]>(
    'INSERT INTO payload (salt, naming, resource) VALUES (?, ?, ?)',
  );
  return (entry: RecordSkeleton, payload: Payload | null, before: number | undefined): number => {
    if (payload) return Number(add.run(payload.salt, payload.naming, payload.resource).lastInsertRowid);
    if (before === undefined) throw new Error(`record ${entry.key} begins without content`);
    return before;
  };
};

type VersionRow = [number, number, number, number, number, string, number, string, number, number | null, number];

const openVersionWriter = (db: Connection, words: Words) => {
  const addVersion = db.prepare<VersionRow>(
    `INSERT INTO record_version (record, version, source, active, golden, flags, since, at, payload, merged_into, deleted)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const setCurrent = db.prepare<[number, number, number, number, number | null]>(
    // Not REPLACE: it would delete first, and look for the row in every table that refers to it.
    `INSERT INTO record (key, version, active, payload, merged_into) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET version = excluded.version, active = excluded.active, payload = excluded.payload,
     merged_into = excluded.merged_into`,
  );
  return ({ sequence, skeleton }: Placed, entry: RecordSkeleton, payload: number): void => {
    const { key, version, source, golden, flags, mergedInto = null, deleted = false } = entry;
    const active = bit(entry.active);
    setCurrent.run(key, version, active, payload, mergedInto);
    const state = [words.number(source), active, golden, flags.join(' ')] as const;
    addVersion.run(key, version, ...state, sequence, skeleton.at, payload, mergedInto, bit(deleted));
  };
};

const openGoldenWriter = (db: Connection, addId: (n: number, id: string) => void) => {
  const retiredAt = db
    .prepare<[number], number | null>(
      'SELECT retired_at FROM golden JOIN golden_version v ON v.golden = key AND v.version = golden.version WHERE key = ?',
    )
    .pluck();
  const exists = db.prepare<[number], number>('SELECT 1 FROM golden WHERE key = ?').pluck();
  const setCurrent = db.prepare<[number, number]>(
    'INSERT INTO golden (key, version) VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
  );
  const addVersion = db.prepare<[number, number, number, number | null, number | null, number, string]>(
    'INSERT INTO golden_version (golden, version, active, replaced_by, retired_at, since, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  return ({ sequence, skeleton }: Placed, { golden, retired }: GoldenWrite): void => {
    const { key, version, active, replacedBy } = golden;
    const left = retired === 'now' ? sequence : (retiredAt.get(key) ?? null);
    if (exists.get(key) === undefined) addId(goldenIdNumber(key), golden.id);
    setCurrent.run(key, version);
    addVersion.run(key, version, bit(active), replacedBy, active ? null : left, sequence, skeleton.at);
  };
};

/** Golden records, records with their payloads, and the identifiers that name them. */
export const openRecordWriter = (db: Connection, words: Words): ((placed: Placed) => void) => {
  const addId = db.prepare<[number, string]>('INSERT INTO id (n, text) VALUES (?, ?)');
  const current = db.prepare<[number], { payload: number; naming: string | null }>(
    'SELECT r.payload, p.naming FROM record r JOIN payload p ON p.key = r.payload WHERE r.key = ?',
  );
  const writeGolden = openGoldenWriter(db, (n, id) => addId.run(n, id));
  const [writePayload, writeVersion] = [openPayloadWriter(db), openVersionWriter(db, words)];
  const identifiers = openIdentifierWriter(db, words);
  return (placed) => {
    const { goldens, records } = placed.skeleton;
    for (const golden of goldens) writeGolden(placed, golden);
    records.forEach((entry, index) => {
      const payload = placed.payloads[index] ?? null;
      const before = current.get(entry.key);
      if (!before) addId.run(recordIdNumber(entry.key), entry.id);
      if (payload && before) identifiers.release(entry.key, namingOf(before.naming).identifiers);
      writeVersion(placed, entry, writePayload(entry, payload, before?.payload));
    });
    // After every release, so that an identifier may move between records of one change set.
    records.forEach(({ key }, index) => {
      const payload = placed.payloads[index];
      if (payload) identifiers.take(key, namingOf(payload.naming).identifiers);
    });
  };
};
