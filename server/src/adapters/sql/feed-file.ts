import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditCursors, TrailCursor } from '../../registry/ports.ts';
import { connect } from './connection.ts';
import { migrate } from './migrate.ts';

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE repository (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, access INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE aside (repository TEXT NOT NULL, event TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (repository, event)) STRICT, WITHOUT ROWID`,
];

export interface FeedFile extends AuditCursors {
  close(): void;
}

const fileIn = (dir: string): string => join(dir, 'audit-feed.sqlite');

/**
 * `DIR/audit-feed.sqlite`: how far each audit repository has come. A file of its own, since the access log's belongs to a thread that
 * requests wait for, and the registry's to the registrar. Its commits do not wait for the disk: one that a loss of power undoes leaves an
 * older cursor, and what follows it is sent again.
 */
export const openFeedFile = (dir: string): FeedFile => {
  const db = connect(fileIn(dir), false);
  db.pragma('synchronous = NORMAL');
  migrate(db, MIGRATIONS);
  const get = db.prepare<[string], TrailCursor>('SELECT sequence, access FROM repository WHERE name = ?');
  const put = db.prepare<[string, number, number]>('INSERT OR REPLACE INTO repository (name, sequence, access) VALUES (?, ?, ?)');
  const setAside = db.prepare<[string, string, string]>('INSERT OR REPLACE INTO aside (repository, event, why) VALUES (?, ?, ?)');
  const count = db.prepare<[string], number>('SELECT count(*) FROM aside WHERE repository = ?').pluck();
  const save = db.transaction<AuditCursors['save']>((name, { sequence, access }, aside) => {
    put.run(name, sequence, access);
    for (const { event, why } of aside) setAside.run(name, event, why);
  });
  return {
    read: (name) => get.get(name),
    save: (name, cursor, aside) => {
      save.immediate(name, cursor, aside);
    },
    aside: (name) => count.get(name) ?? 0,
    close: () => void db.close(),
  };
};

/** What `doctor` says of a repository; undefined where nothing was ever sent. */
export interface FeedState {
  readonly cursor: TrailCursor;
  readonly aside: number;
  /** Rows of the access log, of which `cursor.access` were sent. */
  readonly access: number;
}

/** Reads beside a running server. */
export const inspectFeed = (dir: string, name: string): FeedState | undefined => {
  if (!existsSync(fileIn(dir)) || !existsSync(join(dir, 'access.sqlite'))) return undefined;
  const feed = connect(fileIn(dir), true);
  const log = connect(join(dir, 'access.sqlite'), true);
  try {
    const cursor = feed.prepare<[string], TrailCursor>('SELECT sequence, access FROM repository WHERE name = ?').get(name);
    const aside = feed.prepare<[string], number>('SELECT count(*) FROM aside WHERE repository = ?').pluck().get(name) ?? 0;
    const access = log.prepare<[], number>('SELECT coalesce(max(id), 0) FROM access').pluck().get() ?? 0;
    return cursor && { cursor, aside, access };
  } finally {
    feed.close();
    log.close();
  }
};
