import type { RecordKey } from '../../domain/identity.ts';
import type { FeatureSpec, FeatureValues } from '../../matching/model.ts';
import type { Connection } from './connection.ts';

/** Numbers of features that have, or may have, rows; undefined for one that never had any. */
export const findPaths = (db: Connection, specs: readonly FeatureSpec[]): readonly (number | undefined)[] => {
  const find = db
    .prepare<[string, string, string], number>('SELECT n FROM feature_path WHERE path = ? AND normaliser = ? AND multi = ?')
    .pluck();
  return specs.map((spec) => find.get(spec.path, spec.normaliser, spec.multi));
};

/** Numbers of features, given now where they are new. */
export const givePaths = (db: Connection, specs: readonly FeatureSpec[]): readonly number[] => {
  // Where there are no records, each of them has a row.
  const add = db.prepare<[string, string, string]>(
    `INSERT INTO feature_path (path, normaliser, multi, complete)
     VALUES (?, ?, ?, NOT EXISTS (SELECT 1 FROM record)) ON CONFLICT DO NOTHING`,
  );
  if (findPaths(db, specs).includes(undefined)) {
    for (const spec of specs) add.run(spec.path, spec.normaliser, spec.multi);
  }
  return findPaths(db, specs).map(Number);
};

/** SQL: the values of a record's features, a column each, NULL where there is no row. */
export const valueColumns = (paths: readonly (number | undefined)[], record: string): string =>
  paths.map((path) => `, (SELECT value FROM feature WHERE record = ${record} AND path = ${path ?? 0})`).join('');

/** A row of `SELECT key, <valueColumns>` in raw mode. */
export type ValueRow = readonly [RecordKey, ...(readonly (string | null)[])];

export const valuesOf = ([, ...values]: ValueRow): FeatureValues => values.map((value) => value ?? '');

/** New content is about to be written under these paths only: whatever other rules found is no longer complete. */
export const openForgetOthers = (db: Connection, paths: readonly number[]): (() => void) => {
  const forget = db.prepare(
    `UPDATE feature_path SET complete = 0 WHERE complete = 1 AND n NOT IN (SELECT value FROM json_each(?))`,
  );
  const own = JSON.stringify(paths);
  return () => void forget.run(own);
};

export interface FeatureWriter {
  /** Replaces all feature rows of a record, those of other rules too: they were made from other content. */
  replace(record: RecordKey, values: FeatureValues): void;
  put(record: RecordKey, values: FeatureValues): void;
}

export const openFeatureWriter = (db: Connection, paths: readonly number[]): FeatureWriter => {
  const clear = db.prepare<[number]>('DELETE FROM feature WHERE record = ?');
  const write = db.prepare<[number, number, string]>('INSERT OR REPLACE INTO feature (record, path, value) VALUES (?, ?, ?)');
  const put = (record: RecordKey, values: FeatureValues): void => {
    if (values.length !== paths.length) throw new Error(`record ${record} has ${values.length} features, not ${paths.length}`);
    paths.forEach((path, index) => write.run(record, path, values[index] ?? ''));
  };
  return {
    put,
    replace: (record, values) => {
      clear.run(record);
      put(record, values);
    },
  };
};
