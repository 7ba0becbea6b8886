/**
 * The nouns that name things. Keys are dense positive integers that the ledger gives in order of creation; they
 * never leave the process. Ids are FHIR logical ids (1–64 of `[A-Za-z0-9\-.]`) and do.
 */
export type RecordKey = number;
export type GoldenKey = number;
export type TaskKey = number;
/** Position of a change set in the ledger, from 1. */
export type Sequence = number;
/** `meta.versionId`, from 1. */
export type Version = number;
/** ISO 8601 instant in UTC with milliseconds. */
export type Instant = string;

/** A business identifier: FHIR `Identifier.system` and `.value`. */
export interface Identifier {
  readonly system: string;
  readonly value: string;
}

/**
 * An identifier as a record holds it. `names` says that it names the record (an own source identifier, design §7);
 * `scope` is the client's name where the authority has no owner, so that (scope, system, value) names one record,
 * and '' otherwise.
 */
export interface RecordIdentifier extends Identifier {
  readonly names: boolean;
  readonly scope: string;
}

/** An identifier that names a record of one client, under every name of its domain, the one in answers first. */
export interface OwnName {
  readonly scope: RecordIdentifier['scope'];
  readonly systems: readonly string[];
  readonly value: string;
}

/** Order of records that no arrival can change: smallest system, value, client (design §2.3). */
export interface RecordIdentity extends Identifier {
  readonly client: string;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const compareIdentity = (a: RecordIdentity, b: RecordIdentity): number =>
  compareText(a.system, b.system) || compareText(a.value, b.value) || compareText(a.client, b.client);
