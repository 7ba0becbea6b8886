import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { FEATURES } from '../../../test/support/sample-changes.ts';
import { connect, registryFile } from './connection.ts';
import { migrate } from './migrate.ts';
import { openStore } from './store.ts';

const ONE = 'CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);';
const TWO = 'ALTER TABLE a ADD COLUMN y TEXT;';

test('an older file is copied before it is brought up to date', () => {
  const dir = dataFolder();
  const db = connect(registryFile(dir), false);
  migrate(db, [ONE]);
  const backup = join(dir, 'registry.1.backup.sqlite');
  expect(existsSync(backup)).toBe(false);
  migrate(db, [ONE, TWO]);
  expect(db.prepare('SELECT x, y FROM a').get()).toEqual({ x: 7, y: null });
  expect(db.pragma('user_version', { simple: true })).toBe(2);
  db.close();
  const old = new Database(backup, { readonly: true });
  expect(old.prepare('SELECT * FROM a').get()).toEqual({ x: 7 });
  expect(old.pragma('user_version', { simple: true })).toBe(1);
  old.close();
});

test('a migration that fails leaves the file at the version before it, and can be tried again', () => {
  const dir = dataFolder();
  const db = connect(registryFile(dir), false);
  migrate(db, [ONE]);
  expect(() => {
    migrate(db, [ONE, `${TWO} SELECT nonsense;`]);
  }).toThrow();
  expect(db.prepare('SELECT * FROM a').get()).toEqual({ x: 7 });
  expect(db.pragma('user_version', { simple: true })).toBe(1);
  migrate(db, [ONE, TWO]);
  expect(db.prepare('SELECT x, y FROM a').get()).toEqual({ x: 7, y: null });
  db.close();
});

test('a file of a newer program is refused with a sentence and left alone', () => {
  const dir = dataFolder();
  openStore(dir, { features: FEATURES }).close();
  const db = new Database(registryFile(dir));
  db.pragma('user_version = 99');
  db.close();
  const sentence = /has schema version 99; this program knows versions up to \d+\./;
  expect(() => openStore(dir, { features: FEATURES })).toThrow(sentence);
  expect(() => openStore(dir, { features: FEATURES, readOnly: true })).toThrow(sentence);
});

test('a reader does not bring an older file up to date', () => {
  const dir = dataFolder();
  new Database(registryFile(dir)).close();
  expect(() => openStore(dir, { features: FEATURES, readOnly: true })).toThrow(/older schema/);
});
