/** Rows as SQLite gives them, and the nouns they stand for. */
import type { Adjudication, HeldLink, Link, Pair } from '../../domain/links.ts';
import type { Client, IssuedCertificate, Revocation, Scope } from '../../domain/principals.ts';
import type { GoldenRecord, SourceRecord } from '../../domain/records.ts';
import type { ReviewTask, TaskKind } from '../../domain/review.ts';
import type { Head, Named, StoredRecord } from '../../registry/ports.ts';
import type { Connection } from './connection.ts';
import { namingOf } from './skeleton.ts';

/** Past every version and sequence. */
export const END = Number.MAX_SAFE_INTEGER;

interface HeadRow {
  readonly head: number;
  readonly hash: Buffer;
  readonly next_record: number;
  readonly next_golden: number;
  readonly next_task: number;
  readonly rule_version: string;
}

export const headReader = (db: Connection): (() => Head) => {
  const read = db.prepare<[], HeadRow>('SELECT * FROM meta');
  return () => {
    const row = read.get();
    if (!row) throw new Error('the registry has lost its head');
    return {
      sequence: row.head,
      hash: row.hash.toString('hex'),
      nextRecord: row.next_record,
      nextGolden: row.next_golden,
      nextTask: row.next_task,
      ruleVersion: row.rule_version,
    };
  };
};

/** Answers what an id names: to a client its own alias comes first (design §7), everyone's alias last. */
export const idResolver = (db: Connection): ((id: string, client: string) => Named | undefined) => {
  const own = db.prepare<[string], number>('SELECT n FROM id WHERE text = ?').pluck();
  const alias = db.prepare<[string, string], number>('SELECT record FROM alias WHERE id = ? AND client = ?').pluck();
  return (id, client) => {
    const record = alias.get(id, client);
    const n = record === undefined ? own.get(id) : 2 * record;
    if (n !== undefined) return { kind: n % 2 === 0 ? 'record' : 'golden', key: Math.floor(n / 2) };
    const everyones = alias.get(id, '');
    return everyones === undefined ? undefined : { kind: 'record', key: everyones };
  };
};

const recordColumns =
  'v.record AS key, i.text AS id, v.version, s.text AS source, v.active, v.merged_into, v.deleted, v.golden, v.flags, v.since, v.at, p.naming';
const recordSources = `record_version v JOIN id i ON i.n = 2 * v.record JOIN word s ON s.n = v.source
  JOIN payload p ON p.key = v.payload`;

/** SELECT of record versions as RecordRow; the current one where `r` is joined by CURRENT_RECORD. */
export const SELECT_RECORD = `SELECT ${recordColumns} FROM ${recordSources}`;
/** The same with content: longer rows, in overflow pages. */
export const SELECT_STORED_RECORD = `SELECT ${recordColumns}, p.resource FROM ${recordSources}`;
export const CURRENT_RECORD = 'JOIN record r ON r.key = v.record AND r.version = v.version';

export interface RecordRow {
  readonly key: number;
  readonly id: string;
  readonly version: number;
  readonly source: string;
  readonly active: number;
  readonly merged_into: number | null;
  readonly deleted: number;
  readonly golden: number;
  readonly flags: string;
  readonly since: number;
  readonly at: string;
  readonly naming: string | null;
}

export interface StoredRecordRow extends RecordRow {
  readonly resource: string | null;
}

export const toRecord = (row: RecordRow): SourceRecord => ({
  key: row.key,
  id: row.id,
  version: row.version,
  source: row.source,
  identity: namingOf(row.naming).identity,
  active: row.active === 1,
  ...(row.merged_into !== null && { mergedInto: row.merged_into }),
  ...(row.deleted === 1 && { deleted: true }),
  golden: row.golden,
  flags: row.flags === '' ? [] : (row.flags.split(' ') as TaskKind[]),
  since: row.since,
  lastUpdated: row.at,
});

/** An erased version reads as an empty resource. */
export const toStoredRecord = (row: StoredRecordRow): StoredRecord => ({
  record: toRecord(row),
  resource: row.resource ?? '{}',
  identifiers: namingOf(row.naming).identifiers,
});

export const SELECT_GOLDEN = `SELECT v.golden AS key, i.text AS id, v.version, v.active, v.replaced_by, v.retired_at, v.since, v.at
  FROM golden_version v JOIN id i ON i.n = 2 * v.golden + 1`;
