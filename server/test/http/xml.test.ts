/** FHIR XML on the wire, both ways (REST-02, REST-03, REST-11): a SHALL of PIXm and PDQm. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, Patient } from '../../src/fhir/r4.ts';
import { writeXml } from '../../src/fhir/xml/write-xml.ts';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());

const XML = 'application/fhir+xml';
/** Sent and answered in XML. */
const send = (method: string, path: string, body?: object) =>
  registry.send(method, path, {
    headers: { accept: XML, ...(body && { 'content-type': `${XML}; charset=UTF-8` }) },
    ...(body && { body: writeXml(body) }),
  });
const isXml = ({
  headers,
  text,
}: {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}): boolean => headers['content-type'] === `${XML}; charset=utf-8` && text.startsWith('<?xml');

describe('a Patient in XML', () => {
  it('is the same record as in JSON, and reads alike in both', async () => {
    const body = patient('openmrs', 'xml-1', somebody(), {
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">A &amp; B</div>' },
    });
    const created = await send('POST', '/fhir/Patient', body);
    expect([created.status, isXml(created)]).toEqual([201, true]);
    const again = await registry.send('POST', '/fhir/Patient', { body });
    expect([idOf(again), again.headers['etag']]).toEqual([idOf(created), 'W/"1"']);
    const [json, xml] = [
      await registry.send('GET', `/fhir/Patient/${idOf(created)}`),
      await send('GET', `/fhir/Patient/${idOf(created)}`),
    ];
    expect(xml.resource('Patient')).toEqual(json.resource('Patient'));
    expect(created.resource('Patient')).toEqual(json.resource('Patient'));
    expect((await registry.send('HEAD', `/fhir/Patient/${idOf(created)}?_format=xml`)).headers['content-type']).toBe(
      xml.headers['content-type'],
    );
  });

  it.each([
    'application/fhir+xml',
    'application/xml',
    'text/xml',
    'application/xml+fhir',
    'application/fhir+xml; fhirVersion=4.0',
  ])('may be called %s', async (type) => {
    const body = writeXml(patient('openmrs', `xml ${type}`));
    expect((await registry.send('POST', '/fhir/Patient', { body, headers: { 'content-type': type } })).status).toBe(201);
  });

  it('that is wrong is refused in XML, with the element at fault', async () => {
    const answer = await send('POST', '/fhir/Patient', { ...patient('openmrs', 'xml-wrong'), birthDate: '1990-02-31' });
    expect([answer.status, isXml(answer)]).toEqual([422, true]);
    expect(answer.resource('OperationOutcome').issue[0]?.expression).toEqual(['Patient.birthDate']);
    const broken = await registry.send('POST', '/fhir/Patient', {
      body: '<Patient',
      headers: { 'content-type': XML, accept: XML },
    });
    expect([broken.status, isXml(broken)]).toEqual([400, true]);
  });

  it('is kept by PUT and conditional PUT', async () => {
    const body = patient('openmrs', 'xml-put', somebody(), { id: 'xml-put' });
    expect((await send('PUT', '/fhir/Patient/xml-put', body)).status).toBe(201);
    const { id: _, ...rest } = body;
    const path = `/fhir/Patient?identifier=${encodeURIComponent(`${systemOf('openmrs')}|xml-put`)}`;
    expect((await send('PUT', path, { ...rest, gender: 'unknown' })).headers['etag']).toBe('W/"2"');
  });
});

it('a transaction, a search (PDQ-78-06), a history, $ihe-pix (PIX-83-12), $match and errors are XML, too', async () => {
  const person = somebody();
  const entry = [{ resource: patient('openmrs', 'xml-tx', person), request: { method: 'POST', url: 'Patient' } }];
  const transaction = await send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  const { entry: [answered] = [] }: Bundle = transaction.resource('Bundle');
  const made = answered?.resource as Patient;
  expect(made.identifier).toEqual([identifier('openmrs', 'xml-tx')]);
  const other = await registry.send('POST', '/fhir/Patient', { body: patient('dhis2', 'xml-tx', person), client: 'dhis2' });
  const parameters = {
    resourceType: 'Parameters',
    parameter: [{ name: 'sourceIdentifier', valueString: `${systemOf('openmrs')}|xml-tx` }],
  };
  const pix = await send('GET', `/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(`${systemOf('openmrs')}|xml-tx`)}`);
  expect(pix.resource('Parameters').parameter?.map(({ valueReference }) => valueReference?.reference)).toContain(
    `Patient/${idOf(other)}`,
  );
  for (const [method, path, body] of [
    ['GET', `/fhir/Patient?_id=${made.id}`],
    ['GET', `/fhir/Patient/${made.id}/_history`],
    ['GET', `/fhir/Patient/${cruidOf(other)}`],
    ['GET', '/fhir/metadata'],
    ['POST', '/fhir/Patient/$ihe-pix', parameters],
    ['POST', '/fhir/Patient/$match', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: made }] }],
    ['GET', '/fhir/Patient/nobody'],
    ['GET', '/fhir/Observation'],
    ['PATCH', '/fhir/Patient/nobody'],
  ] as const) {
    const answer = await send(method, path, body);
    expect([path, isXml(answer)]).toEqual([path, true]);
    const json = await registry.send(method, path, body && { body });
    // The instant of a bundle that was made at the moment.
    const bare = (value: object): object =>
      JSON.parse(JSON.stringify(value).replaceAll(/"lastUpdated":"[^"]*"/g, '"lastUpdated":""')) as object;
    const type = (JSON.parse(json.text) as { resourceType: 'Bundle' }).resourceType;
    expect([path, bare(answer.resource(type))]).toEqual([path, bare(json.resource(type))]);
  }
});

it('links ask for the format that `_format` asked for (REST-03)', async () => {
  const linksOf = async (path: string) => {
    const bundle: Bundle = (await registry.send('GET', path)).resource('Bundle');
    return (bundle.link ?? []).map(({ url }) => url.split('/fhir/')[1] ?? '');
  };
  const [next] = (await linksOf('/fhir/Patient?_tag=openmrs&_count=1&_format=application/fhir%2Bxml')).slice(-1);
  expect(next).toContain('_format=application%2Ffhir%2Bxml');
  expect(isXml(await registry.send('GET', `/fhir/${next}`))).toBe(true);
  expect((await linksOf('/fhir/Patient?_tag=openmrs&_count=1')).join()).not.toContain('_format');
});

it('rows of OpenCR 1.x stay plain JSON', async () => {
  const answer = await registry.send('POST', '/match/matches', {
    body: patient('openmrs', 'xml-rows'),
    headers: { accept: `${XML}, */*;q=0.1` },
  });
  expect(answer.headers['content-type']).toContain('application/json');
});

it('REST-11: JSON and XML are indented on demand', async () => {
  const plain = await registry.send('GET', '/fhir/metadata');
  const pretty = await registry.send('GET', '/fhir/metadata?_pretty=true');
  expect(JSON.parse(pretty.text)).toEqual(JSON.parse(plain.text));
  const xml = await registry.send('GET', '/fhir/metadata?_pretty=true&_format=xml');
  expect(xml.text).toMatch(/^<\?xml [^\n]*\n<CapabilityStatement [^\n]*>\n  <status value="active"\/>\n/);
  expect([plain.text.includes('\n'), pretty.text.startsWith('{\n  "resourceType"')]).toEqual([false, true]);
});
