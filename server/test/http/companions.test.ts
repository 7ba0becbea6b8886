/** Organization and RelatedPerson: kept beside Patients, and referred to by them. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, CompanionResource, Organization, Patient, RelatedPerson } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { idOf, patient, somebody } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
await registry.register({ name: 'ministry', scopes: ['demographics', 'audit'] });
const { send } = registry;

const ORG = 'urn:example:organizations';
const clinic = (value: string, more: Partial<Organization> = {}): Organization => ({
  resourceType: 'Organization',
  identifier: [{ system: ORG, value }],
  name: `Clínica ${value}`,
  ...more,
});
const MOTHER = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH' }],
};
const motherOf = (child: string, more: Partial<RelatedPerson> = {}): RelatedPerson => ({
  resourceType: 'RelatedPerson',
  patient: { reference: `Patient/${child}` },
  relationship: [MOTHER],
  name: [{ family: 'Mwansa', given: ['Ruth'] }],
  ...more,
});
const made = ({ headers }: Answer): string => /^\w+\/([^/]+)/.exec(headers['location'] ?? '')?.[1] ?? '';
const post = (resource: CompanionResource, client = 'openmrs', headers: Readonly<Record<string, string>> = {}) =>
  send('POST', `/fhir/${resource.resourceType}`, { body: resource, client, headers });
const get = (path: string, client = 'openmrs') => send('GET', `/fhir/${path}`, { client });
const found = async (path: string, client = 'openmrs'): Promise<readonly (string | undefined)[]> =>
  ((await get(path, client)).resource('Bundle').entry ?? []).map(({ resource }) => (resource as CompanionResource).id);
const child = async (value: string, more: Partial<Patient> = {}, client = 'openmrs'): Promise<string> =>
  idOf(await send('POST', '/fhir/Patient', { client, body: patient(client, value, somebody(), more) }));

describe.each([
  ['Organization', clinic('crud'), clinic('crud', { name: 'Hospital' })],
  ['RelatedPerson', motherOf('p1'), motherOf('p1', { gender: 'female' })],
] as const)('%s', (type, first, second) => {
  it('is created, read, updated, deleted, and its versions stay (REST-20 to REST-29)', async () => {
    const created = await post(first);
    const id = made(created);
    expect([created.status, created.headers['location'], created.headers['etag']]).toEqual([
      201,
      `${type}/${id}/_history/1`,
      'W/"1"',
    ]);
    expect((await get(`${type}/${id}`)).body()).toEqual({
      ...first,
      id,
      meta: { versionId: '1', lastUpdated: expect.any(String) as string },
    });
    const put = (body: object, headers: Readonly<Record<string, string>> = {}) =>
      send('PUT', `/fhir/${type}/${id}`, { body, headers });
    expect((await put({ ...second, id })).headers['etag']).toBe('W/"2"');
    expect([(await put({ ...second, id })).status, (await put({ ...second, id })).headers['etag']]).toEqual([200, 'W/"2"']);
    expect((await put({ ...first, id }, { 'if-match': 'W/"1"' })).status).toBe(412);
    expect((await put({ ...first, id: 'another' })).status).toBe(400);
    expect((await send('GET', `/fhir/${type}/${id}`, { headers: { 'if-none-match': 'W/"2"' } })).status).toBe(304);
    expect((await send('DELETE', `/fhir/${type}/${id}`)).status).toBe(204);
    expect((await send('DELETE', `/fhir/${type}/${id}`)).status).toBe(204);
    expect([(await get(`${type}/${id}`)).status, (await get(`${type}/nobody`)).status]).toEqual([410, 404]);
    expect((await get(`${type}/${id}/_history/2`)).body()).toMatchObject({ ...second, id, meta: { versionId: '2' } });
    const history = (await get(`${type}/${id}/_history`)).resource('Bundle');
    expect(history.entry?.map(({ request }) => request?.method)).toEqual(['DELETE', 'PUT', 'POST']);
    expect((await put({ ...first, id })).status).toBe(201);
    expect((await get(`${type}/${id}`)).status).toBe(200);
  });

  it('of another type, or wrong, is refused where it is wrong', async () => {
    const wrong = await send('POST', `/fhir/${type}`, { body: { resourceType: 'Patient' } });
    expect([wrong.status, wrong.resource('OperationOutcome').issue[0]?.expression]).toEqual([400, ['resourceType']]);
    const odd = await send('POST', `/fhir/${type}`, { body: { ...first, active: 'yes' } });
    expect([odd.status, odd.resource('OperationOutcome').issue[0]?.expression]).toEqual([400, [`${type}.active`]]);
  });

  it('speaks XML both ways', async () => {
    const created = await post(first, 'openmrs', { accept: 'application/fhir+xml' });
    expect(created.headers['content-type']).toContain('application/fhir+xml');
    const again = await send('PUT', `/fhir/${type}/${made(created)}`, {
      body: created.text,
      headers: { 'content-type': 'application/fhir+xml' },
    });
    expect([again.status, again.headers['etag']]).toEqual([200, 'W/"1"']);
  });
});

describe('an Organization', () => {
  it('is found by everybody, by name, identifier and what it is part of', async () => {
    const parent = made(await post(clinic('parent', { name: 'Ministério da Saúde' })));
    const part = made(await post(clinic('part', { partOf: { reference: `Organization/${parent}` } })));
    for (const client of ['openmrs', 'dhis2']) {
      expect(await found('Organization?name=ministerio', client)).toEqual([parent]);
      expect(await found('Organization?name:contains=da%20saude', client)).toEqual([parent]);
      expect(await found(`Organization?identifier=${ORG}|part`, client)).toEqual([part]);
      expect(await found(`Organization?identifier=part`, client)).toEqual([part]);
      expect(await found(`Organization?partof=${parent}&_include=Organization:partof`, client)).toEqual([part, parent]);
      expect(await found(`Organization?_id=${parent},${part}`, client)).toEqual([parent, part]);
    }
    const form = { body: 'identifier=part', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await send('POST', '/fhir/Organization/_search', form)).resource('Bundle').total).toBe(1);
  });

  it('is paged without doubles or gaps, and counted', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(made(await post(clinic(`page-${n}`, { name: 'Paged' }))));
    const seen: (string | undefined)[] = [];
    let path: string | undefined = 'Organization?name=paged&_count=2';
    while (path !== undefined) {
      const page: Bundle = (await get(path)).resource('Bundle');
      expect(page.total).toBe(5);
      seen.push(...(page.entry ?? []).map(({ resource }) => (resource as Organization).id));
      path = page.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\//, '');
    }
    expect(seen).toEqual(ids);
    const counted = (await get('Organization?name=paged&_summary=count')).resource('Bundle');
    expect([counted.total, counted.entry]).toEqual([5, undefined]);
  });

  it('is written by its own client only: what another calls by the same id is another', async () => {
    const first = await send('PUT', '/fhir/Organization/1', { body: clinic('o-1', { id: '1' }) });
    const second = await send('PUT', '/fhir/Organization/1', { client: 'dhis2', body: clinic('o-2', { id: '1' }) });
    expect([first.status, made(first), second.status]).toEqual([201, '1', 201]);
    expect(made(second)).not.toBe('1');
    const name = async (client: string) => ((await get('Organization/1', client)).body() as Organization).name;
    expect([await name('openmrs'), await name('dhis2'), await name('lims')]).toEqual([
      'Clínica o-1',
      'Clínica o-2',
      'Clínica o-1',
    ]);
    const mine = await child('of-dhis2', { managingOrganization: { reference: 'Organization/1' } }, 'dhis2');
    const kept = (await get(`Patient/${mine}`, 'dhis2')).resource('Patient');
    expect(kept.managingOrganization?.reference).toBe(`Organization/${made(second)}`);
    expect((await send('DELETE', `/fhir/Organization/${made(second)}`)).status).toBe(403);
  });

  it('is created and updated by an identifier once only (REST-24, REST-28)', async () => {
    const once = { 'if-none-exist': `identifier=${ORG}|once` };
    const first = await post(clinic('once'), 'openmrs', once);
    const second = await post(clinic('once', { name: 'Other' }), 'openmrs', once);
    expect([first.status, second.status, made(second), second.headers['etag']]).toEqual([201, 200, made(first), 'W/"1"']);
    const path = `/fhir/Organization?identifier=${ORG}|once`;
    const put = await send('PUT', path, { body: clinic('once', { name: 'Other' }) });
    expect([put.status, made(put), put.headers['etag']]).toEqual([200, made(first), 'W/"2"']);
    expect((await send('PUT', path, { body: clinic('another') })).status).toBe(400);
    await post(clinic('once'));
    expect((await send('PUT', path, { body: clinic('once') })).status).toBe(412);
    expect((await send('DELETE', path)).status).toBe(412);
    expect((await send('DELETE', `/fhir/Organization?identifier=${ORG}|nobody`)).status).toBe(204);
  });

  it('SRCH-07 is answered beside the Patients that it manages', async () => {
    const id = made(await post(clinic('manager')));
    const managed = await child('managed', { managingOrganization: { reference: `Organization/${id}` } });
    const by = (include: string) => found(`Patient?_id=${managed}&_include=${include}`);
    expect(await by('Patient:organization')).toEqual([managed, id]);
    expect(await by('Organization:managingOrganization')).toEqual([managed, id]);
    expect(await by('Patient:general-practitioner')).toEqual([managed]);
    expect(await found(`Patient?organization=${id}`)).toEqual([managed]);
    // Another client sees of the Patient no more than that it is there.
    expect(await found(`Patient?_id=${managed}&_include=Patient:organization`, 'dhis2')).toEqual([managed]);
  });
});

describe('a RelatedPerson', () => {
  it('is for its owner and for whoever sees everybody: to others it is not there', async () => {
    const newborn = await child('newborn');
    const id = made(await post(motherOf(newborn)));
    const seenBy = async (client: string) => [
      (await get(`RelatedPerson/${id}`, client)).status,
      (await get(`RelatedPerson/${id}/_history`, client)).status,
      (await get(`RelatedPerson/${id}/_history/1`, client)).status,
      await found(`RelatedPerson?patient=${newborn}`, client),
      await found(`RelatedPerson?name=mwansa&patient=Patient/${newborn}`, client),
      (await get(`RelatedPerson?_id=${id}`, client)).resource('Bundle').total,
      await found(`Patient?_id=${newborn}&_revinclude=RelatedPerson:patient`, client),
    ];
    const all = [200, 200, 200, [id], [id], 1, [newborn, id]];
    expect(await seenBy('openmrs')).toEqual(all);
    expect(await seenBy('ministry')).toEqual(all);
    expect(await seenBy('dhis2')).toEqual([404, 404, 404, [], [], 0, [newborn]]);
    expect((await send('DELETE', `/fhir/RelatedPerson/${id}`, { client: 'dhis2' })).status).toBe(204);
    expect((await get(`RelatedPerson/${id}`)).status).toBe(200);
  });

  it('is searched by relationship, gender and identifier, with the Patient that it is of', async () => {
    const newborn = await child('newborn-2');
    const person = motherOf(newborn, { gender: 'female', identifier: [{ system: 'urn:m', value: '1' }] });
    const id = made(await post(person));
    for (const query of ['relationship=MTH', 'gender=female', 'identifier=urn:m|1', 'active=true'])
      expect([query, await found(`RelatedPerson?patient=${newborn}&${query}`)]).toEqual([query, [id]]);
    expect(await found(`RelatedPerson?patient=${newborn}&relationship=FTH`)).toEqual([]);
    expect(await found(`RelatedPerson?patient=${newborn}&_include=RelatedPerson:patient`)).toEqual([id, newborn]);
    const strict = await send('GET', '/fhir/RelatedPerson?height=1', { headers: { prefer: 'handling=strict' } });
    expect(strict.status).toBe(400);
    expect((await get('RelatedPerson?patient=')).status).toBe(400);
  });

  it('names its Patient by the Patient’s own id, also where the sender has another name for it', async () => {
    await send('PUT', '/fhir/Patient/first-name', { body: patient('openmrs', 'renamed', somebody(), { id: 'first-name' }) });
    await send('PUT', '/fhir/Patient/second-name', { body: patient('openmrs', 'renamed', somebody(), { id: 'second-name' }) });
    const related = (await post(motherOf('second-name'))).body() as RelatedPerson;
    expect(related.patient.reference).toBe('Patient/first-name');
  });

  it('is in the audit trail with the Patient that it is of: created, sent again, read, deleted', async () => {
    const newborn = await child('newborn-3');
    const about = motherOf(newborn);
    const id = made(await post(about));
    await send('PUT', `/fhir/RelatedPerson/${id}`, { body: { ...about, id } });
    await get(`RelatedPerson/${id}`);
    await send('DELETE', `/fhir/RelatedPerson/${id}`);
    const trail = (await get(`AuditEvent?patient=Patient/${newborn}`, 'ministry')).resource('Bundle');
    const events = (trail.entry ?? []).map(({ resource }) => JSON.parse(JSON.stringify(resource)) as AuditOf);
    const actions = events
      .filter(({ entity }) => entity.some(({ what }) => what?.reference?.startsWith(`RelatedPerson/${id}`)))
      .map(({ action, entity }) => [action, entity[0]?.what?.reference]);
    expect(actions).toEqual([
      ['D', `RelatedPerson/${id}/_history/2`],
      ['R', `RelatedPerson/${id}`],
      ['U', `RelatedPerson/${id}`],
      ['C', `RelatedPerson/${id}/_history/1`],
    ]);
  });
});

interface AuditOf {
  readonly action: string;
  readonly entity: readonly { readonly what?: { readonly reference?: string } }[];
}

describe('the metadata', () => {
  it('REST-01 tells what is done with them, and nothing else', async () => {
    const { rest } = (await get('metadata')).body() as {
      rest: [{ resource: { type: string; searchParam: { name: string }[] }[] }];
    };
    const types = rest[0].resource.map(({ type }) => type);
    expect(types).toEqual(['Patient', 'Organization', 'RelatedPerson', 'AuditEvent']);
    for (const { type, searchParam } of rest[0].resource.slice(1, 3))
      for (const { name } of searchParam) {
        const answer = await send('GET', `/fhir/${type}?${name}=x`, { headers: { prefer: 'handling=strict' } });
        expect([type, name, answer.status]).toEqual([type, name, 200]);
      }
  });
});
