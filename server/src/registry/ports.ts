/**
 * What the registry needs of the outside. Every store implements these and passes test/contracts; every use case knows
 * only these.
 */
import type { ChangeSet, Committed } from '../domain/change-set.ts';
import type { Companion, CompanionType } from '../domain/companions.ts';
import type {
  GoldenKey,
  Identifier,
  Instant,
  RecordIdentifier,
  RecordKey,
  Sequence,
  TaskKey,
  Version,
} from '../domain/identity.ts';
import type { Adjudication, HeldLink, Pair, PairName } from '../domain/links.ts';
import type { Client, ClientPassword, IssuedCertificate, Proof, Revocation } from '../domain/principals.ts';
import type { GoldenRecord, SourceRecord } from '../domain/records.ts';
import type { ReviewTask } from '../domain/review.ts';
import type { AskedTerm } from '../fhir/companion-search.ts';
import type { Condition } from '../fhir/conditions.ts';
import type { Cursor, Sort } from '../fhir/sorting.ts';
import type { AuditEvent } from '../fhir/r4.ts';
import type { FeatureSpec, FeatureValues } from '../matching/model.ts';

/** Where the ledger stands. */
export interface Head {
  readonly sequence: Sequence;
  /** Hash of the last change set, lower-case hex; 64 zeros before the first. */
  readonly hash: string;
  /** The next keys to give; taken under the head, so that no two processes give the same. */
  readonly nextRecord: RecordKey;
  readonly nextGolden: GoldenKey;
  readonly nextTask: TaskKey;
  /** Version of the decision rules that pairs and features were last made for; '' before the first. */
  readonly ruleVersion: string;
}

/** What an id names. An alias answers as `record`. */
export type Named = { readonly kind: 'record'; readonly key: RecordKey } | { readonly kind: 'golden'; readonly key: GoldenKey };

/** Skeleton reads, as of the committed head or of an overlay on it. All are point reads or bounded by a component. */
export interface RegistryView {
  /** The record that (scope, system, value) names. Scope: see RecordIdentifier. */
  named(scope: string, system: string, value: string): Promise<RecordKey | undefined>;
  /** What `id` names to `client`: its own alias first (it may stand for another client's id), else a record's or golden record's own id. */
  resolveId(id: string, client: string): Promise<Named | undefined>;
  record(key: RecordKey): Promise<SourceRecord | undefined>;
  /** The record's current content, features under the current rules, and identifiers. */
  resource(key: RecordKey): Promise<string | undefined>;
  features(key: RecordKey): Promise<FeatureValues | undefined>;
  golden(key: GoldenKey): Promise<GoldenRecord | undefined>;
  /** Records linked to it now, ascending. */
  members(golden: GoldenKey): Promise<readonly RecordKey[]>;
  /** Records that were merged into this one, ascending. */
  subsumed(record: RecordKey): Promise<readonly RecordKey[]>;
  /** Every link that the record ever had, oldest first. */
  linksOf(record: RecordKey): Promise<readonly HeldLink[]>;
  /** Every link that the golden record ever had, oldest first. */
  linksTo(golden: GoldenKey): Promise<readonly HeldLink[]>;
  /** Pairs in force that hold the record. */
  pairs(record: RecordKey): Promise<readonly Pair[]>;
  /** The latest adjudication on each pair that holds the record, `undecided` ones left out. */
  adjudications(record: RecordKey): Promise<readonly Adjudication[]>;
  openTasks(record: RecordKey): Promise<readonly ReviewTask[]>;
  /** What an id of this type names to `client`: the resource of its own that it calls so first, also one that is deleted. */
  companion(type: CompanionType, id: string, client: string): Promise<StoredCompanion | undefined>;
  /** The first hundred that have an identifier, of one client's or (null) of all, in the order in which they were created. */
  companionsBy(type: CompanionType, identifier: Identifier, source: string | null): Promise<readonly StoredCompanion[]>;
}

/** An Organization or a RelatedPerson; `resource` is null where it is deleted, or was erased. */
export interface StoredCompanion {
  readonly companion: Companion;
  readonly resource: string | null;
}

export interface CompanionQuery {
  readonly type: CompanionType;
  /** Of this client's only; null: of everybody's. */
  readonly source: string | null;
  /** Each list holds alternatives; every list must be met. */
  readonly terms: readonly (readonly AskedTerm[])[];
}

/** A part of what was found, in the order in which they were created. */
export interface CompanionPage {
  readonly found: readonly StoredCompanion[];
  /** How many there are in all. */
  readonly total: number;
  /** Where the next part begins; null at the end. */
  readonly next: number | null;
}

export type CommitOutcome = { readonly kind: 'committed'; readonly head: Head } | { readonly kind: 'behind' };

/**
 * The ledger (design §2.1). `commit` writes all change sets of a batch at once or not at all, durably, each with its
 * own sequence after `after` and chained by hash; `behind` when the head is no longer `after`. It may throw when the
 * outcome is not known (a lost connection): `committed` then tells.
 */
