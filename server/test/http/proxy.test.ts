/** OpenHIM in front: a client with the scope `proxy` names for whom it calls (standards.md §6.5, D17), at the running server. */
import { afterAll, describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/adapters/identity/password.ts';
import { verifyStore } from '../../src/adapters/sql/verify.ts';
import { revokeCertificates } from '../../src/cli/certs.ts';
import { disableClient } from '../../src/cli/clients.ts';
import { setPassword } from '../../src/cli/passwords.ts';
import type { AuditEvent, Patient } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { startIssuer } from '../support/token-issuer.ts';
import { cruidOf, idOf, patient, somebody } from './people.ts';

const issuer = await startIssuer();
const registry = await startRegistry({
  config: {
    basic: { enabled: true },
    limits: { matchesPerMinute: 2 },
    tokens: { issuers: [{ issuer: issuer.url, audience: 'opencr', caFile: issuer.caFile }] },
  },
});
afterAll(() => Promise.all([registry.stop(), issuer.stop()]));
const quiet = { out: () => undefined, err: () => undefined };
await registry.register({ name: 'openhim', scopes: ['proxy'] });
await registry.register({ name: 'relay', scopes: ['proxy'] });
await registry.register({ name: 'auditor', scopes: ['audit'] });
await registry.register({ name: 'ministry', scopes: ['demographics'] });
await registry.register({ name: 'closed', systems: ['http://closed.example'] });
await registry.administer((administration) => disableClient(quiet, administration, 'closed'));

const onBehalfOf = (named: string, more: Readonly<Record<string, string>> = {}) => ({ 'x-openhim-clientid': named, ...more });
interface Sending {
  readonly body?: Patient;
  readonly client?: string;
}
/** `METHOD /path` through OpenHIM, unless another calls. */
const send = (line: string, named: string, { body, client = 'openhim' }: Sending = {}) => {
  const [method = '', path = ''] = line.split(' ');
  return registry.send(method, path, { client, headers: onBehalfOf(named), ...(body && { body }) });
};
const sourceOf = (answer: Answer): string | undefined => answer.resource('Patient').meta?.tag?.[0]?.code;
const problem = (answer: Answer) => answer.resource('OperationOutcome').issue[0]?.diagnostics;
const newestAudit = async (query = ''): Promise<AuditEvent> => {
  const answer = await registry.send('GET', `/fhir/AuditEvent?_count=1${query}`, { client: 'auditor' });
  return answer.resource('Bundle').entry?.[0]?.resource as AuditEvent;
};
const agentsOf = ({ agent }: AuditEvent) => agent.map(({ who, requestor }) => `${who.display ?? ''}${requestor ? ' asks' : ''}`);

describe('a request that a proxy sends for a client', () => {
  it('HIM-21: is that client’s: its identifiers, its records, its tag', async () => {
    const anna = somebody();
    const through = await send('POST /fhir/Patient', 'openmrs', { body: patient('openmrs', 'h-1', anna) });
    expect([through.status, sourceOf(through)]).toEqual([201, 'openmrs']);
    const directly = await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', 'h-1', anna) });
    expect([idOf(directly), cruidOf(directly)]).toEqual([idOf(through), cruidOf(through)]);
    const foreign = await send('POST /fhir/Patient', 'dhis2', { body: patient('openmrs', 'h-2') });
    expect(foreign.status).toBe(403);
  });

  it('HIM-21: sees what that client may see, and does what its scopes allow', async () => {
    const made = await send('POST /fhir/Patient', 'openmrs', { body: patient('openmrs', 'h-3') });
    const path = `/fhir/Patient/${idOf(made)}`;
    expect((await send(`GET ${path}`, 'openmrs')).resource('Patient').name).toBeDefined();
    expect((await send(`GET ${path}`, 'dhis2')).resource('Patient').name).toBeUndefined();
    expect((await send(`GET ${path}`, 'ministry')).resource('Patient').name).toBeDefined();
    expect((await send('GET /fhir/AuditEvent', 'openmrs')).status).toBe(403);
    expect((await send('GET /fhir/AuditEvent', 'auditor')).status).toBe(200);
  });

  it('HIM-21: is told in the audit trail as that client’s, with the proxy beside it, changes and reads alike', async () => {
    const made = await send('POST /fhir/Patient', 'openmrs', { body: patient('openmrs', 'h-4') });
    const change = await newestAudit(`&patient=Patient/${idOf(made)}&action=C`);
    expect(agentsOf(change)).toEqual(['openmrs asks', 'OpenCR', 'openhim']);
    await send(`GET /fhir/Patient/${idOf(made)}`, 'dhis2', { client: 'relay' });
    const read = await newestAudit(`&patient=Patient/${idOf(made)}&action=R`);
    expect(agentsOf(read)).toEqual(['dhis2 asks', 'OpenCR', 'relay']);
    expect(verifyStore(registry.dataDir)).toEqual([]);
  });

  it('HIM-20: also where OpenHIM logs in by the route’s name and password, or with a token of its own', async () => {
    await registry.administer((administration) =>
      setPassword(quiet, administration, {
        name: 'openhim',
        source: 'stdin',
        maker: {
          generate: () => '',
          hash: hashPassword,
          isPublished: () => false,
          read: () => Promise.resolve('a long password'),
        },
      }),
    );
    const authorization = `Basic ${Buffer.from('openhim:a long password').toString('base64')}`;
    const body = patient('openmrs', 'h-5');
    const basic = await registry.send('POST', '/fhir/Patient', {
      client: null,
      headers: onBehalfOf('openmrs', { authorization }),
      body,
    });
    expect([basic.status, sourceOf(basic)]).toEqual([201, 'openmrs']);
    const bearer = async (scope: string) => {
      const token = await issuer.token({ claims: { azp: 'openhim', scope } });
      const headers = onBehalfOf('ministry', { authorization: `Bearer ${token}` });
      return registry.send('GET', `/fhir/Patient/${idOf(basic)}`, { client: null, headers });
    };
    // Of the scopes of the client as many as the token has.
    expect((await bearer('proxy ITI-78')).resource('Patient').name).toBeUndefined();
    expect((await bearer('proxy ITI-78 demographics')).resource('Patient').name).toBeDefined();
    const [lacking, narrow] = [await bearer('ITI-78'), await bearer('proxy')];
    expect([lacking.status, lacking.headers['www-authenticate']]).toEqual([403, expect.stringContaining('scope="proxy"')]);
    expect([narrow.status, narrow.headers['www-authenticate']]).toEqual([403, expect.stringContaining('scope="ITI-78"')]);
  });

  it('HIM-22: has OpenHIM’s transaction as its id, unless the client gave one', async () => {
    const transaction = { 'x-openhim-transactionid': '5f3c2a1b9d8e7f6a5b4c3d2e' };
    const plain = await registry.send('GET', '/fhir/metadata', {
      client: 'openhim',
      headers: onBehalfOf('openmrs', transaction),
    });
    expect(plain.headers['x-request-id']).toBe('5f3c2a1b9d8e7f6a5b4c3d2e');
    const headers = onBehalfOf('openmrs', { ...transaction, 'x-request-id': 'mine' });
    const named = await registry.send('GET', '/fhir/metadata', { client: 'openhim', headers });
    expect(named.headers['x-request-id']).toBe('mine');
  });

  it('spends that client’s share of $match, not another’s', async () => {
    const ask = (named: string, client?: string) =>
      send('POST /fhir/Patient/$match', named, {
        body: { resourceType: 'Patient', ...somebody() },
        ...(client && { client }),
      });
    const statuses = [await ask('lims'), await ask('lims', 'relay'), await ask('lims'), await ask('dhis2')].map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 200, 429, 200]);
  });
});

