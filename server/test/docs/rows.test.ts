/** Rows of docs/conformance.md that no other test names, at the door of a whole registry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/app/project.ts';
import type { OperationOutcome, Parameters } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;

const system = (name: string): string => `http://clientregistry.org/${name}`;
const submit = async (client: string, file: string): Promise<string> => {
  const body = readFileSync(join(projectRoot, 'DemoData', file), 'utf8');
  return (await send('POST', '/fhir/Patient', { client, body })).resource('Patient').id ?? '';
};
const openmrs = await submit('openmrs', 'patient1_openmrs.json');
const dhis2 = await submit('dhis2', 'patient2_dhis2.json');
const lims = await submit('lims', 'patient3_lims.json');

const pix = (query: string, client = 'openmrs'): Promise<Answer> => send('GET', `/fhir/Patient/$ihe-pix?${query}`, { client });
const source = `sourceIdentifier=${system('openmrs')}|431211`;
const targets = (answer: Answer): readonly string[] =>
  (answer.resource('Parameters').parameter ?? []).map(
    ({ valueIdentifier, valueReference }: NonNullable<Parameters['parameter']>[number]) =>
      valueIdentifier?.value ?? valueReference?.reference ?? '',
  );
const outcome = (answer: Answer): OperationOutcome['issue'][number] | undefined => answer.resource('OperationOutcome').issue[0];

describe('$ihe-pix', () => {
  it('PIX-83-01, PIX-83-02, PIX-83-11: tells what the others call the person, neither what was asked about nor what is not to be seen', async () => {
    const told = targets(await pix(source, 'dhis2'));
    expect(told.toSorted()).toEqual(['997542', '7653', '8733453490', `Patient/${dhis2}`, `Patient/${lims}`].toSorted());
  });

  it('PIX-83-03, PIX-83-09: tells of one target system only, and nothing where the person has none there', async () => {
    expect(targets(await pix(`${source}&targetSystem=${system('lims')}`))).toEqual(['8733453490', `Patient/${lims}`]);
    const empty = await pix(`${source}&targetSystem=${system('artnumber')}`);
    expect([empty.status, targets(empty)]).toEqual([200, []]);
  });

  it('PIX-83-16: tells of this server, as a target, ids only', async () => {
    const base = `https://127.0.0.1:${registry.server.port}/fhir`;
    const told = targets(await pix(`${source}&targetSystem=${base}`));
    expect(told.toSorted()).toEqual([`Patient/${dhis2}`, `Patient/${lims}`].toSorted());
  });

  it.for([
    [`sourceIdentifier=${system('openmrs')}|nobody`, 404],
    ['sourceIdentifier=http://nowhere.org|1', 400],
    [`${source}&targetSystem=http://nowhere.org`, 403],
  ] as const)('PIX-83-17: fails on %s with an outcome', async ([query, status]) => {
    const answer = await pix(query);
    expect([answer.status, outcome(answer)?.severity]).toEqual([status, 'error']);
  });
});

describe('the rules of REST', () => {
  it('PIX-CS-01: the CapabilityStatement is of FHIR 4.0.1', async () => {
    expect(JSON.parse((await send('GET', '/fhir/metadata')).text)).toMatchObject({ fhirVersion: '4.0.1' });
  });

  it('REST-04: what cannot be produced is 406, what is not understood 415', async () => {
    const turtle = await send('GET', `/fhir/Patient/${openmrs}`, { headers: { accept: 'text/turtle' } });
    const sent = await send('POST', '/fhir/Patient', { headers: { 'content-type': 'text/turtle' }, body: '<Patient/>' });
    expect([turtle.status, sent.status]).toEqual([406, 415]);
  });

  it('REST-08, REST-22: a version is read with its own ETag, Last-Modified and content, and unknown ones are 404', async () => {
    await submit('lims', 'patient4_lims.json');
    const [first, second] = await Promise.all(
      [1, 2].map((version) => send('GET', `/fhir/Patient/${lims}/_history/${version}`, { client: 'lims' })),
    );
    expect(first?.headers).toMatchObject({ etag: 'W/"1"', 'last-modified': expect.stringMatching(/ GMT$/) });
    expect(first?.resource('Patient').name?.[0]?.given?.[0]).toBe('Namaalwa');
    expect(second?.headers['etag']).toBe('W/"2"');
    expect(second?.resource('Patient').name?.[0]?.given?.[0]).toBe('Namirimu');
    expect((await send('GET', `/fhir/Patient/${lims}/_history/9`, { client: 'lims' })).status).toBe(404);
  });

  it('REST-12: an id is 1 to 64 letters, digits, dashes and dots', async () => {
    const body = { resourceType: 'Patient', id: 'a_b', identifier: [{ system: system('openmrs'), value: 'odd id' }] };
    expect((await send('PUT', '/fhir/Patient/a_b', { body })).status).toBe(400);
    expect((await send('GET', `/fhir/Patient/${'a'.repeat(65)}`)).status).toBe(404);
  });

  it('REST-34: who shows no certificate is not authenticated, who lacks a scope not allowed', async () => {
    const nobody = await send('GET', `/fhir/Patient/${openmrs}`, { client: null });
    const curious = await send('GET', '/fhir/AuditEvent');
    expect([nobody.status, outcome(nobody)?.code]).toEqual([401, 'login']);
    expect([curious.status, outcome(curious)?.code]).toEqual([403, 'forbidden']);
  });
});
