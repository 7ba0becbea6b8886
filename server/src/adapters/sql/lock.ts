import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { RegistryError } from '../../domain/errors.ts';
import { type Connection, isSqliteError, makeDataFolder } from './connection.ts';

export interface DataFolderLock {
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly since: string;
}

const holderFile = (dir: string): string => join(dir, 'lock.json');

/** Who wrote last that it holds the lock; undefined between taking it and saying so. */
const holder = (dir: string): Holder | undefined => {
  try {
    return JSON.parse(readFileSync(holderFile(dir), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
};

const refusal = (dir: string): RegistryError => {
  const by = holder(dir);
  const who = by ? `"${by.command}" (process ${by.pid}, since ${by.since})` : 'another process';
  return new RegistryError('conflict', `The data folder ${dir} is in use by ${who}.`);
};

const sayWho = (dir: string, command: string): void => {
  const half = `${holderFile(dir)}.part`;
  writeFileSync(half, JSON.stringify({ pid: process.pid, command, since: new Date().toISOString() } satisfies Holder));
  renameSync(half, holderFile(dir));
};

const holdExclusively = (lock: Connection, dir: string): void => {
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw isSqliteError(error) && error.code.startsWith('SQLITE_BUSY') ? refusal(dir) : error;
  }
};

/**
 * Takes the data folder for this process. The lock is an open exclusive transaction on `lock.sqlite`, so the operating
 * system lets go of it however the process ends. Nothing else in the process may open `lock.sqlite`: closing any
 * descriptor of a file drops a process's POSIX locks on it.
 * @param what The command that takes it, for whoever comes second.
 * @throws RegistryError `conflict`, naming the holder.
 */
export const lockDataFolder = (dir: string, what: string): DataFolderLock => {
  makeDataFolder(dir);
  const lock = new Database(join(dir, 'lock.sqlite'), { timeout: 0 });
  holdExclusively(lock, dir);
  sayWho(dir, what);
  return {
    release: () => {
      rmSync(holderFile(dir), { force: true });
      lock.close();
    },
  };
};
