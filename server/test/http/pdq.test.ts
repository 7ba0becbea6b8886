/** PDQm ITI-78 and the search of FHIR R4 beyond demographics: every parameter, forms, domains, links and what they include. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, BundleEntry, Patient } from '../../src/fhir/r4.ts';
import { type Answer, type Sending, startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, national, NATIONAL, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
const strict = await startRegistry({ config: { authorities: { mode: 'strict' } } });
afterAll(() => Promise.all([registry.stop(), strict.stop()]));
for (const one of [registry, strict]) await one.register({ name: 'ministry', scopes: ['demographics', 'audit'] });
const base = `https://127.0.0.1:${registry.server.port}/fhir`;

const MAIDEN = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
const TYPES = 'http://terminology.hl7.org/CodeSystem/v2-0203';
const WARD = 'http://ward.example';
const enc = encodeURIComponent;

const whole: Partial<Patient> = {
  meta: {
    profile: ['http://fhir.example/StructureDefinition/a'],
    security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    tag: [{ system: 'http://tags.example', code: 'trial' }],
  },
  extension: [{ url: MAIDEN, valueString: 'Nakiru' }],
  name: [{ use: 'official', family: 'Lokwang', given: ['Akello'], prefix: ['Dr'] }],
  gender: 'female',
  birthDate: '1982-02-03',
  deceasedDateTime: '2024-05-06T10:00:00+03:00',
  telecom: [
    { system: 'phone', value: '+256 700-111', use: 'mobile' },
    { system: 'email', value: 'a@example.org' },
  ],
  address: [{ use: 'home', city: 'Kotido', state: 'Karamoja', postalCode: '123', country: 'UG' }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'sw' }] } }],
  generalPractitioner: [{ reference: 'Practitioner/p1' }],
  managingOrganization: { reference: 'Organization/o1', identifier: { system: 'urn:org', value: 'MoH' } },
};
const ids: Record<string, string> = {};
const cruids: Record<string, string> = {};
async function submit(name: string, client: string, more: Partial<Patient>): Promise<Answer> {
  const answer = await registry.send('POST', '/fhir/Patient', { client, body: patient(client, name, somebody(), more) });
  [ids[name], cruids[name]] = [idOf(answer), cruidOf(answer)];
  return answer;
}
await submit('whole', 'openmrs', {
  ...whole,
  identifier: [
    identifier('openmrs', 'whole'),
    { ...national('N-1'), type: { coding: [{ system: TYPES, code: 'NI' }] } },
    { system: WARD, value: '7' },
  ],
});
await submit('bare', 'openmrs', { name: [{ family: 'Bare' }], gender: 'male', telecom: [], active: false });
await submit('other', 'dhis2', { name: [{ family: 'Lokwango', given: ['Bosco'] }], gender: 'male', deceasedBoolean: false });
/** The same person at another client. */
await submit('again', 'lims', { ...whole, identifier: [identifier('lims', 'again'), national('N-1')], meta: {} });
const nameOf = (id = ''): string =>
  [...Object.entries(ids), ...Object.entries(cruids).map(([name, one]) => [`golden ${name}`, one] as const)].find(
    ([, known]) => known === id,
  )?.[0] ?? id;

const send = (query: string, sending: Sending = {}): Promise<Answer> =>
  registry.send('GET', `/fhir/Patient?${query}`, { client: 'ministry', ...sending });
const bundleOf = async (query: string): Promise<Bundle> => (await send(query)).resource('Bundle');
const named = ({ entry = [] }: Bundle, mode = 'match'): readonly string[] =>
  entry
    .filter(({ search }) => search?.mode === mode)
    .flatMap(({ resource }) => (resource?.resourceType === 'Patient' ? [nameOf(resource.id)] : []));
const outcomes = ({ entry = [] }: Bundle): readonly BundleEntry[] => entry.filter(({ search }) => search?.mode === 'outcome');