describe('a proxy', () => {
  it.each([
    ['for a client that is not registered', 'nobody', '"nobody", for which openhim calls, is not a registered client.'],
    ['for two at once', 'openmrs, dhis2', '"openmrs, dhis2", for which openhim calls, is not a registered client.'],
    ['for a client that is disabled', 'closed', 'The client closed, for which openhim calls, is disabled.'],
    ['for another proxy', 'relay', 'The client relay, for which openhim calls, is a proxy itself.'],
    ['for itself', 'openhim', 'The client openhim, for which openhim calls, is a proxy itself.'],
    ['for nobody', '', 'openhim is a proxy, and X-OpenHIM-ClientID does not say for which client.'],
  ])('HIM-21: %s is refused, and nothing is done', async (_what, named, words) => {
    const before = await registry.head();
    const answer = await send('POST /fhir/Patient', named, { body: patient('openmrs', 'h-6') });
    expect([answer.status, problem(answer)]).toEqual([403, words]);
    expect(await registry.head()).toEqual(before);
  });

  it('without the header is refused: it has nothing of its own here', async () => {
    const answer = await registry.send('GET', '/fhir/metadata', { client: 'openhim' });
    expect([answer.status, problem(answer)]).toEqual([
      403,
      'openhim is a proxy, and X-OpenHIM-ClientID does not say for which client.',
    ]);
  });

  it('is told in the trail where it is refused, for whom it called too', async () => {
    await send('GET /fhir/Patient/x', 'closed');
    expect(agentsOf(await newestAudit('&type=110113'))).toEqual(['closed asks', 'OpenCR', 'openhim']);
    await send('GET /fhir/Patient/x', 'nobody');
    expect(agentsOf(await newestAudit('&type=110113'))).toEqual(['openhim asks', 'OpenCR']);
  });

  it('calls for a client whose own certificates were revoked, until that is disabled', async () => {
    await registry.register({ name: 'clinic', systems: ['http://clinic.example'] });
    expect((await send('GET /fhir/metadata', 'clinic')).status).toBe(200);
    expect((await registry.send('GET', '/fhir/metadata', { client: 'clinic' })).status).toBe(200);
    await registry.administer((administration) => revokeCertificates(quiet, administration, 'clinic', new Date().toISOString()));
    expect((await registry.send('GET', '/fhir/metadata', { client: 'clinic' })).status).toBe(403);
    expect((await send('GET /fhir/metadata', 'clinic')).status).toBe(200);
    await registry.administer((administration) => disableClient(quiet, administration, 'clinic'));
    expect((await send('GET /fhir/metadata', 'clinic')).status).toBe(403);
  });

  it('that is disabled, or whose certificate is revoked, calls for nobody; another one goes on', async () => {
    await registry.register({ name: 'stolen', scopes: ['proxy'] });
    expect((await send('GET /fhir/metadata', 'openmrs', { client: 'stolen' })).status).toBe(200);
    await registry.administer((administration) => revokeCertificates(quiet, administration, 'stolen', new Date().toISOString()));
    expect((await send('GET /fhir/metadata', 'openmrs', { client: 'stolen' })).status).toBe(403);
    await registry.administer((administration) => disableClient(quiet, administration, 'relay'));
    expect((await send('GET /fhir/metadata', 'openmrs', { client: 'relay' })).status).toBe(403);
    expect((await send('GET /fhir/metadata', 'openmrs')).status).toBe(200);
  });
});

describe('whoever is no proxy', () => {
  it('HIM-21: is itself, whomever its header names', async () => {
    const answer = await send('POST /fhir/Patient', 'openmrs', { client: 'dhis2', body: patient('dhis2', 'h-7') });
    expect([answer.status, sourceOf(answer)]).toEqual([201, 'dhis2']);
    const foreign = await send('POST /fhir/Patient', 'openmrs', { client: 'dhis2', body: patient('openmrs', 'h-8') });
    expect(foreign.status).toBe(403);
    expect((await send('GET /fhir/AuditEvent', 'auditor', { client: 'dhis2' })).status).toBe(403);
  });

  it('HIM-21: and without a certificate is refused as without the header', async () => {
    const answer = await registry.send('GET', '/fhir/metadata', { client: null, headers: onBehalfOf('openmrs') });
    expect(answer.status).toBe(401);
  });
});
