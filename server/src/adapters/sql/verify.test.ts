import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import {
  arrival,
  change,
  commit,
  FEATURES,
  featuresOf,
  goldenWrite,
  link,
  mrn,
  recordWrite,
} from '../../../test/support/sample-changes.ts';
import { writeSampleRegistry } from '../../../test/support/sample-registry.ts';
import { registryFile } from './connection.ts';
import { stateFromLedger } from './rebuild.ts';
import { openStore } from './store.ts';
import { type Progress, verifyStore } from './verify.ts';

const FULL = { features: { specs: FEATURES, extract: featuresOf } };

const sampleFolder = async (): Promise<string> => {
  const dir = dataFolder();
  await writeSampleRegistry(dir);
  return dir;
};

const client = { name: 'lab', displayName: 'Lab', systems: ['http://s'], scopes: ['audit' as const], disabled: false };

/** Runs SQL as somebody who goes round the program. */
const tamper = (dir: string, ...statements: readonly string[]): void => {
  const db = new Database(registryFile(dir));
  db.pragma('foreign_keys = OFF');
  db.pragma('ignore_check_constraints = ON');
  for (const sql of statements) db.prepare(sql).run();
  db.close();
};

interface Column {
  readonly table: string;
  readonly name: string;
}

const columnsOf = (file: string): readonly Column[] => {
  const db = new Database(file, { readonly: true });
  const columns = db
    .prepare<[], Column>(
      `SELECT t.name AS "table", c.name FROM sqlite_schema t, pragma_table_info(t.name) c
       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`,
    )
    .all();
  db.close();
  return columns;
};

/** The value with one bit of one byte changed; SQLite gives text as string, integers as number. */
const flipped = (value: unknown, byte: number): unknown => {
  if (typeof value === 'number') return value ^ 1;
  const bytes = Buffer.from(typeof value === 'string' ? value : (value as Buffer));
  const at = byte % Math.max(bytes.length, 1);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return typeof value === 'string' ? bytes.toString() : bytes;
};

/** Changes one byte of one row's value in a column; false where the table has nothing to change there. */
const flipColumn = (dir: string, { table, name }: Column, byte: number): boolean => {
  const db = new Database(registryFile(dir));
  db.pragma('foreign_keys = OFF');
  db.pragma('ignore_check_constraints = ON');
  const value = db
    .prepare(`SELECT "${name}" FROM "${table}" WHERE "${name}" IS NOT NULL AND "${name}" <> '' LIMIT 1`)
    .pluck()
    .get();
  const other = flipped(value ?? 0, byte);
  if (value !== undefined) db.prepare(`UPDATE OR REPLACE "${table}" SET "${name}" = ? WHERE "${name}" IS ?`).run(other, value);
  db.close();
  return value !== undefined;
};

