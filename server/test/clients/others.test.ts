/** OpenELIS, the mediators and loaders of OpenCR 1.x, JeMPI's mediator and Neotree (standards.md §8.4, opencr-1x.md §1.9, §1.10). */
import { afterAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, demo, patient, somebody } from '../http/people.ts';
import { clientOf, hapi, idPartOf, isCreated } from './transcript.ts';

const ELIS = 'http://openelis-global.org';
const registry = await startRegistry();
const asIn1x = await startRegistry({ config: { app: { location: 'opencr' } } });
afterAll(async () => {
  await registry.stop();
  await asIn1x.stop();
});
for (const one of [registry, asIn1x]) {
  await one.register({ name: 'openelis', systems: [`${ELIS}/pat_guid`, `${ELIS}/pat_subjectnumber`], scopes: ['demographics'] });
  await one.register({ name: 'neotree', systems: ['urn:neotree:impilo-id'] });
}

describe('OpenELIS Global 2', () => {
  it('asks for metadata, searches by its own identifiers and demographics, then creates and updates', async () => {
    const openelis = clientOf(registry, 'openelis', hapi);
    expect((await openelis.get('metadata')).status).toBe(200);
    const guid = '0b7e8d7a-0d6e-4bb7-9d6e-0d7f8a9b0c1d';
    const person = somebody();
    const body = {
      ...patient('openelis', '-', person),
      identifier: [
        { system: `${ELIS}/pat_subjectnumber`, value: 'S-1' },
        { system: `${ELIS}/pat_guid`, value: guid },
      ],
    };
    const query = `family=${person.name?.[0]?.family}&given=${person.name?.[0]?.given?.[0]}&birthdate=${person.birthDate}&gender=${person.gender}`;
    expect((await openelis.get(`Patient?${query}`)).resource('Bundle').total).toBe(0);
    expect(isCreated(await openelis.post('Patient', body))).toBe(true);
    expect((await openelis.put(`Patient/${guid}`, { ...body, id: guid })).status).toBe(200);
    for (const asked of [query, `identifier=${encodeURIComponent(`${ELIS}/pat_guid|${guid}`)}`]) {
      expect((await openelis.get(`Patient?${asked}`)).resource('Bundle').entry?.length).toBe(1);
    }
  });
});

describe('a mediator or loader of OpenCR 1.x', () => {
  /** Axios: plain JSON, and OpenHIM's header, which a client with a certificate may not be taken for another by (D17). */
  const headers = {
    accept: 'application/json, text/plain, */*',
    'content-type': 'application/json',
    'user-agent': 'axios/0.27.2',
    'x-openhim-clientid': 'lims',
  };

  it('reads `location` and `locationcruid`, and pastes the first to its base', async () => {
    const answer = await asIn1x.send('POST', '/fhir/Patient', { body: demo('patient1_openmrs'), headers });
    expect(answer.headers['location']).toMatch(/^Patient\/[A-Za-z0-9.-]+$/);
    expect(answer.headers['locationcruid']).toMatch(/^Patient\/[A-Za-z0-9.-]+$/);
    const read = await asIn1x.send('GET', `/fhir/${answer.headers['location']}`, { headers });
    expect(read.resource('Patient')).toMatchObject({
      id: idPartOf(answer.headers['location']),
      meta: { tag: [{ code: 'openmrs' }] },
    });
    const golden = await asIn1x.send('GET', `/fhir/${answer.headers['locationcruid']}`, { headers });
    expect(golden.resource('Patient').link?.map(({ other }) => other.reference)).toEqual([answer.headers['location']]);
  });

  it.each([
    [
      '/addPatient',
      'a Bundle',
      (body: object) => ({
        resourceType: 'Bundle',
        type: 'batch',
        entry: [{ resource: body, request: { method: 'PUT', url: 'Patient/seed-1' } }],
      }),
    ],
    ['/Patient', 'a Patient', (body: object) => body],
    ['/', 'a Bundle', (body: object) => ({ resourceType: 'Bundle', type: 'batch', entry: [{ resource: body }] })],
  ])('of the first releases posts to %s %s: 201', async (path, _what, wrap) => {
    const body = { ...patient('openmrs', `seed ${path}`), id: 'seed-1' };
    expect((await asIn1x.send('POST', path, { body: wrap(body), headers })).status).toBe(201);
  });
});

describe('JeMPI’s mediator', () => {
  it('asks $match, then sends a transaction', async () => {
    const client = clientOf(registry, 'openelis', { accept: 'application/fhir+json', 'content-type': 'application/fhir+json' });
    const person = somebody();
    await registry.send('POST', '/fhir/Patient', { body: patient('dhis2', 'jempi', person), client: 'dhis2' });
    const bare = { resourceType: 'Patient', ...person };
    const found = await client.post('Patient/$match', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'resource', resource: bare },
        { name: 'count', valueInteger: 5 },
      ],
    });
    expect(found.resource('Bundle').entry?.length).toBe(1);
    const entry = [
      {
        fullUrl: 'urn:uuid:1',
        resource: { ...patient('openelis', '-', person), identifier: [{ system: `${ELIS}/pat_guid`, value: 'jempi' }] },
        request: { method: 'PUT', url: `Patient?identifier=${ELIS}/pat_guid|jempi` },
      },
    ];
    const sent = await registry.send('POST', '/fhir', {
      client: 'openelis',
      body: { resourceType: 'Bundle', type: 'transaction', entry },
    });
    const [response] = sent.resource('Bundle').entry ?? [];
    expect([sent.status, response?.response?.status]).toEqual([200, '201']);
    expect(JSON.parse(sent.headers['locationcruid'] ?? '[]')).toEqual([
      `Patient/${cruidOf(await registry.send('POST', '/fhir/Patient', { body: patient('dhis2', 'jempi', person), client: 'dhis2' }))}`,
    ]);
  });
});

describe('the Neotree bridge', () => {
  it('finds what it sent by the identifier alone', async () => {
    const neotree = clientOf(registry, 'neotree', { accept: 'application/fhir+json' });
    const body = { ...patient('neotree', '-'), identifier: [{ system: 'urn:neotree:impilo-id', value: '0001-ABC' }] };
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: body, request: { method: 'POST', url: 'Patient' } }],
    };
    expect((await registry.send('POST', '/fhir', { client: 'neotree', body: bundle })).status).toBe(200);
    const found = (await neotree.get('Patient?identifier=urn:neotree:impilo-id%7C0001-ABC')).resource('Bundle');
    expect([found.total, found.entry?.[0]?.resource]).toMatchObject([1, { identifier: body.identifier }]);
  });
});
