import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client, IssuedCertificate } from '../../domain/principals.ts';
import { ensureServerCertificate, initAuthority } from './authority.ts';
import type { Authority } from './authority.ts';
import { DAY_MS } from './certificate.ts';
import { writeMissionPaths } from './development.ts';
import { openDoor } from './door.fixture.ts';
import type { Door } from './door.fixture.ts';
import { need } from './needs.fixture.ts';
import { knownPeers } from './peer.ts';

const shell = promisify(execFile);
const now = new Date();
const folder = mkdtempSync(join(tmpdir(), 'opencr mission '));
const root = join(folder, 'root');
const server = join(root, 'server');
const certificates = join(server, 'certificates');
const samples = join(server, 'sampleclientcertificates');
const names = ['openmrs', 'lims'];
const client = (name: string): Client => ({ name, displayName: name, systems: [], scopes: [], disabled: false });

let authority: Authority;
let other: Authority;
let issued: readonly IssuedCertificate[];
let door: Door;

beforeAll(async () => {
  authority = await initAuthority(join(folder, 'data'), { development: true, hosts: [], now });
  other = await initAuthority(join(folder, 'other'), { development: true, hosts: [], now });
  issued = await writeMissionPaths(authority, root, { clients: names, now });
  const known = knownPeers({ mode: 'ca' }, { clients: [...names, 'dhis2'].map(client), certificates: issued, revocations: [] });
  door = await openDoor(await ensureServerCertificate(authority, { hosts: [], now }), () => known);
});
afterAll(() => {
  door.server.close();
  rmSync(folder, { recursive: true });
});

const sh = async (command: string, cwd: string): Promise<string> => (await shell('sh', ['-ec', command], { cwd })).stdout;

/** Modification times of every file that was written. */
const times = (): number[] =>
  [certificates, samples].flatMap((dir) => readdirSync(dir).map((name) => statSync(join(dir, name)).mtimeMs));

const CURL =
  '--cert-type p12 --cacert certificates/server_cert.pem -sS -d @patient.json -H "Content-Type: application/json" -XPOST';

describe("the paths of the mission's examples", () => {
  it("hold the development CA's pair and the samples, the secrets for the owner only", () => {
    expect(readFileSync(join(certificates, 'server_cert.pem'), 'utf8')).toBe(authority.certificate);
    const secrets = ['openmrs.p12', 'openmrs.key.pem', 'lims.p12', 'lims.key.pem'].map((name) => join(samples, name));
    for (const path of [join(certificates, 'server_key.pem'), ...secrets]) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(issued.map((certificate) => certificate.client)).toEqual(names);
  });

  it('are left alone while they are in force', async () => {
    const before = times();
    expect(await writeMissionPaths(authority, root, { clients: names, now })).toEqual(issued);
    expect(times()).toEqual(before);
  });

  it.for(['openmrs.p12', 'openmrs.p12:'])("TLS-01: let the mission's cURL line through with --cert %s", async (cert, context) => {
    need(context, 'curl', '--version');
    writeFileSync(join(server, 'patient.json'), '{}');
    const curl = `curl --cert sampleclientcertificates/${cert} ${CURL} https://localhost:${door.port}/addPatient`;
    expect(await sh(curl, server)).toBe('openmrs');
  });

  it('TLS-01: let a Python client through that checks the server strictly', async (context) => {
    need(context, 'python3', '-c', 'import ssl');
    const script = `import ssl, http.client
tls = ssl.create_default_context(cafile='../certificates/server_cert.pem')
tls.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
tls.load_cert_chain('lims.cert.pem', 'lims.key.pem')
call = http.client.HTTPSConnection('localhost', ${door.port}, context=tls)
call.request('POST', '/addPatient', '{}')
print(call.getresponse().read().decode())`;
    expect((await shell('python3', ['-c', script], { cwd: samples })).stdout).toBe('lims\n');
  });

  it("TLS-03: make a certificate that is accepted once its name is registered, by the mission's openssl commands", async () => {
    await sh(
      `openssl req -newkey rsa:2048 -keyout dhis2_key.pem -out dhis2_csr.pem -nodes -days 365 -subj "/CN=dhis2"
       openssl x509 -req -in dhis2_csr.pem -CA ../certificates/server_cert.pem -CAkey ../certificates/server_key.pem -out dhis2_cert.pem -set_serial 01 -days 36500
       openssl pkcs12 -export -in dhis2_cert.pem -inkey dhis2_key.pem -out dhis2.p12 -passout pass:`,
      samples,
    );
    const { stdout } = await shell(process.execPath, [
      '-e',
      CALL,
      join(samples, 'dhis2.p12'),
      join(certificates, 'server_cert.pem'),
      String(door.port),
    ]);
    expect(stdout).toBe('200 dhis2');
  });

  it('are written anew where one of their files is missing', async () => {
    rmSync(join(samples, 'lims.p12'));
    const [made] = await writeMissionPaths(authority, root, { clients: ['lims'], now });
    expect(made?.serial).not.toBe(issued[1]?.serial);
    expect(existsSync(join(samples, 'lims.p12'))).toBe(true);
  });

  it('are written anew when their certificates near their end', async () => {
    const late = new Date(now.getTime() + 710 * DAY_MS);
    const [renewed] = await writeMissionPaths(authority, root, { clients: ['openmrs'], now: late });
    expect(renewed?.serial).not.toBe(issued[0]?.serial);
    expect(new X509Certificate(readFileSync(join(samples, 'openmrs.cert.pem'))).serialNumber).toBe(renewed?.serial);
  });

  it('follow a new development CA', async () => {
    const fresh = await writeMissionPaths(other, root, { clients: ['lims'], now });
    expect(readFileSync(join(certificates, 'server_cert.pem'), 'utf8')).toBe(other.certificate);
    expect(readFileSync(join(samples, 'ca.pem'), 'utf8')).toBe(other.certificate);
    expect(fresh[0]?.serial).not.toBe(issued[1]?.serial);
  });

  it("never take the place of somebody's own certificate or key", async () => {
    const own = join(folder, 'own', 'server', 'certificates');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'server_key.pem'), 'mine');
    const write = () => writeMissionPaths(authority, join(folder, 'own'), { clients: [], now });
    await expect(write()).rejects.toMatchObject({ code: 'conflict' });
    const req =
      'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj /CN=mine -keyout k -out server_cert.pem';
    await sh(req, own);
    await expect(write()).rejects.toThrow(/move it away/);
    expect(readFileSync(join(own, 'server_key.pem'), 'utf8')).toBe('mine');
  });

  it('are never filled from an authority that is not for development', async () => {
    const nowhere = join(folder, 'nowhere');
    const write = writeMissionPaths({ ...authority, development: false }, nowhere, { clients: names, now });
    await expect(write).rejects.toMatchObject({ code: 'forbidden' });
    expect(existsSync(nowhere)).toBe(false);
  });
});

/** A client with a .p12 file: file, CA, port. */
const CALL = `const [pfx, ca, port] = process.argv.slice(1);
const read = (path) => require('node:fs').readFileSync(path);
require('node:https').get({ host: 'localhost', port, pfx: read(pfx), passphrase: '', ca: read(ca) }, async (response) =>
  process.stdout.write(response.statusCode + ' ' + (await response.setEncoding('utf8').toArray()).join('')));`;
