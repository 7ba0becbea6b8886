import type { GoldenKey, Instant, RecordIdentifier, RecordIdentity, RecordKey, Sequence, Version } from './identity.ts';
import type { TaskKind } from './review.ts';

/** `SourceRecord.golden` of a record without a link: one that is deleted, or is being created in this very change set. */
export const UNLINKED: GoldenKey = 0;

/** A Patient as one system submitted it: everything but its content (demographics), which `SourceContent` holds. */
export interface SourceRecord {
  readonly key: RecordKey;
  readonly id: string;
  readonly version: Version;
  /** Name of the submitting client (certificate CN). */
  readonly source: string;
  /** Smallest own source identifier: the record's place in every tie. */
  readonly identity: RecordIdentity;
  /** Candidate for matching: false for inactive, merged and deleted records. */
  readonly active: boolean;
  /** The record of the same system that it was merged into: it is of that record's person, and no longer stands for it. */
  readonly mergedInto?: RecordKey;
  /** Its owner deleted it: no content, no identifiers, no link. */
  readonly deleted?: true;
  /** `UNLINKED` where it is deleted. */
  readonly golden: GoldenKey;
  /** Kinds of its open review tasks, sorted: what the 1.x match tags render. */
  readonly flags: readonly TaskKind[];
  /** Sequence and time of this version. */
  readonly since: Sequence;
  readonly lastUpdated: Instant;
}

/** The payload of a record's version: personal data, erasable. */
export interface SourceContent {
  /** The Patient as submitted, sanitised, as JSON text without `id`, `meta.versionId`, `meta.lastUpdated` and `link`. */
  readonly resource: string;
  readonly identifiers: readonly RecordIdentifier[];
}

/** The one record of a person. Retired, it forwards to the group that holds most of its last records. */
export interface GoldenRecord {
  readonly key: GoldenKey;
  /** The CRUID. */
  readonly id: string;
  readonly version: Version;
  readonly active: boolean;
  /** Set only on a retired golden record; always names an active one or nothing, so never a chain or a cycle. */
  readonly replacedBy: GoldenKey | null;
  /** Sequence at which it was last retired; null while active. Its last holders are the links that ended there. */
  readonly retiredAt: Sequence | null;
  readonly since: Sequence;
  readonly lastUpdated: Instant;
}

/** Another id under which one client addresses a record; to that client it beats whatever else bears the id. */
export interface Alias {
  readonly id: string;
  readonly client: string;
  readonly record: RecordKey;
}
