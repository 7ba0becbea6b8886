import { afterAll, describe, expect, it } from 'vitest';
import type { BundleResponse } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { cruidOf, demo, idOf, identifier, patient, somebody } from './people.ts';

const registry = await startRegistry();
const asIn1x = await startRegistry({ config: { app: { port: 0, host: '127.0.0.1', location: 'opencr' } } });
afterAll(async () => {
  await registry.stop();
  await asIn1x.stop();
});
const { send } = registry;

const GOLDEN = '5c827da5-4858-4f3d-a50c-62ece001efea';
const JSON_UTF8 = 'application/fhir+json; charset=utf-8';
const ID = /^[A-Za-z0-9.-]{1,64}$/;
const bundle = (...patients: readonly object[]) => ({
  resourceType: 'Bundle',
  type: 'batch',
  entry: patients.map((resource) => ({ resource, request: { method: 'POST', url: 'Patient' } })),
});
const responses = (answer: Answer): readonly (BundleResponse | undefined)[] =>
  (answer.resource('Bundle').entry ?? []).map((entry) => entry.response);

describe('an accepted Patient (opencr-1x.md §1.10, REST-23)', () => {
  it('is answered with 201, the record and the CRUID in headers, and the Patient with a legal id and one link', async () => {
    const answer = await send('POST', '/fhir/Patient', { body: demo('patient1_openmrs') });
    expect(answer.status).toBe(201);
    const { id, meta, link, identifier: identifiers, name } = answer.resource('Patient');
    expect(id).toMatch(ID);
    expect(answer.headers['location']).toBe(`Patient/${id}/_history/1`);
    expect(answer.headers['etag']).toBe('W/"1"');
    expect(meta?.versionId).toBe('1');
    expect(new Date(answer.headers['last-modified'] ?? '').getTime()).toBe(
      Math.floor(Date.parse(meta?.lastUpdated ?? '') / 1000) * 1000,
    );
    expect(link).toEqual([{ other: { reference: answer.headers['locationcruid'] }, type: 'refer' }]);
    expect(answer.headers['locationcruid']).toMatch(/^Patient\/[A-Za-z0-9.-]{1,64}$/);
    expect(meta?.tag?.[0]).toEqual({
      system: 'http://openclientregistry.org/fhir/clientid',
      code: 'openmrs',
      display: 'OpenMRS',
    });
    expect(identifiers).toMatchObject([{ value: '431211' }, { system: 'http://system1.org', value: '12349' }]);
    expect(name?.[0]?.family).toBe('Gideon');
  });

  it('leads to a golden record whose first tag is the golden one, without a system, and that links back by seealso', async () => {
    const answer = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'golden') });
    const read = await send('GET', `/fhir/Patient/${cruidOf(answer)}`);
    const golden = read.resource('Patient');
    expect(golden).toMatchObject({
      id: cruidOf(answer),
      active: true,
      link: [{ other: { reference: `Patient/${idOf(answer)}` }, type: 'seealso' }],
    });
    expect(golden.meta?.tag?.[0]).toEqual({ code: GOLDEN, display: 'Golden Record' });
    expect(golden).not.toHaveProperty('name');
    expect(read.headers['etag']).toBe('W/"1"');
  });

  it('is answered with 201 also when a POST updated what was there: deployed clients take anything else for a failure', async () => {
    const first = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'again') });
    const second = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'again') });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(idOf(second)).toBe(idOf(first));
    expect(second.headers['location']).toBe(`Patient/${idOf(first)}/_history/2`);
    expect(second.headers['etag']).toBe('W/"2"');
  });

  it('by PUT is answered with 201 when it was created and 200 when it was updated (REST-25)', async () => {
    const body = patient('openmrs', 'put-1', somebody(), { id: 'put-1' });
    const created = await send('PUT', '/fhir/Patient/put-1', { body });
    const updated = await send('PUT', '/fhir/Patient/put-1', { body: { ...body, gender: 'unknown' } });
    expect([created.status, updated.status]).toEqual([201, 200]);
    expect(updated.headers['location']).toBe('Patient/put-1/_history/2');
    expect(updated.resource('Patient')).toMatchObject({ id: 'put-1', gender: 'unknown' });
  });

  it('of another system that is the same person gets the same CRUID', async () => {
    const anna = somebody();
    const first = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'anna', anna) });
    const second = await send('POST', '/fhir/Patient', { body: patient('dhis2', 'anna', anna), client: 'dhis2' });
    expect(cruidOf(second)).toBe(cruidOf(first));
    expect(idOf(second)).not.toBe(idOf(first));
  });

  it.each([
    ['representation', 'Patient'],
    ['OperationOutcome', 'OperationOutcome'],
  ] as const)('is answered as Prefer: return=%s asks (REST-06)', async (wanted, type) => {
    const answer = await send('POST', '/fhir/Patient', {
      body: patient('openmrs', `prefer-${wanted}`),
      headers: { prefer: `return=${wanted}` },
    });
    expect(answer.status).toBe(201);
    expect(answer.resource(type).resourceType).toBe(type);
  });

  it('is answered without a body, the headers all there, as Prefer: return=minimal asks (REST-06)', async () => {
    const answer = await send('POST', '/fhir/Patient', {
      body: patient('openmrs', 'minimal'),
      headers: { prefer: 'return=minimal' },
    });
    expect(answer).toMatchObject({ status: 201, text: '' });
    expect(answer.headers['location']).toBeDefined();
    expect(answer.headers['locationcruid']).toBeDefined();
  });

  it('that was accepted with remarks says them when the outcome is asked for (D9)', async () => {
    const answer = await send('POST', '/fhir/Patient', {
      body: demo('patient1_openmrs'),
      headers: { prefer: 'return=OperationOutcome' },
    });
    expect(answer.resource('OperationOutcome').issue).toMatchObject([
      { severity: 'warning', expression: ['Patient.identifier[1]'] },
    ]);
  });
});

