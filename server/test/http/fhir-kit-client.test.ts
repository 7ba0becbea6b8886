/** A kept FHIR client of npm, fhir-kit-client, with its own fetch: what it sends and reads over mutual TLS. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type FhirResource } from 'fhir-kit-client';
import { Agent } from 'undici';
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, OperationOutcome, Parameters, Patient } from '../../src/fhir/r4.ts';
import { certificateOf, startRegistry } from '../support/registry-server.ts';
import { identifier, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
const ca = readFileSync(join(registry.dataDir, 'tls', 'ca.cert.pem'), 'utf8');
const dispatcher = new Agent({ connect: { ca, servername: 'localhost', ...(await certificateOf('openmrs')) } });
afterAll(async () => {
  await dispatcher.close();
  await registry.stop();
});
const client = new Client({
  baseUrl: `https://localhost:${registry.server.port}/fhir`,
  requestOptions: { dispatcher },
});

const resourceType = 'Patient';
/** The client takes and gives any resource. */
const asSent = (resource: object): FhirResource => ({ ...resource }) as FhirResource;
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the client answers what its caller says that it asks for
const as = <T>(answer: FhirResource): T => answer as unknown as T;
const create = async (value: string, person = somebody()): Promise<Patient> =>
  as(await client.create({ resourceType, body: asSent(patient('openmrs', value, person)) }));
const search = async (searchParams: Record<string, string>): Promise<Bundle> =>
  as(await client.search({ resourceType, searchParams }));
const idsOf = ({ entry = [] }: Bundle) => entry.map(({ resource }) => (resource as { readonly id?: string }).id);
const by = (value: string) => ({ identifier: `${systemOf('openmrs')}|${value}` });

/** Status and first issue of what the client throws. */
async function refusalOf(request: Promise<FhirResource>) {
  const error: unknown = await request.then(
    () => expect.unreachable('it was not refused'),
    (reason: unknown) => reason,
  );
  const { status, data } = (error as { readonly response: { readonly status: number; readonly data: OperationOutcome } })
    .response;
  return [status, data.issue[0]?.code, data.issue[0]?.expression?.[0]];
}

describe('fhir-kit-client', () => {
  it('reads the CapabilityStatement', async () => {
    expect(await client.capabilityStatement()).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
  });

  it('creates, reads, updates by id and by identifier, and reads versions', async () => {
    const person = somebody();
    const created = await create('kit-1', person);
    const id = created.id ?? '';
    expect(created).toMatchObject({ meta: { versionId: '1' }, name: person.name });
    expect(await client.read({ resourceType, id })).toEqual(created);
    const body = { ...patient('openmrs', 'kit-1', person), gender: 'other' };
    expect(await client.update({ resourceType, id, body: { ...asSent(body), id } })).toMatchObject({ id, gender: 'other' });
    const named = await client.update({ resourceType, searchParams: by('kit-1'), body: { ...asSent(body), gender: 'unknown' } });
    expect(named).toMatchObject({ id, gender: 'unknown', meta: { versionId: '3' } });
    expect(await client.vread({ resourceType, id, version: '1' })).toMatchObject({ gender: person.gender });
    expect(idsOf(as<Bundle>(await client.history({ resourceType, id })))).toEqual([id, id, id]);
  });

  it('searches and pages', async () => {
    const family = 'Kitpages';
    const ids: (string | undefined)[] = [];
    for (const n of [1, 2, 3])
      ids.push((await create(`kit-page-${n}`, { ...somebody(), name: [{ family, given: [`N${n}`] }] })).id);
    const seen: (string | undefined)[] = [];
    let bundle: Bundle | undefined = await search({ family, _count: '1' });
    while (bundle) {
      seen.push(...idsOf(bundle));
      const next: Promise<FhirResource> | undefined = client.nextPage({ bundle: as(asSent(bundle)) });
      bundle = next && as<Bundle>(await next);
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(idsOf(await search(by('kit-page-2')))).toEqual([ids[1]]);
    expect(idsOf(await search({ _id: `${ids[0]},${ids[2]}` })).toSorted()).toEqual([ids[0], ids[2]].toSorted());
  });

  it('asks $ihe-pix and $match', async () => {
    const person = somebody();
    await create('kit-here', person);
    const there = await registry.send('POST', '/fhir/Patient', { client: 'lims', body: patient('lims', 'kit-there', person) });
    const input = { sourceIdentifier: by('kit-here').identifier, targetSystem: systemOf('lims') };
    const pix = as<Parameters>(await client.operation({ name: 'ihe-pix', resourceType, method: 'GET', input }));
    const reference = `Patient/${there.resource('Patient').id}`;
    expect(pix.parameter?.map(({ name, valueReference, valueIdentifier }) => [name, valueReference ?? valueIdentifier])).toEqual([
      ['targetIdentifier', expect.objectContaining(identifier('lims', 'kit-there'))],
      ['targetId', expect.objectContaining({ reference })],
    ]);
    const asked = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: { resourceType, ...person } }] };
    expect(idsOf(as<Bundle>(await client.operation({ name: 'match', resourceType, input: asked })))).toHaveLength(1);
  });

  it.each(['transaction', 'batch'] as const)('sends a %s', async (type) => {
    const entry = { resource: patient('openmrs', `kit-${type}`), request: { method: 'POST', url: 'Patient' } };
    const answer = as<Bundle>(await client[type]({ body: { resourceType: 'Bundle', type, entry: [entry] } }));
    expect([answer.type, answer.entry?.[0]?.response?.status]).toEqual([`${type}-response`, '201']);
  });

  it('deletes, and reads why it is refused', async () => {
    const id = (await create('kit-gone')).id ?? '';
    await client.delete({ resourceType, id });
    expect(await refusalOf(client.read({ resourceType, id }))).toEqual([410, 'deleted', undefined]);
    expect(await refusalOf(client.read({ resourceType, id: 'nobody' }))).toEqual([404, 'not-found', undefined]);
    const wrong = { resourceType, gender: 'female' };
    expect(await refusalOf(client.create({ resourceType, body: wrong }))).toEqual([422, 'business-rule', 'Patient.identifier']);
    const body = { ...asSent(patient('openmrs', 'kit-stale')), id: (await create('kit-stale')).id };
    const stale = { resourceType, id: body.id ?? '', body, options: { headers: { 'if-match': 'W/"7"' } } };
    expect(await refusalOf(client.update(stale))).toEqual([412, 'conflict', undefined]);
  });
});
