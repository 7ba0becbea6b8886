/** `GET AuditEvent`: what was done and asked, as IHE BALP events (standards.md §5.1), for clients with the scope audit only. */
import { afterAll, describe, expect, it } from 'vitest';
import type { AuditEvent, Bundle } from '../../src/fhir/r4.ts';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;
await registry.register({ name: 'auditor', scopes: ['audit'] });

const page = async (query: string): Promise<Bundle> =>
  (await send('GET', `/fhir/AuditEvent${query}`, { client: 'auditor' })).resource('Bundle');
const eventsOf = ({ entry = [] }: Bundle): readonly AuditEvent[] =>
  entry.flatMap(({ resource }) => (resource?.resourceType === 'AuditEvent' ? [resource] : []));
const requestIdOf = ({ entity = [] }: AuditEvent): string | undefined =>
  entity.find(({ type }) => type.code === 'XrequestId')?.what?.identifier?.value;

let requests = 0;
/** The events that a request left. */
async function leaves(method: string, path: string, body?: object): Promise<readonly AuditEvent[]> {
  requests += 1;
  const id = `request-${requests}`;
  await send(method, path, { headers: { 'x-request-id': id }, ...(body && { body }) });
  return eventsOf(await page('?_count=500')).filter((event) => requestIdOf(event) === id);
}

const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const [SOURCE, DESTINATION] = ['110153', '110152'];
const roles = ({ agent }: AuditEvent) => agent.map(({ type }) => type.coding?.[0]?.code);
const subtypes = ({ subtype = [] }: AuditEvent) => subtype.map(({ code }) => code);
const kinds = ({ entity = [] }: AuditEvent) => entity.map(({ type, role }) => `${type.code} ${role?.code ?? '-'}`);
const whats = ({ entity = [] }: AuditEvent) => entity.flatMap(({ what }) => what?.reference ?? []);
const queryOf = ({ entity = [] }: AuditEvent) => Buffer.from(entity.find(({ query }) => query)?.query ?? '', 'base64').toString();

const anna = somebody();
const known = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'known', anna) });
const [record, cruid] = [idOf(known), cruidOf(known)];

