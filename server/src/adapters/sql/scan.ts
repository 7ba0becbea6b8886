import { setImmediate as pause } from 'node:timers/promises';
import type { GoldenKey, RecordKey } from '../../domain/identity.ts';
import type { PairName } from '../../domain/links.ts';
import type { FeatureSpec, FeatureValues } from '../../matching/model.ts';
import type { RegistryScan } from '../../registry/ports.ts';
import type { Connection } from './connection.ts';
import { findPaths, givePaths, openFeatureWriter } from './features.ts';
import { promised, type Sync } from './promised.ts';
import { type PairRow, toPair } from './rows.ts';

type FeatureCell = readonly [record: RecordKey, path: number, value: string];

/** Records a read: long reads hold back the write-ahead log. */
const PAGE = 2000;

type PointScan = Omit<RegistryScan, 'featureRows' | 'links' | 'ties'>;
type Content = { readonly record: RecordKey; readonly resource: string };
type Row = { readonly record: RecordKey; readonly values: FeatureValues };

/**
 * Feature rows as they lie in the file, beside the records: a look-up for each feature of each record costs three times as much at a
 * million (measured).
 */
async function* featureRows(db: Connection, specs: readonly FeatureSpec[]): AsyncGenerator<Row> {
  const paths = findPaths(db, specs);
  const active = db
    .prepare<[number], RecordKey>(`SELECT key FROM record WHERE key > ? AND active = 1 ORDER BY key LIMIT ${PAGE}`)
    .pluck();
  const cells = db
    .prepare<[number, number], FeatureCell>('SELECT record, path, value FROM feature WHERE record BETWEEN ? AND ?')
    .raw();
  const places = new Map<number, number[]>();
  paths.forEach((path, place) => {
    if (path !== undefined) places.set(path, [...(places.get(path) ?? []), place]);
  });
  const empty = specs.map(() => '');
  for (let keys = active.all(0); keys.length > 0; keys = active.all(keys.at(-1) ?? 0)) {
    const rows = new Map(keys.map((record) => [record, [...empty]]));
    for (const [record, path, value] of cells.all(keys[0] ?? 0, keys.at(-1) ?? 0)) {
      const values = rows.get(record);
      if (values) for (const place of places.get(path) ?? []) values[place] = value;
    }
    for (const [record, values] of rows) yield { record, values };
    await pause();
  }
}

/** A statement's rows in pages by key, each page a short read. */
async function* paged<Found>(page: (after: number) => readonly Found[], keyOf: (row: Found) => number): AsyncGenerator<Found> {
  for (let rows = page(0); rows.length > 0;) {
    yield* rows;
    await pause();
    const last = rows.at(-1);
    rows = last === undefined ? [] : page(keyOf(last));
  }
}

interface LinkInForce {
  readonly record: RecordKey;
  readonly golden: GoldenKey;
  readonly ruleVersion: string;
}

type Tie = PairName & { readonly by: 'rules' | 'people' };

const openLinkScan = (db: Connection): Pick<RegistryScan, 'links' | 'ties'> => {
  const links = db.prepare<[number], LinkInForce>(
    `SELECT record, golden, w.text AS ruleVersion FROM link JOIN word w ON w.n = rule_version
     WHERE record > ? AND until_seq IS NULL ORDER BY record LIMIT ${PAGE}`,
  );
  // All ties of the next records that have any, so that a page never parts those of one record.
  const records = db.prepare<[number], number>(`SELECT DISTINCT a FROM pair WHERE a > ? ORDER BY a LIMIT ${PAGE}`).pluck();
  const pairs = db.prepare<[number, number], Tie>(
    `SELECT a, b, 'rules' AS "by" FROM pair WHERE a BETWEEN ? AND ? AND verdict ->> '$.class' = 'auto' ORDER BY a`,
  );
  const people = db.prepare<[], Tie>(
    `SELECT a, b, 'people' AS "by" FROM adjudication d WHERE verdict = 'same'
     AND since = (SELECT max(n.since) FROM adjudication n WHERE n.a = d.a AND n.b = d.b)
     AND NOT EXISTS (SELECT 1 FROM record r JOIN record_version v ON v.record = r.key AND v.version = r.version
       WHERE r.key IN (d.a, d.b) AND v.deleted = 1)
     UNION ALL SELECT min(key, merged_into), max(key, merged_into), 'people' FROM record WHERE merged_into IS NOT NULL`,
  );
  return {
    links: () =>
      paged(
        (after) => links.all(after),
        ({ record }) => record,
      ),
    async *ties() {
      yield* people.all();
      for (let keys = records.all(0); keys.length > 0; keys = records.all(keys.at(-1) ?? 0)) {
        yield* pairs.all(keys[0] ?? 0, keys.at(-1) ?? 0);
        await pause();
      }
    },
  };
};

/** SQL: the record has content and lacks a row of the feature. Erased records can have no features, so they lack none. */
const LACKS = `NOT EXISTS (SELECT 1 FROM feature WHERE record = r.key AND path = :path)
  AND EXISTS (SELECT 1 FROM payload p WHERE p.key = r.payload AND p.resource IS NOT NULL)`;

/** Looks at every record once; what it finds is noted where the store may be written. */
const isComplete = (db: Connection, path: number | undefined): boolean => {
  const noted = db.prepare<[number], number>('SELECT complete FROM feature_path WHERE n = ?').pluck();
  if (noted.get(path ?? 0) === 1) return true;
  const lacking = db.prepare<[{ path: number }], number>(`SELECT 1 FROM record r WHERE ${LACKS} LIMIT 1`);
  if (lacking.get({ path: path ?? 0 }) !== undefined) return false;
  if (!db.readonly) db.prepare<[number]>('UPDATE feature_path SET complete = 1 WHERE n = ?').run(path ?? 0);
  return true;
};

const openScan = (db: Connection): Sync<PointScan> => {
  const hashAt = db.prepare<[number], Buffer>('SELECT hash FROM change_set WHERE seq = ?').pluck();
  const pairsFrom = db.prepare<[number, number], PairRow>('SELECT a, b, verdict FROM pair WHERE a >= ? AND a <= ? ORDER BY a, b');
  return {
    completeFeatures: (specs) => findPaths(db, specs).map((path) => isComplete(db, path)),
    lacking: (specs, after, limit) => {
      const paths = findPaths(db, specs).map((path) => path ?? 0);
      const page = db.prepare<[number, number], Content>(
        `SELECT r.key AS record, p.resource FROM record r JOIN payload p ON p.key = r.payload
         WHERE r.key > ? AND p.resource IS NOT NULL AND (SELECT count(*) FROM feature WHERE record = r.key
         AND path IN (${paths.join(', ')})) < ${new Set(paths).size} ORDER BY r.key LIMIT ?`,
      );
      return page.all(after, limit);
    },
    pairsFrom: (first, last) => pairsFrom.all(first, last).map(toPair),
    hashAt: (sequence) => hashAt.get(sequence)?.toString('hex'),
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
  ...promised<PointScan>(openScan(db)),
  ...openLinkScan(db),
  featureRows: (specs) => featureRows(db, specs),
});
