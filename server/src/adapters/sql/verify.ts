import type { FeatureSpec, FeatureValues } from '../../matching/model.ts';
import type { ClientPassword } from '../../domain/principals.ts';
import { compareSchema, compareState } from './compare.ts';
import { connect, type Connection, isSqliteError, requireRegistry } from './connection.ts';
import { findPaths, valueColumns } from './features.ts';
import { sealOf } from './hash-chain.ts';
import { type Finding, openBeside, type Progress, replay } from './replay.ts';
import { MIGRATIONS } from './schema.ts';

export type { Finding, Progress } from './replay.ts';

export interface VerifyOptions {
  /** A head hash noted earlier: it must still be in the chain, or the chain was rewritten. */
  readonly head?: string;
  /** The rules' features in force: each record's rows must be what its content gives. */
  readonly features?: { readonly specs: readonly FeatureSpec[]; readonly extract: (resource: string) => FeatureValues };
  readonly onProgress?: (progress: Progress) => void;
}

interface Law {
  /** `?` stand for the columns of a row that breaks it. */
  readonly text: string;
  readonly broken: string;
}

const CURRENT = 'live.golden g JOIN live.golden_version v ON v.golden = g.key AND v.version = g.version';

const LAWS: readonly Law[] = [
  {
    text: 'records ? and ? are named by one identifier',
    broken: `SELECT min(record), max(record) FROM live.identifier WHERE names = 1
      GROUP BY value, system, scope HAVING min(record) < max(record)`,
  },
  {
    text: 'golden record ? does not resolve in one step to an active or an empty one',
    broken: `SELECT g.key FROM ${CURRENT} WHERE v.replaced_by IS NOT NULL AND (v.active = 1 OR NOT EXISTS (
      SELECT 1 FROM live.golden t JOIN live.golden_version w ON w.golden = t.key AND w.version = t.version
      WHERE t.key = v.replaced_by AND w.replaced_by IS NULL))`,
  },
  {
    text: 'golden record ? has no id',
    broken: 'SELECT key FROM live.golden WHERE NOT EXISTS (SELECT 1 FROM live.id WHERE n = 2 * key + 1)',
  },
  {
    text: 'the link of record ? from change set ? names no such record or golden record',
    broken: `SELECT record, from_seq FROM live.link WHERE record NOT IN (SELECT key FROM live.record)
      OR golden NOT IN (SELECT key FROM live.golden)`,
  },
  {
    text: 'record ? has more than one link',
    broken: 'SELECT record FROM live.link WHERE until_seq IS NULL GROUP BY record HAVING count(*) > 1',
  },
  {
    text: 'record ? shows another golden record than its link',
    broken: `SELECT r.key FROM live.record r JOIN live.record_version v ON v.record = r.key AND v.version = r.version
      JOIN live.link l ON l.record = r.key AND l.until_seq IS NULL WHERE l.golden <> v.golden`,
  },
  {
    text: 'record ? is merged into record ?, which is not there, or is merged into it',
    broken: `SELECT r.key, r.merged_into FROM live.record r WHERE r.merged_into IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM live.record s JOIN live.record_version v ON v.record = s.key AND v.version = s.version
      WHERE s.key = r.merged_into AND v.deleted = 0 AND s.merged_into IS NOT r.key)`,
  },
  {
    text: 'feature ? is noted as complete, and record ? has no row of it',
    broken: `SELECT f.n, r.key FROM live.feature_path f JOIN live.record r JOIN live.payload p ON p.key = r.payload
      WHERE f.complete <> 0 AND p.resource IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM live.feature WHERE record = r.key AND path = f.n)`,
  },
  {
    text: 'record ? has no link, or has one although it is deleted',
    broken: `SELECT r.key FROM live.record r JOIN live.record_version v ON v.record = r.key AND v.version = r.version
      WHERE v.deleted = EXISTS (SELECT 1 FROM live.link WHERE record = r.key AND until_seq IS NULL)`,
  },
];