describe('verification', () => {
  test('an untouched registry has no findings, and its state is what the ledger gives', async () => {
    const dir = await sampleFolder();
    expect(verifyStore(dir, FULL)).toEqual([]);
    const { stored, rebuilt } = stateFromLedger(dir);
    expect(rebuilt).toEqual(stored);
    expect(Object.values(stored).every((rows) => rows.length > 0)).toBe(true);
  });

  test('a registry of the schema before passwords verifies as it did, once it is brought up to date', async () => {
    const dir = dataFolder();
    const store = openStore(dir, { features: FEATURES });
    await commit(store.ledger, [change({ clients: [client] }), arrival(1)]);
    store.close();
    const since = ['password', 'companion_term', 'companion_version', 'companion'];
    tamper(dir, ...since.map((table) => `DROP TABLE ${table}`), 'PRAGMA user_version = 3');
    openStore(dir, { features: FEATURES }).close();
    expect(verifyStore(dir, FULL)).toEqual([]);
  });

  test('the hash of a password is in no change set, and another one in its place is found', async () => {
    const dir = await sampleFolder();
    const db = new Database(registryFile(dir), { readonly: true });
    const ledger = db.prepare<[], string>('SELECT group_concat(skeleton) FROM change_set').pluck().get();
    db.close();
    expect(ledger).toContain('"passwords":[{"client":"clinicA","seal":"');
    expect(ledger).not.toContain('argon2');
    tamper(dir, "UPDATE password SET hash = (SELECT hash FROM password WHERE client = 'clinicB') WHERE client = 'clinicA'");
    expect(verifyStore(dir)).toEqual([{ check: 'state', text: 'password: that of clinicA does not have its seal' }]);
  });

  test('an empty registry has no findings', () => {
    const dir = dataFolder();
    openStore(dir, { features: FEATURES }).close();
    expect(verifyStore(dir, FULL)).toEqual([]);
  });

  test('one changed byte in any column of any table is found', async () => {
    const dir = await sampleFolder();
    const file = registryFile(dir);
    const whole = readFileSync(file);
    // Whether a feature is complete is found out again where it is not noted: only a false note does harm.
    const isNote = ({ table, name }: Column): boolean => table === 'feature_path' && name === 'complete';
    for (const column of columnsOf(file).filter((one) => !isNote(one))) {
      for (const byte of [0, 9, 1000]) {
        writeFileSync(file, whole);
        expect(flipColumn(dir, column, byte), `${column.table}.${column.name} has a value in the sample`).toBe(true);
        expect(verifyStore(dir, FULL), `${column.table}.${column.name}`).not.toEqual([]);
      }
    }
  });

  test('a feature that is falsely noted as complete is found', async () => {
    const dir = await sampleFolder();
    tamper(dir, "INSERT INTO feature_path (path, normaliser, multi, complete) VALUES ('gender', 'string@1', 'join', 1)");
    expect(verifyStore(dir, FULL)).toMatchObject([{ check: 'law' }, { check: 'law' }, { check: 'law' }]);
  });

  test('a row taken from or added to any table is found', async () => {
    const dir = await sampleFolder();
    const file = registryFile(dir);
    const whole = readFileSync(file);
    for (const table of new Set(columnsOf(file).map((column) => column.table))) {
      writeFileSync(file, whole);
      tamper(dir, `DELETE FROM "${table}"`);
      expect(verifyStore(dir, FULL), table).not.toEqual([]);
    }
    writeFileSync(file, whole);
    tamper(dir, `INSERT INTO alias VALUES ('forged', '', 3)`);
    expect(verifyStore(dir)).toEqual([{ check: 'state', text: 'alias: id forged, client  is not in the ledger' }]);
  });

  test('a flipped bit anywhere in the file is found, or changes nothing that is stored', async () => {
    const dir = await sampleFolder();
    const file = registryFile(dir);
    const whole = readFileSync(file);
    const content = (): string => {
      const db = new Database(file, { readonly: true });
      const tables = [...new Set(columnsOf(file).map(({ table }) => table))];
      const rows = tables.map((table) => [table, db.prepare(`SELECT * FROM "${table}"`).raw().all()]);
      const schema = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema').raw().all();
      db.close();
      return JSON.stringify([schema, rows]);
    };
    const before = content();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (byte, bit) => {
        const damaged = Buffer.from(whole);
        damaged[byte] = (damaged[byte] ?? 0) ^ (1 << bit);
        writeFileSync(file, damaged);
        if (verifyStore(dir, FULL).length === 0) expect(content()).toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  test('a payload erased with its salt is no damage, and is counted; erased by half it is', async () => {
    const dir = await sampleFolder();
    // Version 1 of record 2: version 2 has content of its own.
    tamper(dir, 'UPDATE payload SET salt = NULL, naming = NULL, resource = NULL WHERE key = 2');
    const seen: Progress[] = [];
    expect(verifyStore(dir, { ...FULL, onProgress: (progress) => seen.push(progress) })).toEqual([]);
    expect(seen.at(-1)).toEqual({ changeSets: 11, of: 11, erased: 1 });
    tamper(dir, 'UPDATE payload SET resource = NULL WHERE key = 3');
    const text = 'payload 3 (record 3, version 1) does not have its hash';
    expect(verifyStore(dir, FULL)).toContainEqual({ check: 'payload', text });
  });

  test("a person's erased record leaves the chain whole once its derived rows are gone", async () => {
    const dir = await sampleFolder();
    tamper(
      dir,
      'UPDATE payload SET salt = NULL, naming = NULL, resource = NULL WHERE key = 3',
      'DELETE FROM identifier WHERE record = 3',
      "UPDATE feature SET value = '' WHERE record = 3",
    );
    expect(verifyStore(dir, FULL)).toEqual([]);
    const { reader, scan, close } = openStore(dir, { features: FEATURES, readOnly: true });
    expect(await reader.storedRecord(3)).toMatchObject({ resource: '{}', identifiers: [], record: { id: 'record-3' } });
    const other = { path: 'gender', normaliser: 'string@1', multi: 'join' as const };
    expect((await scan.lacking([other], 0, 9)).map(({ record }) => record)).toEqual([1, 2]);
    close();
  });

  test('a chain rewritten whole is found out by a head noted earlier', async () => {
    const dir = await sampleFolder();
    const other = dataFolder();
    const { ledger, close } = openStore(dir, { features: FEATURES });
    const noted = (await ledger.head()).hash;
    await commit(ledger, [arrival(4)]);
    close();
    expect(verifyStore(dir, { head: noted })).toEqual([]);
    expect(verifyStore(dir, { head: '0'.repeat(64) })).toEqual([]);
    await writeSampleRegistry(other);
    copyFileSync(registryFile(other), registryFile(dir));
    expect(verifyStore(dir)).toEqual([]);
    expect(verifyStore(dir, { head: noted })).toMatchObject([{ check: 'head' }]);
  });

  test('findings quote no identifier, name or content', async () => {
    const dir = await sampleFolder();
    tamper(
      dir,
      "UPDATE payload SET naming = '{broken', resource = 'broken'",
      "UPDATE identifier SET value = value || 'x'",
      "UPDATE feature SET value = value || 'x'",
    );
    const text = JSON.stringify(verifyStore(dir, FULL));
    expect(text).toContain('payload 1');
    expect(text).not.toMatch(/A-1|N-1|chanda|1990|broken/i);
  });

  test('a ledger that breaks the laws of the registry is found out although it replays', async () => {
    const dir = dataFolder();
    const { ledger, close } = openStore(dir, { features: FEATURES });
    await commit(ledger, [arrival(1), arrival(2), arrival(3), arrival(4)]);
    await commit(ledger, [
      change({
        records: [recordWrite(4, { version: 2, golden: 4, active: false, mergedInto: 2, content: false, deleted: true })],
        goldens: [
          goldenWrite(1, { version: 2, active: false, replacedBy: 2 }),
          goldenWrite(2, { version: 2, active: false, replacedBy: 3 }),
        ],
        linksEnded: [2, 3].map((key) => ({ record: key, golden: key })),
        linksBegun: [link(3, 2)],
      }),
    ]);
    close();
    expect(verifyStore(dir).map(({ text }) => text)).toEqual([
      'golden record 1 does not resolve in one step to an active or an empty one',
      'record 3 shows another golden record than its link',
      'record 2 has no link, or has one although it is deleted',
      'record 4 has no link, or has one although it is deleted',
    ]);
  });

  test('a folder without a registry is said to have none', () => {
    expect(() => verifyStore(dataFolder())).toThrow(/There is no registry in/);
  });

  test('any history of arrivals and updates replays to the stored state', async () => {
    const step = fc.record({ key: fc.integer({ min: 1, max: 5 }), value: fc.string({ unit: 'grapheme', maxLength: 8 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const dir = dataFolder();
        const { ledger, close } = openStore(dir, { features: FEATURES });
        for (const { key, value } of steps) {
          const version = ((await ledger.record(key))?.version ?? 0) + 1;
          const parts = { version, id: `record-${key}`, family: value, identifiers: [mrn(`${key}|${value}`)] };
          const arrived = arrival(key, parts);
          await commit(ledger, [version === 1 ? arrived : { ...arrived, goldens: [], linksBegun: [] }]);
        }
        close();
        expect(verifyStore(dir, FULL)).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});