describe('every search parameter of Patient', () => {
  const both = ['whole', 'again'];
  it.each([
    ['gender=female&gender=male', []],
    ['given=akello,bosco', ['whole', 'again', 'other']],
    ['active=false', ['bare']],
    ['active:not=false', ['whole', 'other', 'again']],
    ['address=kar', both],
    ['address-city=Kotido&address-country=ug', both],
    ['address-state:exact=Karamoja', both],
    ['address-postalcode=12', both],
    ['address-use=home', both],
    ['address-use:missing=true', ['bare', 'other']],
    ['birthdate=ap1982&family=lokwang', both],
    ['birthdate:missing=false', ['whole', 'bare', 'other', 'again']],
    ['death-date=2024-05-06', both],
    ['death-date=lt2024-05-06T08:00:00Z', both],
    ['death-date=gt2024-05-06T08:00:00Z', []],
    ['death-date:missing=true', ['bare', 'other']],
    ['deceased=true', both],
    ['deceased=false', ['bare', 'other']],
    ['email=A@example.org', both],
    ['family=lokwang&gender=female', both],
    ['family:exact=Lokwang', both],
    ['gender:not=male', both],
    ['gender=http://hl7.org/fhir/administrative-gender|male&active=true', ['other']],
    ['general-practitioner=p1', both],
    ['general-practitioner:Practitioner=p1', both],
    ['general-practitioner:missing=true&active=true', ['other']],
    ['given=ake', both],
    ['given:missing=true', ['bare']],
    ['identifier:missing=true', []],
    [`identifier:of-type=${enc(`${TYPES}|NI|N-1`)}`, ['whole']],
    [`identifier:not=${enc(`${NATIONAL}|N-1`)}`, ['bare', 'other']],
    [`identifier:not=${enc(`${systemOf('openmrs')}|`)}`, ['other', 'again']],
    ['language=sw', both],
    ['language=urn:ietf:bcp:47%7Csw', both],
    ['language:missing=true', ['bare', 'other']],
    ['name=dr', both],
    ['organization=o1', both],
    ['organization=Organization/o1', both],
    [`organization=${enc(`${base}/Organization/o1`)}`, both],
    ['organization=https://elsewhere.example/fhir/Organization/o1', []],
    ['organization:identifier=urn:org%7CMoH', both],
    ['phone=256700111&telecom=phone%7C', []],
    ['phone=%2B256700111&telecom=phone%7C', both],
    ['telecom:missing=true', ['bare']],
    ['mothersMaidenName=nak', both],
    ['mothersMaidenName:missing=true&gender=male', ['bare', 'other']],
    ['_tag=trial', ['whole']],
    ['_tag=http://tags.example%7C', ['whole']],
    ['_tag:not=trial&active=true', ['other', 'again']],
    ['_profile=http://fhir.example/StructureDefinition/a', ['whole']],
    ['_profile:below=http://fhir.example/StructureDefinition', ['whole']],
    ['_security=R', ['whole']],
    ['link:missing=true', []],
    ['link:missing=false&gender=female', both],
  ])(
    'SRCH-09, SRCH-10, SRCH-11, SRCH-12, PDQ-78-01, PDQ-78-02, PDQ-78-03, PDQ-78-04, PDQ-78-05: %s finds %j, also beside an id',
    async (query, expected) => {
      expect(named(await bundleOf(query)).toSorted()).toEqual(expected.toSorted());
      const all = Object.values(ids).join(',');
      expect(named(await bundleOf(`_id=${all}&${query}`)).toSorted()).toEqual(expected.toSorted());
    },
  );

  it('PDQ-78-07, PDQ-78-14: answers with total, full urls and the mother’s maiden name', async () => {
    const bundle = await bundleOf('mothersMaidenName:exact=Nakiru');
    expect([bundle.type, bundle.total]).toEqual(['searchset', 2]);
    expect(bundle.entry?.[0]?.fullUrl).toBe(`${base}/Patient/${ids['whole']}`);
    expect(JSON.stringify(bundle.entry?.[0]?.resource)).toContain('"valueString":"Nakiru"');
  });

  it('PDQ-78-09, PDQ-78-17: nothing found is 200 without entries, an unknown id 404', async () => {
    const bundle = await bundleOf('family=nobody&gender=female');
    expect(bundle.total).toBe(0);
    expect(bundle).not.toHaveProperty('entry');
    const missing = await registry.send('GET', '/fhir/Patient/unknown', { client: 'ministry' });
    expect([missing.status, missing.resource('OperationOutcome').issue[0]?.code]).toEqual([404, 'not-found']);
  });
});

