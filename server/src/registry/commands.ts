import type { Companion, CompanionType } from '../domain/companions.ts';
import type { Refusal } from '../domain/errors.ts';
import type { Client, ClientPassword, IssuedCertificate, Proof, Revocation } from '../domain/principals.ts';
import type { GoldenKey, Identifier, Instant, OwnName, RecordIdentifier, RecordKey, Version } from '../domain/identity.ts';
import type { Pair, Verdict } from '../domain/links.ts';
import type { TaskKind } from '../domain/review.ts';
import { refuse } from '../fhir/refusal.ts';
import type { FeatureValues } from '../matching/model.ts';
import type { Target } from './which-record.ts';

/** Who sends a command, for its audit. */
export interface Sender {
  readonly agent: string;
  readonly address: string;
  readonly requestId: string;
  /** See AuditFacts. */
  readonly proof?: Proof;
}

/** A Reference that has to name something that is kept: the element of the resource that holds it. */
export interface Demand {
  readonly element: string;
  readonly type: 'Patient' | CompanionType;
}

/** Where a record is merged into: the survivor's identifier, or its id. */
export type MergeTarget =
  { readonly kind: 'identifier'; readonly identifier: OwnName } | { readonly kind: 'id'; readonly id: string };

/** A Patient to register, ready for the registrar: parsed, validated, its features extracted (design §6). */
export interface Submission {
  readonly method: 'POST' | 'PUT';
  readonly target: Target;
  /** The version that the sender knows; another one in force is refused (If-Match). */
  readonly ifMatch: Version | null;
  /** Where a record of the sender has this identifier already, nothing is done (If-None-Exist). */
  readonly ifNoneExist: OwnName | null;
  readonly bodyId: string | null;
  /** Canonical JSON text of the sanitised Patient. */
  readonly resource: string;
  readonly active: boolean;
  /** The record is to be merged into another of the sender's (ITI-104: a replaced-by link). */
  readonly mergeInto: MergeTarget | null;
  readonly identifiers: readonly RecordIdentifier[];
  /** Values for the features of the rules in force, in their order. */
  readonly features: FeatureValues;
  readonly ownSystems: readonly string[];
  /** By system of an identifier that names records: other names of its domain, under which it may have been stated before. */
  readonly otherNames?: Readonly<Record<string, readonly string[]>>;
  /** A reference that has to name something that is kept. */
  readonly demand?: Demand;
}

/** An Organization or a RelatedPerson to keep, ready for the registrar. */
export interface CompanionSubmission {
  readonly type: CompanionType;
  readonly method: 'POST' | 'PUT';
  readonly target: Target;
  readonly ifMatch: Version | null;
  /** Where the sender has one with this identifier already, nothing is done (If-None-Exist). */
  readonly ifNoneExist: Identifier | null;
  /** Canonical JSON text. */
  readonly resource: string;
  readonly demand?: Demand;
}

/** One of the sender's own to delete. */
export interface CompanionRemoval {
  readonly type: CompanionType;
  readonly target: Exclude<Target, { kind: 'none' }>;
  readonly ifMatch: Version | null;
}

/** An Organization or a RelatedPerson after its submission. */
export interface KeptCompanion {
  readonly kind: 'kept';
  readonly status: Accepted['status'];
  readonly companion: Companion;
  /** As it is kept. */
  readonly resource: string;
}

export interface Accepted {
  readonly kind: 'accepted';
  /** `existing`: If-None-Exist held, and nothing was done. */
  readonly status: 'created' | 'updated' | 'unchanged' | 'existing';
  readonly id: string;
  readonly version: Version;
  readonly lastUpdated: Instant;
  readonly cruid: string;
  /** Id of the record that it was merged into. */
  readonly replacedBy: string | null;
  readonly flags: readonly TaskKind[];
  /** Ids of the records that a person said are not the same. */
  readonly brokenWith: readonly string[];
  /** The candidates were cut: the answer claims no certainty. */
  readonly truncated: boolean;
  /** As it is kept, where its references were other ones when it was sent. */
  readonly resource?: string;
}

export interface Refused {
  readonly kind: 'refused';
  readonly refusal: Refusal;
}

/** A command that is refused for one reason. */
export const refused = (...reason: Parameters<typeof refuse>): Refused => ({ kind: 'refused', refusal: refuse(...reason) });

export type SubmissionResult = Accepted | Refused;

/** A record to delete: by its id, or by an identifier that names it. */
export interface Removal {
  readonly target: { readonly kind: 'id'; readonly id: string } | { readonly kind: 'identifier'; readonly identifier: OwnName };
  readonly ifMatch: Version | null;
}

/** null: there was nothing to delete. */
export interface Removed {
  readonly kind: 'removed';
  readonly removed: { readonly id: string; readonly version: Version } | null;
}

/** A person's word on pairs of source records, by their ids. */
export interface AdjudicationCommand {
  readonly pairs: readonly { readonly a: string; readonly b: string }[];
  readonly verdict: 'same' | 'different' | 'undecided';
}

/** One entry of a transaction; `name`: what the others refer to it by. */
export type Step =
  | { readonly submission: Submission; readonly name?: string }
  | { readonly removal: Removal }
  | { readonly companion: CompanionSubmission; readonly name?: string }
  | { readonly companionRemoval: CompanionRemoval };

/** What became of one submission of a load. */
export type LoadedEntry =
  | { readonly status: Exclude<Accepted['status'], 'existing'>; readonly id: string }
  | { readonly status: 'refused'; readonly refusal: Refusal };

/** A record that resembles what was asked about, with whose it is now. */
export interface MatchCandidate {
  readonly record: RecordKey;
  readonly golden: GoldenKey;
  /** The CRUID of its person. */
  readonly cruid: string;
  readonly verdict: Verdict;
}

export interface Matched {
  readonly kind: 'matched';
  /** The strongest first. */
  readonly candidates: readonly MatchCandidate[];
  /** Pairs in force among the candidates; none where they were not asked for. */
  readonly pairs: readonly Pair[];
  readonly truncated: boolean;
}

/** Everything that goes through the registrar. */
export type Command =
  | { readonly kind: 'submit'; readonly sender: Sender; readonly submission: Submission }
  /** A transaction Bundle: all of them or none. */
  | { readonly kind: 'submit-all'; readonly sender: Sender; readonly steps: readonly Step[] }
  | { readonly kind: 'remove'; readonly sender: Sender; readonly removal: Removal }
  /** Many submissions of a file: each accepted or refused by itself; `what` they are, for the audit. */
  | { readonly kind: 'load'; readonly sender: Sender; readonly submissions: readonly Submission[]; readonly what: string }
  /** Who resembles these values, and on demand the pairs among those who do: nothing is written. */
  | { readonly kind: 'match'; readonly sender: Sender; readonly features: FeatureValues; readonly withPairs: boolean }
  | { readonly kind: 'adjudicate'; readonly sender: Sender; readonly adjudication: AdjudicationCommand }
  | {
      readonly kind: 'administer';
      readonly sender: Sender;
      readonly what: string;
      readonly clients: readonly Client[];
      readonly certificates: readonly IssuedCertificate[];
      readonly revocations: readonly Revocation[];
      readonly passwords?: readonly ClientPassword[];
    };

export type CommandResult =
  | SubmissionResult
  | { readonly kind: 'all-accepted'; readonly results: readonly (Accepted | Removed | KeptCompanion)[] }
  | Matched
  | Removed
  | { readonly kind: 'loaded'; readonly entries: readonly LoadedEntry[] }
  | { readonly kind: 'refused-entry'; readonly index: number; readonly refusal: Refusal }
  | { readonly kind: 'done' };
