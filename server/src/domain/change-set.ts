import type { CompanionWrite } from './companions.ts';
import type { GoldenKey, Instant, RecordKey, Sequence, TaskKey } from './identity.ts';
import type { Adjudication, Link, Pair, PairName } from './links.ts';
import type { Client, ClientPassword, IssuedCertificate, Proof, Revocation } from './principals.ts';
import type { Alias, GoldenRecord, SourceContent, SourceRecord } from './records.ts';
import type { ReviewTask } from './review.ts';

/** Who did what, from where: the audit facts of a change set, without personal data. */
export interface AuditFacts {
  readonly action: 'create' | 'update' | 'delete' | 'link' | 'administer';
  /** The submitting client, or the operator's account. */
  readonly agent: string;
  /** Network address of the agent; '' for a local command. */
  readonly address: string;
  /** X-Request-Id of the request. */
  readonly requestId: string;
  /** How the agent showed who it is; absent: by its certificate, or as an operator. */
  readonly proof?: Proof;
  /** The record that was submitted or decided on, where there is one. */
  readonly record: RecordKey | null;
  /** `Type/id` of the Organization or RelatedPerson that was submitted or deleted, where it is one. */
  readonly companion?: string;
  /** Short machine-readable words on what was asked, e.g. `POST Patient`. */
  readonly what: string;
}

/** A new version of a source record. `content` is absent when only its link or its flags changed. */
export interface RecordWrite {
  readonly record: Omit<SourceRecord, 'since' | 'lastUpdated'>;
  readonly content: SourceContent | null;
  /** Feature values of `content`, by feature id (see RuleSet.features); derived, so not part of the hash chain. */
  readonly features: readonly string[] | null;
}

/** A new version of a golden record; `retired` means: at this change set's sequence. */
export interface GoldenWrite {
  readonly golden: Omit<GoldenRecord, 'since' | 'lastUpdated' | 'retiredAt'>;
  /** `now`: retired by this change set; `stays`: as it was (null while active). */
  readonly retired: 'now' | 'stays';
}

export interface RuleVersion {
  readonly version: string;
  /** The compiled rule set as canonical JSON: old evidence stays readable when the file is gone. */
  readonly definition: string;
}

/** Everything that changes at once, or not at all (design §2.1). Its sequence and its hash are given at commit. */
export interface ChangeSet {
  readonly at: Instant;
  readonly audit: AuditFacts;
  readonly records: readonly RecordWrite[];
  readonly goldens: readonly GoldenWrite[];
  readonly aliases: readonly Alias[];
  readonly linksBegun: readonly Link[];
  readonly linksEnded: readonly { readonly record: RecordKey; readonly golden: GoldenKey }[];
  readonly pairsBegun: readonly Pair[];
  readonly pairsEnded: readonly PairName[];
  readonly adjudications: readonly Adjudication[];
  readonly tasksOpened: readonly ReviewTask[];
  readonly tasksClosed: readonly TaskKey[];
  readonly clients: readonly Client[];
  readonly certificates: readonly IssuedCertificate[];
  readonly revocations: readonly Revocation[];
  /** Read back, their hashes are null: the ledger keeps seals of them only. */
  readonly passwords: readonly ClientPassword[];
  readonly companions: readonly CompanionWrite[];
  readonly rules: RuleVersion | null;
}

/** A change set in its place in the ledger. */
export interface Committed {
  readonly sequence: Sequence;
  readonly change: ChangeSet;
}

export const emptyChange = (at: Instant, audit: AuditFacts): ChangeSet => ({
  at,
  audit,
  records: [],
  goldens: [],
  aliases: [],
  linksBegun: [],
  linksEnded: [],
  pairsBegun: [],
  pairsEnded: [],
  adjudications: [],
  tasksOpened: [],
  tasksClosed: [],
  clients: [],
  certificates: [],
  revocations: [],
  passwords: [],
  companions: [],
  rules: null,
});
