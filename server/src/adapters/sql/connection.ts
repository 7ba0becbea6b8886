import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { RegistryError } from '../../domain/errors.ts';

export type Connection = Database.Database;

/** Makes the data folder, for its owner only. */
export const makeDataFolder = (dir: string): void => void mkdirSync(dir, { recursive: true, mode: 0o700 });

/**
 * SQL whose plan no bound value can influence. better-sqlite3's SQLite has SQLITE_ENABLE_STAT4, under which a statement is planned anew at
 * each execution that binds a value the planner might look at: of the 23 µs that reading a record took, 18 (measured). It
 * looks at bare parameters only (sqlite.org/c3ref/prepare.html, "sqlite3_reprepare"), and a unary plus changes nothing else.
 */
const plannedOnce = (sql: string): string => sql.replaceAll(/([=<>])\s*(\?|:\w+)/g, '$1 +$2');

/**
 * A connection with the store's settings. `synchronous` must be set on each: better-sqlite3's own default under WAL is
 * NORMAL, which may lose acknowledged commits on power loss.
 */
export const connect = (file: string, readOnly: boolean): Connection => {
  // Personal data, whatever the mode of a folder that was there before; SQLite gives its other files the mode of this one.
  // Only where there is none: closing a descriptor of the file would drop the POSIX locks of this process's connections.
  if (!readOnly && !existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  const db = new Database(file, { readonly: readOnly, fileMustExist: readOnly, timeout: 5000 });
  if (!readOnly) db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 4000');
  db.pragma('cache_size = -65536');
  db.pragma('temp_store = MEMORY');
  db.pragma('foreign_keys = ON');
  const prepare = db.prepare.bind(db);
  return Object.assign(db, { prepare: (sql: string) => prepare(plannedOnce(sql)) });
};

/** The registry's file in a data folder. */
export const registryFile = (dir: string): string => join(dir, 'registry.sqlite');

/** @throws RegistryError `not-found` when the folder holds no registry. */
export const requireRegistry = (dir: string): string => {
  const file = registryFile(dir);
  if (!existsSync(file)) throw new RegistryError('not-found', `There is no registry in ${dir}.`);
  return file;
};

/** SQLite's own words, which name tables and codes, never values. */
export const isSqliteError = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Database.SqliteError;
