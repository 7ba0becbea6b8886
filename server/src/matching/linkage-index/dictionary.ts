import type { Arenas } from './arena.ts';

/**
 * Distinct texts, each with an id from 1 in order of arrival; an id is never given again. A text takes its UTF-16 units,
 * one byte each where all are below 256 and two otherwise, and 16 bytes beside.
 */
export interface Dictionary {
  readonly size: number;
  /** Its id; 0 where it is not there. */
  find(text: string): number;
  /** Its id, given now where it is new. */
  add(text: string): number;
  textOf(id: number): string;
}

const SIZE = 0;
const LEVEL = 1;
const SPLIT = 2;
const FIRST_LEVEL = 4;

/** High bit of an offset: the text has two bytes a unit. */
const WIDE = 0x80000000;

const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
};

const isNarrow = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return false;
  return true;
};

/**
 * The dictionary called `name` in these arenas. Chains of a linear hash table (W. Litwin, VLDB 1980): each new text splits
 * one chain, so that no insertion ever rehashes the whole.
 */
export const openDictionary = (arenas: Arenas, name: string): Dictionary => {
  const state = arenas.words(`${name} state`);
  const offsets = arenas.words(`${name} offsets`);
  const hashes = arenas.words(`${name} hashes`);
  const next = arenas.words(`${name} next`);
  const heads = arenas.words(`${name} heads`);
  const texts = arenas.bytes(`${name} texts`);
  if (state.view.length === 0) {
    state.ensure(3);
    state.view[LEVEL] = FIRST_LEVEL;
    heads.ensure(1 << FIRST_LEVEL);
    offsets.ensure(2);
  }

  const sizeOf = (): number => state.view[SIZE] ?? 0;

  const chainOf = (hash: number): number => {
    const chains = 1 << (state.view[LEVEL] ?? 0);
    const chain = hash & (2 * chains - 1);
    return chain < chains + (state.view[SPLIT] ?? 0) ? chain : chain & (chains - 1);
  };

  const startOf = (id: number): number => (offsets.view[id] ?? 0) & ~WIDE;

  const equals = (id: number, text: string): boolean => {
    const bytes = texts.view;
    const start = startOf(id);
    const length = startOf(id + 1) - start;
    if ((offsets.view[id] ?? 0) < WIDE) {
      if (length !== text.length) return false;
      for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
      return true;
    }
    if (length !== 2 * text.length) return false;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (bytes[start + 2 * i] !== (unit & 255) || bytes[start + 2 * i + 1] !== unit >> 8) return false;
    }
    return true;
  };

  const findHashed = (text: string, hash: number): number => {
    const [links, known] = [next.view, hashes.view];
    let id = heads.view[chainOf(hash)] ?? 0;
    while (id !== 0 && !(known[id] === hash && equals(id, text))) id = links[id] ?? 0;
    return id;
  };

  /** Parts the chain that is due: those of its texts that one more bit of their hash sends elsewhere go there. */
  const splitChain = (): void => {
    const chains = 1 << (state.view[LEVEL] ?? 0);
    const due = state.view[SPLIT] ?? 0;
    heads.ensure(chains + due + 1);
    const links = next.view;
    let [stays, leaves] = [0, 0];
    let id = heads.view[due] ?? 0;
    while (id !== 0) {
      const following = links[id] ?? 0;
      const left = ((hashes.view[id] ?? 0) & chains) !== 0;
      links[id] = left ? leaves : stays;
      if (left) leaves = id;
      else stays = id;
      id = following;
    }
    heads.view[due] = stays;
    heads.view[chains + due] = leaves;
    const last = due + 1 === chains;
    state.view[SPLIT] = last ? 0 : due + 1;
    if (last) state.view[LEVEL] = (state.view[LEVEL] ?? 0) + 1;
  };

  const store = (text: string, id: number): void => {
    offsets.ensure(id + 2);
    const start = startOf(id);
    const narrow = isNarrow(text);
    const end = start + (narrow ? text.length : 2 * text.length);
    if (end >= WIDE) throw new RangeError(`the linkage index is full: ${name} has no room for another text`);
    texts.ensure(end);
    texts.view.write(text, start, narrow ? 'latin1' : 'utf16le');
    offsets.view[id] = narrow ? start : (start | WIDE) >>> 0;
    offsets.view[id + 1] = end;
  };

  return {
    get size() {
      return sizeOf();
    },
    find: (text) => findHashed(text, hashOf(text)),
    add(text) {
      const hash = hashOf(text);
      const known = findHashed(text, hash);
      if (known !== 0) return known;
      const id = sizeOf() + 1;
      store(text, id);
      hashes.ensure(id + 1);
      next.ensure(id + 1);
      const chain = chainOf(hash);
      hashes.view[id] = hash;
      next.view[id] = heads.view[chain] ?? 0;
      heads.view[chain] = id;
      state.view[SIZE] = id;
      splitChain();
      return id;
    },
    textOf(id) {
      const wide = (offsets.view[id] ?? 0) >= WIDE;
      return texts.view.toString(wide ? 'utf16le' : 'latin1', startOf(id), startOf(id + 1));
    },
  };
};
