/** The identifiers of a registry as they are stored, system by system, for whoever looks after them: read only, in short reads. */
import { setImmediate as pause } from 'node:timers/promises';
import { connect, requireRegistry } from './connection.ts';

/** Identifiers a read: long reads hold back the write-ahead log. */
const PAGE = 2000;

export interface IdentifierScan {
  /** Every system of which there is an identifier; '' where one was stated without. */
  systems(): readonly string[];
  count(system: string): number;
  /** The values of a system, a page at a time. */
  values(system: string): AsyncIterable<readonly string[]>;
  close(): void;
}

interface Row {
  readonly record: number;
  readonly value: string;
}

/** @throws RegistryError `not-found` where there is no registry. */
export function openIdentifierScan(dir: string): IdentifierScan {
  const db = connect(requireRegistry(dir), true);
  // By the index of systems, which holds everything that is asked for.
  const next = db.prepare<[number], number>('SELECT system FROM identifier WHERE system > ? ORDER BY system LIMIT 1').pluck();
  const text = db.prepare<[number], string>('SELECT text FROM word WHERE n = ?').pluck();
  const word = db.prepare<[string], number>('SELECT n FROM word WHERE text = ?').pluck();
  const counted = db.prepare<[number], number>('SELECT count(*) FROM identifier WHERE system = ?').pluck();
  const page = db.prepare<[number, number, number, string], Row>(
    `SELECT record, value FROM identifier WHERE system = ? AND record >= ? AND (record > ? OR value > ?)
     ORDER BY record, value LIMIT ${PAGE}`,
  );
  return {
    systems() {
      const found: string[] = [];
      for (let n = next.get(-1); n !== undefined; n = next.get(n)) found.push(text.get(n) ?? '');
      return found;
    },
    count: (system) => counted.get(word.get(system) ?? -1) ?? 0,
    async *values(system) {
      const number = word.get(system) ?? -1;
      for (let last: Row | undefined = { record: -1, value: '' }; last !== undefined;) {
        const rows: readonly Row[] = page.all(number, last.record, last.record, last.value);
        if (rows.length > 0) yield rows.map(({ value }) => value);
        last = rows.at(-1);
        await pause();
      }
    },
    close: () => {
      db.close();
    },
  };
}
