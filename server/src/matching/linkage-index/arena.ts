/**
 * Memory of the linkage index: named arrays off the heap that grow in place. A growable SharedArrayBuffer reserves
 * addresses, not memory, so that growing copies nothing and pauses nobody, and other threads may look at the same bytes.
 * Views have a fixed length and are made anew when an array has grown: length-tracking ones are read many times slower
 * (measured), so code takes `view` into a local for a loop and never across an insertion.
 */
export interface Words {
  view: Uint32Array<SharedArrayBuffer>;
  /** Makes room for at least so many elements; new ones are 0. */
  ensure(length: number): void;
}

export interface Bytes {
  view: Buffer<SharedArrayBuffer>;
  ensure(length: number): void;
}

/** One array, as it crosses threads and is written to a snapshot. */
export interface Arena {
  readonly name: string;
  readonly buffer: SharedArrayBuffer;
}

export interface Arenas {
  words(name: string): Words;
  bytes(name: string): Bytes;
  /** In order of creation. */
  all(): readonly Arena[];
  /** Another thread may have grown the arrays: sees their whole length again. */
  refresh(): void;
}

/** Bytes that an array may grow to: addresses only. */
export const DEFAULT_RESERVE = 2 ** 32;

/** Growth in steps of a sixteenth, and of whole pieces of this. */
const STEP = 2 ** 12;

const grow = (buffer: SharedArrayBuffer, name: string, bytes: number): void => {
  const { byteLength, maxByteLength } = buffer;
  if (bytes > maxByteLength) throw new RangeError(`the linkage index is full: ${name} cannot hold ${bytes} bytes`);
  const wanted = Math.max(bytes, byteLength + byteLength / 16);
  buffer.grow(Math.min(maxByteLength, Math.ceil(wanted / STEP) * STEP));
};

/** New arrays, or with `existing` those of another thread or a snapshot; `reserve` bounds each, in bytes. */
export const createArenas = (existing: readonly Arena[] = [], reserve = DEFAULT_RESERVE): Arenas => {
  const buffers = new Map(existing.map(({ name, buffer }) => [name, buffer]));
  const views: (() => void)[] = [];

  const bufferOf = (name: string): SharedArrayBuffer => {
    const buffer = buffers.get(name) ?? new SharedArrayBuffer(0, { maxByteLength: reserve });
    buffers.set(name, buffer);
    return buffer;
  };

  return {
    words(name) {
      const buffer = bufferOf(name);
      const see = (): Uint32Array<SharedArrayBuffer> => new Uint32Array(buffer, 0, buffer.byteLength >> 2);
      const words: Words = {
        view: see(),
        ensure(length) {
          if (length <= words.view.length) return;
          grow(buffer, name, 4 * length);
          words.view = see();
        },
      };
      views.push(() => (words.view = see()));
      return words;
    },
    bytes(name) {
      const buffer = bufferOf(name);
      const see = (): Buffer<SharedArrayBuffer> => Buffer.from(buffer, 0, buffer.byteLength);
      const bytes: Bytes = {
        view: see(),
        ensure(length) {
          if (length <= bytes.view.length) return;
          grow(buffer, name, length);
          bytes.view = see();
        },
      };
      views.push(() => (bytes.view = see()));
      return bytes;
    },
    all: () => [...buffers].map(([name, buffer]) => ({ name, buffer })),
    refresh: () => {
      for (const see of views) see();
    },
  };
};
