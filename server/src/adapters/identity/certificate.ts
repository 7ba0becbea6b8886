/**
 * Makes keys and X.509 certificates (RFC 5280), and reads what the registry needs to know of one. The only file that imports
 * @peculiar/x509, which needs the metadata polyfill loaded before it and does not bring it.
 */
import 'reflect-metadata';
import { createPrivateKey, generateKeyPair, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import * as x509 from '@peculiar/x509';
import type { IssuedCertificate } from '../../domain/principals.ts';

export const DAY_MS = 86_400_000;

export interface KeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

/** What a certificate shall say. */
export interface CertificatePlan {
  readonly subject: x509.JsonName;
  readonly publicKey: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly x509.Extension[];
}

/** Who signs: PEM both. Without `certificate` the plan is signed by its own key. */
export interface Signer {
  readonly privateKey: string;
  readonly certificate?: string;
}

const generate = promisify(generateKeyPair);

/** RSA, since two of the four suites of "TLS 1.2 Floor using BCP 195" (TLS-06) authenticate with it; 3,072 bits are 128-bit strength. */
export const newKeyPair = (): Promise<KeyPair> =>
  generate('rsa', {
    modulusLength: 3072,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

const RSA_SHA256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

const { keyCertSign, cRLSign, digitalSignature, keyEncipherment } = x509.KeyUsageFlags;

/** Of a certificate that signs leaf certificates only. */
export const authorityExtensions = (): readonly x509.Extension[] => [
  new x509.BasicConstraintsExtension(true, 0, true),
  new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
];

/** Of a server that is called by these host names and IP addresses. */
export const serverExtensions = (hosts: readonly string[]): readonly x509.Extension[] => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
  new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
];

export const clientExtensions = (): readonly x509.Extension[] => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(digitalSignature, true),
  new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
];

/** Signs the plan; answers PEM. Key identifiers are added: strict verifiers (Python 3.13's default) refuse without. */
export const signCertificate = async (plan: CertificatePlan, signer: Signer): Promise<string> => {
  const issuer = signer.certificate === undefined ? undefined : new x509.X509Certificate(signer.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: plan.subject,
    issuer: issuer?.subjectName ?? plan.subject,
    notBefore: plan.notBefore,
    notAfter: plan.notAfter,
    publicKey: plan.publicKey,
    signingKey: createPrivateKey(signer.privateKey).toCryptoKey(RSA_SHA256, false, ['sign']),
    signingAlgorithm: RSA_SHA256,
    extensions: [
      ...plan.extensions,
      await x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(plan.publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer?.publicKey ?? new x509.PublicKey(plan.publicKey)),
    ],
  });
  return `${certificate.toString('pem')}\n`;
};

/** The certificate in a text or a file's bytes; undefined where there is none. */
export const parseCertificate = (data: string | Buffer): X509Certificate | undefined => {
  try {
    return new X509Certificate(data);
  } catch {
    return undefined;
  }
};

/** The certificate of a PEM pair; undefined where the two cannot be read or do not belong together. */
export const parsePair = (pair: { readonly certificate: string; readonly privateKey: string }): X509Certificate | undefined => {
  const certificate = parseCertificate(pair.certificate);
  try {
    return certificate?.checkPrivateKey(createPrivateKey(pair.privateKey)) ? certificate : undefined;
  } catch {
    return undefined;
  }
};

/** SHA-256 of the DER, lower-case hex: the name of a certificate everywhere in the registry. */
export const fingerprintOf = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase();

/** How the ledger remembers a certificate that was issued to `client`. */
export const describeIssued = (pem: string, client: string): IssuedCertificate => {
  const certificate = new X509Certificate(pem);
  return {
    fingerprint: fingerprintOf(certificate),
    client,
    serial: certificate.serialNumber,
    notAfter: certificate.validToDate.toISOString(),
  };
};

/** Whole days from `now` until the certificate ends; negative once it has. */
export const daysLeft = (certificate: X509Certificate, now: Date): number =>
  Math.floor((certificate.validToDate.getTime() - now.getTime()) / DAY_MS);
