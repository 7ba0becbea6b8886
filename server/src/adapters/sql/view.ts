import type { FeatureSpec } from '../../matching/model.ts';
import type { RegistryView } from '../../registry/ports.ts';
import { openCompanionReads } from './companion-reads.ts';
import type { Connection } from './connection.ts';
import { findPaths, valueColumns, valuesOf, type ValueRow } from './features.ts';
import type { Sync } from './promised.ts';
import {
  type AdjudicationRow,
  type AdjudicationsAt,
  CURRENT_GOLDEN,
  CURRENT_RECORD,
  END,
  type GoldenRow,
  idResolver,
  LATEST_ADJUDICATIONS,
  type LinkRow,
  type PairRow,
  type RecordRow,
  SELECT_GOLDEN,
  SELECT_LINK,
  SELECT_RECORD,
  type TaskRow,
  toAdjudication,
  toGolden,
  toLink,
  toPair,
  toRecord,
  toTask,
} from './rows.ts';

type RecordView = Pick<Sync<RegistryView>, 'named' | 'resolveId' | 'record' | 'resource' | 'features' | 'golden'>;
type CompanionView = Pick<Sync<RegistryView>, 'companion' | 'companionsBy'>;
type LinkView = Omit<Sync<RegistryView>, keyof RecordView | keyof CompanionView>;

const openRecordView = (db: Connection, features: readonly FeatureSpec[]): RecordView => {
  const named = db
    .prepare<[string, string, string], number>(
      `SELECT record FROM identifier WHERE value = ? AND names = 1
       AND system = (SELECT n FROM word WHERE text = ?) AND scope = (SELECT n FROM word WHERE text = ?)`,
    )
    .pluck();
  const record = db.prepare<[number], RecordRow>(`${SELECT_RECORD} ${CURRENT_RECORD} WHERE v.record = ?`);
  const resource = db
    .prepare<[number], string | null>('SELECT p.resource FROM record r JOIN payload p ON p.key = r.payload WHERE r.key = ?')
    .pluck();
  const columns = valueColumns(findPaths(db, features), 'r.key');
  const values = db.prepare<[number], ValueRow>(`SELECT r.key${columns} FROM record r WHERE r.key = ?`).raw();
  const golden = db.prepare<[number], GoldenRow>(`${SELECT_GOLDEN} ${CURRENT_GOLDEN} WHERE v.golden = ?`);
  return {
    named: (scope, system, value) => named.get(value, system, scope),
    resolveId: idResolver(db),
    record: (key) => record.all(key).map(toRecord)[0],
    resource: (key) => resource.get(key) ?? undefined,
    features: (key) => values.all(key).map(valuesOf)[0],
    golden: (key) => golden.all(key).map(toGolden)[0],
  };
};

/** A record has a few pairs: SQLite's sorter costs more than all of the rest of their reading (measured). */
const byPair = (x: PairRow, y: PairRow): number => x.a - y.a || x.b - y.b;

const openLinkView = (db: Connection): LinkView => {
  const members = db
    .prepare<[number], number>('SELECT record FROM link WHERE golden = ? AND until_seq IS NULL ORDER BY record')
    .pluck();
  const subsumed = db.prepare<[number], number>('SELECT key FROM record WHERE merged_into = ? ORDER BY key').pluck();
  const linksOf = db.prepare<[number], LinkRow>(`${SELECT_LINK} WHERE l.record = ? ORDER BY l.from_seq`);
  const linksTo = db.prepare<[number], LinkRow>(`${SELECT_LINK} WHERE l.golden = ? ORDER BY l.from_seq, l.record`);
  const pairs = db.prepare<[number, number], PairRow>(
    'SELECT a, b, verdict FROM pair WHERE a = ? UNION ALL SELECT a, b, verdict FROM pair WHERE b = ?',
  );
  const adjudications = db.prepare<[AdjudicationsAt], AdjudicationRow>(
    `SELECT a, b, verdict, "by", golden ${LATEST_ADJUDICATIONS} AND verdict <> 'undecided'`,
  );
  const openTasks = db.prepare<[number], TaskRow>(
    'SELECT key, kind, record, others FROM task WHERE record = ? AND closed IS NULL ORDER BY key',
  );
  return {
    members: (key) => members.all(key),
    subsumed: (key) => subsumed.all(key),
    linksOf: (key) => linksOf.all(key).map(toLink),
    linksTo: (key) => linksTo.all(key).map(toLink),
    pairs: (key) => pairs.all(key, key).sort(byPair).map(toPair),
    adjudications: (key) => adjudications.all({ record: key, at: END }).sort(byPair).map(toAdjudication),
    openTasks: (key) => openTasks.all(key).map(toTask),
  };
};

/** Point reads of the committed state. */
export const openView = (db: Connection, features: readonly FeatureSpec[]): Sync<RegistryView> => {
  const { companion, companionsBy } = openCompanionReads(db);
  return { ...openRecordView(db, features), ...openLinkView(db), companion, companionsBy };
};
