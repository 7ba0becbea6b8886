import type { Connection } from './connection.ts';
import type { Finding } from './replay.ts';

/** Not made by replaying: the ledger itself, and what the rules derive. */
const NOT_STATE: ReadonlySet<string> = new Set(['change_set', 'feature', 'feature_path']);
/** Checked by their hash; not copied into the scratch database. */
const BY_HASH: ReadonlySet<string> = new Set([
  'payload.salt',
  'payload.resource',
  'password.hash',
  'companion_version.salt',
  'companion_version.resource',
]);
/** Parts of keys that a finding may not show. */
const PERSONAL: ReadonlySet<string> = new Set(['value']);
/** Findings a table. */
const SHOWN = 10;

export interface StateTable {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
}

export const stateTables = (db: Connection): readonly StateTable[] => {
  const names = db
    .prepare<[], string>("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all();
  const info = db.prepare<[string], { readonly name: string; readonly pk: number }>(
    "SELECT name, pk FROM pragma_table_info(?, 'main')",
  );
  return names
    .filter((name) => !NOT_STATE.has(name))
    .map((name) => {
      const all = info.all(name);
      const columns = all.map((column) => column.name).filter((column) => !BY_HASH.has(`${name}.${column}`));
      return { name, key: all.filter(({ pk }) => pk > 0).map((column) => column.name), columns };
    });
};

const alike = (columns: readonly string[]): string => columns.map((column) => `y."${column}" IS x."${column}"`).join(' AND ');

/** Keys of rows of `x` that have no row in `y` with the same `columns`. */
const without = (db: Connection, sql: string, { key }: StateTable): readonly string[] => {
  const shown = key.filter((column) => !PERSONAL.has(column));
  return db
    .prepare<[], readonly unknown[]>(`SELECT ${shown.map((column) => `x."${column}"`).join(', ')} ${sql} LIMIT ${SHOWN}`)
    .raw()
    .all()
    .map((row) => shown.map((column, index) => `${column} ${String(row[index])}`).join(', '));
};

const compareTable = (db: Connection, table: StateTable): readonly Finding[] => {
  const { name, key, columns } = table;
  const wrong = without(
    db,
    `FROM main."${name}" x WHERE NOT EXISTS (SELECT 1 FROM live."${name}" y WHERE ${alike(columns)})`,
    table,
  );
  const extra = without(db, `FROM live."${name}" x WHERE NOT EXISTS (SELECT 1 FROM main."${name}" y WHERE ${alike(key)})`, table);
  return [
    ...wrong.map((row): Finding => ({ check: 'state', text: `${name}: ${row} is not as the ledger says` })),
    ...extra.map((row): Finding => ({ check: 'state', text: `${name}: ${row} is not in the ledger` })),
  ];
};

/** Every state table of `live` against that of `main`, in full and both ways; the first ten differences of each. */
export const compareState = (db: Connection): readonly Finding[] => stateTables(db).flatMap((table) => compareTable(db, table));

/** The schema of `live` against that of `main`. */
export const compareSchema = (db: Connection): readonly Finding[] => {
  const schema = (name: string): string =>
    JSON.stringify(db.prepare(`SELECT type, name, tbl_name, sql FROM ${name}.sqlite_schema ORDER BY type, name`).raw().all());
  return schema('live') === schema('main') ? [] : [{ check: 'schema', text: 'the tables are not those of this schema version' }];
};
