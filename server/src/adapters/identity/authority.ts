/** The registry's certificate authority, in the data folder's `tls`: opens it, makes it, and keeps the server's certificate. */
import { randomUUID, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RegistryError } from '../../domain/errors.ts';
import {
  authorityExtensions,
  DAY_MS,
  daysLeft,
  newKeyPair,
  parsePair,
  serverExtensions,
  signCertificate,
} from './certificate.ts';
import type { CertificatePlan } from './certificate.ts';
import { createFiles, PRIVATE, PUBLIC, readIfThere, replaceFiles } from './files.ts';
import type { NewFile } from './files.ts';
import type { TlsMaterial } from './tls.ts';

/** Leaf certificates with fewer days left are made anew. */
export const RENEWAL_DAYS = 30;
const LEAF_DAYS = 730; // TLS-04: at most two years
const AUTHORITY_DAYS = 3652;

/** In the subject of a development CA, so that whoever sees one of its certificates sees what made it. */
const DEVELOPMENT_UNIT = 'Development only - not for production';
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

export interface Authority {
  readonly folder: string;
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  readonly development: boolean;
}

export interface ServerPlan {
  /** Names and addresses that callers use, beside localhost, the loopback addresses and the machine's name. */
  readonly hosts: readonly string[];
  readonly now: Date;
}

/** What a server's and a client's certificate differ in. */
export interface Leaf extends Pick<CertificatePlan, 'publicKey' | 'extensions'> {
  readonly commonName: string;
}

export const tlsFolder = (dataDir: string): string => join(dataDir, 'tls');

/** Whether a development CA is named in a subject or an issuer, as `X509Certificate` prints them. */
export const namesDevelopment = (distinguishedName: string): boolean =>
  distinguishedName.split('\n').includes(`OU=${DEVELOPMENT_UNIT}`);

const validity = (days: number, now: Date): { notBefore: Date; notAfter: Date } => {
  const notBefore = now.getTime() - DAY_MS; // a caller's clock may be behind
  return { notBefore: new Date(notBefore), notAfter: new Date(notBefore + days * DAY_MS) };
};

const newAuthority = async (folder: string, { development, now }: { development: boolean; now: Date }): Promise<Authority> => {
  const { publicKey, privateKey } = await newKeyPair();
  const unit = development ? [{ OU: [DEVELOPMENT_UNIT] }] : [];
  const plan = {
    subject: [{ O: ['OpenCR'] }, ...unit, { CN: [development ? 'OpenCR development CA' : 'OpenCR CA'] }],
    publicKey,
    ...validity(AUTHORITY_DAYS, now),
    extensions: authorityExtensions(),
  };
  return { folder, certificate: await signCertificate(plan, { privateKey }), privateKey, development };
};

/** Signs a leaf certificate that ends with its authority at the latest; answers PEM. */
export const issueLeaf = (authority: Authority, leaf: Leaf, now: Date): Promise<string> => {
  const { notBefore, notAfter } = validity(LEAF_DAYS, now);
  const end = new X509Certificate(authority.certificate).validToDate;
  const plan = {
    subject: [{ CN: [leaf.commonName] }],
    publicKey: leaf.publicKey,
    notBefore,
    notAfter: end < notAfter ? end : notAfter,
    extensions: leaf.extensions,
  };
  return signCertificate(plan, authority);
};

/** @throws RegistryError `invalid-request` for an extra host that is neither a name nor an address. */
const allHosts = (extra: readonly string[]): readonly string[] => {
  const wrong = extra.find((host) => !isIP(host) && !HOST_NAME.test(host));
  if (wrong !== undefined) {
    throw new RegistryError('invalid-request', `${JSON.stringify(wrong)} is neither a host name nor an IP address.`);
  }
  return [...new Set([...LOCAL_HOSTS, ...[hostname()].filter((name) => HOST_NAME.test(name)), ...extra])];
};

const certFile = (folder: string, name: string): string => join(folder, `${name}.cert.pem`);
const keyFile = (folder: string, name: string): string => join(folder, `${name}.key.pem`);

