/** `GET AuditEvent?…` and `GET AuditEvent/<id>`, as ITI-81 asks for them; and the events of IHE's transactions. */
import { afterAll, describe, expect, it } from 'vitest';
import type { AuditEvent, Bundle } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;
await registry.register({ name: 'auditor', scopes: ['audit'] });

const ask = (query: string, headers: Record<string, string> = {}): Promise<Answer> =>
  send('GET', `/fhir/AuditEvent?${query}`, { client: 'auditor', headers });
const eventsOf = ({ entry = [] }: Bundle): readonly AuditEvent[] =>
  entry.flatMap(({ resource }) => (resource?.resourceType === 'AuditEvent' ? [resource] : []));
/** Every event that a search finds, page by page. */
async function found(query: string): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (let next: string | undefined = query; next !== undefined;) {
    const bundle: Bundle = (await ask(next)).resource('Bundle');
    events.push(...eventsOf(bundle));
    const url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    next = url === undefined ? undefined : new URL(url).search.slice(1);
  }
  return events;
}
const subtypes = ({ subtype = [] }: AuditEvent) => subtype.map(({ code }) => code);
const patientOf = ({ entity = [] }: AuditEvent) => entity.find(({ type }) => type.code === '1')?.what;
const queryOf = ({ entity = [] }: AuditEvent) => Buffer.from(entity.find(({ query }) => query)?.query ?? '', 'base64').toString();
const codesOf = (events: readonly AuditEvent[]) => [...new Set(events.map(({ action }) => action))].toSorted().join('');

const anna = somebody();
const own = `${systemOf('openmrs')}|known`;
const fed = await send('PUT', `/fhir/Patient?identifier=${encodeURIComponent(own)}`, { body: patient('openmrs', 'known', anna) });
const record = idOf(fed);
await send('PUT', `/fhir/Patient?identifier=${encodeURIComponent(own)}`, {
  body: patient('openmrs', 'known', { ...anna, gender: 'other' }),
});
await send('PUT', `/fhir/Patient?identifier=${encodeURIComponent(own)}`, {
  body: patient('openmrs', 'known', { ...anna, gender: 'other' }),
});
const lims = await send('POST', '/fhir/Patient', { client: 'lims', body: patient('lims', 'of-lims') });
await send('GET', `/fhir/Patient/${record}`);
await send('GET', `/fhir/Patient?identifier=${encodeURIComponent(own)}`);
await send('GET', '/fhir/Patient/unknown');
await send('GET', `/fhir/Patient?_id=nobody`, { client: 'lims' });
const question = {
  resourceType: 'Parameters',
  parameter: [{ name: 'resource', resource: { resourceType: 'Patient', ...anna } }],
};
await send('POST', '/fhir/Patient/$match', { body: question });

