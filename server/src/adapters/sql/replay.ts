/**
 * The state that the ledger says, made again in a scratch database beside the stored one. SQLite spills the scratch
 * file to the system's temporary folder and removes it, so memory does not grow with the registry.
 */
import Database from 'better-sqlite3';
import type { Sequence } from '../../domain/identity.ts';
import { openStateWriter, type StateWriter } from './apply.ts';
import { type Connection, isSqliteError } from './connection.ts';
import { chainHash, ORIGIN } from './hash-chain.ts';
import { MIGRATIONS } from './schema.ts';
import {
  companionHashOf,
  type CompanionPayload,
  type CompanionSkeleton,
  decodeSkeleton,
  ERASED,
  hashOf,
  type Payload,
  type RecordSkeleton,
} from './skeleton.ts';
import { openWords } from './words.ts';

/** Something that is not as it should be; `text` names keys and sequences, never personal data. */
export interface Finding {
  readonly check: 'file' | 'schema' | 'chain' | 'payload' | 'state' | 'law' | 'features' | 'head';
  readonly text: string;
}

export interface Progress {
  readonly changeSets: number;
  readonly of: number;
  /** Payloads met that were erased by law; the chain holds without them. */
  readonly erased: number;
}

export interface Replay {
  readonly findings: readonly Finding[];
  /** Whether every change set could be replayed. */
  readonly complete: boolean;
  /** Hashes that were asked for and are in the chain. */
  readonly found: ReadonlySet<string>;
}

export interface ReplayOptions {
  readonly lookFor?: readonly string[];
  readonly onProgress?: (progress: Progress) => void;
}

/** A connection whose `main` is an empty scratch registry and whose `live` is the stored one, both in one snapshot. */
export const openBeside = (file: string): Connection => {
  const db = new Database('');
  db.pragma('journal_mode = OFF');
  db.pragma('foreign_keys = ON');
  for (const sql of MIGRATIONS) db.exec(sql);
  try {
    db.prepare('ATTACH ? AS live').run(file);
    db.exec('BEGIN');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

interface ChangeRow {
  readonly seq: number;
  readonly hash: Buffer;
  readonly skeleton: string;
}

/** Change sets a read. */
const PAGE = 500;

interface Walk {
  readonly findings: Finding[];
  previous: Buffer;
  payloads: number;
  erased: number;
}

const checkLink = (walk: Walk, row: ChangeRow, expected: Sequence): Buffer => {
  const hash = chainHash(walk.previous, row.skeleton);
  if (row.seq !== expected) walk.findings.push({ check: 'chain', text: `change set ${expected} is missing` });
  if (!hash.equals(row.hash)) walk.findings.push({ check: 'chain', text: `change set ${row.seq} does not have its hash` });
  return hash;
};

/** Payloads were given their keys in the order of the change sets. */
const openPayloads = (db: Connection, walk: Walk) => {
  const read = db.prepare<[number], Payload>('SELECT salt, naming, resource FROM live.payload WHERE key = ?');
  const isErased = ({ salt, naming, resource }: Payload): boolean => salt === null && naming === null && resource === null;
  return ({ key, version, payload: hash }: RecordSkeleton): Payload | null => {
    if (hash === null) return null;
    walk.payloads += 1;
    const payload = read.get(walk.payloads);
    if (payload && hashOf(payload) === hash) return payload;
    if (payload && isErased(payload)) walk.erased += 1;
    else
      walk.findings.push({
        check: 'payload',
        text: `payload ${walk.payloads} (record ${key}, version ${version}) does not have its hash`,
      });
    return ERASED;
  };
};

const openCompanionPayloads = (db: Connection, walk: Walk) => {
  const read = db.prepare<[string, string, number], CompanionPayload>(
    `SELECT v.salt, v.resource FROM live.companion c JOIN live.companion_version v ON v.companion = c.key
     WHERE c.type = ? AND c.id = ? AND v.version = ?`,
  );
  return ({ type, id, version, payload: hash }: CompanionSkeleton): CompanionPayload | null => {
    if (hash === null) return null;
    const payload = read.get(type, id, version);
    if (payload && companionHashOf(payload) === hash) return payload;
    if (payload?.salt === null && payload.resource === null) walk.erased += 1;
    else walk.findings.push({ check: 'payload', text: `${type} ${id}, version ${version}, does not have its hash` });
    return { salt: null, resource: null };
  };
};

const openStep = (db: Connection, walk: Walk) => {
  // The dictionary is taken as it is: a damaged word is not found again and shows as a difference.
  db.exec('INSERT INTO main.word SELECT * FROM live.word');
  const state: StateWriter = openStateWriter(db, openWords(db));
  const payloadOf = openPayloads(db, walk);
  const companionPayloadOf = openCompanionPayloads(db, walk);
  return (row: ChangeRow, hash: Buffer): void => {
    const skeleton = decodeSkeleton(row.skeleton);
    // Hashes of passwords are not in the ledger: verify.ts compares those stored with their seals.
    const hashes = skeleton.passwords.map(() => null);
    state.apply({
      sequence: row.seq,
      skeleton,
      payloads: skeleton.records.map(payloadOf),
      hashes,
      companions: skeleton.companions.map(companionPayloadOf),
    });
    if (skeleton.batch) state.closeBatch(row.seq, hash, skeleton.batch);
  };
};

/** The code, where SQLite has one: messages of parsers quote what they parse. */
const reason = (error: unknown): string => (isSqliteError(error) ? error.code : 'it contradicts what came before');

/** Replays `live`'s change sets into `main`, checking the chain and each payload's hash on the way. */
export const replay = (db: Connection, options: ReplayOptions = {}): Replay => {
  const walk: Walk = { findings: [], previous: ORIGIN, payloads: 0, erased: 0 };
  const found = new Set<string>([ORIGIN.toString('hex')]);
  const page = db.prepare<[number], ChangeRow>(
    `SELECT seq, hash, skeleton FROM live.change_set WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const of = db.prepare<[], number>('SELECT count(*) FROM live.change_set').pluck().get() ?? 0;
  const step = openStep(db, walk);
  let [at, changeSets] = [0, 0];
  for (let rows = page.all(at); rows.length > 0; rows = page.all(at)) {
    for (const row of rows) {
      const hash = checkLink(walk, row, at + 1);
      const hex = hash.toString('hex');
      if (options.lookFor?.includes(hex)) found.add(hex);
      try {
        step(row, hash);
      } catch (error) {
        walk.findings.push({ check: 'chain', text: `change set ${row.seq} cannot be replayed: ${reason(error)}` });
        return { findings: walk.findings, complete: false, found };
      }
      walk.previous = row.hash;
      at = row.seq;
    }
    changeSets += rows.length;
    options.onProgress?.({ changeSets, of, erased: walk.erased });
  }
  return { findings: walk.findings, complete: true, found };
};
