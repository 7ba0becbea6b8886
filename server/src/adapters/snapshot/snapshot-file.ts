import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** One array of a snapshot. */
export interface StoredArray {
  readonly name: string;
  readonly buffer: SharedArrayBuffer;
}

/** What a snapshot is of: it fits where all of this is as it was. */
export interface SnapshotOf {
  /** What the arrays hold and how: another layout is another program or other rules. */
  readonly layout: string;
  readonly ruleVersion: string;
  /** Every change set up to here is in the arrays. */
  readonly sequence: number;
  /** Hash of that change set: another ledger, or one put back to an earlier day, has another. */
  readonly hash: string;
}

interface Entry {
  readonly name: string;
  readonly bytes: number;
  /** CRC-32 of each piece. */
  readonly sums: readonly number[];
}

const MAGIC = 'OpenCR index snapshot 1\n';
const PIECE = 4 * 1024 * 1024;

const pieces = (buffer: SharedArrayBuffer): readonly Buffer<SharedArrayBuffer>[] =>
  Array.from({ length: Math.ceil(buffer.byteLength / PIECE) }, (_, place) =>
    Buffer.from(buffer, place * PIECE, Math.min(PIECE, buffer.byteLength - place * PIECE)),
  );

/** Writes all or nothing: the file of before stays until the new one is durable. Personal data: for its owner alone. */
export function writeSnapshot(file: string, of: SnapshotOf, arrays: readonly StoredArray[]): void {
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  const handle = openSync(fresh, 'wx', 0o600);
  try {
    const entries = arrays.map(({ name, buffer }): Entry => ({
      name,
      bytes: buffer.byteLength,
      sums: pieces(buffer).map((piece) => crc32(piece)),
    }));
    const header = Buffer.from(JSON.stringify({ of, entries }));
    const start = Buffer.alloc(8);
    start.writeUInt32LE(header.length, 0);
    start.writeUInt32LE(crc32(header), 4);
    for (const part of [Buffer.from(MAGIC), start, header, ...arrays.flatMap(({ buffer }) => pieces(buffer))]) {
      for (let at = 0; at < part.length;) at += writeSync(handle, part, at);
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(fresh, file);
}

const readWhole = (handle: number, into: Buffer): boolean => {
  let at = 0;
  while (at < into.length) {
    const read = readSync(handle, into, at, into.length - at, null);
    if (read === 0) return false;
    at += read;
  }
  return true;
};

const readHeader = (handle: number): { readonly of: SnapshotOf; readonly entries: readonly Entry[] } | undefined => {
  const start = Buffer.alloc(MAGIC.length + 8);
  if (!readWhole(handle, start) || start.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  const length = start.readUInt32LE(MAGIC.length);
  if (length > 16 * PIECE) return undefined;
  const header = Buffer.alloc(length);
  if (!readWhole(handle, header) || crc32(header) !== start.readUInt32LE(MAGIC.length + 4)) return undefined;
  return JSON.parse(header.toString()) as { of: SnapshotOf; entries: Entry[] };
};

export type SnapshotRead =
  | { readonly kind: 'read'; readonly of: SnapshotOf; readonly arrays: readonly StoredArray[] }
  /** `why` it is of no use, in words; '' where there is none. */
  | { readonly kind: 'none'; readonly why: string };

/**
 * Reads a snapshot whose description `fits`; the arrays may grow to `reserve` bytes each. A damaged file is as good as none: the
 * index is made again.
 */
export function readSnapshot(file: string, fits: (of: SnapshotOf) => boolean, reserve: number): SnapshotRead {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'none', why: '' };
    throw error;
  }
  try {
    const header = readHeader(handle);
    if (!header) return { kind: 'none', why: 'the snapshot of the index is damaged' };
    if (!fits(header.of)) return { kind: 'none', why: 'the snapshot of the index is of other rules or of another ledger' };
    const arrays: StoredArray[] = [];
    for (const { name, bytes, sums } of header.entries) {
      const buffer = new SharedArrayBuffer(bytes, { maxByteLength: Math.max(reserve, bytes) });
      const parts = pieces(buffer);
      if (parts.length !== sums.length) return { kind: 'none', why: 'the snapshot of the index is damaged' };
      for (const [place, part] of parts.entries()) {
        if (!readWhole(handle, part) || crc32(part) !== sums[place])
          return { kind: 'none', why: 'the snapshot of the index is damaged' };
      }
      arrays.push({ name, buffer });
    }
    return { kind: 'read', of: header.of, arrays };
  } finally {
    closeSync(handle);
  }
}