describe('a form', () => {
  const form = (body: string, query = '', sending: Sending = {}): Promise<Answer> =>
    registry.send('POST', `/fhir/Patient/_search${query}`, {
      client: 'ministry',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      ...sending,
    });

  it('SRCH-17: asks by POST _search, its parameters and those of the URL together, and links by GET', async () => {
    const first = (await form('gender=female&_sort=_lastUpdated', '?family=lok&_count=1')).resource('Bundle');
    expect([first.total, named(first)]).toEqual([2, ['whole']]);
    const next = first.link?.find(({ relation }) => relation === 'next')?.url ?? '';
    expect(next).toMatch(new RegExp(`^${base}/Patient\\?`));
    expect(named(await bundleOf(next.split('?')[1] ?? ''))).toEqual(['again']);
    expect(named((await form('', '?family=lokwango')).resource('Bundle'))).toEqual(['other']);
    expect((await form('')).status).toBe(400);
  });

  it.each([
    ['application/fhir+json', 415],
    ['application/x-www-form-urlencoded; charset=latin1', 415],
    ['application/x-www-form-urlencoded; charset=utf-8', 200],
    ['application/x-www-form-urlencoded', 200],
  ])('SRCH-17: as %s is answered with %i', async (type, status) => {
    expect((await form('family=bare', '', { headers: { 'content-type': type } })).status).toBe(status);
  });

  it('SRCH-17: of another format, or with a bad value: as by GET', async () => {
    expect((await form('family=bare&_format=xls')).status).toBe(406);
    expect((await form('birthdate=soon')).status).toBe(400);
    expect((await form('family=%ff')).status).toBe(200);
  });

  it('PDQ-78-11, PDQ-78-18: a search or a read in a format that cannot be had is 406', async () => {
    for (const path of [`?family=bare&_format=xls`, `/${ids['bare']}?_format=xls`]) {
      const answer = await registry.send('GET', `/fhir/Patient${path}`, { client: 'ministry' });
      expect([answer.status, answer.resource('OperationOutcome').issue[0]?.code]).toEqual([406, 'not-supported']);
    }
  });

  it('SRCH-17: the audit keeps what was asked in it, also where it is refused', async () => {
    await form('family=Audited&gender=male', '?_count=3');
    await form('birthdate=whenever');
    const trail = (await registry.send('GET', '/fhir/AuditEvent?_count=20', { client: 'ministry' })).resource('Bundle');
    const asked = (trail.entry ?? []).flatMap(({ resource }) =>
      resource?.resourceType === 'AuditEvent'
        ? (resource.entity ?? []).map(({ query = '' }) => Buffer.from(query, 'base64').toString())
        : [],
    );
    expect(asked).toContain('POST /fhir/Patient/_search?_count=3&family=Audited&gender=male');
    expect(asked).toContain('POST /fhir/Patient/_search?birthdate=whenever');
  });

  it('another method on it is refused by the method', async () => {
    const answer = await registry.send('GET', '/fhir/Patient/_search?family=a', { client: 'ministry' });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
  });
});

