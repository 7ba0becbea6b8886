import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureServerCertificate, initAuthority, openAuthority } from './authority.ts';
import type { Authority } from './authority.ts';
import { DAY_MS, daysLeft } from './certificate.ts';
import { inspectIdentity } from './inspect.ts';

const now = new Date('2026-03-01T12:00:00Z');
const later = (days: number): Date => new Date(now.getTime() + days * DAY_MS);
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

const dataDir = mkdtempSync(join(tmpdir(), 'opencr authority '));
const tls = join(dataDir, 'tls');
const file = (name: string): string => join(tls, name);
const certificate = (name: string): X509Certificate => new X509Certificate(readFileSync(file(name)));
let authority: Authority;

beforeAll(async () => {
  authority = await initAuthority(dataDir, { development: true, hosts: ['cr.moh.example', '10.1.2.3'], now });
});
afterAll(() => {
  rmSync(dataDir, { recursive: true });
});

describe('a new certificate authority', () => {
  it('is opened as it was made', async () => {
    expect(await openAuthority(dataDir)).toEqual(authority);
  });

  it('keeps its keys from everyone else', () => {
    expect([tls, file('ca.key.pem'), file('server.key.pem')].map(modeOf)).toEqual(['700', '600', '600']);
    expect(readdirSync(dataDir)).toEqual(['tls']);
  });

  it('is RSA 3072, may only sign, and says in its name that it is for development', () => {
    const ca = certificate('ca.cert.pem');
    expect(ca.ca).toBe(true);
    expect(ca.publicKey.asymmetricKeyDetails?.modulusLength).toBe(3072);
    expect(ca.subject).toContain('CN=OpenCR development CA');
    expect(certificate('server.cert.pem').issuer).toContain('OU=Development only');
    expect(authority.development).toBe(true);
  });

  it('gives the server a certificate for the local names, the machine and the configured hosts', () => {
    const server = certificate('server.cert.pem');
    for (const name of ['localhost', hostname(), 'cr.moh.example']) expect(server.checkHost(name)).toBeDefined();
    for (const address of ['127.0.0.1', '::1', '10.1.2.3']) expect(server.checkIP(address)).toBeDefined();
    expect(server.checkHost('other.example')).toBeUndefined();
  });

  it('gives each certificate a random serial number of 128 bits', () => {
    const serials = ['ca.cert.pem', 'server.cert.pem'].map((name) => certificate(name).serialNumber);
    expect(new Set(serials).size).toBe(2);
    for (const serial of serials) expect(serial.length).toBeGreaterThanOrEqual(30);
  });

  it('TLS-04: gives the server at most two years', () => {
    const { validFromDate, validToDate } = certificate('server.cert.pem');
    expect(validToDate.getTime() - validFromDate.getTime()).toBe(730 * DAY_MS);
  });

  it('is never made over another', async () => {
    await expect(initAuthority(dataDir, { development: true, hosts: [], now })).rejects.toMatchObject({ code: 'conflict' });
    expect(await openAuthority(dataDir)).toEqual(authority);
  });

  it('refuses a host that is neither a name nor an address, and leaves nothing behind', async () => {
    const empty = join(dataDir, 'empty');
    const init = initAuthority(empty, { development: true, hosts: ['a b'], now });
    await expect(init).rejects.toMatchObject({ code: 'invalid-request' });
    expect(existsSync(empty)).toBe(false);
  });

  it('is refused in words when its files are spoilt', async () => {
    const spoilt = join(dataDir, 'spoilt');
    mkdirSync(join(spoilt, 'tls'), { recursive: true });
    for (const [cert, key] of [
      ['', authority.privateKey],
      [authority.certificate, 'x'],
      [authority.certificate, readFileSync(file('server.key.pem'))],
    ] as const) {
      writeFileSync(join(spoilt, 'tls', 'ca.cert.pem'), cert);
      writeFileSync(join(spoilt, 'tls', 'ca.key.pem'), key);
      await expect(openAuthority(spoilt)).rejects.toMatchObject({ code: 'conflict' });
    }
  });

  it('is missed in words', async () => {
    await expect(openAuthority(join(dataDir, 'nowhere'))).rejects.toThrow(
      /holds no certificate authority; `.\/opencr certs init`/,
    );
  });
});

