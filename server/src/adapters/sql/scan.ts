import { setImmediate as pause } from 'node:timers/promises';
import type { RecordKey } from '../../domain/identity.ts';
import type { FeatureSpec, FeatureValues } from '../../matching/model.ts';
import type { RegistryScan } from '../../registry/ports.ts';
import type { Connection } from './connection.ts';
import { findPaths, givePaths, openFeatureWriter, valueColumns, valuesOf, type ValueRow } from './features.ts';
import { promised, type Sync } from './promised.ts';

/** Records a read: long reads hold back the write-ahead log. */
const PAGE = 2000;

type Row = { readonly record: RecordKey; readonly values: FeatureValues };

async function* featureRows(db: Connection, specs: readonly FeatureSpec[]): AsyncGenerator<Row> {
  const page = db
    .prepare<[number], ValueRow>(
      `SELECT r.key${valueColumns(findPaths(db, specs), 'r.key')} FROM record r
       WHERE r.key > ? AND r.active = 1 ORDER BY r.key LIMIT ${PAGE}`,
    )
    .raw();
  for (let rows = page.all(0); rows.length > 0; rows = page.all(rows.at(-1)?.[0] ?? 0)) {
    for (const row of rows) yield { record: row[0], values: valuesOf(row) };
    await pause();
  }
}

/** Erased records can have no features, so they lack none. */
const isComplete = (db: Connection, path: number | undefined): boolean =>
  db
    .prepare<[number], number>(
      `SELECT 1 FROM record r WHERE NOT EXISTS (SELECT 1 FROM feature WHERE record = r.key AND path = ?)
       AND EXISTS (SELECT 1 FROM payload p WHERE p.key = r.payload AND p.resource IS NOT NULL) LIMIT 1`,
    )
    .get(path ?? 0) === undefined;

const openScan = (db: Connection): Sync<Omit<RegistryScan, 'featureRows'>> => {
  const contents = db.prepare<[number, number], { readonly record: RecordKey; readonly resource: string }>(
    `SELECT r.key AS record, p.resource FROM record r JOIN payload p ON p.key = r.payload
     WHERE r.key > ? AND p.resource IS NOT NULL ORDER BY r.key LIMIT ?`,
  );
  return {
    completeFeatures: (specs) => findPaths(db, specs).map((path) => isComplete(db, path)),
    contents: (after, limit) => contents.all(after, limit),
    putFeatures: (specs, rows) => {
      const writer = openFeatureWriter(db, givePaths(db, specs));
      db.transaction(() => {
        for (const { record, values } of rows) writer.put(record, values);
      }).immediate();
    },
  };
};

/** Streams for start-up and batch jobs. */
export const openRegistryScan = (db: Connection): RegistryScan => ({
  ...promised<Omit<RegistryScan, 'featureRows'>>(openScan(db)),
  featureRows: (specs) => featureRows(db, specs),
});