describe('domains', () => {
  const systemsOf = ({ entry = [] }: Bundle) =>
    entry.flatMap(({ resource }) =>
      resource?.resourceType === 'Patient' ? (resource.identifier ?? []).map(({ system }) => system) : [],
    );
  const isCut = ({ entry = [] }: Bundle): readonly boolean[] =>
    entry.flatMap(({ resource }) =>
      resource?.resourceType === 'Patient' ? [(resource.meta?.tag ?? []).some(({ code }) => code === 'SUBSETTED')] : [],
    );
  const domains = (...systems: readonly string[]): string => `identifier=${enc(systems.map((one) => `${one}|`).join(','))}`;

  it('PDQ-78-08: identifiers of other domains are taken out of what is answered', async () => {
    const bundle = await bundleOf(domains(NATIONAL));
    expect(named(bundle).toSorted()).toEqual(['again', 'whole']);
    expect(systemsOf(bundle)).toEqual([NATIONAL, NATIONAL]);
    expect(isCut(bundle)).toEqual([true, true]);
    const two = await bundleOf(`${domains(NATIONAL, systemOf('lims'))}&family=lokwang&_sort=_id`);
    expect(systemsOf(two)).toEqual([NATIONAL, systemOf('lims'), NATIONAL]);
    expect(isCut(two)).toEqual([true, false]);
  });

  it('PDQ-78-08: beside demographics and an identifier both must be met', async () => {
    expect(named(await bundleOf(`family=lokwang&${domains(systemOf('dhis2'))}`))).toEqual(['other']);
    expect(named(await bundleOf(`family=bare&${domains(systemOf('dhis2'))}`))).toEqual([]);
    const both = await bundleOf(`${domains(systemOf('lims'))}&identifier=${enc(`${NATIONAL}|N-1`)}`);
    expect([named(both), systemsOf(both)]).toEqual([['again'], [systemOf('lims')]]);
    expect(named(await bundleOf(`${domains(NATIONAL)}&${domains(systemOf('openmrs'))}`))).toEqual(['whole']);
  });

  const notFound = [{ severity: 'warning', code: 'not-found', diagnostics: 'targetSystem not found' }];

  it('PDQ-78-10, SRCH-18: an unknown domain is said beside what there is in open mode, one that is held is none', async () => {
    for (const query of [domains('urn:oid:1.2.3'), `${domains('urn:oid:1.2.3', NATIONAL)}&_count=1`]) {
      const answer = await send(query);
      expect(answer.status).toBe(200);
      expect(outcomes(answer.resource('Bundle')).map(({ resource }) => resource)).toEqual([
        { resourceType: 'OperationOutcome', issue: notFound },
      ]);
    }
    expect((await bundleOf(domains('urn:oid:1.2.3'))).total).toBe(0);
    expect(outcomes(await bundleOf(domains(WARD)))).toEqual([]);
    expect(outcomes(await bundleOf(`${domains(WARD)}&_count=0`))).toEqual([]);
    expect(outcomes(await bundleOf(`identifier=${enc('urn:oid:1.2.3|1')}`))).toEqual([]);
  });

  it('PDQ-78-10: in strict mode it is 404', async () => {
    const answer = await strict.send('GET', `/fhir/Patient?family=a&${domains('urn:oid:1.2.3')}`, { client: 'ministry' });
    expect([answer.status, answer.resource('OperationOutcome').issue]).toEqual([404, notFound]);
    expect((await strict.send('GET', `/fhir/Patient?${domains(NATIONAL)}`, { client: 'ministry' })).status).toBe(200);
  });
});

