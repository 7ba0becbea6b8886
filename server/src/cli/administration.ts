import type { Client, ClientPassword, IssuedCertificate, Revocation } from '../domain/principals.ts';

/** What an administrative command changes; audited in one change set. */
export interface AdministrativeChange {
  readonly what: string;
  readonly clients: readonly Client[];
  readonly certificates: readonly IssuedCertificate[];
  readonly revocations: readonly Revocation[];
  readonly passwords: readonly ClientPassword[];
}

/**
 * A registry as the administrative commands see it, whether a server runs on the data folder (changes go to it over its
 * local socket) or not (the command takes the folder's lock).
 */
export interface Administration {
  clients(): Promise<readonly Client[]>;
  certificates(): Promise<readonly IssuedCertificate[]>;
  revocations(): Promise<readonly Revocation[]>;
  /** Resolves once it is durable. */
  administer(change: AdministrativeChange): Promise<void>;
  close(): Promise<void>;
}
