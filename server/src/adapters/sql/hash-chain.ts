import { hash } from 'node:crypto';

/** Hash before the first change set. */
export const ORIGIN: Buffer = Buffer.alloc(32);

export const SALT_BYTES = 32;

const sha256 = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer');

/** A change set's hash: over the hash before it and its own skeleton, so that none can change without all later ones. */
export const chainHash = (previous: Buffer, skeleton: string): Buffer =>
  sha256(Buffer.concat([previous, Buffer.from(skeleton, 'utf8')]));

/**
 * A payload's hash, lower-case hex, which its skeleton holds. The salt is erased with the payload: without it nobody
 * can find out by guessing whose it was. `naming` is JSON on one line, so the first line break tells the two apart.
 */
export const payloadHash = (salt: Buffer, naming: string, resource: string): string =>
  sha256(Buffer.concat([salt, Buffer.from(`${naming}\n${resource}`, 'utf8')])).toString('hex');

/** What the ledger keeps of the hash of a password, lower-case hex: the hash has a salt of its own, so nobody can guess it from this. */
export const sealOf = (passwordHash: string): string => sha256(Buffer.from(passwordHash, 'utf8')).toString('hex');
