/** What entries of a Bundle say of each other, and what is read in one. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, BundleEntry, Organization, Patient, RelatedPerson } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { idOf, identifier, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
await registry.register({ name: 'auditor', scopes: ['audit'] });
const { send } = registry;

type Entry = Readonly<Record<string, unknown>>;
const post = (resource: { readonly resourceType: string }, fullUrl?: string, more: object = {}): Entry => ({
  ...(fullUrl !== undefined && { fullUrl }),
  resource,
  request: { method: 'POST', url: resource.resourceType, ...more },
});
const reading = (url: string, more: object = {}): Entry => ({ request: { method: 'GET', url, ...more } });
const bundle = (type: string, entry: readonly Entry[], headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  send('POST', '/fhir', { body: { resourceType: 'Bundle', type, entry }, headers });
const transaction = (entry: readonly Entry[]): Promise<Answer> => bundle('transaction', entry);
const entries = (answer: Answer): readonly BundleEntry[] => answer.resource('Bundle').entry ?? [];
const resources = (answer: Answer) => entries(answer).map(({ resource }) => resource as Patient & Pick<RelatedPerson, 'patient'>);
const statuses = (answer: Answer) => entries(answer).map(({ response }) => response?.status);
const get = (path: string, client = 'openmrs') => send('GET', `/fhir/${path}`, { client });

let uuids = 0;
const urn = (): string => `urn:uuid:00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`;
const organization = (value: string, more: Partial<Organization> = {}): Organization => ({
  resourceType: 'Organization',
  identifier: [{ system: 'urn:org', value }],
  name: value,
  ...more,
});
const relatedTo = (reference: string, more: Partial<RelatedPerson> = {}): RelatedPerson => ({
  resourceType: 'RelatedPerson',
  patient: { reference },
  ...more,
});

describe('TX-05 references between the entries of a transaction', () => {
  it('by urn:uuid, whatever their order, become those of the resources that were made', async () => {
    const [child, mother, clinic] = [urn(), urn(), urn()];
    const answer = await transaction([
      post(relatedTo(child), mother),
      post(
        patient('openmrs', 'tx5-child', somebody(), {
          managingOrganization: { reference: clinic },
          text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${clinic}">clinic</a></div>` },
          extension: [
            { url: 'http://example.org/uri', valueUri: clinic } as object as { url: string },
            { url: 'http://example.org/canonical', valueCanonical: clinic } as object as { url: string },
          ],
        }),
        child,
      ),
      post(organization('tx5'), clinic),
    ]);
    expect(statuses(answer)).toEqual(['201', '201', '201']);
    const [related, born, managing] = resources(answer);
    const at = `Organization/${managing?.id}`;
    expect(related?.patient.reference).toBe(`Patient/${born?.id}`);
    const kept = (await get(`Patient/${born?.id}`)).resource('Patient');
    expect(kept).toEqual(born);
    expect(kept).toMatchObject({
      managingOrganization: { reference: at },
      text: { div: expect.stringContaining(`href="${at}"`) as string },
      extension: [{ valueUri: at }, { valueCanonical: clinic }],
    });
  });

  it('find the record that a Patient of the transaction updates, under its own id', async () => {
    const id = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'tx5-known') }));
    const child = urn();
    const [, related] = resources(
      await transaction([post(patient('openmrs', 'tx5-known', somebody()), child), post(relatedTo(child), urn())]),
    );
    expect(related?.patient.reference).toBe(`Patient/${id}`);
  });

  it('by a url that is an entry’s fullUrl, and relative to it (bundle.html#references)', async () => {
    const [absolute, relative] = resources(
      await transaction([
        post(relatedTo('https://emr.example/fhir/Patient/7'), urn()),
        post(relatedTo('Patient/7'), 'https://emr.example/fhir/RelatedPerson/8'),
        post(patient('openmrs', 'tx5-url'), 'https://emr.example/fhir/Patient/7'),
      ]),
    ).map((one) => (one.patient as RelatedPerson['patient'] | undefined)?.reference);
    expect(absolute).toMatch(/^Patient\//);
    expect(relative).toBe(absolute);
  });

  it('lead a merge to the survivor that the same transaction submits', async () => {
    const survivor = urn();
    const old = patient('openmrs', 'tx5-old');
    const answer = await transaction([
      post({ ...old, active: false, link: [{ type: 'replaced-by', other: { reference: survivor } }] } as Patient),
      post(patient('openmrs', 'tx5-survivor'), survivor),
    ]);
    const [merged, stands] = resources(answer);
    expect(merged?.link).toEqual([{ type: 'replaced-by', other: { reference: `Patient/${stands?.id}` } }]);
  });

  it('in a circle of Patients are refused, and nothing is kept', async () => {
    const [one, other] = [urn(), urn()];
    const naming = (value: string, name: string): Patient =>
      patient('openmrs', value, somebody(), {
        extension: [{ url: 'http://example.org/twin', valueReference: { reference: name } }],
      });
    const before = await registry.head();
    const answer = await transaction([post(naming('circle-1', other), one), post(naming('circle-2', one), other)]);
    expect(answer.status).toBe(422);
    expect(await registry.head()).toEqual(before);
    const line = await transaction([post(naming('line-1', other), one), post(patient('openmrs', 'line-2'), other)]);
    const [first, second] = resources(line);
    expect(first?.extension?.[0]?.valueReference?.reference).toBe(`Patient/${second?.id}`);
  });

  it('are left as they are in a batch, whose entries know nothing of each other', async () => {
    const child = urn();
    const [, related] = resources(await bundle('batch', [post(patient('openmrs', 'tx5-batch'), child), post(relatedTo(child))]));
    expect(related?.patient.reference).toBe(child);
  });
});

describe('TX-07 conditional references', () => {
  const conditional = (value: string): string => `Patient?identifier=${systemOf('openmrs')}|${value}`;

  it('become those of the one that has the identifier, of the same transaction or from before', async () => {
    const before = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'tx7-before') }));
    const clinic = resources(await transaction([post(organization('tx7'))]))[0]?.id;
    const answer = await transaction([
      post(relatedTo(conditional('tx7-before'))),
      post(relatedTo(conditional('tx7-now'))),
      post(
        patient('openmrs', 'tx7-now', somebody(), { managingOrganization: { reference: 'Organization?identifier=urn:org|tx7' } }),
      ),
    ]);
    const [first, second, born] = resources(answer);
    expect(first?.patient.reference).toBe(`Patient/${before}`);
    expect(second?.patient.reference).toBe(`Patient/${born?.id}`);
    expect(born?.managingOrganization?.reference).toBe(`Organization/${clinic}`);
  });

  it.each([
    ['none', 422, 'Organization?identifier=urn:org|nobody'],
    ['several', 412, 'Organization?identifier=urn:org|twins'],
    ['no condition on an identifier', 400, 'Organization?name=x'],
  ])('that name %s fail the transaction (%i)', async (_, status, reference) => {
    if (reference.includes('twins')) await transaction([post(organization('twins')), post(organization('twins', { name: 'b' }))]);
    const before = await registry.head();
    const answer = await transaction([
      post(organization(`tx7-${status}`)),
      post(patient('openmrs', `tx7-${status}`, somebody(), { managingOrganization: { reference } })),
    ]);
    expect(answer.status).toBe(status);
    expect(await registry.head()).toEqual(before);
  });

  it('to Patients of others name nobody: a reference is no way to ask', async () => {
    await send('POST', '/fhir/Patient', { client: 'dhis2', body: patient('dhis2', 'theirs') });
    const answer = await transaction([post(relatedTo(`Patient?identifier=${systemOf('dhis2')}|theirs`))]);
    expect(answer.status).toBe(422);
  });
});

describe('TX-03 reading in a Bundle', () => {
  it('comes last: it sees what the Bundle wrote, and is answered in its place', async () => {
    const answer = await transaction([
      reading(`Patient?identifier=${systemOf('openmrs')}|tx3`),
      post(patient('openmrs', 'tx3')),
      reading('Organization/nobody'),
    ]);
    expect(statuses(answer)).toEqual(['200', '201', '404']);
    const [searched, made] = entries(answer);
    const hits = (searched?.resource as unknown as Bundle).entry ?? [];
    expect(hits.map(({ resource }) => (resource as Patient).id)).toEqual([(made?.resource as Patient).id]);
  });

  it('reads, reads versions and histories, and honours ifNoneMatch', async () => {
    const id = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'tx3-read') }));
    const answer = await bundle('batch', [
      reading(`Patient/${id}`),
      reading(`/Patient/${id}/_history/1`),
      reading(`Patient/${id}/_history`),
      reading(`Patient/${id}`, { ifNoneMatch: 'W/"1"' }),
      reading(`Patient/$ihe-pix?sourceIdentifier=${systemOf('openmrs')}|tx3-read`),
      reading('Observation/1'),
      reading('Patient?birthdate=nonsense'),
      reading('metadata'),
    ]);
    expect(statuses(answer)).toEqual(['200', '200', '200', '304', '200', '404', '400', '200']);
    expect(entries(answer)[0]?.response).toMatchObject({ etag: 'W/"1"', lastModified: expect.stringMatching(/Z$/) as string });
    expect((entries(answer)[2]?.resource as unknown as Bundle).type).toBe('history');
    expect(entries(answer)[3]?.resource).toBeUndefined();
  });

  it('is in the audit trail entry by entry, as the same request by itself', async () => {
    const id = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'tx3-audit') }));
    await bundle('batch', [reading(`Patient/${id}`), reading(`Patient?_id=${id}`)], { 'x-request-id': 'reads-in-a-bundle' });
    const trail = (await send('GET', '/fhir/AuditEvent?_count=5', { client: 'auditor' })).resource('Bundle');
    const events = (trail.entry ?? []).filter(({ resource }) => JSON.stringify(resource).includes('reads-in-a-bundle'));
    expect(events.map(({ resource }) => (resource as { action?: string }).action)).toEqual(['E', 'R']);
    expect(JSON.stringify(events)).toContain(Buffer.from(`GET /fhir/Patient?_id=${id}`).toString('base64'));
  });
});

describe('TX-10 the history of another server', () => {
  it('is carried out from its end, its oldest version first', async () => {
    const person = somebody();
    const version = (birthDate: string): Patient => patient('openmrs', 'tx10', { ...person, birthDate }, { id: 'tx10' });
    const answer = await bundle('history', [
      { request: { method: 'PUT', url: 'Patient/tx10' }, resource: version('1990-02-02'), response: { status: '200' } },
      { request: { method: 'POST', url: 'Patient' }, resource: version('1990-01-01'), response: { status: '201' } },
    ]);
    expect([answer.resource('Bundle').type, statuses(answer)]).toEqual(['batch-response', ['200', '201']]);
    const id = resources(answer)[0]?.id;
    expect(resources(answer)[1]?.id).toBe(id);
    expect((await get(`Patient/${id}`)).resource('Patient').birthDate).toBe('1990-02-02');
    const gone = await bundle('history', [{ request: { method: 'DELETE', url: `Patient/${id}` }, response: { status: '204' } }]);
    expect(statuses(gone)).toEqual(['204']);
    expect((await get(`Patient/${id}`)).status).toBe(410);
  });
});

describe('one transaction of several types', () => {
  it('TX-04 in which a resource comes twice is refused whole', async () => {
    const twice = { ...organization('twice'), id: 'twice' };
    const put = { resource: twice, request: { method: 'PUT', url: 'Organization/twice' } };
    expect((await transaction([put, put])).status).toBe(400);
    const once = { ifNoneExist: 'identifier=urn:org|twice-by-condition' };
    const conditional = post(organization('twice-by-condition'), undefined, once);
    await transaction([conditional]);
    expect((await transaction([conditional, conditional])).status).toBe(400);
  });

  it('TX-02 of which one entry is refused keeps none', async () => {
    const before = await registry.head();
    const answer = await transaction([
      post(organization('tx2')),
      post({ ...patient('openmrs', 'tx2'), identifier: [identifier('dhis2', 'foreign')] } as Patient),
    ]);
    expect(answer.status).toBe(403);
    expect(await registry.head()).toEqual(before);
  });
});
