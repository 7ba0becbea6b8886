import type { Instant } from './identity.ts';

/** What a client may do beyond submitting and looking up identifiers. */
export type Scope = 'audit' | 'demographics' | 'proxy';

export const SCOPES = ['audit', 'demographics', 'proxy'] as const satisfies readonly Scope[];

/** Transactions of IHE that a token may allow (IUA scopes of PIXm and PDQm). */
export type Transaction = 'ITI-78' | 'ITI-83' | 'ITI-104' | 'ITI-119';

/** What a token may allow; it never gives more than its client has. */
export type Grant = Transaction | Scope;

export const GRANTS = ['ITI-78', 'ITI-83', 'ITI-104', 'ITI-119', ...SCOPES] as const satisfies readonly Grant[];

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

/**
 * The password of a client. `hash` is a PHC string of Argon2id, or null: it has none (any more). A ledger shows whose
 * password changed, never the hash.
 */
export interface ClientPassword {
  readonly client: string;
  readonly hash: string | null;
}

/**
 * What a caller showed of itself, where not its certificate: for the audit. `claimed` is the registered client whose
 * password was tried in vain.
 */
export type OwnProof =
  | { readonly way: 'password'; readonly claimed?: string }
  | { readonly way: 'token'; readonly issuer: string; readonly client: string; readonly jti: string | null };

/** How it is known who calls; `proxy`: that client of ours says so, and showed itself by `shown` (absent: its certificate). */
export type Proof = OwnProof | { readonly way: 'proxy'; readonly proxy: string; readonly shown?: OwnProof };

/** Who asks. */
export interface Principal {
  readonly kind: 'client' | 'operator' | 'system';
  readonly name: string;
  readonly scopes: readonly Scope[];
}
