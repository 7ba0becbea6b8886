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
  const add = db.prepare<[string, string, string]>(
    'INSERT INTO feature_path (path, normaliser, multi) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
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
