/** ITI-19 Authenticate Node at the running server: who is let in, decided at every request, each refusal on record. */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeIssued, fingerprintOf } from '../../src/adapters/identity/certificate.ts';
import { revokeCertificates } from '../../src/cli/certs.ts';
import { changeOf, disableClient } from '../../src/cli/clients.ts';
import type { AuditEvent } from '../../src/fhir/r4.ts';
import { type Answer, certificateOf, startRegistry } from '../support/registry-server.ts';
import { authorityOf, foreignAuthority, makeCertificate } from './certificates.ts';
import { patient } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const signer = authorityOf(registry.dataDir);
const quiet = { out: () => undefined, err: () => undefined };
for (const name of ['clinic', 'closed', 'stolen', 'renewed']) await registry.register({ name });
await registry.register({ name: 'auditor', scopes: ['audit'] });

const metadata = (client: Agent | string | null): Promise<Answer> => registry.send('GET', '/fhir/metadata', { client });
const showing = async (wanted: Parameters<typeof makeCertificate>[0]): Promise<Agent> =>
  registry.agent(await makeCertificate(wanted));
const problem = (answer: Answer) => answer.resource('OperationOutcome').issue[0];

describe('who is not let in', () => {
  it('without a certificate: 401', async () => {
    const answer = await metadata(null);
    expect([answer.status, problem(answer)?.code]).toEqual([401, 'login']);
    expect(problem(answer)?.diagnostics).toBe('Sorry, you need to provide a client certificate to continue.');
  });

  it.each([
    [
      'of a foreign authority, which bears the same name',
      async () => ({ names: ['clinic'], signer: await foreignAuthority() }),
      'invalid certificate',
    ],
    ['that signed itself', async () => ({ names: ['clinic'] }), 'invalid certificate'],
    ['that expired', async () => ({ names: ['clinic'], signer, from: -30, until: -1 }), 'expired'],
    ['that is not valid yet', async () => ({ names: ['clinic'], signer, from: 1 }), 'not valid before'],
    ['for servers', async () => ({ names: ['clinic'], signer, kind: 'server' as const }), 'invalid certificate'],
    ['of somebody who is no registered client', async () => ({ names: ['somebody'], signer }), 'not a registered client'],
    ['with two names', async () => ({ names: ['clinic', 'openmrs'], signer }), 'more than one Common Name'],
  ])('with a certificate %s: 403', async (_what, wanted, words) => {
    const answer = await metadata(await showing(await wanted()));
    expect([answer.status, problem(answer)?.code]).toEqual([403, 'security']);
    expect(problem(answer)?.diagnostics).toContain(words);
  });

  it('with a certificate that has no name: 400', async () => {
    const answer = await metadata(await showing({ signer }));
    expect([answer.status, problem(answer)?.code]).toEqual([400, 'security']);
    expect(problem(answer)?.diagnostics).toContain('missing Common Name (CN)');
  });

  it('a client that is disabled: 403 from its next request on', async () => {
    const closed = await showing({ names: ['closed'], signer });
    expect((await metadata(closed)).status).toBe(200);
    await registry.administer((administration) => disableClient(quiet, administration, 'closed'));
    const answer = await metadata(closed);
    expect([answer.status, problem(answer)?.diagnostics]).toEqual([403, 'The client closed is disabled.']);
  });

  it.each(['/fhir/Patient', '/', '/addPatient', '/nothing'])(
    'and nothing of it is stored by POST %s, or said of the URL',
    async (path) => {
      const before = await registry.head();
      for (const client of [null, await showing({ names: ['openmrs'] })]) {
        const answer = await registry.send('POST', path, { body: patient('openmrs', 'unknown sender'), client });
        expect([401, 403]).toContain(answer.status);
      }
      expect(await registry.head()).toEqual(before);
    },
  );

  it('a header of OpenHIM makes nobody another client (D17)', async () => {
    const headers = { 'x-openhim-clientid': 'dhis2' };
    expect((await registry.send('GET', '/fhir/metadata', { client: null, headers })).status).toBe(401);
    const answer = await registry.send('POST', '/fhir/Patient', { body: patient('dhis2', 'not mine'), headers });
    expect([answer.status, problem(answer)?.code]).toEqual([403, 'forbidden']);
  });
});

describe('who is', () => {
  it('a certificate that somebody else made with the authority’s key, as the mission’s openssl commands do, once its name is registered', async () => {
    expect((await metadata(await showing({ names: ['clinic'], signer }))).status).toBe(200);
  });

  it.each(['/health/live', '/health/ready'])(
    'anybody at %s, without a certificate or with a refused one; it says the status only',
    async (path) => {
      for (const client of [null, await showing({ names: ['clinic'] })]) {
        const answer = await registry.send('GET', path, { client });
        expect(answer.status).toBe(200);
        expect(Object.keys(JSON.parse(answer.text) as object)).toEqual(['status']);
      }
    },
  );
});