describe('the events', () => {
  it('of a new patient: a creation of each Patient that came of it, record and golden record (AUD-01)', async () => {
    const events = await leaves('POST', '/fhir/Patient', patient('openmrs', 'created'));
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['C', '0'],
      ['C', '0'],
    ]);
    for (const event of events) {
      expect([event.type.code, subtypes(event), roles(event)]).toEqual(['rest', ['create'], [SOURCE, DESTINATION]]);
      expect(kinds(event)).toEqual(['2 4', '1 1', 'XrequestId -']);
      expect(event.agent[0]).toMatchObject({
        requestor: true,
        who: { display: 'openmrs' },
        network: { address: '127.0.0.1', type: '2' },
      });
    }
  });

  it('of an update: one of the Patient that changed, and of nobody else’s (AUD-03)', async () => {
    const [event, ...more] = await leaves('POST', '/fhir/Patient', patient('openmrs', 'known', { ...anna, gender: 'other' }));
    expect(more).toEqual([]);
    expect(event).toMatchObject({ action: 'U', outcome: '0' });
    expect(event && [subtypes(event), whats(event)]).toEqual([['update'], [`Patient/${record}/_history/2`, `Patient/${record}`]]);
  });

  it('of a submission that joined two persons: the golden records too', async () => {
    const events = await leaves('POST', '/fhir/Patient', patient('openmrs', 'created', { ...anna, gender: 'other' }));
    expect(events.flatMap(whats)).toContain(`Patient/${cruid}`);
    expect(events.map(({ action }) => action)).toEqual(Array(events.length).fill('U'));
  });

  it.each([
    ['read', () => `/fhir/Patient/${record}`],
    ['vread', () => `/fhir/Patient/${record}/_history/1`],
    ['history-instance', () => `/fhir/Patient/${record}/_history`],
  ])('of a %s: data flow from the registry to the client (AUD-02)', async (subtype, path) => {
    const [event, ...more] = await leaves('GET', path());
    expect(more).toEqual([]);
    expect(event).toMatchObject({ action: 'R', outcome: '0' });
    expect(event && [subtypes(event), roles(event), kinds(event)]).toEqual([
      [subtype],
      [DESTINATION, SOURCE],
      ['2 4', '1 1', 'XrequestId -'],
    ]);
  });

  it('of a query: one a Patient found, with the request as it was asked, and none of what was found (AUD-05)', async () => {
    const path = `/fhir/Patient?_id=${record},${cruid}`;
    const events = await leaves('GET', path);
    expect(events.flatMap(whats).toSorted()).toEqual([`Patient/${record}`, `Patient/${cruid}`].toSorted());
    for (const event of events) {
      expect([event.action, subtypes(event), roles(event)]).toEqual([
        'E',
        ['search', 'search-type', 'ITI-78'],
        [SOURCE, DESTINATION],
      ]);
      expect([queryOf(event), kinds(event)]).toEqual([`GET ${path}`, ['2 24', '1 1', 'XrequestId -']]);
      expect(JSON.stringify(event)).not.toContain(anna.birthDate);
    }
  });

  it('of a query that found nobody: one, with the request', async () => {
    const [event, ...more] = await leaves('GET', '/fhir/Patient?identifier=nobody');
    expect(more).toEqual([]);
    expect(event && kinds(event)).toEqual(['2 24', 'XrequestId -']);
  });

  it('of $ihe-pix: ITI-83, the patient by the identifier that was asked about (AUD-10)', async () => {
    const path = `/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(`${systemOf('openmrs')}|known`)}`;
    const [event] = await leaves('GET', path);
    expect(event && subtypes(event)).toEqual(['search', 'ITI-83']);
    expect(event?.entity?.find(({ type }) => type.code === '1')?.what?.identifier).toEqual({
      system: systemOf('openmrs'),
      value: 'known',
    });
    expect(event && queryOf(event)).toBe(`GET ${path}`);
  });

  it('of $ihe-pix by POST: the identifier asked about in the body, too (AUD-10)', async () => {
    const parameter = [{ name: 'sourceIdentifier', valueString: `${systemOf('openmrs')}|known` }];
    const [event] = await leaves('POST', '/fhir/Patient/$ihe-pix', { resourceType: 'Parameters', parameter });
    const patientEntity = event?.entity?.find(({ type }) => type.code === '1');
    expect(patientEntity?.what?.identifier).toEqual({ system: systemOf('openmrs'), value: 'known' });
  });

  it('of a refusal: what was asked, and why it was refused', async () => {
    const [event] = await leaves('GET', '/fhir/Patient/unknown');
    expect(event).toMatchObject({ outcome: '4', outcomeDesc: 'not-found' });
    expect(event && queryOf(event)).toBe('GET /fhir/Patient/unknown');
  });

  it('of a stranger’s refusal: the beginning of what was asked, so that strangers cannot fill the disk', async () => {
    const path = `/fhir/Patient?_id=${'x'.repeat(10_000)}`;
    await send('GET', path, { client: null });
    const [event] = eventsOf(await page('?_count=500')).filter(({ outcomeDesc }) => outcomeDesc === 'no-certificate');
    expect(event && queryOf(event)).toBe(`GET ${path}`.slice(0, 512));
    const [own] = await leaves('GET', path);
    expect(own && queryOf(own)).toBe(`GET ${path}`);
  });

  it('of who is registered: a Security Alert, by the operator’s account', async () => {
    await registry.register({ name: 'ward-7' });
    const [event] = eventsOf(await page('?_count=500')).filter(({ type }) => type.code === '110113');
    expect(event).toMatchObject({ type: { system: DCM }, subtype: [{ system: DCM, code: '110137' }], action: 'E' });
    expect(event?.agent[0]?.network).toEqual({ address: 'localhost', type: '1' });
  });

  it('all name their recorder as the server that took part (AUD-14), and two agents', async () => {
    for (const { agent, source } of eventsOf(await page('?_count=500'))) {
      expect(agent).toHaveLength(2);
      expect(source.observer).toEqual(agent[1]?.who);
    }
  });
});

describe('the trail', () => {
  it('is for clients with the scope audit: 403 for others, which is on record too', async () => {
    const answer = await send('GET', '/fhir/AuditEvent');
    expect([answer.status, answer.resource('OperationOutcome').issue[0]?.code]).toEqual([403, 'forbidden']);
  });

  it('is newest first, and paged without a gap or a repetition', async () => {
    const all = eventsOf(await page('?_count=500'));
    const times = all.map(({ recorded }) => recorded);
    expect(times).toEqual(times.toSorted().toReversed());
    const paged: AuditEvent[] = [];
    let query: string | undefined = '?_count=7';
    while (query !== undefined) {
      const bundle: Bundle = await page(query);
      paged.push(...eventsOf(bundle));
      const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
      query = next === undefined ? undefined : new URL(next).search;
    }
    const ids = paged.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(all.map(({ id }) => id)));
  });

  it('holds its own readings (Audit Log Used)', async () => {
    await page('?_count=1');
    const read = eventsOf(await page('?_count=5')).find(({ type }) => type.code === '110101');
    expect(read).toMatchObject({ action: 'R', outcome: '0' });
  });

  it.each(['_count=0', '_count=x', '_page=1', '_page=a-b'])('refuses %s (400)', async (query) => {
    expect((await send('GET', `/fhir/AuditEvent?${query}`, { client: 'auditor' })).status).toBe(400);
  });
});