describe('the intake routes of 1.x (opencr-1x.md §1.9)', () => {
  it.each(['/Patient', '/addPatient', '/'])('POST %s takes a Patient: 201, Location Patient/<id>', async (path) => {
    const answer = await send('POST', path, { body: patient('openmrs', `single ${path}`) });
    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toBe(`Patient/${answer.resource('Patient').id}`);
    expect(answer.headers['locationcruid']).toMatch(/^Patient\//);
    expect(answer.headers['etag']).toBe('W/"1"');
  });

  it.each([
    ['/addPatient', 201, /^Patient\/[^/]+$/],
    ['/', 201, /^Patient\/[^/]+$/],
    ['/fhir', 200, /^Patient\/[^/]+\/_history\/1$/],
  ] as const)('POST %s takes a Bundle: %i, the headers lists of what was accepted, in order', async (path, status, location) => {
    const refused = { resourceType: 'Patient', name: [{ family: 'Nobody' }] };
    const answer = await send('POST', path, {
      body: bundle(patient('openmrs', `b1 ${path}`), refused, patient('openmrs', `b2 ${path}`)),
    });
    expect(answer.status).toBe(status);
    const locations = JSON.parse(answer.headers['location'] ?? '') as string[];
    const cruids = JSON.parse(answer.headers['locationcruid'] ?? '') as string[];
    expect(locations).toEqual([expect.stringMatching(location), expect.stringMatching(location)]);
    expect(cruids).toEqual([expect.stringMatching(/^Patient\/[^/]+$/), expect.stringMatching(/^Patient\/[^/]+$/)]);
    expect(responses(answer).map((response) => response?.status)).toEqual(['201', '422', '201']);
    expect(answer.resource('Bundle').type).toBe('batch-response');
  });

  it('with a 1.x configuration (location: opencr) /fhir/Patient answers Location Patient/<id>, too (D3)', async () => {
    const answer = await asIn1x.send('POST', '/fhir/Patient', { body: patient('openmrs', 'compat') });
    expect(answer.headers['location']).toBe(`Patient/${answer.resource('Patient').id}`);
    const put = await asIn1x.send('PUT', '/fhir/Patient/x1', { body: patient('openmrs', 'compat-2', somebody(), { id: 'x1' }) });
    expect(put.headers['location']).toBe('Patient/x1');
    const many = await asIn1x.send('POST', '/fhir', { body: bundle(patient('openmrs', 'compat-3')) });
    expect(many.headers['location']).toMatch(/^\["Patient\/[^/]+"\]$/);
  });
});

describe('formats (REST-02 to REST-05)', () => {
  it.each([
    'application/fhir+json',
    'application/fhir+json; charset=UTF-8',
    'application/fhir+json;charset="utf-8"; fhirVersion=4.0',
    'application/json+fhir',
    'application/json',
    'APPLICATION/JSON; charset=utf8',
    'text/json',
  ])('a body of type %s is read', async (type) => {
    const body = JSON.stringify(patient('openmrs', `type ${type}`));
    const answer = await send('POST', '/fhir/Patient', { body, headers: { 'content-type': type } });
    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toBe(JSON_UTF8);
  });

  const HAPI = 'application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9, application/json+fhir;q=0.9';
  it.each([
    ['HAPI’s own header', HAPI, ''],
    ['no header', undefined, ''],
    ['anything', '*/*', ''],
    ['a browser’s', 'text/html, application/xhtml+xml;q=0.9, */*;q=0.8', ''],
    ['JSON 4.0', 'application/fhir+json; fhirVersion=4.0', ''],
    ['XML, but _format says json', 'application/fhir+xml', '?_format=json'],
    ['_format with a raw plus sign', 'application/fhir+xml', '?_format=application/fhir+json'],
    ['_format encoded', undefined, '?_format=application%2Ffhir%2Bjson'],
  ])('JSON is answered to %s', async (_what, accept, query) => {
    const answer = await send('GET', `/fhir/metadata${query}`, { headers: accept === undefined ? {} : { accept } });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, JSON_UTF8]);
  });

  it.each([
    ['XML only', 'application/fhir+xml', ''],
    ['XML by its general name', 'application/xml', ''],
    ['XML preferred', 'application/fhir+json;q=0.5, application/fhir+xml', ''],
    ['_format=xml, whatever Accept says (REST-03)', 'application/fhir+json', '?_format=xml'],
    ['_format=text/xml', undefined, '?_format=text/xml'],
    ['_format with a raw plus sign', undefined, '?_format=application/fhir+xml'],
  ])('XML is answered to %s', async (_what, accept, query) => {
    const answer = await send('GET', `/fhir/metadata${query}`, { headers: accept === undefined ? {} : { accept } });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/fhir+xml; charset=utf-8']);
    expect(answer.text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<CapabilityStatement xmlns="http:\/\/hl7.org\/fhir">/,
    );
  });

  it.each([
    ['HTML only', 'text/html', ''],
    ['JSON with q=0', 'application/fhir+json;q=0', ''],
    ['_format=html, whatever Accept says', 'application/fhir+json', '?_format=html'],
    ['another FHIR version (REST-05)', 'application/fhir+json; fhirVersion=3.0', ''],
  ])('406 is answered to %s (D11)', async (_what, accept, query) => {
    const answer = await send('GET', `/fhir/metadata${query}`, { headers: { accept } });
    expect(answer.status).toBe(406);
    expect(answer.resource('OperationOutcome').issue[0]).toMatchObject({ severity: 'error', code: 'not-supported' });
  });
});

