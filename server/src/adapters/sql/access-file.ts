import { join } from 'node:path';
import type { AccessEntry } from '../../registry/ports.ts';
import type { Instant } from '../../domain/identity.ts';
import type { Proof } from '../../domain/principals.ts';
import { RegistryError } from '../../domain/errors.ts';
import { connect, type Connection, isSqliteError, makeDataFolder } from './connection.ts';
import { migrate } from './migrate.ts';

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE access (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, agent TEXT NOT NULL, address TEXT NOT NULL,
    request_id TEXT NOT NULL, status INTEGER NOT NULL, query TEXT NOT NULL, patients TEXT NOT NULL, code TEXT NOT NULL,
    count INTEGER NOT NULL
  ) STRICT`,
  // JSON of Proof; '' where there is none.
  "ALTER TABLE access ADD COLUMN proof TEXT NOT NULL DEFAULT ''",
];

export type StoredEntry = AccessEntry & { readonly id: number };

/** The access log's file, synchronous: one transaction an `append`. */
export interface AccessFile {
  append(entries: readonly AccessEntry[]): void;
  entries(before: number, limit: number): readonly StoredEntry[];
  /** Oldest first, up to the first that still counts refusals of the minute that `now` is in. */
  after(id: number, limit: number, now: Instant): readonly StoredEntry[];
  close(): void;
}

interface Row extends Omit<AccessEntry, 'requestId' | 'patients' | 'proof'> {
  readonly id: number;
  readonly request_id: string;
  readonly patients: string;
  readonly proof: string;
}

const toEntry = ({ request_id: requestId, patients, proof, ...row }: Row): StoredEntry => ({
  ...row,
  ...(proof !== '' && { proof: JSON.parse(proof) as Proof }),
  requestId,
  patients: patients === '' ? [] : patients.split(' '),
});

/** Refusals of a peer in a minute that get a row each; those after are counted in one row more. */
const ROWS_A_MINUTE = 10;

interface PeerMinute {
  refusals: number;
  /** The row that counts those past the tenth. */
  counted: number;
}

/** Peers of the running minute. */
const openPeers = () => {
  let minute = '';
  const peers = new Map<string, PeerMinute>();
  return {
    of: ({ at, address, agent }: AccessEntry): PeerMinute => {
      if (at.slice(0, 16) !== minute) peers.clear();
      minute = at.slice(0, 16);
      const name = `${address} ${agent}`;
      const peer = peers.get(name) ?? { refusals: 0, counted: 0 };
      peers.set(name, peer);
      return peer;
    },
    forget: () => {
      peers.clear();
    },
    /** The first row that may still count; once the minute is over, none: a late refusal then gets a row of its own. */
    firstCounting: (now: Instant): number => {
      if (now.slice(0, 16) !== minute) peers.clear();
      return Math.min(...[...peers.values()].map(({ counted }) => (counted > 0 ? counted : Infinity)));
    },
  };
};

const openAppend = (db: Connection, peers: ReturnType<typeof openPeers>) => {
  const insert = db.prepare<(string | number)[]>(
    `INSERT INTO access (at, event, agent, address, request_id, status, query, patients, code, count, proof)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const count = db.prepare<[number, number]>('UPDATE access SET count = count + ? WHERE id = ?');
  const add = (entry: AccessEntry): number => {
    const { at, event, agent, address, requestId, status, query, patients, code, count: times, proof } = entry;
    const row = [at, event, agent, address, requestId, status, query, patients.join(' '), code, times];
    return Number(insert.run(...row, proof ? JSON.stringify(proof) : '').lastInsertRowid);
  };
  const addRefusal = (entry: AccessEntry): void => {
    const peer = peers.of(entry);
    peer.refusals += 1;
    if (peer.counted > 0) count.run(entry.count, peer.counted);
    else {
      const id = add(entry);
      if (peer.refusals > ROWS_A_MINUTE) peer.counted = id;
    }
  };
  return (entry: AccessEntry): void => {
    if (entry.event === 'refusal') addRefusal(entry);
    else add(entry);
  };
};

/** @throws RegistryError `no-space` from `append` when the disk is full. */
export const openAccessFile = (dir: string): AccessFile => {
  makeDataFolder(dir);
  const db = connect(join(dir, 'access.sqlite'), false);
  migrate(db, MIGRATIONS);
  const peers = openPeers();
  const appendOne = openAppend(db, peers);
  const appendAll = db.transaction((entries: readonly AccessEntry[]) => entries.forEach(appendOne));
  const page = db.prepare<[number, number], Row>('SELECT * FROM access WHERE id < ? ORDER BY id DESC LIMIT ?');
  const following = db.prepare<[number, number], Row>('SELECT * FROM access WHERE id > ? ORDER BY id LIMIT ?');
  return {
    append: (entries) => {
      try {
        appendAll.immediate(entries);
      } catch (error) {
        peers.forget();
        const full = isSqliteError(error) && error.code === 'SQLITE_FULL';
        throw full ? new RegistryError('no-space', "The access log's disk is full.", { cause: error }) : error;
      }
    },
    entries: (before, limit) => page.all(before, limit).map(toEntry),
    after: (id, limit, now) => {
      const counting = peers.firstCounting(now);
      return following
        .all(id, limit)
        .filter((row) => row.id < counting)
        .map(toEntry);
    },
    close: () => void db.close(),
  };
};