export const CURRENT_GOLDEN = 'JOIN golden g ON g.key = v.golden AND g.version = v.version';

export interface GoldenRow {
  readonly key: number;
  readonly id: string;
  readonly version: number;
  readonly active: number;
  readonly replaced_by: number | null;
  readonly retired_at: number | null;
  readonly since: number;
  readonly at: string;
}

export const toGolden = (row: GoldenRow): GoldenRecord => ({
  key: row.key,
  id: row.id,
  version: row.version,
  active: row.active === 1,
  replacedBy: row.replaced_by,
  retiredAt: row.retired_at,
  since: row.since,
  lastUpdated: row.at,
});

export const SELECT_LINK = `SELECT l.record, l.golden, l.origin, w.text AS rule_version, l.because, l.from_seq, l.until_seq
  FROM link l JOIN word w ON w.n = l.rule_version`;

export interface LinkRow {
  readonly record: number;
  readonly golden: number;
  readonly origin: string;
  readonly rule_version: string;
  readonly because: string | null;
  readonly from_seq: number;
  readonly until_seq: number | null;
}

export const toLink = (row: LinkRow): HeldLink => ({
  record: row.record,
  golden: row.golden,
  origin: row.origin as Link['origin'],
  ruleVersion: row.rule_version,
  because: row.because === null ? null : (JSON.parse(row.because) as Link['because']),
  from: row.from_seq,
  until: row.until_seq,
});

export interface PairRow {
  readonly a: number;
  readonly b: number;
  readonly verdict: string;
}

/** Verdicts of one rule version are few, and a big component reads a million of them: each text is parsed once. */
const verdicts = new Map<string, Omit<Pair, 'a' | 'b'>>();
const REMEMBERED = 10_000;

const toVerdict = (text: string): Omit<Pair, 'a' | 'b'> => {
  const known = verdicts.get(text);
  if (known) return known;
  if (verdicts.size >= REMEMBERED) verdicts.clear();
  const verdict = JSON.parse(text) as Omit<Pair, 'a' | 'b'>;
  verdicts.set(text, verdict);
  return verdict;
};

export const toPair = ({ a, b, verdict }: PairRow): Pair => ({ a, b, ...toVerdict(verdict) });

export interface AdjudicationRow extends PairRow {
  readonly by: string;
  readonly golden: number | null;
}

export const toAdjudication = (row: AdjudicationRow): Adjudication => ({
  ...row,
  verdict: row.verdict as Adjudication['verdict'],
});

export interface TaskRow {
  readonly key: number;
  readonly kind: string;
  readonly record: number;
  readonly others: string;
}

export const toTask = (row: TaskRow): ReviewTask => ({
  key: row.key,
  kind: row.kind as TaskKind,
  record: row.record,
  others: JSON.parse(row.others) as number[],
});

/** SQL: the adjudications on a record that were the latest on their pair at a sequence. */
export const LATEST_ADJUDICATIONS = `FROM adjudication d WHERE (d.a = :record OR d.b = :record) AND d.since =
  (SELECT max(n.since) FROM adjudication n WHERE n.a = d.a AND n.b = d.b AND n.since <= :at)`;

export interface AdjudicationsAt {
  readonly record: number;
  readonly at: number;
}

export interface ClientRow {
  readonly name: string;
  readonly display_name: string;
  readonly systems: string;
  readonly scopes: string;
  readonly disabled: number;
}

export const toClient = (row: ClientRow): Client => ({
  name: row.name,
  displayName: row.display_name,
  systems: JSON.parse(row.systems) as string[],
  scopes: JSON.parse(row.scopes) as Scope[],
  disabled: row.disabled === 1,
});

export interface CertificateRow {
  readonly fingerprint: string;
  readonly client: string;
  readonly serial: string;
  readonly not_after: string;
}

export const toCertificate = ({ not_after: notAfter, ...row }: CertificateRow): IssuedCertificate => ({ ...row, notAfter });

export interface RevocationRow {
  readonly client: string;
  readonly at: string;
  readonly fingerprints: string;
}

export const toRevocation = ({ client, at, fingerprints }: RevocationRow): Revocation => ({
  client,
  at,
  fingerprints: JSON.parse(fingerprints) as string[],
});