describe('every answer', () => {
  it('bears the request id of the caller where it is a plain one, else its own (REST-10)', async () => {
    const own = await send('GET', '/fhir/metadata', { headers: { 'x-request-id': 'emr-17:4711', 'x-correlation-id': 'c.1' } });
    expect(own.headers).toMatchObject({ 'x-request-id': 'emr-17:4711', 'x-correlation-id': 'c.1' });
    const odd = await send('GET', '/fhir/metadata', { headers: { 'x-request-id': '<script>', 'x-correlation-id': 'a b' } });
    expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    const unrouted = await send('GET', '/fhir/Patient/%', { headers: { 'x-request-id': 'emr-18' } });
    expect([unrouted.status, unrouted.headers['x-request-id']]).toEqual([400, 'emr-18']);
    expect(odd.headers).not.toHaveProperty('x-correlation-id');
  });

  it('forbids anybody on the way to keep it', async () => {
    const answer = await send('GET', '/fhir/metadata');
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'strict-transport-security': 'max-age=31536000' });
  });

  it.each([
    ['POST', '/fhir/Patient/x', 'GET, PUT, DELETE'],
    ['PATCH', '/fhir/Patient/x', 'GET, PUT, DELETE'],
    ['POST', '/fhir/metadata', 'GET'],
    ['GET', '/fhir', 'POST'],
    ['PUT', '/addPatient', 'POST'],
    ['DELETE', '/fhir/AuditEvent', 'GET'],
  ])('%s %s is a method that the URL does not have: 405, with those that it has (REST-35)', async (method, path, allow) => {
    const answer = await send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe(allow);
    expect(answer.resource('OperationOutcome').issue[0]).toMatchObject({ severity: 'error', code: 'not-supported' });
  });

  it.each([
    '/fhir/Observation',
    '/fhir/Observation/1',
    '/nothing',
    '/fhir/Patient/x/y/z',
    '/ocrux/fhir/Patient',
    '/fhir/Patient/no%2Fid',
  ])('GET %s, which nobody serves, is 404 with an outcome (REST-33)', async (path) => {
    const answer = await send('GET', path);
    expect(answer.status).toBe(404);
    expect(answer.resource('OperationOutcome').issue[0]).toMatchObject({ severity: 'error', code: 'not-found' });
  });

  it('to HEAD is that to GET without the body (REST-09)', async () => {
    const id = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'head') }));
    const [get, head] = [await send('GET', `/fhir/Patient/${id}`), await send('HEAD', `/fhir/Patient/${id}`)];
    expect(head).toMatchObject({ status: 200, text: '' });
    for (const name of ['etag', 'last-modified', 'content-type', 'content-length'])
      expect(head.headers[name]).toBe(get.headers[name]);
    expect((await send('HEAD', '/fhir/Patient/unknown')).status).toBe(404);
  });

  it('is readable by clients that paste a relative Location to the base', async () => {
    const answer = await send('POST', '/fhir/Patient', {
      body: patient('openmrs', 'paste', somebody(), { identifier: [identifier('openmrs', 'paste')] }),
    });
    const read = await send('GET', `/fhir/${answer.headers['location']}`);
    expect(read.resource('Patient')).toEqual(answer.resource('Patient'));
  });
});
