import type { Arenas } from './arena.ts';

/**
 * Finds, among the texts of a dictionary, those that share so many letters with a given one, 32 at a time: a filter for
 * every comparator that can say how many letters two agreeing texts have in common (`Comparator.sharedLetters`).
 *
 * Texts of one length (in code points) stand in chunks of slots. A chunk has planes of one bit a slot: for each of 32
 * classes of letters "has one", "has two", "has three"; for each class "begins with it", "has it second". For a query the planes of
 * its letters are added up in a bit-sliced counter, which is at least the size of the two texts' common multiset of letters:
 * letters of one class, and a fourth occurrence of one, count as shared.
 */
export interface LetterPlanes {
  add(text: string, id: number): void;
  /** Calls `found` with every id whose text may agree; `needs` says by length how many letters it must share. */
  search(text: string, needs: Needs, found: (id: number) => void): void;
}

/**
 * For a length in code points: the least number of shared letters where the first letters differ, where only the first
 * are the same, and where the first two are; Infinity where two such texts never agree.
 */
export type Needs = (length: number) => readonly [none: number, one: number, more: number];

/** Texts as long or longer stand together and are not filtered. */
export const LONG = 64;

const CLASSES = 32;
const COUNTED = 3;
const FIRST = CLASSES * COUNTED;
const SECOND = FIRST + CLASSES;
const PLANES = SECOND + CLASSES;

/** Latin letters have a class each; others share them. */
const classOf = (code: number): number => (code < 128 ? code : Math.imul(code, 0x9e3779b1) >>> 27) & (CLASSES - 1);

const CHUNKS = 0;

/** Slots with at least `least` in the bit-sliced counter; a value past 31 has its `over` bit set. */
const atLeast = (counter: readonly [number, number, number, number, number], over: number, least: number): number => {
  if (least <= 0) return -1;
  if (least > 31) return over;
  let greater = over;
  let equal = -1;
  for (let bit = 4; bit >= 0; bit--) {
    const plane = counter[bit] ?? 0;
    if ((least >> bit) & 1) equal &= plane;
    else {
      greater |= equal & plane;
      equal &= ~plane;
    }
  }
  return greater | equal;
};

interface Letters {
  readonly length: number;
  /** Planes to add up, by their place in a chunk. */
  readonly planes: readonly number[];
  /** Occurrences past the third: counted as shared with every text. */
  readonly uncounted: number;
  readonly first: number;
  readonly second: number;
}

const lettersOf = (text: string): Letters => {
  const seen = new Uint8Array(CLASSES);
  const planes: number[] = [];
  const begins: number[] = [];
  let length = 0;
  let uncounted = 0;
  for (const letter of text) {
    const letterClass = classOf(letter.codePointAt(0) ?? 0);
    const before = seen[letterClass] ?? 0;
    if (before < COUNTED) planes.push(letterClass * COUNTED + before);
    else uncounted++;
    seen[letterClass] = before + 1;
    if (length++ < 2) begins.push(letterClass);
  }
  return { length, planes, uncounted, first: FIRST + (begins[0] ?? 0), second: SECOND + (begins[1] ?? 0) };
};

/** The planes called `name` in these arenas; `slots` a chunk, a multiple of 32. */
export const openLetterPlanes = (arenas: Arenas, name: string, slots: number): LetterPlanes => {
  const width = slots / 32;
  const state = arenas.words(`${name} planes state`);
  /** Two words a chunk: length of its texts, slots in use. */
  const chunks = arenas.words(`${name} chunks`);
  const planes = arenas.words(`${name} planes`);
  const ids = arenas.words(`${name} slots`);
  /** Chunk with room by length, from 1. */
  const open = arenas.words(`${name} open chunks`);
  state.ensure(1);
  open.ensure(LONG + 1);

  const chunkFor = (length: number): number => {
    const last = (open.view[length] ?? 0) - 1;
    if (last >= 0 && (chunks.view[2 * last + 1] ?? 0) < slots) return last;
    const chunk = state.view[CHUNKS] ?? 0;
    chunks.ensure(2 * chunk + 2);
    planes.ensure((chunk + 1) * PLANES * width);
    ids.ensure((chunk + 1) * slots);
    chunks.view[2 * chunk] = length;
    open.view[length] = chunk + 1;
    state.view[CHUNKS] = chunk + 1;
    return chunk;
  };

  const tell = (chunk: number, word: number, hits: number, found: (id: number) => void): void => {
    let rest = hits;
    while (rest !== 0) {
      const bit = 31 - Math.clz32(rest & -rest);
      rest &= rest - 1;
      found(ids.view[chunk * slots + word * 32 + bit] ?? 0);
    }
  };

  const scan = (letters: Letters, chunk: number, needed: readonly [number, number, number], found: (id: number) => void) => {
    const [none, one, more] = [needed[0] - letters.uncounted, needed[1] - letters.uncounted, needed[2] - letters.uncounted];
    const used = chunks.view[2 * chunk + 1] ?? 0;
    const bits = planes.view;
    const base = chunk * PLANES * width;
    const wanted = letters.planes;
    const [firstPlane, secondPlane] = [base + letters.first * width, base + letters.second * width];
    const counter: [number, number, number, number, number] = [0, 0, 0, 0, 0];
    for (let word = 0; word * 32 < used; word++) {
      let [c0, c1, c2, c3, c4, over] = [0, 0, 0, 0, 0, 0];
      for (let i = 0; i < wanted.length; i++) {
        const plane = bits[base + (wanted[i] ?? 0) * width + word] ?? 0;
        const k0 = c0 & plane;
        c0 ^= plane;
        const k1 = c1 & k0;
        c1 ^= k0;
        const k2 = c2 & k1;
        c2 ^= k1;
        const k3 = c3 & k2;
        c3 ^= k2;
        over |= c4 & k3;
        c4 ^= k3;
      }
      counter[0] = c0;
      counter[1] = c1;
      counter[2] = c2;
      counter[3] = c3;
      counter[4] = c4;
      const first = bits[firstPlane + word] ?? 0;
      let hits = first & (bits[secondPlane + word] ?? 0) & atLeast(counter, over, more);
      if (one < Infinity) hits |= first & atLeast(counter, over, one);
      if (none < Infinity) hits |= atLeast(counter, over, none);
      const filled = used - word * 32;
      tell(chunk, word, filled < 32 ? hits & ((1 << filled) - 1) : hits, found);
    }
  };

  return {
    add(text, id) {
      const letters = lettersOf(text);
      const chunk = chunkFor(Math.min(letters.length, LONG));
      const slot = chunks.view[2 * chunk + 1] ?? 0;
      chunks.view[2 * chunk + 1] = slot + 1;
      ids.view[chunk * slots + slot] = id;
      const [word, bit] = [slot >> 5, 1 << (slot & 31)];
      for (const plane of [...letters.planes, letters.first, letters.second]) {
        const at = (chunk * PLANES + plane) * width + word;
        planes.view[at] = ((planes.view[at] ?? 0) | bit) >>> 0;
      }
    },
    search(text, needs, found) {
      const letters = lettersOf(text);
      const count = state.view[CHUNKS] ?? 0;
      for (let chunk = 0; chunk < count; chunk++) {
        const length = chunks.view[2 * chunk] ?? 0;
        // Nothing is known of long texts, but that they may agree.
        const needed = length === LONG || letters.length >= LONG ? ([0, 0, 0] as const) : needs(length);
        if (needed[2] <= Math.min(letters.length, length) || length === LONG) scan(letters, chunk, needed, found);
      }
    },
  };
};
