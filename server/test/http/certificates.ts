/** Certificates that no command makes, for callers who should not be let in. One key serves them all: making keys costs seconds. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  authorityExtensions,
  clientExtensions,
  DAY_MS,
  serverExtensions,
  type Signer,
  signCertificate,
} from '../../src/adapters/identity/certificate.ts';
import { certificateOf, type Pair } from '../support/registry-server.ts';

const { key } = await certificateOf('openmrs');
const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });

export interface Wanted {
  /** Common Names; none by default. */
  readonly names?: readonly string[];
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
  readonly signer?: Signer;
  readonly kind?: 'client' | 'server' | 'authority';
}

const extensions = { client: clientExtensions(), server: serverExtensions(['localhost']), authority: authorityExtensions() };

/** Self-signed unless there is a signer. */
export async function makeCertificate({
  names = [],
  from = -1,
  until = 30,
  signer = { privateKey: key },
  kind = 'client',
}: Wanted): Promise<Pair> {
  const cert = await signCertificate(
    {
      subject: [{ O: ['A clinic'] }, ...names.map((name) => ({ CN: [name] }))],
      publicKey,
      notBefore: new Date(Date.now() + from * DAY_MS),
      notAfter: new Date(Date.now() + until * DAY_MS),
      extensions: extensions[kind],
    },
    signer,
  );
  return { cert, key };
}

/** The registry's own authority, which signs in its data folder. */
export const authorityOf = (dataDir: string): Signer => ({
  certificate: readFileSync(join(dataDir, 'tls', 'ca.cert.pem'), 'utf8'),
  privateKey: readFileSync(join(dataDir, 'tls', 'ca.key.pem'), 'utf8'),
});

/** An authority that the registry does not know, and which calls itself by the same name. */
export async function foreignAuthority(): Promise<Signer> {
  const { cert } = await makeCertificate({ names: ['OpenCR development CA'], kind: 'authority' });
  return { certificate: cert, privateKey: key };
}
