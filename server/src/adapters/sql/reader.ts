import type { ClientPassword } from '../../domain/principals.ts';
import type { IdentifierQuery, Reader } from '../../registry/ports.ts';
import { openChangeFeed } from './changes.ts';
import { openCompanionReads } from './companion-reads.ts';
import type { Connection } from './connection.ts';
import type { Sync } from './promised.ts';
import {
  type AdjudicationsAt,
  type CertificateRow,
  type ClientRow,
  CURRENT_RECORD,
  END,
  type GoldenRow,
  headReader,
  idResolver,
  LATEST_ADJUDICATIONS,
  type RevocationRow,
  SELECT_GOLDEN,
  SELECT_STORED_RECORD,
  type StoredRecordRow,
  toCertificate,
  toClient,
  toGolden,
  toRevocation,
  toStoredRecord,
} from './rows.ts';

type RecordReads = Pick<Sync<Reader>, 'storedRecord' | 'recordVersions' | 'recordVersion' | 'brokenWith'>;
type GoldenReads = Pick<Sync<Reader>, 'storedGolden' | 'goldenVersions' | 'goldenVersion'>;
type IdentifierReads = Pick<Sync<Reader>, 'byIdentifier' | 'countByIdentifier'>;
type RegisterReads = Pick<Sync<Reader>, 'clients' | 'certificates' | 'revocations' | 'passwords' | 'ruleDefinition'>;

const openRecordReads = (db: Connection): RecordReads => {
  const current = db.prepare<[number], StoredRecordRow>(`${SELECT_STORED_RECORD} ${CURRENT_RECORD} WHERE v.record = ?`);
  const versions = db.prepare<[number, number, number], StoredRecordRow>(
    `${SELECT_STORED_RECORD} WHERE v.record = ? AND v.version < ? ORDER BY v.version DESC LIMIT ?`,
  );
  const version = db.prepare<[number, number], StoredRecordRow>(`${SELECT_STORED_RECORD} WHERE v.record = ? AND v.version = ?`);
  const brokenWith = db
    .prepare<[AdjudicationsAt], string>(
      `SELECT (SELECT text FROM id WHERE n = 2 * iif(a = :record, b, a)) ${LATEST_ADJUDICATIONS} AND verdict = 'different' ORDER BY a, b`,
    )
    .pluck();
  return {
    brokenWith: (record, at) => brokenWith.all({ record, at }),
    storedRecord: (key) => current.all(key).map(toStoredRecord)[0],
    recordVersions: (key, before, limit) => versions.all(key, before, limit).map(toStoredRecord),
    recordVersion: (key, number) => version.all(key, number).map(toStoredRecord)[0],
  };
};

/** A version's members are those at the end of its time: until the next version began, or now. */
const openGoldenReads = (db: Connection): GoldenReads => {
  const versions = db.prepare<[number, number, number], GoldenRow & { readonly ended: number | null }>(
    `SELECT *, (SELECT n.since FROM golden_version n WHERE n.golden = key AND n.version > found.version ORDER BY n.version LIMIT 1) AS ended
     FROM (${SELECT_GOLDEN}) found WHERE key = ? AND version < ? ORDER BY version DESC LIMIT ?`,
  );
  const members = db
    .prepare<[number, number, number], number>(
      'SELECT record FROM link WHERE golden = ? AND from_seq < ? AND (until_seq IS NULL OR until_seq >= ?) ORDER BY record',
    )
    .pluck();
  const read = db.transaction((key: number, before: number, limit: number) =>
    versions.all(key, before, limit).map((row) => {
      const ended = row.ended ?? END;
      return { golden: toGolden(row), members: members.all(key, ended, ended) };
    }),
  );
  return {
    storedGolden: (key) => read(key, END, 1)[0],
    goldenVersions: read,
    goldenVersion: (key, version) => read(key, version + 1, 1).find(({ golden }) => golden.version === version),
  };
};

interface Sql {
  readonly text: string;
  readonly parameters: readonly (string | number)[];
}

const alternative = ({ system, value }: IdentifierQuery, after: number): Sql => ({
  text: `SELECT record FROM identifier WHERE record > ?
    ${system === null ? '' : 'AND system = (SELECT n FROM word WHERE text = ?)'} ${value === null ? '' : 'AND value = ?'}`,
  parameters: [after, system, value].filter((parameter) => parameter !== null),
});

/** SQL of the records, each once, that hold one of the identifiers. */
const alternatives = (queries: readonly IdentifierQuery[], after: number): Sql => {
  const all = queries.map((query) => alternative(query, after));
  // UNION with nothing drops the repetitions of a single alternative, too. SQLite takes 500 terms, as many as a search may have.
  const nothing = all.length > 1 ? [] : ['SELECT NULL AS record WHERE 0'];
  return {
    text: [...nothing, ...all.map(({ text }) => text)].join(' UNION '),
    parameters: all.flatMap(({ parameters }) => parameters),
  };
};

const openIdentifierReads = (db: Connection): IdentifierReads => ({
  byIdentifier: (queries, after, limit) => {
    const { text, parameters } = alternatives(queries, after);
    return db
      .prepare<(string | number)[], number>(`${text} ORDER BY record LIMIT ?`)
      .pluck()
      .all(...parameters, limit);
  },
  countByIdentifier: (queries) => {
    const { text, parameters } = alternatives(queries, 0);
    const count = db.prepare<(string | number)[], number>(`SELECT count(*) FROM (${text})`).pluck();
    return count.get(...parameters) ?? 0;
  },
});

const openRegisterReads = (db: Connection): RegisterReads => {
  const clients = db.prepare<[], ClientRow>('SELECT * FROM client ORDER BY name');
  const definition = db.prepare<[string], string>('SELECT definition FROM rule_version WHERE version = ?').pluck();
  const certificates = db.prepare<[], CertificateRow>('SELECT * FROM certificate ORDER BY fingerprint');
  const revocations = db.prepare<[], RevocationRow>('SELECT client, at, fingerprints FROM revocation ORDER BY key');
  const passwords = db.prepare<[], ClientPassword>('SELECT client, hash FROM password ORDER BY client');
  return {
    passwords: () => passwords.all(),
    clients: () => clients.all().map(toClient),
    certificates: () => certificates.all().map(toCertificate),
    ruleDefinition: (version) => definition.get(version),
    revocations: () => revocations.all().map(toRevocation),
  };
};

/** Reads for the HTTP door. */
export const openReader = (db: Connection): Sync<Reader> => {
  const feed = openChangeFeed(db);
  const { companion, companionVersions, companions } = openCompanionReads(db);
  return {
    head: headReader(db),
    resolveId: idResolver(db),
    ...openRecordReads(db),
    ...openGoldenReads(db),
    ...openIdentifierReads(db),
    ...openRegisterReads(db),
    companion,
    companionVersions,
    companions,
    changeSets: feed.before,
    changes: feed.after,
  };
};
