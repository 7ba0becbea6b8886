import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * How far the import of a file has come, so that one that was broken off goes on from there. It is written after the commit: rows
 * past it may be in the registry already, and are then found unchanged.
 */
export interface ImportMark {
  /** Rows up to this one are done; 0 at first. */
  readonly rows: number;
  advance(rows: number): void;
  /** The file is done. */
  remove(): void;
}

const SAMPLE = 1 << 20;

/** Names a file by what is in it, as far as a quick look tells, and by how and for whom it is read. */
function fingerprint(path: string, how: string): string {
  const { size } = statSync(path);
  const hash = createHash('sha256').update(`${size} ${how}\n`);
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(SAMPLE);
  for (const at of [0, Math.max(0, size - SAMPLE)]) hash.update(buffer.subarray(0, readSync(file, buffer, 0, SAMPLE, at)));
  closeSync(file);
  return hash.digest('hex').slice(0, 32);
}

/** @param how Everything else that decides what a row becomes: the mapping, the client. */
export function openMark(dataDir: string, path: string, how: string): ImportMark {
  const folder = join(dataDir, 'imports');
  const file = join(folder, `${fingerprint(path, how)}.json`);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly rows: number }).rows : 0;
  return {
    rows: before,
    advance(rows) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const fresh = `${file}.new`;
      writeFileSync(fresh, `${JSON.stringify({ rows })}\n`, { mode: 0o600 });
      const handle = openSync(fresh, 'r');
      fsyncSync(handle);
      closeSync(handle);
      renameSync(fresh, file);
    },
    remove: () => {
      rmSync(file, { force: true });
    },
  };
}
