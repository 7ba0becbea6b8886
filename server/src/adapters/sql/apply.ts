/**
 * What a change set does to the state tables. Commit and verification run this same code: that is what "the state is
 * the ledger, replayed" means.
 */
import type { Sequence } from '../../domain/identity.ts';
import type { Connection } from './connection.ts';
import { openRecordWriter } from './apply-records.ts';
import { openCompanionWriter } from './apply-companions.ts';
import { openLinkWriter } from './apply-links.ts';
import { openRegisterWriter } from './apply-registers.ts';
import type { BatchEnd, Placed } from './skeleton.ts';
import type { Words } from './words.ts';

export interface StateWriter {
  apply(placed: Placed): void;
  /** Notes the batch's id and moves the head; `hash` is that of the batch's last change set. */
  closeBatch(sequence: Sequence, hash: Buffer, end: BatchEnd): void;
}

export const openStateWriter = (db: Connection, words: Words): StateWriter => {
  const writers = [openRecordWriter(db, words), openLinkWriter(db, words), openRegisterWriter(db), openCompanionWriter(db)];
  const noteBatch = db.prepare<[number, string]>('INSERT INTO batch (head, id) VALUES (?, ?)');
  const moveHead = db.prepare<[number, Buffer, number, number, number]>(
    'UPDATE meta SET head = ?, hash = ?, next_record = ?, next_golden = ?, next_task = ?',
  );
  return {
    apply: (placed) => {
      for (const write of writers) write(placed);
    },
    closeBatch: (sequence, hash, { id, next }) => {
      noteBatch.run(sequence, id);
      moveHead.run(sequence, hash, next.nextRecord, next.nextGolden, next.nextTask);
    },
  };
};
