import { existsSync, statSync } from 'node:fs';
import type { FeatureSpec } from '../../matching/model.ts';
import type { Ledger, Reader, RegistryScan } from '../../registry/ports.ts';
import { openChangeFeed } from './changes.ts';
import { openCommit } from './commit.ts';
import { connect, type Connection, makeDataFolder, registryFile, requireRegistry } from './connection.ts';
import { freeBytes, spaceGuard } from './disk.ts';
import { migrate, requireCurrent } from './migrate.ts';
import { promised, type Sync } from './promised.ts';
import { openReader } from './reader.ts';
import { headReader } from './rows.ts';
import { openRegistryScan } from './scan.ts';
import { openView } from './view.ts';

export interface StoreOptions {
  /** Features of the rules in force: what `RecordWrite.features` and `RegistryView.features` hold, in this order. */
  readonly features: readonly FeatureSpec[];
  readonly readOnly?: boolean;
  /** Commits are refused while fewer bytes are free on the disk. Default 0: never. */
  readonly minFreeBytes?: number;
  /** Milliseconds on a clock that never goes back. */
  readonly monotonic?: () => number;
}

export interface Store {
  readonly ledger: Ledger;
  readonly scan: RegistryScan;
  readonly reader: Reader;
  /** Bytes free on the data folder's disk. */
  freeBytes(): number;
  /** Size of the write-ahead log: it grows while somebody holds a long read. */
  walBytes(): number;
  /** Moves what it can from the write-ahead log into the file, without waiting for anybody. */
  checkpoint(): void;
  close(): void;
}

const open = (dir: string, readOnly: boolean): Connection => {
  if (!readOnly) makeDataFolder(dir);
  const db = connect(readOnly ? requireRegistry(dir) : registryFile(dir), readOnly);
  try {
    (readOnly ? requireCurrent : migrate)(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

const refuseCommit = (): never => {
  throw new Error('this store was opened to read');
};

const openLedger = (dir: string, db: Connection, options: StoreOptions): Sync<Ledger> => {
  const { features, readOnly = false, minFreeBytes = 0, monotonic = () => performance.now() } = options;
  const guard = spaceGuard({ minimum: minFreeBytes, free: () => freeBytes(dir), monotonic });
  const commit = readOnly ? refuseCommit : openCommit(db, features, guard);
  const committed = db.prepare<[string], number>('SELECT head FROM batch WHERE id = ?').pluck();
  return {
    ...openView(db, features),
    head: headReader(db),
    commit,
    committed: (batch) => committed.get(batch),
    changes: openChangeFeed(db).after,
  };
};

/**
 * The registry in `DIR/registry.sqlite`. Whoever writes holds the data folder's lock (lock.ts).
 * @throws RegistryError `conflict` on a schema newer than the program's; `not-found` where there is nothing to read.
 */
export const openStore = (dir: string, options: StoreOptions): Store => {
  const db = open(dir, options.readOnly ?? false);
  const wal = `${db.name}-wal`;
  return {
    ledger: promised<Ledger>(openLedger(dir, db, options)),
    scan: openRegistryScan(db),
    reader: promised<Reader>(openReader(db)),
    freeBytes: () => freeBytes(dir),
    walBytes: () => (existsSync(wal) ? statSync(wal).size : 0),
    checkpoint: () => void db.pragma('wal_checkpoint(PASSIVE)'),
    close: () => {
      // Readers elsewhere keep SQLite from doing this itself at the last close.
      if (!options.readOnly) db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
    },
  };
};