export interface Ledger extends RegistryView {
  head(): Promise<Head>;
  commit(batch: string, changes: readonly ChangeSet[], after: Sequence, next: NextKeys): Promise<CommitOutcome>;
  /** The head that the batch ended at, if it was committed. Known for at least the last 1,000 batches. */
  committed(batch: string): Promise<Sequence | undefined>;
  /** Change sets after a sequence, in order; features are not part of them. */
  changes(after: Sequence, limit: number): Promise<readonly Committed[]>;
}

export type NextKeys = Pick<Head, 'nextRecord' | 'nextGolden' | 'nextTask'>;

/** Rows for start-up and for the batch jobs: streams in key order, in short reads. */
export interface RegistryScan {
  /** Active records with their values for `features`; '' where a row is missing is not told apart from an empty value. */
  featureRows(features: readonly FeatureSpec[]): AsyncIterable<{ readonly record: RecordKey; readonly values: FeatureValues }>;
  /** Which of the features have rows for every record. */
  completeFeatures(features: readonly FeatureSpec[]): Promise<readonly boolean[]>;
  /** Records after a key that lack a row of some of the features, with their current content. */
  lacking(
    features: readonly FeatureSpec[],
    after: RecordKey,
    limit: number,
  ): Promise<readonly { readonly record: RecordKey; readonly resource: string }[]>;
  /** Hash of a change set, lower-case hex. */
  hashAt(sequence: Sequence): Promise<string | undefined>;
  /** Links in force. */
  links(): AsyncIterable<{ readonly record: RecordKey; readonly golden: GoldenKey; readonly ruleVersion: string }>;
  /** Pairs in force whose smaller key is from `first` to `last`, in order of that key and then of the other. */
  pairsFrom(first: RecordKey, last: RecordKey): Promise<readonly Pair[]>;
  /** What ties records: automatic pairs in force (`rules`), "same" decisions on records not deleted and merges (`people`). */
  ties(): AsyncIterable<PairName & { readonly by: 'rules' | 'people' }>;
  /** Writes feature rows of existing records; derived data, outside the chain. */
  putFeatures(
    features: readonly FeatureSpec[],
    rows: readonly { readonly record: RecordKey; readonly values: FeatureValues }[],
  ): Promise<void>;
}

/** A record with all that a reader may be shown. */
export interface StoredRecord {
  readonly record: SourceRecord;
  readonly resource: string;
  readonly identifiers: readonly RecordIdentifier[];
}

export interface StoredGolden {
  readonly golden: GoldenRecord;
  readonly members: readonly RecordKey[];
}

export interface IdentifierQuery {
  /** null: any system (FHIR `identifier=value`); '' : without a system (`|value`). */
  readonly system: string | null;
  /** null: any value in the system (`system|`). */
  readonly value: string | null;
}

/** Reads for the HTTP door, each bounded by its caller's limit. */
export interface Reader {
  head(): Promise<Head>;
  resolveId(id: string, client: string): Promise<Named | undefined>;
  storedRecord(key: RecordKey): Promise<StoredRecord | undefined>;
  storedGolden(key: GoldenKey): Promise<StoredGolden | undefined>;
  /** Versions of a Patient, newest first. */
  recordVersions(key: RecordKey, before: Version, limit: number): Promise<readonly StoredRecord[]>;
  recordVersion(key: RecordKey, version: Version): Promise<StoredRecord | undefined>;
  goldenVersions(key: GoldenKey, before: Version, limit: number): Promise<readonly StoredGolden[]>;
  goldenVersion(key: GoldenKey, version: Version): Promise<StoredGolden | undefined>;
  /** Ids of the records that a person's decision kept apart from this one when the ledger stood at `at`. */
  brokenWith(key: RecordKey, at: Sequence): Promise<readonly string[]>;
  /** Records with an identifier, ascending by key, after `after`. Every element of `queries` is an alternative. */
  byIdentifier(queries: readonly IdentifierQuery[], after: RecordKey, limit: number): Promise<readonly RecordKey[]>;
  countByIdentifier(queries: readonly IdentifierQuery[]): Promise<number>;
  companion(type: CompanionType, id: string, client: string): Promise<StoredCompanion | undefined>;
  /** Versions of the one with this id, newest first. */
  companionVersions(type: CompanionType, id: string, before: Version, limit: number): Promise<readonly StoredCompanion[]>;
  /** `after`: 0, or the `next` of the part before. */
  companions(query: CompanionQuery, after: number, limit: number): Promise<CompanionPage>;
  clients(): Promise<readonly Client[]>;
  certificates(): Promise<readonly IssuedCertificate[]>;
  revocations(): Promise<readonly Revocation[]>;
  /** Of the clients that have one, with their hashes. */
  passwords(): Promise<readonly ClientPassword[]>;
  /** The definition (canonical JSON) of a version of the decision rules that was ever in force. */
  ruleDefinition(version: string): Promise<string | undefined>;
  /** Change sets, newest first, for the audit view. */
  changeSets(before: Sequence, limit: number): Promise<readonly Committed[]>;
  /** Change sets after a sequence, in order. */
  changes(after: Sequence, limit: number): Promise<readonly Committed[]>;
}

