/**
 * Lists of numbers by (kind, id), in a ring of fixed size in this thread's memory: what was put in first goes first when room
 * is needed.
 */
export interface ListCache {
  /** Where the list stands in `words`; undefined where it is not kept. */
  find(kind: number, id: number): KeptList | undefined;
  put(kind: number, id: number, covered: number, list: readonly number[] | Uint32Array): void;
  /** Says that a kept list is now right up to there. */
  cover(kind: number, id: number, covered: number): void;
}

export interface KeptList {
  readonly numbers: Uint32Array;
  /** What it was made from: see `put`. */
  readonly covered: number;
}

/** Kind, id, covered, length; then the numbers. */
const HEADER = 4;
/** Kind of the room that is left at the end of the ring. */
const PADDING = 0xffffffff;

/** @param capacity Of the ring, in numbers. A list longer than a quarter of it is not kept. */
export const createListCache = (kinds: number, capacity: number): ListCache => {
  const ring = new Uint32Array(capacity);
  /** By kind and id: the place of the list, from 1. */
  const places = Array.from({ length: kinds }, () => new Uint32Array(0));
  /** Both only go up; their place in the ring is the rest by its capacity. */
  let head = 0;
  let tail = 0;

  const placeOf = (kind: number, id: number): number => (places[kind]?.[id] ?? 0) - 1;

  const forgetOldest = (): void => {
    const at = tail % capacity;
    const kind = ring[at] ?? 0;
    if (kind === PADDING) {
      tail += capacity - at;
      return;
    }
    const id = ring[at + 1] ?? 0;
    const own = places[kind];
    if (own?.[id] === at + 1) own[id] = 0;
    tail += HEADER + (ring[at + 3] ?? 0);
  };

  const room = (size: number): number => {
    const left = capacity - (head % capacity);
    const skipped = left < size ? left : 0;
    while (head + skipped + size - tail > capacity) forgetOldest();
    if (skipped > 0) {
      ring[head % capacity] = PADDING;
      head += skipped;
    }
    const at = head % capacity;
    head += size;
    return at;
  };

  const point = (kind: number, id: number, at: number): void => {
    let own = places[kind] ?? new Uint32Array(0);
    if (id >= own.length) {
      const larger = new Uint32Array(Math.max(1024, 2 * own.length, id + 1));
      larger.set(own);
      places[kind] = own = larger;
    }
    own[id] = at + 1;
  };

  return {
    find(kind, id) {
      const at = placeOf(kind, id);
      if (at < 0) return undefined;
      const start = at + HEADER;
      return { numbers: ring.subarray(start, start + (ring[at + 3] ?? 0)), covered: ring[at + 2] ?? 0 };
    },
    put(kind, id, covered, list) {
      if (HEADER + list.length > capacity / 4) return;
      const at = room(HEADER + list.length);
      ring[at] = kind;
      ring[at + 1] = id;
      ring[at + 2] = covered;
      ring[at + 3] = list.length;
      ring.set(list, at + HEADER);
      point(kind, id, at);
    },
    cover(kind, id, covered) {
      const at = placeOf(kind, id);
      if (at >= 0) ring[at + 2] = covered;
    },
  };
};
