import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client, IssuedCertificate, Revocation } from '../../domain/principals.ts';
import { ensureServerCertificate, initAuthority } from './authority.ts';
import type { Authority } from './authority.ts';
import { DAY_MS } from './certificate.ts';
import { issueClientCertificate } from './client-certificate.ts';
import { openDoor, portOf } from './door.fixture.ts';
import type { Door } from './door.fixture.ts';
import { knownPeers } from './peer.ts';
import type { Trust } from './peer.ts';
import { tlsOptions } from './tls.ts';
import { readTrustList } from './trust-list.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'opencr tls '));
const path = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(path(name), 'utf8');
const openssl = (...words: string[]) => run('openssl', words, { cwd: folder });

const client = (name: string): Client => ({ name, displayName: name, systems: [], scopes: [], disabled: false });
const clients = ['openmrs', 'moved'].map(client);
const certificates: IssuedCertificate[] = [];
const revocations: Revocation[] = [];

let authority: Authority;
let byCa: Door;
let byList: Door;

const open = async (trust: Trust): Promise<Door> =>
  openDoor(await ensureServerCertificate(authority, { hosts: [], now: new Date() }), () =>
    knownPeers(trust, { clients, certificates, revocations }),
  );

const pair = (name: string) => ({ cert: read(`${name}.cert.pem`), key: read(`${name}.key.pem`) });

/** `status words` of one GET; every call opens a connection of its own unless an agent says otherwise. */
const ask = async (door: Door, options: RequestOptions = {}): Promise<string> => {
  const call = request({ host: '127.0.0.1', port: door.port, ca: authority.certificate, agent: false, ...options });
  const [response] = (await once(call.end(), 'response')) as [IncomingMessage];
  const chunks = await response.setEncoding('utf8').toArray();
  return `${response.statusCode} ${chunks.join('')}`;
};

/** A certificate as `openssl req` makes it: of an elliptic curve (quick), with this subject, self-signed or by our CA. */
const make = async (name: string, subject: string, signer: 'self' | 'ca') => {
  const by = signer === 'ca' ? ['-CA', 'data/tls/ca.cert.pem', '-CAkey', 'data/tls/ca.key.pem'] : [];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', `${name}.key.pem`];
  await openssl('req', '-x509', ...key, '-subj', subject, '-days', '30', ...by, '-out', `${name}.cert.pem`);
};

beforeAll(async () => {
  authority = await initAuthority(path('data'), { development: true, hosts: [], now: new Date() });
  certificates.push(await issueClientCertificate(authority, 'openmrs', { outDir: folder, now: new Date() }));
  const longAgo = new Date(Date.now() - 800 * DAY_MS);
  await issueClientCertificate(authority, 'past', { outDir: folder, now: longAgo });
  await make('foreign', '/CN=openmrs', 'self');
  await make('unnamed', '/O=somebody', 'ca');
  await make('twice', '/CN=openmrs/CN=moved', 'ca');
  await make('multi', '/CN=openmrs+CN=moved', 'ca');
  await make('stranger', '/CN=stranger', 'ca');
  await make('moved', '/CN=moved', 'ca');
  await openssl('x509', '-in', 'foreign.cert.pem', '-outform', 'DER', '-out', 'foreign.cert.der');
  byCa = await open({ mode: 'ca' });
  const entries = await readTrustList([
    { client: 'moved', file: path('foreign.cert.der') },
    { client: 'openmrs', file: path('unnamed.cert.pem') },
  ]);
  byList = await open({ mode: 'list', entries });
});
afterAll(() => {
  byCa.server.close();
  byList.server.close();
  rmSync(folder, { recursive: true });
});

