/**
 * The tables, as numbered migrations that only go forward; number n is the n-th element and `PRAGMA user_version`.
 *
 * The truth is `change_set` (skeletons, chained by hash) and `payload` (personal data, hashed with its salt). Every
 * other table is what replaying those two gives (verify.ts), but `feature`, which the rules give.
 *
 * Measured at 1 M records (docs/adr): integer keys, ids as text once, dictionary for repeated words, WITHOUT ROWID for
 * narrow rows that are found by their key; only `identifier` and `link_golden` are written at random places.
 */
const first = `
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  head INTEGER NOT NULL, hash BLOB NOT NULL,
  next_record INTEGER NOT NULL, next_golden INTEGER NOT NULL, next_task INTEGER NOT NULL,
  rule_version TEXT NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, zeroblob(32), 1, 1, 1, '');

CREATE TABLE change_set (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, skeleton TEXT NOT NULL) STRICT;
-- A batch is known by the sequence that it ended at.
CREATE TABLE batch (head INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;

-- Dictionary of systems, client names and rule versions.
CREATE TABLE word (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
-- Ids of records (n = 2 × key) and golden records (n = 2 × key + 1): unique among both.
CREATE TABLE id (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

-- Personal data of one version; all three NULL once erased. naming: JSON of identity and identifiers.
CREATE TABLE payload (key INTEGER PRIMARY KEY, salt BLOB, naming TEXT, resource TEXT) STRICT;
CREATE TABLE record (
  key INTEGER PRIMARY KEY, version INTEGER NOT NULL, active INTEGER NOT NULL, payload INTEGER NOT NULL
) STRICT;
CREATE TABLE record_version (
  record INTEGER NOT NULL, version INTEGER NOT NULL, source INTEGER NOT NULL, active INTEGER NOT NULL,
  golden INTEGER NOT NULL, flags TEXT NOT NULL, since INTEGER NOT NULL, at TEXT NOT NULL, payload INTEGER NOT NULL,
  PRIMARY KEY (record, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE golden (key INTEGER PRIMARY KEY, version INTEGER NOT NULL) STRICT;
CREATE TABLE golden_version (
  golden INTEGER NOT NULL, version INTEGER NOT NULL, active INTEGER NOT NULL, replaced_by INTEGER, retired_at INTEGER,
  since INTEGER NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (golden, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE identifier (
  value TEXT NOT NULL, system INTEGER NOT NULL, record INTEGER NOT NULL, names INTEGER NOT NULL, scope INTEGER NOT NULL,
  PRIMARY KEY (value, system, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifier_system ON identifier (system, record);
CREATE TABLE alias (
  id TEXT NOT NULL, client TEXT NOT NULL, record INTEGER NOT NULL REFERENCES record,
  PRIMARY KEY (id, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
  record INTEGER NOT NULL REFERENCES record, from_seq INTEGER NOT NULL,
  golden INTEGER NOT NULL REFERENCES golden, until_seq INTEGER,
  origin TEXT NOT NULL, rule_version INTEGER NOT NULL, because TEXT,
  PRIMARY KEY (record, from_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_golden ON link (golden);

-- In force; ended pairs are in the change sets.
CREATE TABLE pair (
  a INTEGER NOT NULL REFERENCES record, b INTEGER NOT NULL REFERENCES record, since INTEGER NOT NULL, verdict TEXT NOT NULL,
  PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;
CREATE INDEX pair_b ON pair (b);
CREATE TABLE adjudication (
  a INTEGER NOT NULL REFERENCES record, b INTEGER NOT NULL REFERENCES record, since INTEGER NOT NULL,
  verdict TEXT NOT NULL, "by" TEXT NOT NULL, golden INTEGER,
  PRIMARY KEY (a, b, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX adjudication_b ON adjudication (b);
CREATE TABLE task (
  key INTEGER PRIMARY KEY, kind TEXT NOT NULL, record INTEGER NOT NULL REFERENCES record, others TEXT NOT NULL,
  opened INTEGER NOT NULL, closed INTEGER
) STRICT;
CREATE INDEX task_open ON task (record) WHERE closed IS NULL;

CREATE TABLE client (
  name TEXT PRIMARY KEY, display_name TEXT NOT NULL, systems TEXT NOT NULL, scopes TEXT NOT NULL, disabled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE certificate (
  fingerprint TEXT PRIMARY KEY, client TEXT NOT NULL, serial TEXT NOT NULL, not_after TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE revocation (key INTEGER PRIMARY KEY, client TEXT NOT NULL, at TEXT NOT NULL, fingerprints TEXT NOT NULL) STRICT;
CREATE TABLE rule_version (version TEXT PRIMARY KEY, definition TEXT NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Derived by the rules, outside the chain; rows of several rule versions live side by side.
CREATE TABLE feature_path (
  n INTEGER PRIMARY KEY, path TEXT NOT NULL, normaliser TEXT NOT NULL, multi TEXT NOT NULL,
  UNIQUE (path, normaliser, multi)
) STRICT;
CREATE TABLE feature (
  record INTEGER NOT NULL, path INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (record, path)
) STRICT, WITHOUT ROWID;
`;

/** Whether every record has a row of the feature: found out once, not at each start. */
const completeFeatures = 'ALTER TABLE feature_path ADD COLUMN complete INTEGER NOT NULL DEFAULT 0;';

/** Records that their system merged into another of its records, and records that it deleted. */
const mergedAndDeleted = `
ALTER TABLE record_version ADD COLUMN merged_into INTEGER;
ALTER TABLE record_version ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN merged_into INTEGER;
CREATE INDEX record_merged ON record (merged_into) WHERE merged_into IS NOT NULL;
`;

/** The seal is in the ledger; the hash, which only this table holds, is what it seals. */
const passwords = `
CREATE TABLE password (client TEXT PRIMARY KEY, seal TEXT NOT NULL, hash TEXT) STRICT, WITHOUT ROWID;
`;

/** Resources beside Patients, their payload in each version: salt and resource are NULL where it was deleted, or erased. */
const companions = `
CREATE TABLE companion (
  key INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, source TEXT NOT NULL, given_id TEXT, version INTEGER NOT NULL,
  UNIQUE (type, id)
) STRICT;
CREATE UNIQUE INDEX companion_given ON companion (type, source, given_id) WHERE given_id IS NOT NULL;
CREATE TABLE companion_version (
  companion INTEGER NOT NULL REFERENCES companion, version INTEGER NOT NULL, deleted INTEGER NOT NULL, since INTEGER NOT NULL,
  at TEXT NOT NULL, salt BLOB, resource TEXT,
  PRIMARY KEY (companion, version)
) STRICT;
-- What searches ask of the version in force (fhir/companions.ts).
CREATE TABLE companion_term (
  parameter TEXT NOT NULL, value TEXT NOT NULL, companion INTEGER NOT NULL REFERENCES companion,
  PRIMARY KEY (parameter, value, companion)
) STRICT, WITHOUT ROWID;
CREATE INDEX companion_terms ON companion_term (companion);
`;

export const MIGRATIONS: readonly string[] = [first, completeFeatures, mergedAndDeleted, passwords, companions];