const pairFiles = (folder: string, name: string, pair: Pick<Authority, 'certificate' | 'privateKey'>): readonly NewFile[] => [
  { path: keyFile(folder, name), data: pair.privateKey, mode: PRIVATE },
  { path: certFile(folder, name), data: pair.certificate, mode: PUBLIC },
];

const newServerPair = async (authority: Authority, { hosts, now }: ServerPlan) => {
  const { publicKey, privateKey } = await newKeyPair();
  const leaf = { commonName: 'localhost', publicKey, extensions: serverExtensions(allHosts(hosts)) };
  return { certificate: await issueLeaf(authority, leaf, now), privateKey };
};

/** PEM both; undefined where one of them is missing. */
const readPair = async (folder: string, name: string) => {
  const certificate = await readIfThere(certFile(folder, name));
  const privateKey = await readIfThere(keyFile(folder, name));
  return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey };
};

/**
 * The authority of a data folder.
 * @throws RegistryError `not-found` where there is none, `conflict` where its key belongs to another certificate.
 */
export const openAuthority = async (dataDir: string): Promise<Authority> => {
  const folder = tlsFolder(dataDir);
  const pair = await readPair(folder, 'ca');
  if (!pair) {
    throw new RegistryError('not-found', `${folder} holds no certificate authority; \`./opencr certs init\` makes one.`);
  }
  const certificate = parsePair(pair);
  if (!certificate?.ca) {
    throw new RegistryError('conflict', `ca.cert.pem and ca.key.pem in ${folder} are not the pair of one authority.`);
  }
  return { folder, ...pair, development: namesDevelopment(certificate.subject) };
};

/**
 * Makes an authority and the server's certificate. The folder appears whole or not at all.
 * @throws RegistryError `conflict` where there is a `tls` folder already, `invalid-request` for a wrong host.
 */
export const initAuthority = async (
  dataDir: string,
  { development, hosts, now }: ServerPlan & { readonly development: boolean },
): Promise<Authority> => {
  const folder = tlsFolder(dataDir);
  if (existsSync(folder)) throw new RegistryError('conflict', `${folder} exists already; it was not overwritten.`);
  const authority = await newAuthority(folder, { development, now });
  const server = await newServerPair(authority, { hosts, now });
  const draft = join(dataDir, `tls.${randomUUID()}.tmp`);
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    await createFiles([...pairFiles(draft, 'ca', authority), ...pairFiles(draft, 'server', server)]);
    await rename(draft, folder);
  } catch (error) {
    // Another start made it meanwhile: a folder that holds something is not replaced.
    if (existsSync(certFile(folder, 'ca')))
      throw new RegistryError('conflict', `${folder} exists already; it was not overwritten.`);
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return authority;
};

const covers = (certificate: X509Certificate, host: string): boolean =>
  (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host, { subject: 'never' })) !== undefined;

/** Whether the authority signed the certificate and it has more than the renewal days left. */
export const isInForce = (certificate: X509Certificate, authority: Authority, now: Date): boolean =>
  certificate.verify(new X509Certificate(authority.certificate).publicKey) && daysLeft(certificate, now) >= RENEWAL_DAYS;

/** The server's TLS material; its certificate is made anew when it nears its end, lacks a host or does not fit. */
export const ensureServerCertificate = async (authority: Authority, { hosts, now }: ServerPlan): Promise<TlsMaterial> => {
  const held = await readPair(authority.folder, 'server');
  const certificate = held && parsePair(held);
  const serves =
    certificate !== undefined &&
    isInForce(certificate, authority, now) &&
    allHosts(hosts).every((host) => covers(certificate, host));
  const pair = held && serves ? held : await newServerPair(authority, { hosts, now });
  if (pair !== held) await replaceFiles(pairFiles(authority.folder, 'server', pair));
  return { key: pair.privateKey, cert: pair.certificate, ca: [authority.certificate] };
};
