/**
 * One feature of all records: each distinct value once, with an id, and the id of each record's slot. Values are counted
 * by their uses; the id of one that nobody uses any more goes to the next new value. Id 0 is ''.
 */
export interface ValueColumn {
  /** Value ids by slot. */
  ids: Uint32Array;
  /** Distinct values by id. */
  readonly texts: string[];
  readonly idOf: Map<string, number>;
  uses: Uint32Array;
  readonly freeIds: number[];
}

/** `array`, or a copy at least twice as long where `length` does not fit. */
export function grown(array: Uint32Array, length: number): Uint32Array;
export function grown(array: Float64Array, length: number): Float64Array;
export function grown(array: Uint32Array | Float64Array, length: number): Uint32Array | Float64Array {
  if (length <= array.length) return array;
  const room = Math.max(length, 2 * array.length, 1024);
  const copy = array instanceof Uint32Array ? new Uint32Array(room) : new Float64Array(room);
  copy.set(array);
  return copy;
}

export const createColumn = (): ValueColumn => ({
  ids: new Uint32Array(0),
  texts: [''],
  idOf: new Map([['', 0]]),
  uses: new Uint32Array(0),
  freeIds: [],
});

const acquire = (column: ValueColumn, text: string): number => {
  let id = column.idOf.get(text);
  if (id === undefined) {
    id = column.freeIds.pop() ?? column.texts.length;
    column.texts[id] = text;
    column.idOf.set(text, id);
    column.uses = grown(column.uses, id + 1);
  }
  column.uses[id] = (column.uses[id] ?? 0) + 1;
  return id;
};

const release = (column: ValueColumn, id: number): void => {
  const uses = (column.uses[id] ?? 0) - 1;
  column.uses[id] = uses;
  if (uses > 0) return;
  column.idOf.delete(column.texts[id] ?? '');
  column.texts[id] = '';
  column.freeIds.push(id);
};

/** Gives the slot another value; a slot that was never given one has ''. */
export const setValue = (column: ValueColumn, slot: number, text: string): void => {
  column.ids = grown(column.ids, slot + 1);
  const before = column.ids[slot] ?? 0;
  column.ids[slot] = text === '' ? 0 : acquire(column, text);
  if (before !== 0) release(column, before);
};

export const valueAt = (column: ValueColumn, slot: number): string => column.texts[column.ids[slot] ?? 0] ?? '';