describe('links', () => {
  it('SRCH-11: name the records of a golden record, and the golden record of a record', async () => {
    const cruid = cruids['whole'] ?? '';
    expect(cruids['again']).toBe(cruid);
    for (const query of [
      `link=${cruid}`,
      `link=Patient/${cruid}`,
      `link=${enc(`${base}/Patient/${cruid}`)}`,
      `link:Patient=${cruid}`,
    ])
      expect(named(await bundleOf(query))).toEqual(['whole', 'again']);
    expect(named(await bundleOf(`link=${cruid}&_tag=lims`))).toEqual(['again']);
    expect(named(await bundleOf(`link=${cruid}&identifier=whole`))).toEqual(['whole']);
    expect(named(await bundleOf(`link=${cruid}&_id=${ids['again']},${ids['other']}`))).toEqual(['again']);
    const golden = await bundleOf(`link=${ids['again']}`);
    expect(named(golden)).toEqual(['golden whole']);
    for (const query of [`link.identifier=${enc(`${NATIONAL}|N-1`)}`, `link:Patient.identifier=N-1`, `link._id=${ids['whole']}`])
      expect(await bundleOf(query)).toMatchObject({ total: 1, entry: golden.entry });
    for (const query of [
      'link=unknown',
      'link=https://elsewhere.example/Patient/1',
      `link:identifier=N-1`,
      'link.identifier=none',
    ])
      expect((await bundleOf(query)).total).toBe(0);
  });

  it('SRCH-07: includes what the matches link to, what that links to, and what links to them', async () => {
    const of = async (query: string) => named(await bundleOf(query), 'include');
    expect(await of(`_id=${ids['whole']}&_include=Patient:link`)).toEqual(['golden whole']);
    for (const how of ['_include:iterate', '_include:recurse'])
      expect(await of(`_id=${ids['whole']}&${how}=Patient:link`)).toEqual(['golden whole', 'again']);
    expect(await of(`_id=${cruids['whole']}&_revinclude=Patient:link`)).toEqual(['whole', 'again']);
    expect(await of(`_id=${ids['whole']}&_revinclude=Patient:link`)).toEqual(['golden whole']);
    expect(await of(`family=lokwang&_include=*`)).toEqual(['golden whole', 'golden other']);
    expect(await of(`_id=${ids['whole']}&_include=Patient:organization&_revinclude=RelatedPerson:patient`)).toEqual([]);
  });

  it('PDQ-78-12: a CRUID that was replaced is answered inactive, together with the one that replaced it (D12)', async () => {
    const before = await submit('moved', 'openmrs', {});
    const after = await submit('moved', 'openmrs', { ...whole, identifier: [identifier('openmrs', 'moved'), national('N-1')] });
    expect(cruidOf(after)).toBe(cruids['whole']);
    const bundle = await bundleOf(`_id=${cruidOf(before)}`);
    expect(bundle.total).toBe(1);
    expect(
      bundle.entry?.map(({ resource, search }) => [search?.mode, (resource as Patient).active, (resource as Patient).id]),
    ).toEqual([
      ['match', false, cruidOf(before)],
      ['include', true, cruidOf(after)],
    ]);
    expect(named(await bundleOf(`_id=${cruidOf(before)},${cruidOf(after)}`), 'include')).toEqual([]);
  });

  it('a golden record that is named is asked what it holds, too', async () => {
    const cruid = cruids['other'] ?? '';
    expect(named(await bundleOf(`_id=${cruid}&active=true&_tag=5c827da5-4858-4f3d-a50c-62ece001efea`))).toEqual(['golden other']);
    for (const query of ['_tag:not=5c827da5-4858-4f3d-a50c-62ece001efea', 'gender=male', 'identifier=other', 'active=false'])
      expect((await bundleOf(`_id=${cruid}&${query}`)).total).toBe(0);
  });
});

describe('what is not known', () => {
  it('PDQ-78-16, SRCH-18: is ignored, and said to a client that asks for leniency by name', async () => {
    const query = 'family=bare&birthplace=x&_has:Observation:patient:code=1&_format=json';
    expect((await bundleOf(query)).entry).toHaveLength(1);
    const bundle = (await send(query, { headers: { prefer: 'respond-async, handling=lenient' } })).resource('Bundle');
    expect(bundle.total).toBe(1);
    const [{ resource } = {}] = outcomes(bundle);
    expect((resource as { issue: readonly object[] }).issue).toMatchObject([
      { severity: 'warning', diagnostics: expect.stringContaining('birthplace') },
      { severity: 'warning', diagnostics: expect.stringContaining('_has:') },
    ]);
    expect(bundle.link?.[0]?.url).toBe(`${base}/Patient?family=bare&_format=json`);
  });
});

