import { randomBytes } from 'node:crypto';
import { type ChangeSet, emptyChange, type RecordWrite } from '../../domain/change-set.ts';
import type { CompanionWrite } from '../../domain/companions.ts';
import type { RecordIdentifier, RecordIdentity, Sequence } from '../../domain/identity.ts';
import type { NextKeys } from '../../registry/ports.ts';
import { payloadHash, SALT_BYTES, sealOf } from './hash-chain.ts';

/** What of a record's version is personal, as stored: NULL in all three once erased. */
export interface Payload {
  readonly salt: Buffer | null;
  readonly naming: string | null;
  readonly resource: string | null;
}

export const ERASED: Payload = { salt: null, naming: null, resource: null };

/** The identifying part of a payload. */
export interface Naming {
  readonly identity: RecordIdentity;
  readonly identifiers: readonly RecordIdentifier[];
}

const UNNAMED: Naming = { identity: { system: '', value: '', client: '' }, identifiers: [] };

export const namingOf = (text: string | null): Naming => (text === null ? UNNAMED : (JSON.parse(text) as Naming));

export type RecordSkeleton = Omit<RecordWrite['record'], 'identity'> & {
  /** Hash of the version's own payload; null where it keeps the one before. */
  readonly payload: string | null;
};

/** The end of a batch, on its last change set. */
export interface BatchEnd {
  readonly id: string;
  readonly next: NextKeys;
}

/** Whose password was set, under the seal of its hash, or taken away. */
export interface PasswordSkeleton {
  readonly client: string;
  readonly seal: string | null;
}

export type CompanionSkeleton = CompanionWrite['companion'] & {
  /** Hash of the version's payload; null of one that is deleted. */
  readonly payload: string | null;
};

/** What of a companion's version is personal; see Payload. */
export type CompanionPayload = Pick<Payload, 'salt' | 'resource'>;

/** A change set without personal data and secrets: what the hash chain runs over. */
export interface Skeleton extends Omit<ChangeSet, 'records' | 'passwords' | 'companions'> {
  readonly records: readonly RecordSkeleton[];
  readonly passwords: readonly PasswordSkeleton[];
  readonly companions: readonly CompanionSkeleton[];
  readonly batch: BatchEnd | null;
}

export interface Separated {
  readonly skeleton: Skeleton;
  /** By place in `skeleton.records`; null where the version has no content of its own. */
  readonly payloads: readonly (Payload | null)[];
  /** By place in `skeleton.passwords`; null where there is none, or where it is not known any more. */
  readonly hashes: readonly (string | null)[];
  /** By place in `skeleton.companions`; null of one that is deleted. */
  readonly companions: readonly (CompanionPayload | null)[];
}

/** A change set in its place in the ledger. */
export interface Placed extends Separated {
  readonly sequence: Sequence;
}

const payloadOf = ({ record, content }: RecordWrite): Payload | null =>
  content && {
    salt: randomBytes(SALT_BYTES),
    naming: JSON.stringify({ identity: record.identity, identifiers: content.identifiers } satisfies Naming),
    resource: content.resource,
  };

/** Hash of a payload; null of an erased one. */
export const hashOf = ({ salt, naming, resource }: Payload): string | null =>
  salt === null || naming === null || resource === null ? null : payloadHash(salt, naming, resource);

const recordSkeleton = ({ record }: RecordWrite, payload: Payload | null): RecordSkeleton => ({
  key: record.key,
  id: record.id,
  version: record.version,
  source: record.source,
  active: record.active,
  ...(record.mergedInto !== undefined && { mergedInto: record.mergedInto }),
  ...(record.deleted && { deleted: true }),
  golden: record.golden,
  flags: record.flags,
  payload: payload && hashOf(payload),
});

/** Hash of a companion's payload; null of an erased one. */
export const companionHashOf = ({ salt, resource }: CompanionPayload): string | null =>
  salt === null || resource === null ? null : payloadHash(salt, '', resource);

/** Takes a change set apart into what stays for ever and what may be erased. */
export const separate = (change: ChangeSet, batch: BatchEnd | null): Separated => {
  const payloads = change.records.map(payloadOf);
  const records = change.records.map((write, index) => recordSkeleton(write, payloads[index] ?? null));
  const passwords = change.passwords.map(({ client, hash }) => ({ client, seal: hash === null ? null : sealOf(hash) }));
  const hashes = change.passwords.map(({ hash }) => hash);
  const companions = change.companions.map(({ resource }) =>
    resource === null ? null : { salt: randomBytes(SALT_BYTES), resource },
  );
  const named = change.companions.map(({ companion }, index) => {
    const payload = companions[index];
    return { ...companion, payload: payload ? companionHashOf(payload) : null };
  });
  const skeleton = { ...emptyChange(change.at, change.audit), ...change, records, passwords, companions: named, batch };
  return { skeleton, payloads, hashes, companions };
};

const said = (value: unknown): boolean => value !== null && !(Array.isArray(value) && value.length === 0);

/** The bytes that are hashed and stored: nothing that is empty, in the order of `emptyChange`. */
export const encodeSkeleton = (skeleton: Skeleton): string =>
  JSON.stringify(Object.fromEntries(Object.entries(skeleton).filter(([, value]) => said(value))));

export const decodeSkeleton = (text: string): Skeleton => {
  const stored = JSON.parse(text) as Partial<Skeleton> & Pick<Skeleton, 'at' | 'audit'>;
  return { ...emptyChange(stored.at, stored.audit), records: [], passwords: [], companions: [], batch: null, ...stored };
};
