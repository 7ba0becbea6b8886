/** In which order a search answers (FHIR R4 search.html#sort), and where one of its pages begins. */

export const SORTS = ['family', 'given', 'birthdate', '_lastUpdated', '_id'] as const;
/** One key of `_sort`. */
export interface Sort {
  readonly by: (typeof SORTS)[number];
  readonly descending: boolean;
}

const SORT_WORDS = `_sort takes ${SORTS.join(', ')}, joined by commas, each with - before it for descending`;

/** Reads `_sort`: keys by priority. Answers in words what is wrong with it. */
export function readSort(value: string): readonly Sort[] | string {
  const keys: Sort[] = [];
  for (const text of value.split(',')) {
    const descending = text.startsWith('-');
    const name = text.slice(descending ? 1 : 0);
    const by = SORTS.find((one) => one === name);
    if (by === undefined) return `${SORT_WORDS}; ${name === '' ? 'a key is empty' : `${name.slice(0, 64)} is none of them`}.`;
    if (keys.some((key) => key.by === by)) return `_sort names ${by} twice.`;
    keys.push({ by, descending });
  }
  return keys;
}

/** What a record is sorted by, '' where it has none of it: of several values the first. `_id` is the order of arrival. */
export interface SortValues {
  readonly family: string;
  readonly given: string;
  readonly birthdate: string;
  readonly _lastUpdated: string;
}

/** A record in the order of an answer. */
export interface Sortable {
  readonly record: number;
  readonly values: SortValues;
}

/** Keys that decide, the record's number last, which no two share: the order is the same on every page. */
export function orderOf(keys: readonly Sort[]): readonly Sort[] {
  const place = keys.findIndex(({ by }) => by === '_id');
  return place < 0 ? [...keys, { by: '_id', descending: keys.at(-1)?.descending ?? false }] : keys.slice(0, place + 1);
}

/** Where a page begins: after a record, by what it is sorted by, its number last. */
export type Cursor = readonly (string | number)[];

export const cursorOf = (keys: readonly Sort[], { record, values }: Sortable): Cursor =>
  orderOf(keys).map(({ by }) => (by === '_id' ? record : values[by]));

const comparePlaces = (order: readonly Sort[], x: Cursor, y: Cursor): number => {
  for (const [place, { descending }] of order.entries()) {
    const [a, b] = [x[place] ?? '', y[place] ?? ''];
    if (a !== b) return a < b === descending ? 1 : -1;
  }
  return 0;
};

/** Compares two places under `_sort`: what a record lacks comes before all that others have. */
export const comparingPlaces = (keys: readonly Sort[]): ((x: Cursor, y: Cursor) => number) => {
  const order = orderOf(keys);
  return (x, y) => comparePlaces(order, x, y);
};

/** Compares two records under `_sort`. */
export const comparing = (keys: readonly Sort[]): ((x: Sortable, y: Sortable) => number) => {
  const compare = comparingPlaces(keys);
  return (x, y) => compare(cursorOf(keys, x), cursorOf(keys, y));
};

/** Whether a page of this order may begin there: another number of values is of another `_sort`. */
const isCursorOf = (sort: readonly Sort[], read: unknown): read is Cursor => {
  if (!Array.isArray(read)) return false;
  const values: readonly unknown[] = read;
  const order = orderOf(sort);
  return (
    values.length === order.length && order.every(({ by }, at) => typeof values[at] === (by === '_id' ? 'number' : 'string'))
  );
};

/** As links carry it: opaque to clients. */
export const encodeCursor = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** What an answer in this order gave as its next page; undefined for anything else. */
export function decodeCursor(text: string, sort: readonly Sort[]): Cursor | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return isCursorOf(sort, read) ? read : undefined;
  } catch {
    return undefined;
  }
}
