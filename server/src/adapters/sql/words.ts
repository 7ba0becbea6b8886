import type { Connection } from './connection.ts';

/** The dictionary: a number for each repeated text. */
export interface Words {
  /** The word's number, given now where it is new. */
  number(text: string): number;
  /** After a rollback: numbers given since may be gone. */
  forget(): void;
}

/** Unknown systems are a caller's text, so what is remembered is bounded. */
const REMEMBERED = 10_000;

export const openWords = (db: Connection): Words => {
  const find = db.prepare<[string], number>('SELECT n FROM word WHERE text = ?').pluck();
  const add = db.prepare<[string]>('INSERT INTO word (text) VALUES (?)');
  const known = new Map<string, number>();
  return {
    number: (text) => {
      const seen = known.get(text);
      if (seen !== undefined) return seen;
      if (known.size >= REMEMBERED) known.clear();
      const number = find.get(text) ?? Number(add.run(text).lastInsertRowid);
      known.set(text, number);
      return number;
    },
    forget: () => {
      known.clear();
    },
  };
};
