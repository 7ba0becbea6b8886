import type { Arenas, Words } from './arena.ts';

/** Lists of numbers in blocks of 2^k words, with a free list for each k; what has been freed is used again. */
export interface Blocks {
  readonly words: Words;
  /** Where a block of at least so many words begins, never 0. */
  take(length: number): number;
  free(start: number, length: number): void;
}

const TOP = 32;

const sizeClass = (length: number): number => (length <= 1 ? 0 : 32 - Math.clz32(length - 1));

export const openBlocks = (arenas: Arenas): Blocks => {
  const words = arenas.words('blocks');
  /** Free lists by size class, each block holding the next; then the end of what was ever used. */
  const state = arenas.words('blocks state');
  if (state.view.length === 0) {
    state.ensure(TOP + 1);
    state.view[TOP] = 1;
  }
  return {
    words,
    take(length) {
      const k = sizeClass(length);
      const freed = state.view[k] ?? 0;
      if (freed !== 0) {
        state.view[k] = words.view[freed] ?? 0;
        return freed;
      }
      const start = state.view[TOP] ?? 1;
      words.ensure(start + 2 ** k);
      state.view[TOP] = start + 2 ** k;
      return start;
    },
    free(start, length) {
      const k = sizeClass(length);
      words.view[start] = state.view[k] ?? 0;
      state.view[k] = start;
    },
  };
};

/** Posting lists: the numbers (records) of each id (value), in no order. */
export interface Postings {
  /** Two words an id: where its block begins, or the one number itself; how many there are. */
  readonly heads: Words;
  add(id: number, number: number): void;
  remove(id: number, number: number): void;
}

/** Length of a list that was given up. */
export const UNLISTED = 0xffffffff;

const capacityOf = (count: number): number => (count <= 1 ? 0 : 2 ** sizeClass(count));

/** The lists called `name`; one that grows past `longest` is given up. */
export const openPostings = (
  arenas: Arenas,
  name: string,
  { blocks, longest }: { readonly blocks: Blocks; readonly longest: number },
): Postings => {
  const heads = arenas.words(`${name} postings`);

  /** Moves a list into a block for `count`, of which the first `kept` stand in the old one. */
  const move = (start: number, from: number, kept: number, count: number): number => {
    const target = blocks.take(count);
    blocks.words.view.copyWithin(target, start, start + kept);
    blocks.free(start, from);
    return target;
  };

  return {
    heads,
    add(id, number) {
      heads.ensure(2 * id + 2);
      const [start = 0, count = 0] = [heads.view[2 * id], heads.view[2 * id + 1]];
      if (count === UNLISTED) return;
      heads.view[2 * id + 1] = count + 1;
      if (count === 0) {
        heads.view[2 * id] = number;
      } else if (count === 1) {
        const block = blocks.take(2);
        blocks.words.view[block] = start;
        blocks.words.view[block + 1] = number;
        heads.view[2 * id] = block;
      } else if (count >= longest) {
        blocks.free(start, capacityOf(count));
        heads.view[2 * id + 1] = UNLISTED;
      } else {
        const block = count === capacityOf(count) ? move(start, count, count, count + 1) : start;
        blocks.words.view[block + count] = number;
        heads.view[2 * id] = block;
      }
    },
    remove(id, number) {
      const [start = 0, count = 0] = [heads.view[2 * id], heads.view[2 * id + 1]];
      if (count === UNLISTED || count === 0) return;
      const list = blocks.words.view;
      heads.view[2 * id + 1] = count - 1;
      if (count === 1) return;
      let at = start;
      while (list[at] !== number) at++;
      list[at] = list[start + count - 1] ?? 0;
      if (count === 2) {
        heads.view[2 * id] = list[start] ?? 0;
        blocks.free(start, 2);
      } else if (count - 1 === capacityOf(count - 1)) {
        heads.view[2 * id] = move(start, capacityOf(count), count - 1, count - 1);
      }
    },
  };
};