const breaches = (db: Connection, { text, broken }: Law): readonly Finding[] =>
  db
    .prepare<[], readonly number[]>(`${broken} LIMIT 10`)
    .raw()
    .all()
    .map((row) => ({ check: 'law', text: row.reduce((sentence, value) => sentence.replace('?', String(value)), text) }));

const checkFile = (db: Connection): readonly Finding[] => {
  const version = Number(db.pragma('live.user_version', { simple: true }));
  if (version !== MIGRATIONS.length) {
    return [{ check: 'schema', text: `schema version ${version} is not this program's ${MIGRATIONS.length}` }];
  }
  const said = db.prepare<[], string>('PRAGMA live.integrity_check(20)').pluck().all();
  return said.filter((line) => line !== 'ok').map((text) => ({ check: 'file', text }));
};

/** The ledger has the seals of passwords only. */
const checkPasswords = (db: Connection): readonly Finding[] =>
  db
    .prepare<[], ClientPassword & { readonly seal: string }>('SELECT client, seal, hash FROM live.password ORDER BY client')
    .all()
    .filter(({ seal, hash }) => hash === null || sealOf(hash) !== seal)
    .map(({ client }) => ({ check: 'state', text: `password: that of ${client} does not have its seal` }));

const checkLedger = (db: Connection, { head, onProgress }: VerifyOptions): readonly Finding[] => {
  const { findings, complete, found } = replay(db, {
    ...(head !== undefined && { lookFor: [head] }),
    ...(onProgress && { onProgress }),
  });
  const rewritten = head !== undefined && !found.has(head);
  return [
    ...findings,
    ...(rewritten ? [{ check: 'head' as const, text: `no change set has the hash ${head}: the chain was rewritten` }] : []),
    ...(complete ? compareState(db) : []),
    ...checkPasswords(db),
    ...LAWS.flatMap((law) => breaches(db, law)),
  ];
};

type FeatureRow = readonly [record: number, resource: string, ...values: (string | null)[]];

const checkFeatures = (file: string, { specs, extract }: NonNullable<VerifyOptions['features']>): readonly Finding[] => {
  const db = connect(file, true);
  const findings: Finding[] = [];
  const rows = db
    .prepare<[], FeatureRow>(
      `SELECT r.key, p.resource ${valueColumns(findPaths(db, specs), 'r.key')}
       FROM record r JOIN payload p ON p.key = r.payload WHERE p.resource IS NOT NULL ORDER BY r.key`,
    )
    .raw();
  for (const [record, resource, ...values] of rows.iterate()) {
    const expected = extract(resource);
    if (values.some((value, index) => value !== expected[index])) {
      findings.push({ check: 'features', text: `the feature rows of record ${record} are not those of its content` });
    }
  }
  db.close();
  return findings;
};

const inFile = (file: string, options: VerifyOptions): readonly Finding[] => {
  const db = openBeside(file);
  try {
    // Nothing can be said of the content of a file that is damaged itself.
    const first = checkFile(db);
    if (first.length > 0) return first;
    const schema = compareSchema(db);
    return schema.length > 0 ? schema : checkLedger(db, options);
  } finally {
    db.close();
  }
};

/**
 * Checks the whole registry of a data folder: the file, the hash chain, every payload's hash, every state table against
 * the ledger replayed, the laws between them and, where given, features and an earlier head. Nobody may write meanwhile.
 * @returns What is wrong; nothing where all is well.
 * @throws RegistryError `not-found` where the folder holds no registry.
 */
export const verifyStore = (dir: string, options: VerifyOptions = {}): readonly Finding[] => {
  const file = requireRegistry(dir);
  try {
    const findings = inFile(file, options);
    return findings.length > 0 || !options.features ? findings : checkFeatures(file, options.features);
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    return [{ check: 'file', text: `the file cannot be read: ${error.code}` }];
  }
};
