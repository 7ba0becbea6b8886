/** Web pages that call from a browser (REST-10, Fetch's CORS protocol). */
import { afterAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../support/registry-server.ts';
import { idOf, patient } from './people.ts';

const ORIGIN = 'https://app.example.org';
const open = await startRegistry({ config: { cors: { origins: ['http://localhost:8080', ORIGIN] }, basic: { enabled: true } } });
const shut = await startRegistry();
afterAll(async () => {
  await open.stop();
  await shut.stop();
});

/** What a browser asks before it sends anything of its user's, a certificate included. */
const preflight = (origin: string, registry = open, path = '/fhir/Patient') =>
  registry.send('OPTIONS', path, {
    client: null,
    headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type,if-match' },
  });
const allowed = (headers: object): readonly string[] => Object.keys(headers).filter((name) => name.startsWith('access-control-'));
const list = (header: string | undefined): readonly string[] => (header ?? '').toLowerCase().split(', ');

describe('a page of a listed origin', () => {
  it('REST-10: is told before it calls, without a certificate, what it may send', async () => {
    for (const path of ['/fhir/Patient', '/fhir/Patient/x', '/fhir', '/fhir/Patient/$match']) {
      const answer = await preflight(ORIGIN, open, path);
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-credentials': 'true',
        vary: 'Origin',
      });
      expect(list(answer.headers['access-control-allow-methods'])).toEqual(['get', 'head', 'post', 'put', 'delete']);
      const headers = list(answer.headers['access-control-allow-headers']);
      for (const name of ['authorization', 'content-type', 'if-match', 'if-none-exist', 'prefer'])
        expect(headers).toContain(name);
    }
  });

  it('REST-10: reads what its user’s certificate may, and the headers that an answer gives', async () => {
    const sent = await open.send('POST', '/fhir/Patient', { headers: { origin: ORIGIN }, body: patient('openmrs', 'c-1') });
    expect([sent.status, sent.headers['access-control-allow-origin'], sent.headers['vary']]).toEqual([201, ORIGIN, 'Origin']);
    const exposed = list(sent.headers['access-control-expose-headers']);
    for (const name of ['location', 'locationcruid', 'etag', 'x-request-id']) {
      expect(exposed).toContain(name);
      expect(sent.headers).toHaveProperty(name);
    }
    const read = await open.send('GET', `/fhir/Patient/${idOf(sent)}`, { headers: { origin: 'http://localhost:8080' } });
    expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, 'http://localhost:8080']);
  });

  it('reads why it is refused, and is refused as anybody without a certificate', async () => {
    const answer = await open.send('GET', '/fhir/Patient/x', { client: null, headers: { origin: ORIGIN } });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
    expect(list(answer.headers['access-control-expose-headers'])).toContain('www-authenticate');
    const missing = await open.send('GET', '/fhir/Patient/x', { headers: { origin: ORIGIN } });
    expect([missing.status, missing.headers['access-control-allow-origin']]).toEqual([404, ORIGIN]);
  });
});

describe('a page of another origin', () => {
  it.each([
    'https://evil.example.org',
    'https://app.example.org.evil.org',
    'http://app.example.org',
    'https://app.example.org:444',
    'null',
    '*',
  ])('%s is told nothing and may read nothing', async (origin) => {
    const asked = await preflight(origin);
    expect([asked.status, allowed(asked.headers)]).toEqual([401, []]);
    const read = await open.send('GET', '/fhir/metadata', { headers: { origin } });
    expect([read.status, allowed(read.headers)]).toEqual([200, []]);
  });

  it('cannot send by the user’s certificate what a browser lets through unasked', async () => {
    const before = await open.head();
    const body = JSON.stringify(patient('openmrs', 'c-2'));
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      const headers = { origin: 'https://evil.example.org', 'content-type': type };
      expect((await open.send('POST', '/fhir/Patient', { headers, body })).status).toBe(415);
    }
    expect(await open.head()).toEqual(before);
  });

  it('nor may a program that names no origin learn more by OPTIONS', async () => {
    const anonymous = await open.send('OPTIONS', '/fhir/Patient', { client: null });
    expect([anonymous.status, allowed(anonymous.headers)]).toEqual([401, []]);
    expect((await open.send('OPTIONS', '/fhir/Patient')).status).toBe(404);
  });
});

it('where no origin is listed, none may', async () => {
  const asked = await preflight(ORIGIN, shut);
  expect([asked.status, allowed(asked.headers)]).toEqual([401, []]);
  const read = await shut.send('GET', '/fhir/metadata', { headers: { origin: ORIGIN } });
  expect([read.status, allowed(read.headers), read.headers['vary']]).toEqual([200, [], undefined]);
});