describe("the server's certificate", () => {
  it('stays while it has thirty days left and covers the hosts', async () => {
    const held = readFileSync(file('server.cert.pem'), 'utf8');
    const material = await ensureServerCertificate(authority, { hosts: ['cr.moh.example'], now: later(690) });
    expect(material.cert).toBe(held);
    expect(material.ca).toEqual([authority.certificate]);
  });

  it('is made anew when it has fewer, and ends with its authority', async () => {
    const start = later(3652 - 100);
    const { cert } = await ensureServerCertificate(authority, { hosts: [], now: start });
    expect(readFileSync(file('server.cert.pem'), 'utf8')).toBe(cert);
    expect(new X509Certificate(cert).validToDate).toEqual(certificate('ca.cert.pem').validToDate);
    expect(modeOf(file('server.key.pem'))).toBe('600');
  });

  it('is made anew for a host that it lacks, and when its files do not fit', async () => {
    const first = await ensureServerCertificate(authority, { hosts: ['new.example'], now });
    expect(new X509Certificate(first.cert).checkHost('new.example')).toBeDefined();
    writeFileSync(file('server.key.pem'), authority.privateKey);
    const second = await ensureServerCertificate(authority, { hosts: ['new.example'], now });
    expect(second.key).not.toBe(authority.privateKey);
    expect(second.cert).not.toBe(first.cert);
    writeFileSync(file('server.cert.pem'), second.cert.slice(0, 100));
    const third = await ensureServerCertificate(authority, { hosts: ['new.example'], now });
    expect(third.cert).not.toBe(second.cert);
  });
});

describe('the doctor', () => {
  const words = async (at: Date): Promise<string[]> =>
    (await inspectIdentity(dataDir, at)).map(({ severity, diagnostics }) => `${severity}: ${diagnostics}`);

  it('counts the days left and says that the authority is for development', async () => {
    const days = daysLeft(certificate('server.cert.pem'), now);
    expect(await words(now)).toEqual([
      'warning: The certificate authority is a development CA: for tests and demonstrations only.',
      'information: The certificate authority has 3651 days left (until 2036-02-28).',
      `information: The server's certificate has ${days} days left (until 2028-02-28).`,
    ]);
  });

  it('warns before certificates end, and says when they have', async () => {
    expect(await words(later(720))).toContain("warning: The server's certificate has 9 days left (until 2028-02-28).");
    expect(await words(later(800))).toContain("error: The server's certificate expired on 2028-02-28.");
    expect(await words(later(3400))).toContain('warning: The certificate authority has 251 days left (until 2036-02-28).');
  });

  it('names keys that others can read', async () => {
    chmodSync(file('ca.key.pem'), 0o644);
    expect(await words(now)).toContain(`error: Others can read ${file('ca.key.pem')}: its mode is 644 and should be 600.`);
    chmodSync(file('ca.key.pem'), 0o600);
  });

  it('says where there is no authority', async () => {
    const [issue] = await inspectIdentity(join(dataDir, 'nowhere'), now);
    expect(issue).toMatchObject({ severity: 'error' });
  });
});

describe('an authority that is not for development', () => {
  it('is not marked as one', async () => {
    const production = join(dataDir, 'production');
    const real = await initAuthority(production, { development: false, hosts: [], now });
    expect(await openAuthority(production)).toMatchObject({ development: false });
    expect(new X509Certificate(real.certificate).subject).toBe('O=OpenCR\nCN=OpenCR CA');
    expect((await inspectIdentity(production, now)).map((issue) => issue.severity)).toEqual(['information', 'information']);
  });
});
