/** The paths of the mission's examples, filled from a development CA: its openssl, cURL and Python commands work as printed. */
import type { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryError } from '../../domain/errors.ts';
import type { IssuedCertificate } from '../../domain/principals.ts';
import { isInForce, namesDevelopment } from './authority.ts';
import type { Authority } from './authority.ts';
import { describeIssued, parseCertificate } from './certificate.ts';
import { issueClientCertificate } from './client-certificate.ts';
import { PRIVATE, PUBLIC, readIfThere, replaceFiles } from './files.ts';

export interface MissionPaths {
  /** Names of the clients that get a sample certificate. */
  readonly clients: readonly string[];
  readonly now: Date;
}

/** A certificate that no development CA made is somebody's own, and its key with it: it stays. */
const requireOurs = (path: string, pem: string): X509Certificate => {
  const certificate = parseCertificate(pem);
  if (certificate && namesDevelopment(certificate.issuer)) return certificate;
  throw new RegistryError('conflict', `${path} was not made by a development CA of OpenCR; move it away to use these examples.`);
};

/** The CA's own pair, under the names that the mission's `openssl x509 -req -CA … -CAkey …` and `--cacert` expect. */
const writeAuthorityPair = async ({ certificate, privateKey }: Authority, folder: string): Promise<void> => {
  const certPath = join(folder, 'server_cert.pem');
  const keyPath = join(folder, 'server_key.pem');
  const held = await readIfThere(certPath);
  if (held === certificate && (await readIfThere(keyPath)) === privateKey) return;
  if (held !== undefined) requireOurs(certPath, held);
  else if (existsSync(keyPath))
    throw new RegistryError('conflict', `${keyPath} has no certificate beside it; it was not overwritten.`);
  await mkdir(folder, { recursive: true });
  await replaceFiles([
    { path: certPath, data: certificate, mode: PUBLIC },
    { path: keyPath, data: privateKey, mode: PRIVATE },
  ]);
};

const ensureSample = async (authority: Authority, name: string, { outDir, now }: { outDir: string; now: Date }) => {
  const path = join(outDir, `${name}.cert.pem`);
  const held = await readIfThere(path);
  const whole = existsSync(join(outDir, `${name}.key.pem`)) && existsSync(join(outDir, `${name}.p12`));
  if (held !== undefined && isInForce(requireOurs(path, held), authority, now) && whole) return describeIssued(held, name);
  return issueClientCertificate(authority, name, { outDir, now, overwrite: held !== undefined });
};

/**
 * Writes `server/certificates/server_{cert,key}.pem` and the clients' certificates in `server/sampleclientcertificates`
 * under `root`; what is there and in force stays. Answers the certificate of each client: the caller records those that the
 * ledger does not know.
 * @throws RegistryError `forbidden` for a CA that is not for development, `conflict` for somebody's own files.
 */
export const writeMissionPaths = async (
  authority: Authority,
  root: string,
  { clients, now }: MissionPaths,
): Promise<readonly IssuedCertificate[]> => {
  if (!authority.development) throw new RegistryError('forbidden', 'Only the key of a development CA is copied for examples.');
  await writeAuthorityPair(authority, join(root, 'server', 'certificates'));
  const outDir = join(root, 'server', 'sampleclientcertificates');
  const issued: IssuedCertificate[] = [];
  for (const name of clients) issued.push(await ensureSample(authority, name, { outDir, now }));
  return issued;
};