/** One row of the access log: a query, a look-up, a refusal, a login. */
export interface AccessEntry {
  readonly at: Instant;
  /** `read`, `vread`, `history`, `search`, `pix`, `match`, `capabilities`, `audit-read`, `application-start`, `application-stop` or `refusal`. */
  readonly event: string;
  /** Client name; '' where the caller was not authenticated. */
  readonly agent: string;
  readonly address: string;
  readonly requestId: string;
  /** How the caller showed who it is; absent: by its certificate. */
  readonly proof?: Proof;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Raw request line (method and URL); below it the body where that is the question: personal data, erasable. */
  readonly query: string;
  /** Ids of the Patients that the answer named. */
  readonly patients: readonly string[];
  /** Error code where it is a refusal; '' otherwise. */
  readonly code: string;
  /** How many alike this row stands for (refusals past the tenth in a minute from one peer are counted). */
  readonly count: number;
}

/** Append-only, group-committed, durable before the promise resolves. */
export interface AccessLog {
  append(entry: AccessEntry): Promise<void>;
  /** Newest first. */
  entries(before: number, limit: number): Promise<readonly (AccessEntry & { readonly id: number })[]>;
  /** Oldest first, up to the first that still counts refusals: what is given here does not change any more. */
  after(id: number, limit: number): Promise<readonly (AccessEntry & { readonly id: number })[]>;
}

/** How far the trail was read forwards: the last change set, and the last row of the access log. */
export interface TrailCursor {
  readonly sequence: Sequence;
  readonly access: number;
}

/** An event that a repository will never take, and why. */
export interface SetAside {
  /** Id of the AuditEvent, by which the trail still gives it. */
  readonly event: string;
  readonly why: string;
}

/** Somewhere else that keeps the audit trail too (ITI-20). */
export interface AuditRepository {
  readonly name: string;
  /** Rejects when it cannot be reached now. */
  open(): Promise<AuditSession>;
}

/** A connection to an audit repository. Every method rejects when it broke: what was not confirmed is then sent again. */
export interface AuditSession {
  /** `send`: what `send` resolved for, the repository has. `close`: it is known to have it once `close` has resolved. */
  readonly confirmedBy: 'send' | 'close';
  /** In order; answers with the events that the repository will never take. */
  send(events: readonly AuditEvent[]): Promise<readonly SetAside[]>;
  close(): Promise<void>;
  /** At once, whatever is under way; harmless after `close`. */
  abort(): void;
}

/** How far each repository, by its name, has come; durable, but for what a loss of power may undo: that is sent again. */
export interface AuditCursors {
  read(repository: string): TrailCursor | undefined;
  /** Both at once, or neither. */
  save(repository: string, cursor: TrailCursor, aside: readonly SetAside[]): void;
  /** How many events were set aside. */
  aside(repository: string): number;
}

/**
 * A condition as the index of searches answers it. Identifiers come as whole systems, which it knows, and as the records that
 * hold one by its value, which the ledger knows.
 */
export type IndexCondition =
  | Exclude<Condition, { readonly kind: 'identifier' }>
  | {
      readonly kind: 'identifier';
      readonly not: boolean;
      readonly systems: readonly string[];
      readonly records: readonly RecordKey[];
    };

/** A demographic search of source records. */
export interface DemographicQuery {
  /** All of them hold. */
  readonly conditions: readonly IndexCondition[];
  /** Only records of this client; null: everybody's. */
  readonly owner: string | null;
  /** The first key decides first; empty: in the order of arrival. */
  readonly sort: readonly Sort[];
  readonly limit: number;
  /** Whether to count all that are found. */
  readonly total: boolean;
  /** Where the page begins: what the answer before gave; null for the first. */
  readonly after: Cursor | null;
}

export type DemographicPage =
  | {
      readonly kind: 'page';
      readonly records: readonly RecordKey[];
      readonly next: Cursor | null;
      readonly total: number | null;
    }
  /** It took too long, and was broken off. */
  | { readonly kind: 'late' }
  /** It has not caught up with the ledger; `behind` change sets are to come. */
  | { readonly kind: 'behind'; readonly behind: number }
  /** Too many searches are waiting. */
  | { readonly kind: 'busy' };

/** Follows the ledger; an answer holds every change set up to the one it is asked for. */
export interface DemographicSearch {
  search(query: DemographicQuery, upTo: Sequence): Promise<DemographicPage>;
}

export interface Clock {
  now(): Instant;
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number;
}

/** New ids: time-ordered UUIDs (version 7). */
export type NewId = () => string;
