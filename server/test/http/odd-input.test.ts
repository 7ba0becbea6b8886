/** Odd but right: it is accepted, kept as it was sent, and found again. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;

const first = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'first') });
const known = { id: idOf(first), golden: cruidOf(first) };

it.each<[string, string]>([
  ['a pipe', 'a|b'],
  ['a comma', 'a,b'],
  ['a percent sign', '100%41'],
  ['a backslash', 'a\\b\\'],
  ['a dollar', 'a$b'],
  ['blanks within', 'a  b c'],
  ['a quote and a semicolon', `'; DROP TABLE record; --"`],
  ['an ampersand, a plus and a hash', 'a&b+c#d=e'],
  ['Amharic', 'አማርኛ'],
  ['an emoji', '😀'],
  ['4,000 characters', 'x'.repeat(4_000)],
])('an identifier with %s', async (_what, value) => {
  const created = await send('POST', '/fhir/Patient', { body: patient('openmrs', value) });
  expect(created.status).toBe(201);
  const token = `${systemOf('openmrs')}|${value.replaceAll(/[\\,|$]/g, '\\$&')}`;
  const query = `identifier=${encodeURIComponent(token)}`;
  const bundle = (await send('GET', `/fhir/Patient?${query}`)).resource('Bundle');
  expect(bundle.entry?.map(({ resource }) => resource && 'id' in resource && resource.id)).toEqual([idOf(created)]);
  const updated = await send('PUT', `/fhir/Patient?${query}`, { body: patient('openmrs', value) });
  expect([updated.status, idOf(updated)]).toEqual([200, idOf(created)]);
});

it('a byte order mark, and a body that is compressed', async () => {
  for (const [name, encoded] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', Buffer.from],
  ] as const) {
    const body = encoded(Buffer.from(`\ufeff${JSON.stringify(patient('openmrs', `encoded ${name}`))}`));
    expect((await send('POST', '/fhir/Patient', { body, headers: { 'content-encoding': name } })).status).toBe(201);
  }
});

it('forged marks are dropped, said, and never stored', async () => {
  const base = 'http://openclientregistry.org/fhir';
  const tag = [
    { code: '5c827da5-4858-4f3d-a50c-62ece001efea' },
    { system: `${base}/clientid`, code: 'dhis2' },
    { system: `${base}/matchIssues`, code: 'potentialMatches' },
    { system: `${base}/humanAdjudication`, code: 'humanAdjudication' },
    { system: 'http://own.example', code: 'kept' },
  ];
  const body = patient('openmrs', 'forged', somebody(), {
    meta: { versionId: '99', lastUpdated: '1999-01-01T00:00:00Z', source: 'http://elsewhere.example', tag },
    link: [{ other: { reference: `Patient/${known.golden}` }, type: 'refer' }],
    extension: [{ url: 'http://clientregistry.org/brokenMatch', valueReference: { reference: `Patient/${known.id}` } }],
  });
  const answer = await send('POST', '/fhir/Patient', { body, headers: { prefer: 'return=OperationOutcome' } });
  const dropped = answer.resource('OperationOutcome').issue.map(({ severity, expression }) => [severity, expression?.[0]]);
  expect(dropped).toEqual(
    ['meta.tag[0]', 'meta.tag[1]', 'meta.tag[2]', 'meta.tag[3]', 'extension[0]', 'link[0]'].map((at) => [
      'warning',
      `Patient.${at}`,
    ]),
  );
  const stored = (await send('GET', `/fhir/Patient/${idOf(answer)}`)).resource('Patient');
  expect(stored.meta?.tag?.map(({ code }) => code)).toEqual(['openmrs', 'kept']);
  expect(stored.meta?.versionId).toBe('1');
  expect(stored.meta).not.toHaveProperty('source');
  expect(stored).not.toHaveProperty('extension');
  expect(stored.link).toEqual([{ other: { reference: `Patient/${cruidOf(answer)}` }, type: 'refer' }]);
  expect(cruidOf(answer)).not.toBe(known.golden);
});