describe('a connection of a point-of-service system', () => {
  it('TLS-01: is known by the certificate that the registry issued', async () => {
    expect(await ask(byCa, pair('openmrs'))).toBe('200 openmrs');
  });

  it('TLS-01: without a certificate answers 401', async () => {
    expect(await ask(byCa)).toBe('401 Sorry, you need to provide a client certificate to continue.');
  });

  it.each([
    ['foreign', /^403 .*signed by client registry \(DEPTH_ZERO_SELF_SIGNED_CERT\)/],
    ['past', /^403 .*it expired on/],
    ['stranger', /^403 "stranger" is not a registered client/],
    ['twice', /^403 .*more than one Common Name/],
    ['multi', /^403 .*more than one Common Name/],
    ['unnamed', /^400 .*missing Common Name/],
  ])('TLS-05: with the %s certificate is refused', async (name, answer) => {
    expect(await ask(byCa, pair(name))).toMatch(answer);
  });

  it("TLS-05: with the server's own certificate is refused, for it is no client's", async () => {
    const cert = read('data/tls/server.cert.pem');
    expect(await ask(byCa, { cert, key: read('data/tls/server.key.pem') })).toMatch(/^403 .*INVALID_PURPOSE/);
  });

  it('TLS-02: in list mode is known by its entry: self-signed, and without a name in its certificate', async () => {
    expect(await ask(byList, pair('foreign'))).toBe('200 moved');
    expect(await ask(byList, pair('unnamed'))).toBe('200 openmrs');
    expect(await ask(byList, pair('openmrs'))).toMatch(/^403 .*not in the list/);
    expect(await ask(byList)).toMatch(/^401/);
  });

  it('TLS-03: needs no host name and no extension in its certificate, and may be listed as DER', async () => {
    await openssl('req', '-new', '-key', 'moved.key.pem', '-subj', '/CN=moved', '-out', 'moved.csr.pem');
    const signer = ['-CA', 'data/tls/ca.cert.pem', '-CAkey', 'data/tls/ca.key.pem', '-set_serial', '01'];
    await openssl('x509', '-req', '-in', 'moved.csr.pem', ...signer, '-out', 'plain.cert.pem');
    expect((await openssl('x509', '-in', 'plain.cert.pem', '-noout', '-text')).stdout).not.toContain('Subject Alternative');
    expect(await ask(byCa, { cert: read('plain.cert.pem'), key: read('moved.key.pem') })).toBe('200 moved');
    expect(await ask(byList, pair('foreign'))).toBe('200 moved');
  });

  it('is refused from the revocation on, though it stays open', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let sockets = 0;
    byCa.server.on('secureConnection', () => (sockets += 1));
    const asked = () => ask(byCa, { agent, ...pair('moved') });
    expect(await asked()).toBe('200 moved');
    revocations.push({ client: 'moved', at: new Date().toISOString(), fingerprints: [] });
    expect(await asked()).toMatch(/^403 .*it has been revoked/);
    revocations.pop();
    expect(await asked()).toBe('200 moved');
    expect(sockets).toBe(1);
    agent.destroy();
  });
});

/** GET over a TLS connection of its own, which may resume the session of another. */
const askOnce = async (door: Door, options: ConnectionOptions) => {
  const socket = connect({ host: '127.0.0.1', port: door.port, ca: authority.certificate, ...options });
  let ticket: Buffer = Buffer.alloc(0);
  socket.on('session', (session: Buffer) => (ticket = session));
  await once(socket, 'secureConnect');
  const resumed = socket.isSessionReused();
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const answer = (await socket.setEncoding('utf8').toArray()).join('');
  return { ticket, resumed, status: answer.slice(9, 12) };
};

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a resumed %s session', (version) => {
  const maxVersion = { minVersion: version, maxVersion: version } as const;

  it('is known by the certificate of the first, and a revocation counts', async () => {
    const first = await askOnce(byCa, { ...maxVersion, ...pair('moved') });
    const second = await askOnce(byCa, { ...maxVersion, ...pair('moved'), session: first.ticket });
    expect([first.status, second.status, second.resumed]).toEqual(['200', '200', true]);
    revocations.push({ client: 'moved', at: new Date().toISOString(), fingerprints: [] });
    const third = await askOnce(byCa, { ...maxVersion, ...pair('moved'), session: first.ticket });
    revocations.pop();
    expect([third.status, third.resumed]).toEqual(['403', true]);
  });

  it('without a certificate still has none', async () => {
    const first = await askOnce(byCa, maxVersion);
    const second = await askOnce(byCa, { ...maxVersion, session: first.ticket });
    expect([first.status, second.status, second.resumed]).toEqual(['401', '401', true]);
  });
});

