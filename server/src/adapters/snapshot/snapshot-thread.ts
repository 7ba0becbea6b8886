/** Writes snapshots apart from the thread that owns the arrays, which leaves them alone meanwhile. */
import { parentPort } from 'node:worker_threads';
import { type SnapshotOf, type StoredArray, writeSnapshot } from './snapshot-file.ts';

/** A snapshot to write. */
export interface ToSnapshot {
  readonly file: string;
  readonly of: SnapshotOf;
  readonly arrays: readonly StoredArray[];
}

/** What came of it: '' where it is durable. */
export interface FromSnapshot {
  readonly failed: string;
}

const port = parentPort;
if (!port) throw new Error('snapshot-thread.ts runs as a worker thread');

port.on('message', ({ file, of, arrays }: ToSnapshot) => {
  let failed = '';
  try {
    writeSnapshot(file, of, arrays);
  } catch (error) {
    failed = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
  port.postMessage({ failed } satisfies FromSnapshot);
});
