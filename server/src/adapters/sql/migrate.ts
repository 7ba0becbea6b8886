import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RegistryError } from '../../domain/errors.ts';
import type { Connection } from './connection.ts';
import { MIGRATIONS } from './schema.ts';

const schemaVersion = (db: Connection): number => Number(db.pragma('user_version', { simple: true }));

/** @throws RegistryError `conflict` when a newer program has written the file. */
const refuseNewer = (db: Connection, migrations: readonly string[] = MIGRATIONS): number => {
  const version = schemaVersion(db);
  if (version > migrations.length) {
    throw new RegistryError(
      'conflict',
      `${db.name} has schema version ${version}; this program knows versions up to ${migrations.length}. Use the newer program, or restore a backup.`,
    );
  }
  return version;
};

/** For connections that only read. @throws RegistryError `conflict` when the schema is not the current one. */
export const requireCurrent = (db: Connection): void => {
  if (refuseNewer(db) < MIGRATIONS.length) {
    throw new RegistryError('conflict', `${db.name} has an older schema; start the server once to bring it up to date.`);
  }
};

/** A whole copy beside the file, there completely or not at all. */
const backUp = (db: Connection, version: number): void => {
  const target = join(dirname(db.name), `${basename(db.name, '.sqlite')}.${version}.backup.sqlite`);
  const half = `${target}.part`;
  rmSync(half, { force: true });
  closeSync(openSync(half, 'wx', 0o600));
  db.prepare('VACUUM INTO ?').run(half);
  const file = openSync(half, 'r+');
  fsyncSync(file);
  closeSync(file);
  renameSync(half, target);
};

/** Brings the file to the current schema, after a backup where it held an older one. Each step is one transaction. */
export const migrate = (db: Connection, migrations: readonly string[] = MIGRATIONS): void => {
  const version = refuseNewer(db, migrations);
  if (version > 0 && version < migrations.length) backUp(db, version);
  migrations.slice(version).forEach((sql, index) => {
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${version + index + 1}`);
    }).immediate();
  });
};