describe('what deployed clients send', () => {
  it('OMRS-5: ids as references, with a count', async () => {
    const bundle = await bundleOf(`_id=Patient/${ids['other']},Patient/${ids['bare']}&_count=10`);
    expect(named(bundle).toSorted()).toEqual(['bare', 'other']);
  });

  it('OMRS-6: any of its parameters together', async () => {
    const query = `name=lokwang&given=akello&family:exact=Lokwang&identifier=${enc(`${systemOf('openmrs')}|whole`)}&gender=female`;
    const more = '&birthdate=ge1980&death-date=ge2024&deceased=true&address-city=Kotido&_lastUpdated=ge2020&_count=10';
    expect(named(await bundleOf(query + more))).toEqual(['whole']);
  });

  it('ISP-1: containing, each record with one link, to its golden record', async () => {
    const query = 'family:contains=okwan&given:contains=kel&birthdate=lt1990-01-01&gender=female&phone=%2B256700111';
    const bundle = await bundleOf(`${query}&address-state:contains=ramo&address-city:contains=oti`);
    expect(named(bundle)).toContain('whole');
    for (const { resource } of bundle.entry ?? [])
      expect((resource as Patient).link).toEqual([{ other: { reference: `Patient/${cruids['whole']}` }, type: 'refer' }]);
  });

  it('ISP-1: an identifier with its system and value exchanged', async () => {
    expect(named(await bundleOf(`identifier=${enc(`bare|${systemOf('openmrs')}`)}`))).toEqual(['bare']);
    expect(named(await bundleOf(`family=bare&identifier=${enc(`bare|${systemOf('dhis2')}`)}`))).toEqual([]);
    expect(named(await bundleOf(`identifier=${enc(`bare|${WARD}`)}`))).toEqual([]);
  });

  it('ISP-2: golden records with their sources, each found by its full url and id, the golden tag first', async () => {
    const bundle = await bundleOf(`_id=${cruids['whole']},${cruids['bare']}&_include=Patient:link`);
    const patients = (bundle.entry ?? []).map(({ resource }) => resource as Patient);
    const goldens = patients.filter(({ meta }) => meta?.tag?.[0]?.code === '5c827da5-4858-4f3d-a50c-62ece001efea');
    expect(goldens.map(({ id }) => id).toSorted()).toEqual([cruids['whole'], cruids['bare']].toSorted());
    const urls = new Set(bundle.entry?.map(({ fullUrl }) => fullUrl));
    for (const { other } of goldens.flatMap(({ link = [] }) => link)) {
      expect(urls).toContain(`${base}/${other.reference}`);
      expect(patients.map(({ id }) => `Patient/${id}`)).toContain(other.reference);
    }
  });

  it('ISP-3, ISP-4: one entry by identifier, with and without its system', async () => {
    for (const query of ['identifier=bare&_count=1', `identifier=${enc(`${systemOf('openmrs')}|bare`)}&_count=2`]) {
      const { entry = [] } = await bundleOf(query);
      expect(entry.map(({ resource }) => (resource as Patient).link)).toEqual([
        [{ other: { reference: `Patient/${cruids['bare']}` }, type: 'refer' }],
      ]);
    }
  });

  it('OpenELIS: names, a national id, a birth date and a gender', async () => {
    const query = `family=Lokwang&given=Akello&identifier=${enc(`${NATIONAL}|N-1`)}&birthdate=1982-02-03&gender=female`;
    expect(named(await bundleOf(query))).toContain('again');
  });
});
