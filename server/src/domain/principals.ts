import type { Instant } from './identity.ts';

/** What a client may do beyond submitting and looking up identifiers. */
export type Scope = 'audit' | 'demographics';

const CLIENT_NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Whether a text may be a client's name: it is the Common Name of its certificate and a part of file names. */
export const isClientName = (name: string): boolean => CLIENT_NAME.test(name);

/** A point-of-service system that may call. */
export interface Client {
  readonly name: string;
  readonly displayName: string;
  /** Source authorities that it owns. */
  readonly systems: readonly string[];
  readonly scopes: readonly Scope[];
  readonly disabled: boolean;
}

/** A certificate that this registry issued. */
export interface IssuedCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly client: string;
  readonly serial: string;
  readonly notAfter: Instant;
}

/**
 * Every certificate of `client` that began to be valid at or before `at` is refused, whoever made it, but for those
 * in the list of issued certificates that were issued after the revocation.
 */
export interface Revocation {
  readonly client: string;
  readonly at: Instant;
  /** Fingerprints of the issued certificates that this revocation ends. */
  readonly fingerprints: readonly string[];
}

/** Who asks. */
export interface Principal {
  readonly kind: 'client' | 'operator' | 'system';
  readonly name: string;
  readonly scopes: readonly Scope[];
}
