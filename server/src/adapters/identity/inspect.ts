/** What `doctor` says of the certificates in a data folder. */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Issue } from '../../domain/errors.ts';
import { RegistryError } from '../../domain/errors.ts';
import { openAuthority, RENEWAL_DAYS, tlsFolder } from './authority.ts';
import type { Authority } from './authority.ts';
import { daysLeft, parseCertificate } from './certificate.ts';
import { readIfThere } from './files.ts';

/** Every client has to get a new certificate before the authority ends: that takes a while. */
const AUTHORITY_WARNING_DAYS = 365;

const lifetime = (what: string, certificate: X509Certificate, { now, warnBelow }: { now: Date; warnBelow: number }): Issue => {
  const days = daysLeft(certificate, now);
  const end = certificate.validToDate.toISOString().slice(0, 10);
  if (days < 0) return { severity: 'error', diagnostics: `${what} expired on ${end}.` };
  return { severity: days < warnBelow ? 'warning' : 'information', diagnostics: `${what} has ${days} days left (until ${end}).` };
};

const openMode = async (path: string): Promise<Issue[]> => {
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) === 0) return [];
  const should = (await stat(path)).isDirectory() ? '700' : '600';
  return [
    { severity: 'error', diagnostics: `Others can read ${path}: its mode is ${mode.toString(8)} and should be ${should}.` },
  ];
};

const openOrExplain = async (dataDir: string): Promise<Authority | Issue> => {
  try {
    return await openAuthority(dataDir);
  } catch (error) {
    if (error instanceof RegistryError) return { severity: 'error', diagnostics: error.message };
    throw error;
  }
};

const DEVELOPMENT: Issue = {
  severity: 'warning',
  diagnostics: 'The certificate authority is a development CA: for tests and demonstrations only.',
};

const serverLifetime = async (folder: string, now: Date): Promise<Issue> => {
  const certificate = parseCertificate((await readIfThere(join(folder, 'server.cert.pem'))) ?? '');
  if (certificate) return lifetime("The server's certificate", certificate, { now, warnBelow: RENEWAL_DAYS });
  return { severity: 'warning', diagnostics: 'The server has no certificate that can be read; the next start makes one.' };
};

/** Days left of the CA and of the server's certificate, whether the CA is for development, and modes that are too open. */
export const inspectIdentity = async (dataDir: string, now: Date): Promise<readonly Issue[]> => {
  const authority = await openOrExplain(dataDir);
  if ('severity' in authority) return [authority];
  const folder = tlsFolder(dataDir);
  const secrets = [folder, join(folder, 'ca.key.pem'), join(folder, 'server.key.pem')].filter(existsSync);
  return [
    ...(authority.development ? [DEVELOPMENT] : []),
    lifetime('The certificate authority', new X509Certificate(authority.certificate), { now, warnBelow: AUTHORITY_WARNING_DAYS }),
    await serverLifetime(folder, now),
    ...(await Promise.all(secrets.map(openMode))).flat(),
  ];
};