describe('decided at each request', () => {
  const localPort = (agent: Agent): number | undefined => Object.values(agent.freeSockets)[0]?.[0]?.localPort;

  it('a revocation counts on a connection that is open already', async () => {
    const stolen = registry.agent({ ...(await makeCertificate({ names: ['stolen'], signer })), maxSockets: 1 });
    expect((await metadata(stolen)).status).toBe(200);
    const port = localPort(stolen);
    await registry.administer((administration) => revokeCertificates(quiet, administration, 'stolen', new Date().toISOString()));
    const answer = await metadata(stolen);
    expect([answer.status, problem(answer)?.diagnostics]).toEqual([
      403,
      'Sorry, you have submitted an invalid certificate: it has been revoked.',
    ]);
    expect(port).toBeGreaterThan(0);
    expect(localPort(stolen)).toBe(port);
  });

  it('a certificate issued after the revocation is good again', async () => {
    const old = await showing({ names: ['renewed'], signer });
    await registry.administer((administration) => revokeCertificates(quiet, administration, 'renewed', new Date().toISOString()));
    const pair = await makeCertificate({ names: ['renewed'], signer, until: 60 });
    const certificates = [describeIssued(pair.cert, 'renewed')];
    await registry.administer((administration) => administration.administer(changeOf('certs issue renewed', { certificates })));
    expect((await metadata(registry.agent(pair))).status).toBe(200);
    expect((await metadata(old)).status).toBe(403);
  });

  it('nothing is global: refusals and admissions side by side do not change each other', async () => {
    const foreign = await showing({ names: ['openmrs'] });
    const callers = Array.from({ length: 40 }, (_, n) => [null, 'openmrs', foreign, 'dhis2'][n % 4] ?? null);
    const statuses = (await Promise.all(callers.map(metadata))).map(({ status }) => status);
    expect(statuses).toEqual(callers.map((caller) => (caller === null ? 401 : caller === foreign ? 403 : 200)));
  });
});

describe('each refusal is on record (TLS-05)', () => {
  const alerts = async (): Promise<readonly AuditEvent[]> => {
    const bundle = (await registry.send('GET', '/fhir/AuditEvent?_count=500', { client: 'auditor' })).resource('Bundle');
    return (bundle.entry ?? []).flatMap(({ resource }) =>
      resource?.resourceType === 'AuditEvent' && resource.subtype?.[0]?.code === '110126' ? [resource] : [],
    );
  };

  it('as a Security Alert on node authentication, which says why, from where, and what was asked', async () => {
    const [alert] = (await alerts()).toReversed();
    expect(alert).toMatchObject({
      type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110113' },
      subtype: [{ code: '110126' }],
      action: 'E',
      outcome: '4',
      outcomeDesc: 'no-certificate',
    });
    expect(alert?.agent[0]).toMatchObject({
      requestor: true,
      who: { display: 'unauthenticated' },
      network: { address: '127.0.0.1', type: '2' },
    });
    const query = alert?.entity?.find((entity) => entity.query)?.query ?? '';
    expect(Buffer.from(query, 'base64').toString()).toBe('GET /fhir/metadata');
  });

  it('with the name of the client whose certificate is ours, but is refused', async () => {
    const named = (await alerts()).filter(({ agent }) => JSON.stringify(agent[0]?.who).includes('stolen'));
    expect(named.length).toBeGreaterThan(0);
  });

  it('all of them, those past the tenth in a minute counted in one row', async () => {
    const count = async (): Promise<number> =>
      (await alerts()).reduce((sum, { outcomeDesc }) => sum + Number(/stands for (\d+)/.exec(outcomeDesc ?? '')?.[1] ?? 1), 0);
    const before = await count();
    for (let n = 0; n < 25; n += 1) await metadata(null);
    expect(await count()).toBe(before + 25);
  });
});

describe('with a list of trusted certificates (TLS-02)', () => {
  it('exactly those are let in, under the client’s name that the list gives them', async () => {
    const [selfSigned, nameless, bySha] = await Promise.all(
      [{ names: ['whatever'] }, {}, { names: ['lims'], until: 31 }].map(makeCertificate),
    );
    if (!selfSigned || !nameless || !bySha) throw new Error('three certificates were asked for');
    const file = join(registry.dataDir, 'nameless.pem');
    writeFileSync(file, nameless.cert);
    const fingerprint = (cert: string): string => fingerprintOf(new X509Certificate(cert));
    const clients = [
      { client: 'openmrs', fingerprint: fingerprint(selfSigned.cert) },
      { client: 'dhis2', file },
      { client: 'unregistered', fingerprint: fingerprint(bySha.cert) },
    ];
    const listed = await startRegistry({ config: { tls: { mode: 'list', clients } } });
    try {
      const ask = (shown: object): Promise<Answer> =>
        listed.send('POST', '/fhir/Patient', { body: patient('openmrs', 'listed'), client: listed.agent(shown) });
      expect((await ask(selfSigned)).status).toBe(201);
      // dhis2 may not state openmrs's identifiers: it is known by the file, although its certificate has no name.
      expect(problem(await ask(nameless))?.diagnostics).toContain('Only openmrs');
      expect(problem(await ask(bySha))?.diagnostics).toContain('not a registered client');
      expect(problem(await ask(await certificateOf('openmrs')))?.diagnostics).toContain('not in the list');
      expect((await listed.send('GET', '/fhir/metadata', { client: null })).status).toBe(401);
    } finally {
      await listed.stop();
    }
  });
});