describe('the events of IHE’s transactions', () => {
  it('AUD-11: the identity feed is told as a creation, then as updates, of the patient by its identifier and by no reference', async () => {
    const events = (await found('subtype=ITI-104')).toReversed();
    expect(events.map((event) => [event.action, subtypes(event)])).toEqual([
      ['C', ['create', 'ITI-104']],
      ['U', ['update', 'ITI-104']],
      ['U', ['update', 'ITI-104']],
    ]);
    for (const event of events) expect(patientOf(event)).toEqual({ identifier: { system: systemOf('openmrs'), value: 'known' } });
    expect(events[0]?.entity?.[0]?.what?.reference).toBe(`Patient/${record}/_history/1`);
  });

  it('AUD-11: a plain submission is no identity feed, and the golden record that came of one is told as itself', async () => {
    expect((await found(`patient=Patient/${idOf(lims)}&action=C`)).map(subtypes)).toEqual([['create']]);
    expect((await found(`patient=${cruidOf(fed)}&action=C`)).map(subtypes)).toEqual([['create']]);
  });

  it('AUD-12: a search is ITI-78, and names the one patient that it asked for, found or not', async () => {
    const [byId, byIdentifier] = await found('subtype=urn:ihe:event-type-code%7CITI-78');
    expect(byId && [subtypes(byId), patientOf(byId)]).toEqual([
      ['search', 'search-type', 'ITI-78'],
      { reference: 'Patient/nobody' },
    ]);
    expect(byIdentifier && patientOf(byIdentifier)).toMatchObject({
      reference: expect.stringMatching(/^Patient\//),
      identifier: { system: systemOf('openmrs'), value: 'known' },
    });
  });

  it('AUD-13: $match is ITI-119, with the Parameters that were sent', async () => {
    const [event] = await found('subtype=ITI-119');
    expect(event && [event.action, subtypes(event)]).toEqual(['E', ['search', 'ITI-119']]);
    expect(event && JSON.parse(queryOf(event))).toEqual(question);
  });

  it('ATNA-06: the start of the server is told', async () => {
    const [event] = await found('type=110100');
    expect(event).toMatchObject({ action: 'E', outcome: '0', subtype: [{ code: '110120' }] });
  });
});

describe('ITI-81: the trail is searched', () => {
  it.each([
    ['patient', `Patient/${record}`],
    ['patient', record],
    ['patient', `https://elsewhere.example.org/fhir/Patient/${record}`],
    ['patient:Patient', record],
    ['entity', `Patient/${record}`],
  ])('by %s=%s, any version of it', async (name, value) => {
    const events = await found(`${name}=${encodeURIComponent(value)}`);
    expect(codesOf(events)).toBe('CERU');
    for (const event of events) expect(JSON.stringify(event.entity)).toContain(`Patient/${record}`);
    expect(await found('patient=Patient/nobody-at-all')).toEqual([]);
  });

  it('by an identifier of the patient, as it is known now or was asked about', async () => {
    const chained = await found(`patient.identifier=${encodeURIComponent(own)}`);
    expect(codesOf(chained)).toBe('CERU');
    expect(chained.map(({ id }) => id)).toEqual(expect.arrayContaining((await found(`patient=${record}`)).map(({ id }) => id)));
    const asked = await found(`patient:identifier=${encodeURIComponent(own)}`);
    expect(asked.every((event) => patientOf(event)?.identifier?.value === 'known')).toBe(true);
    expect(asked.length).toBeGreaterThan(3);
  });

  it('by agent, source and address', async () => {
    const events = await found('agent=lims');
    expect(codesOf(events)).toBe('CE');
    for (const { agent } of events) expect(agent[0]?.who.display).toBe('lims');
    const byIdentifier = await found(
      `agent:identifier=${encodeURIComponent('http://openclientregistry.org/fhir/clientid|lims')}`,
    );
    expect(byIdentifier.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(await found('source=elsewhere')).toEqual([]);
    expect((await found('source=OpenCR&agent=lims')).length).toBe(events.length);
    expect((await found('address=127.0&agent=lims')).length).toBe(events.length);
    expect(await found('address=10.')).toEqual([]);
  });

  it('by type, subtype, action and outcome, alternatives by comma', async () => {
    expect(
      (await found('type=http://dicom.nema.org/resources/ontology/DCM%7C110113')).every(({ type }) => type.code === '110113'),
    ).toBe(true);
    expect(codesOf(await found('type=rest&action=C,U'))).toBe('CU');
    const failed = await found('outcome=4&agent=openmrs');
    expect(failed.map(({ outcomeDesc }) => outcomeDesc)).toContain('not-found');
    expect(new Set(failed.map(({ outcome }) => outcome))).toEqual(new Set(['4']));
    expect((await found('subtype=vread,read&type=rest&outcome=0&agent=openmrs')).flatMap(subtypes)).toEqual(['read']);
  });

  it('by date, with the prefixes of R4', async () => {
    const all = await found('agent=openmrs');
    const middle = all[3]?.recorded ?? '';
    const since = await found(`agent=openmrs&date=ge${middle}`);
    const before = await found(`agent=openmrs&date=lt${middle}`);
    expect([...since, ...before].map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(since.every(({ recorded }) => recorded >= middle)).toBe(true);
    expect(await found(`date=gt2100`)).toEqual([]);
    expect(await found(`date=lt2020`)).toEqual([]);
    expect((await found('agent=openmrs&date=ge0000&date=le9999-12-31')).length).toBe(all.length);
    expect((await found(`agent=openmrs&date=${middle.slice(0, 4)}`)).length).toBe(all.length);
  });

  it('by _id, and read by it', async () => {
    const [first, second] = await found('agent=lims');
    const both = await found(`_id=${first?.id ?? ''},${second?.id ?? ''}`);
    expect(both).toEqual([first, second]);
    expect(await found(`_id=${first?.id ?? ''}&agent=openmrs`)).toEqual([]);
    const read = await send('GET', `/fhir/AuditEvent/${second?.id ?? ''}`, { client: 'auditor' });
    expect(read.resource('AuditEvent')).toEqual(second);
  });

  it.each(['change-1-99', 'change-999999-1', 'access-0-1', 'nothing', 'access-99999-1'])(
    'AuditEvent/%s is not there (404)',
    async (id) => {
      expect((await send('GET', `/fhir/AuditEvent/${id}`, { client: 'auditor' })).status).toBe(404);
    },
  );

  it('and read by those with the scope audit only (403)', async () => {
    expect((await send('GET', '/fhir/AuditEvent/change-1-1')).status).toBe(403);
  });

  it('in pages of exactly _count events, without a gap or a repetition, however many events a row has', async () => {
    const sizes: number[] = [];
    const paged: AuditEvent[] = [];
    const whole = await found('type=rest&date=le2099&_count=500');
    for (let next: string | undefined = 'type=rest&date=le2099&_count=1'; next !== undefined;) {
      const bundle: Bundle = (await ask(next)).resource('Bundle');
      sizes.push(eventsOf(bundle).length);
      paged.push(...eventsOf(bundle));
      const url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
      next = url === undefined ? undefined : new URL(url).search.slice(1);
      expect(next ?? 'date=le2099').toContain('date=le2099');
    }
    expect(new Set(sizes.slice(0, -1))).toEqual(new Set([1]));
    expect(paged.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
  });

  it.each([
    ['_count=0', 400],
    ['_count=1&_count=2', 400],
    ['_sort=date', 400],
    ['_sort=-date', 200],
    ['_page=nonsense', 400],
    ['date=yesterday', 400],
    ['date=0000-00-00', 400],
    ['date=2026-13', 400],
    ['date=le9999-12-31T23:59:59-14:00', 400],
    ['date=ge0000-01-01', 200],
    ['patient=', 400],
    ['patient=a%20b', 400],
    ['patient.identifier=', 400],
    ['agent=', 400],
    ['type=', 400],
    [`_id=${Array(101).fill('a').join(',')}`, 400],
    ['constructor=x', 200],
    ['unknown=x', 200],
  ])('%s is answered with %i', async (query, status) => {
    expect((await ask(query)).status).toBe(status);
  });

  it('and an unknown parameter is refused where the client asks for strictness', async () => {
    expect((await ask('unknown=x', { prefer: 'handling=strict' })).status).toBe(400);
  });
});
