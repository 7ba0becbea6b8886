/** In which order the index of searches answers, and what comes after a place in it. */
import type { Cursor, Sort } from '../../fhir/sorting.ts';

/** A piece of a statement, with the values of its places. */
export type Part = { readonly sql: string; readonly values: readonly (string | number)[] };

export const COLUMNS: Readonly<Record<Sort['by'], string>> = {
  family: 'family',
  given: 'given',
  birthdate: 'birth_low',
  _lastUpdated: 'updated',
  _id: 'record',
};

/**
 * What comes after the cursor. In one direction a comparison of rows, which an index answers from its place on; else key by key,
 * the first also alone, so that its index is entered at the page and not at the beginning.
 */
export function afterPart(order: readonly Sort[], cursor: Cursor): Part {
  const columns = order.map(({ by }) => COLUMNS[by]);
  const beyond = order.map(({ descending }) => (descending ? '<' : '>'));
  const [first = ''] = beyond;
  if (beyond.every((one) => one === first)) {
    return { sql: ` AND (${columns.join(', ')}) ${first} (${columns.map(() => '?').join(', ')})`, values: cursor };
  }
  const keys = columns.map((column, place) => ({ more: `${column} ${beyond[place] ?? ''} ?`, same: `${column} = ?` }));
  const nested = keys.reduceRight((rest, { more, same }) => (rest === '' ? more : `(${more} OR (${same} AND ${rest}))`), '');
  const twice = cursor.slice(0, -1).flatMap((value) => [value, value]);
  return {
    sql: ` AND ${columns[0] ?? ''} ${first}= ? AND ${nested}`,
    values: [...cursor.slice(0, 1), ...twice, ...cursor.slice(-1)],
  };
}
