/** Certificates for point-of-service systems: PEM and PKCS #12, in a folder to hand over. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryError } from '../../domain/errors.ts';
import { isClientName, type IssuedCertificate } from '../../domain/principals.ts';
import { issueLeaf } from './authority.ts';
import type { Authority } from './authority.ts';
import { clientExtensions, describeIssued, newKeyPair } from './certificate.ts';
import { createFiles, PRIVATE, PUBLIC, readIfThere, replaceFiles } from './files.ts';
import { toPkcs12 } from './pkcs12.ts';

export interface IssueOptions {
  readonly outDir: string;
  readonly now: Date;
  /** Password of the .p12 file; by default the empty one of the mission's examples: the key lies beside it in a file of its own. */
  readonly p12Password?: string;
  /** Replace files that are there; otherwise they are a `conflict`. */
  readonly overwrite?: boolean;
}

/** A client's name is the Common Name of its certificate. @throws RegistryError `invalid-request` */
const requireClientName = (name: string): void => {
  if (isClientName(name)) return;
  throw new RegistryError('invalid-request', 'A client name is 1 to 64 letters, digits, ".", "_" or "-".');
};

/** Makes a key and a certificate and writes NAME.key.pem, NAME.cert.pem, NAME.p12 and ca.pem to `outDir`. */
export const issueClientCertificate = async (
  authority: Authority,
  name: string,
  { outDir, now, p12Password = '', overwrite = false }: IssueOptions,
): Promise<IssuedCertificate> => {
  requireClientName(name);
  const { publicKey, privateKey } = await newKeyPair();
  const certificate = await issueLeaf(authority, { commonName: name, publicKey, extensions: clientExtensions() }, now);
  const caFile = join(outDir, 'ca.pem');
  const sameCa = (await readIfThere(caFile)) === authority.certificate;
  await mkdir(outDir, { recursive: true });
  await (overwrite ? replaceFiles : createFiles)([
    { path: join(outDir, `${name}.cert.pem`), data: certificate, mode: PUBLIC },
    { path: join(outDir, `${name}.key.pem`), data: privateKey, mode: PRIVATE },
    {
      path: join(outDir, `${name}.p12`),
      data: await toPkcs12({ name, certificate, privateKey, password: p12Password }),
      mode: PRIVATE,
    },
    ...(sameCa ? [] : [{ path: caFile, data: authority.certificate, mode: PUBLIC }]),
  ]);
  return describeIssued(certificate, name);
};