describe('the TLS settings', () => {
  /** What `openssl s_client` says when `input` is typed. */
  const call = (port: number, input: string, ...options: string[]) => {
    const to = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', 'ca.pem', '-verify_return_error'];
    const running = openssl(...to, ...options);
    running.child.stdin?.end(input);
    return running;
  };
  const handshake = (...options: string[]) => call(byCa.port, '', ...options);
  const complaint = (words: string) => ({ stderr: expect.stringContaining(words) as unknown });

  it.each([
    'DHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'DHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ])('TLS-06: speak TLS 1.2 with %s', async (suite) => {
    expect((await handshake('-tls1_2', '-cipher', suite)).stdout).toContain(`New, TLSv1.2, Cipher is ${suite}`);
  });

  it('TLS-06: speak TLS 1.3', async () => {
    expect((await handshake('-tls1_3')).stdout).toMatch(/New, TLSv1\.3, Cipher is TLS_AES_256_GCM_SHA384/);
  });

  it.each(['-tls1_1', '-tls1'])('TLS-06: refuse %s', async (version) => {
    await expect(handshake(version, '-cipher', 'ALL:@SECLEVEL=0')).rejects.toMatchObject(complaint('alert protocol version'));
  });

  it('TLS-06: refuse TLS 1.1 by themselves, not for want of a suite', async () => {
    const material = await ensureServerCertificate(authority, { hosts: [], now: new Date() });
    const server = createServer({ ...tlsOptions(material, 'ca'), ciphers: 'ALL:@SECLEVEL=0' }, (socket) => socket.end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const hello = (version: string) => call(portOf(server), '', version, '-cipher', 'ALL:@SECLEVEL=0');
    expect((await hello('-tls1_2')).stdout).toContain('New, TLSv1.2');
    await expect(hello('-tls1_1')).rejects.toMatchObject(complaint('alert protocol version'));
    server.close();
  });

  it('refuse a TLS 1.2 caller that would shake hands again, so that nobody changes certificates midway', async () => {
    await expect(call(byCa.port, 'R\n', '-tls1_2')).rejects.toMatchObject(complaint('no renegotiation'));
  });

  it('TLS-06: refuse other suites of TLS 1.2', async () => {
    await expect(handshake('-tls1_2', '-cipher', 'AES128-SHA:ECDHE-RSA-AES128-SHA')).rejects.toMatchObject(
      complaint('handshake failure'),
    );
  });

  it('name our authority to callers in CA mode, and none in list mode', async () => {
    expect((await handshake()).stdout).toContain('CN = OpenCR development CA\n');
    expect((await call(byList.port, '')).stdout).toContain('No client certificate CA names sent');
  });

  it('TLS-01: prove the server to callers that check it strictly', async () => {
    const checks = ['-x509_strict', '-verify_hostname', 'localhost'];
    expect((await handshake(...checks)).stdout).toContain('Verify return code: 0 (ok)');
  });
});

describe('the list of trusted certificates', () => {
  it('TLS-02: refuses a file that is no certificate, and one certificate of two clients', async () => {
    const wrong = readTrustList([{ client: 'openmrs', file: path('openmrs.key.pem') }]);
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-request' });
    const file = path('foreign.cert.pem');
    const twice = readTrustList(['openmrs', 'moved'].map((name) => ({ client: name, file })));
    await expect(twice).rejects.toMatchObject({ code: 'conflict' });
  });
});
