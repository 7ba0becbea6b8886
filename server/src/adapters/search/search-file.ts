import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { TaskKind } from '../../domain/review.ts';
import { sortValues, type Subject } from '../../fhir/demographics.ts';
import { type Cursor, orderOf } from '../../fhir/sorting.ts';
import type { DemographicQuery } from '../../registry/ports.ts';
import { numbersIn, partOf, sourcePart } from './conditions.ts';
import { afterPart, COLUMNS, type Part } from './order.ts';

/*
 * What demographic search reads: a file of its own beside the ledger, which is derived from it and can be made again. It follows the
 * ledger in a thread of its own, so that no registration waits for it.
 */

/** Another number: another layout, and the file is made again. */
const LAYOUT = 3;

const SCHEMA = `
CREATE TABLE follows (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
INSERT INTO follows VALUES (1, 0, '');
CREATE TABLE parameter (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE client (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- Systems of identifiers; numbers in patient.systems, each between blanks.
CREATE TABLE system (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE patient (
  record INTEGER PRIMARY KEY, client INTEGER NOT NULL, family TEXT NOT NULL, given TEXT NOT NULL,
  birth_low TEXT NOT NULL, birth_high TEXT NOT NULL, updated TEXT NOT NULL,
  systems TEXT NOT NULL, flags TEXT NOT NULL, death_low TEXT NOT NULL, death_high TEXT NOT NULL
) STRICT;
CREATE INDEX patient_client ON patient (client, record);
CREATE INDEX patient_family ON patient (family, record);
CREATE INDEX patient_birth ON patient (birth_low, record);
CREATE INDEX patient_death ON patient (death_low, record) WHERE death_low <> '';
CREATE TABLE term (
  parameter INTEGER NOT NULL, value TEXT NOT NULL, record INTEGER NOT NULL, raw TEXT NOT NULL,
  PRIMARY KEY (parameter, value, record, raw)
) STRICT, WITHOUT ROWID;
CREATE INDEX term_record ON term (record);
`;

/** A record as the search knows it; without content where only its link or its flags changed; one that was deleted is known no longer. */
export type SearchRow =
  | ({ readonly record: number } & Subject)
  | { readonly record: number; readonly updated: string; readonly flags: readonly TaskKind[] }
  | { readonly record: number; readonly deleted: true };

export interface Follows {
  readonly sequence: number;
  readonly hash: string;
}

const connect = (file: string, readOnly: boolean): Database.Database => {
  const db = new Database(file, { readonly: readOnly, timeout: 5000 });
  if (!readOnly) {
    chmodSync(file, 0o600);
    db.pragma('journal_mode = WAL');
    // Nothing is lost that the ledger does not have.
    db.pragma('synchronous = NORMAL');
    // Its checkpoints wait for the disk that the registrar commits to: few of them.
    db.pragma('wal_autocheckpoint = 16000');
  }
  db.pragma('cache_size = -32768');
  return db;
};

const searchFile = (dir: string): string => join(dir, 'search.sqlite');

const remake = (file: string): Database.Database => {
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  const db = connect(file, false);
  db.exec(SCHEMA);
  db.pragma(`user_version = ${LAYOUT}`);
  return db;
};

export interface SearchWriter {
  follows(): Follows;
  /** The file begins anew: it followed another ledger. */
  clear(): void;
  /** The rows of one step of the ledger, whole or not at all. */
  write(rows: readonly SearchRow[], now: Follows): void;
  close(): void;
}

