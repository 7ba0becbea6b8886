import { compareSchema, stateTables } from './compare.ts';
import { type Connection, requireRegistry } from './connection.ts';
import { openBeside, replay } from './replay.ts';

/** Rows of every state table, in the order of their keys, each as JSON. */
export type State = Readonly<Record<string, readonly string[]>>;

const dump = (db: Connection, schema: 'main' | 'live'): State =>
  Object.fromEntries(
    stateTables(db).map(({ name, key, columns }) => {
      const quoted = (list: readonly string[]): string => list.map((column) => `"${column}"`).join(', ');
      const rows = db
        .prepare(`SELECT ${quoted(columns)} FROM ${schema}."${name}" ORDER BY ${quoted(key)}`)
        .raw()
        .all();
      return [name, rows.map((row) => JSON.stringify(row))];
    }),
  );

/** The state tables of a small registry as stored, and as its ledger alone gives them. They should be equal. */
export const stateFromLedger = (dir: string): { readonly stored: State; readonly rebuilt: State } => {
  const db = openBeside(requireRegistry(dir));
  try {
    const { findings } = replay(db);
    const wrong = [...compareSchema(db), ...findings];
    if (wrong.length > 0) throw new Error(wrong.map(({ text }) => text).join('; '));
    return { stored: dump(db, 'live'), rebuilt: dump(db, 'main') };
  } finally {
    db.close();
  }
};
