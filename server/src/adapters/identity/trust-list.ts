/** The explicit list of trusted certificates (TLS-02): each entry names the client that it belongs to. */
import type { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { RegistryError } from '../../domain/errors.ts';
import { fingerprintOf, parseCertificate } from './certificate.ts';

export interface TrustedFile {
  readonly client: string;
  /** A certificate as PEM, DER or BER (TLS-03). */
  readonly file: string;
}

const readCertificate = async (file: string): Promise<X509Certificate> => {
  const certificate = existsSync(file) ? parseCertificate(await readFile(file)) : undefined;
  if (!certificate) throw new RegistryError('invalid-request', `${file} cannot be read as a certificate.`);
  return certificate;
};

/**
 * Client names by fingerprint, for `Trust`.
 * @throws RegistryError `invalid-request` for a file that holds no certificate, `conflict` for one certificate of two clients.
 */
export const readTrustList = async (files: readonly TrustedFile[]): Promise<ReadonlyMap<string, string>> => {
  const entries = new Map<string, string>();
  for (const { client, file } of files) {
    const fingerprint = fingerprintOf(await readCertificate(file));
    const other = entries.get(fingerprint) ?? client;
    if (other !== client) throw new RegistryError('conflict', `${file} is listed for ${other} and for ${client}.`);
    entries.set(fingerprint, client);
  }
  return entries;
};