/** Opens the file to follow the ledger, made anew where it is of another layout. */
export function openSearchWriter(dir: string): SearchWriter {
  const file = searchFile(dir);
  const known = existsSync(file) ? connect(file, false) : undefined;
  const fits = known !== undefined && Number(known.pragma('user_version', { simple: true })) === LAYOUT;
  if (known && !fits) known.close();
  const db = known && fits ? known : remake(file);
  const follows = db.prepare<[], Follows>('SELECT sequence, hash FROM follows');
  const follow = db.prepare<[number, string]>('UPDATE follows SET sequence = ?, hash = ?');
  const numbers = (table: 'parameter' | 'client' | 'system') => {
    const find = db.prepare<[string], number>(`SELECT n FROM ${table} WHERE name = ?`).pluck();
    const add = db.prepare<[string]>(`INSERT INTO ${table} (name) VALUES (?)`);
    const seen = new Map<string, number>();
    return (name: string): number => {
      const n = seen.get(name) ?? find.get(name) ?? Number(add.run(name).lastInsertRowid);
      seen.set(name, n);
      return n;
    };
  };
  const [parameter, client, system] = [numbers('parameter'), numbers('client'), numbers('system')];
  const patient = db.prepare<[number, number, ...string[]]>(
    `INSERT OR REPLACE INTO patient
     (record, client, family, given, birth_low, birth_high, updated, systems, flags, death_low, death_high)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const touch = db.prepare<[string, string, number]>('UPDATE patient SET updated = ?, flags = ? WHERE record = ?');
  const isKnown = db.prepare<[number], number>('SELECT 1 FROM patient WHERE record = ?').pluck();
  const drop = db.prepare<[number]>('DELETE FROM patient WHERE record = ?');
  const forget = db.prepare<[number]>('DELETE FROM term WHERE record = ?');
  const term = db.prepare<[number, string, number, string]>(
    'INSERT OR IGNORE INTO term (parameter, value, record, raw) VALUES (?, ?, ?, ?)',
  );
  const writeRow = (row: SearchRow): void => {
    const { record } = row;
    if ('deleted' in row) {
      forget.run(record);
      drop.run(record);
      return;
    }
    const { updated } = row;
    const flags = row.flags.join(' ');
    if (!('terms' in row)) {
      touch.run(updated, flags, record);
      return;
    }
    const { client: source, terms, birth, death, identifiers } = row;
    if (isKnown.get(record) !== undefined) forget.run(record);
    const { family, given } = sortValues(row);
    const systems = numbersIn(identifiers.map(({ system: name }) => system(name)));
    const spans = [birth.low, birth.high, updated, systems, flags, death.low, death.high];
    patient.run(record, client(source), family, given, ...spans);
    for (const { name, value, raw } of terms) term.run(parameter(name), value, record, raw);
  };
  const write = db.transaction((rows: readonly SearchRow[], now: Follows) => {
    rows.forEach(writeRow);
    follow.run(now.sequence, now.hash);
  });
  return {
    follows: () => follows.get() ?? { sequence: 0, hash: '' },
    clear: () => {
      db.exec("DELETE FROM term; DELETE FROM patient; UPDATE follows SET sequence = 0, hash = ''");
    },
    write: (rows, now) => {
      write.immediate(rows, now);
    },
    close: () => {
      db.close();
    },
  };
}

/** Thrown inside a statement that has run for too long. */
const LATE = 'the search took too long';

export interface SearchAnswer {
  readonly records: readonly number[];
  readonly last: Cursor | null;
  readonly total: number | null;
}

export interface SearchReader {
  /** By the keys of `sort`, then by record; `late` where the time was over first. */
  search(query: DemographicQuery, milliseconds: number): SearchAnswer | 'late';
  close(): void;
}

export function openSearchReader(dir: string): SearchReader {
  const db = connect(searchFile(dir), true);
  let end = Infinity;
  // Looked at for each row: a statement cannot be broken off from outside.
  db.function('in_time', { deterministic: false }, () => {
    if (performance.now() > end) throw new Error(LATE);
    return 1;
  });
  const inTime = <T>(milliseconds: number, run: () => T): T | 'late' => {
    end = performance.now() + milliseconds;
    try {
      return run();
    } catch (error) {
      if (error instanceof Error && error.message === LATE) return 'late';
      throw error;
    } finally {
      end = Infinity;
    }
  };
  return {
    search({ conditions, owner, sort, limit, total, after }, milliseconds) {
      const order = orderOf(sort);
      const columns = order.map(({ by }) => COLUMNS[by]);
      const by = order.map(({ by: key, descending }) => `${COLUMNS[key]} ${descending ? 'DESC' : 'ASC'}`);
      const parts = [...conditions.map(partOf), ...(owner === null ? [] : [sourcePart([owner])])];
      const where = ['in_time()', ...parts.map(({ sql }) => sql)].join(' AND ');
      const values = parts.flatMap((part) => part.values);
      const from: Part = after === null ? { sql: '', values: [] } : afterPart(order, after);
      return inTime(milliseconds, () => {
        const rows = db
          .prepare<unknown[], (string | number)[]>(
            `SELECT ${columns.join(', ')} FROM patient WHERE ${where}${from.sql} ORDER BY ${by.join(', ')} LIMIT ?`,
          )
          .raw()
          .all(...values, ...from.values, limit + 1);
        const page = rows.slice(0, limit);
        const counted = total
          ? db
              .prepare<unknown[], number>(`SELECT count(*) FROM patient WHERE ${where}`)
              .pluck()
              .get(...values)
          : null;
        return {
          records: page.map((row) => Number(row.at(-1))),
          last: rows.length > limit ? (page.at(-1) ?? null) : null,
          total: counted ?? null,
        };
      });
    },
    close: () => {
      db.close();
    },
  };
}
