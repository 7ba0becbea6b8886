import type { ChangeSet } from '../../domain/change-set.ts';
import { RegistryError } from '../../domain/errors.ts';
import type { Sequence } from '../../domain/identity.ts';
import type { FeatureSpec } from '../../matching/model.ts';
import type { CommitOutcome, Ledger } from '../../registry/ports.ts';
import { openStateWriter } from './apply.ts';
import { type Connection, isSqliteError } from './connection.ts';
import { givePaths, openFeatureWriter, openForgetOthers } from './features.ts';
import { chainHash } from './hash-chain.ts';
import type { Sync } from './promised.ts';
import { headReader } from './rows.ts';
import { type BatchEnd, encodeSkeleton, separate } from './skeleton.ts';
import { openWords, type Words } from './words.ts';

interface Place {
  readonly sequence: Sequence;
  /** Hash of the change set before. */
  readonly previous: Buffer;
}

/** Writes one change set in its place, the batch's last one with the batch's end; answers its hash. */
type Append = (place: Place, change: ChangeSet, end: BatchEnd | null) => Buffer;

const openAppend = (db: Connection, words: Words, features: readonly FeatureSpec[]): Append => {
  const state = openStateWriter(db, words);
  const paths = givePaths(db, features);
  const values = openFeatureWriter(db, paths);
  const forgetOthers = openForgetOthers(db, paths);
  const chain = db.prepare<[number, Buffer, string]>('INSERT INTO change_set (seq, hash, skeleton) VALUES (?, ?, ?)');
  return ({ sequence, previous }, change, end) => {
    const { skeleton, ...apart } = separate(change, end);
    const text = encodeSkeleton(skeleton);
    const hash = chainHash(previous, text);
    chain.run(sequence, hash, text);
    state.apply({ sequence, skeleton, ...apart });
    const written = change.records.flatMap(({ record, features: own }) => (own ? [{ key: record.key, own }] : []));
    if (written.length > 0) forgetOthers();
    for (const { key, own } of written) values.replace(key, own);
    if (end) state.closeBatch(sequence, hash, end);
    return hash;
  };
};

const noSpace = (error: unknown): unknown =>
  isSqliteError(error) && error.code === 'SQLITE_FULL'
    ? new RegistryError('no-space', "The registry's disk is full.", { cause: error })
    : error;

/**
 * The ledger's `commit`: one transaction for the batch, durable when it returns.
 * @param guard Throws when nothing may be written (see disk.ts).
 * @returns A function that throws RegistryError `no-space`, or an Error where the change sets contradict the state or
 * one another; nothing is written then.
 */
export const openCommit = (db: Connection, features: readonly FeatureSpec[], guard: () => void): Sync<Ledger>['commit'] => {
  const words = openWords(db);
  const append = openAppend(db, words, features);
  const head = headReader(db);
  const write = db.transaction((changes: readonly ChangeSet[], after: Sequence, end: BatchEnd): CommitOutcome => {
    const from = head();
    if (from.sequence !== after) return { kind: 'behind' };
    let hash: Buffer = Buffer.from(from.hash, 'hex');
    changes.forEach((change, index) => {
      const place = { sequence: after + index + 1, previous: hash };
      hash = append(place, change, index === changes.length - 1 ? end : null);
    });
    return { kind: 'committed', head: head() };
  });
  return (id, changes, after, next) => {
    guard();
    try {
      return write.immediate(changes, after, { id, next });
    } catch (error) {
      words.forget();
      throw noSpace(error);
    }
  };
};
