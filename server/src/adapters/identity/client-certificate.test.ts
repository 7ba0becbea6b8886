import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IssuedCertificate } from '../../domain/principals.ts';
import { initAuthority } from './authority.ts';
import type { Authority } from './authority.ts';
import { DAY_MS } from './certificate.ts';
import { issueClientCertificate } from './client-certificate.ts';
import { need } from './needs.fixture.ts';

const now = new Date();
const folder = mkdtempSync(join(tmpdir(), 'opencr clients '));
const outDir = join(folder, 'out');
const path = (name: string): string => join(outDir, name);
const PASSWORD = 'Two-words_and-7';

let authority: Authority;
let openmrs: IssuedCertificate;

beforeAll(async () => {
  authority = await initAuthority(folder, { development: true, hosts: [], now });
  openmrs = await issueClientCertificate(authority, 'openmrs', { outDir, now });
  await issueClientCertificate(authority, 'lab-1.west_2', { outDir, now, p12Password: PASSWORD });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const run = (command: string, ...words: string[]): string =>
  execFileSync(command, words, { cwd: outDir, encoding: 'utf8', input: '', stdio: ['pipe', 'pipe', 'pipe'] });

describe('a client certificate', () => {
  it('comes as PEM and .p12 with the CA, the secrets for the owner only', () => {
    const files = ['ca.pem', 'openmrs.cert.pem', 'openmrs.key.pem', 'openmrs.p12'];
    expect(readdirSync(outDir)).toEqual(expect.arrayContaining(files));
    for (const name of ['openmrs.key.pem', 'openmrs.p12']) expect(statSync(path(name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(path('ca.pem'), 'utf8')).toBe(authority.certificate);
  });

  it('is described as the ledger remembers it', () => {
    const certificate = new X509Certificate(readFileSync(path('openmrs.cert.pem')));
    expect(openmrs).toEqual({
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      client: 'openmrs',
      serial: certificate.serialNumber,
      notAfter: certificate.validToDate.toISOString(),
    });
    expect(certificate.validToDate.getTime() - certificate.validFromDate.getTime()).toBeLessThanOrEqual(730 * DAY_MS);
    expect(certificate.subject).toBe('CN=openmrs');
  });

  it('is verified strictly by OpenSSL as a client, and not as a server', () => {
    const verify = ['verify', '-x509_strict', '-CAfile', 'ca.pem', '-purpose'];
    expect(run('openssl', ...verify, 'sslclient', 'openmrs.cert.pem')).toContain('openmrs.cert.pem: OK');
    expect(() => run('openssl', ...verify, 'sslserver', 'openmrs.cert.pem')).toThrow(/unsuitable certificate purpose/);
  });

  it('is never written over another unless asked', async () => {
    const again = issueClientCertificate(authority, 'openmrs', { outDir, now });
    await expect(again).rejects.toMatchObject({ code: 'conflict' });
    expect(new X509Certificate(readFileSync(path('openmrs.cert.pem'))).serialNumber).toBe(openmrs.serial);
    const asked = await issueClientCertificate(authority, 'openmrs', { outDir, now, overwrite: true });
    expect(new X509Certificate(readFileSync(path('openmrs.cert.pem'))).serialNumber).toBe(asked.serial);
    expect(asked.serial).not.toBe(openmrs.serial);
  });

  it.each(['', 'a'.repeat(65), 'a/b', '../a', 'a b', 'é', 'a\n'])('is refused for the name %j', async (name) => {
    await expect(issueClientCertificate(authority, name, { outDir, now })).rejects.toMatchObject({ code: 'invalid-request' });
  });
});

/** File, password. */
const archives = [
  ['openmrs', ''],
  ['lab-1.west_2', PASSWORD],
] as const;

describe.each(archives)('the .p12 file of %s', (name, password) => {
  const file = `${name}.p12`;

  it('opens in OpenSSL 3 without -legacy, key and certificate', () => {
    const pem = run('openssl', 'pkcs12', '-in', file, '-passin', `pass:${password}`, '-nodes');
    expect(pem).toContain(readFileSync(path(`${name}.key.pem`), 'utf8').trim());
    expect(pem).toContain(readFileSync(path(`${name}.cert.pem`), 'utf8').trim());
  });

  it('does not open with another password', () => {
    expect(() => run('openssl', 'pkcs12', '-in', file, '-passin', 'pass:other', '-noout')).toThrow(/invalid password/);
  });

  it('is DER, which every reader knows', () => {
    const content = run('openssl', 'asn1parse', '-inform', 'DER', '-in', file, '-strparse', '26');
    expect(content).toContain('pkcs7-encryptedData');
    expect(content).not.toContain('l=inf');
  });

  it("opens in Java's keytool as a private key with its certificate", (context) => {
    need(context, 'keytool', '-help');
    const listed = run('keytool', '-list', '-storetype', 'PKCS12', '-keystore', file, '-storepass', password);
    expect(listed).toMatch(new RegExp(`${name.replaceAll('.', '\\.')}, .*PrivateKeyEntry`));
  });

  it("opens in Python's cryptography, which requests_pkcs12 uses", (context) => {
    need(context, 'python3', '-c', 'import cryptography');
    const script = `import sys
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
key, certificate, others = load_key_and_certificates(open(sys.argv[1], 'rb').read(), sys.argv[2].encode())
assert key.public_key().public_numbers() == certificate.public_key().public_numbers() and not others
print(certificate.subject.rfc4514_string())`;
    expect(run('python3', '-c', script, file, password)).toBe(`CN=${name}\n`);
  });
});
