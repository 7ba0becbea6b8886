/** The cases of OpenHIE's client registry for FHIR, in strict mode (standards.md §7.1a). */
import { afterAll, describe, expect, it } from 'vitest';
import type { Patient } from '../../src/fhir/r4.ts';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, somebody } from './people.ts';

const OID = 'urn:oid:2.16.840.1.113883.3.72.5.9.1';
const DOMAIN = 'http://ohie-test.example/domain1';
const NATIONAL = 'http://ohie-test.example/national';
const registry = await startRegistry({
  config: {
    authorities: {
      mode: 'strict',
      list: [
        { uri: DOMAIN, oid: '2.16.840.1.113883.3.72.5.9.1', kind: 'source', owner: 'openmrs', name: 'Domain 1' },
        { uri: 'http://ohie-test.example/domain2', kind: 'source', owner: 'dhis2', name: 'Domain 2' },
        { uri: NATIONAL, kind: 'shared', name: 'National', format: '[A-Z]{2}\\d{8}[0-9X]', checkDigit: 'mod11-2' },
      ],
    },
  },
});
afterAll(() => registry.stop());
await registry.register({ name: 'openmrs', scopes: ['demographics'] });
const { send } = registry;

const of = (identifier: Patient['identifier'], more: Partial<Patient> = {}): Patient =>
  ({ resourceType: 'Patient', identifier, ...somebody(), ...more }) as Patient;
const post = (body: Patient, client = 'openmrs') => send('POST', '/fhir/Patient', { body, client });
const get = (path: string, client = 'openmrs') => send('GET', `/fhir/${path}`, { client });
const token = (system: string, value: string): string => encodeURIComponent(`${system}|${value}`);
const issue = (answer: Awaited<ReturnType<typeof post>>) => answer.resource('OperationOutcome').issue[0];

describe('registering', () => {
  it('OHIE-CR-01: an identifier without a system is refused, 422, with the identifier at fault', async () => {
    const answer = await post(of([{ value: 'RJ-438' }, { system: DOMAIN, value: 'RJ-438' }]));
    expect([answer.status, issue(answer)?.expression]).toEqual([422, ['Patient.identifier[0]']]);
  });

  it('OHIE-CR-02: one domain under its OID and its URL: one hit either way, shown with the URL', async () => {
    const made = await post(of([{ system: OID, value: 'RJ-439' }]));
    expect(made.status).toBe(201);
    expect(made.resource('Patient').identifier).toEqual([{ system: DOMAIN, value: 'RJ-439' }]);
    for (const system of [OID, DOMAIN]) {
      const { total, entry = [] } = (await get(`Patient?identifier=${token(system, 'RJ-439')}`)).resource('Bundle');
      expect([system, total, (entry[0]?.resource as Patient).identifier]).toEqual([
        system,
        1,
        [{ system: DOMAIN, value: 'RJ-439' }],
      ]);
    }
    const again = await post(of([{ system: DOMAIN, value: 'RJ-439' }]));
    expect(idOf(again)).toBe(idOf(made));
    const put = await send('PUT', `/fhir/Patient?identifier=${token(OID, 'RJ-439')}`, {
      body: of([{ system: DOMAIN, value: 'RJ-439' }]),
    });
    expect([put.status, idOf(put)]).toEqual([200, idOf(made)]);
    expect((await get(`Patient/${idOf(made)}`)).resource('Patient').identifier).toEqual([{ system: DOMAIN, value: 'RJ-439' }]);
  });

  it('OHIE-CR-02: conditions, merges and deletions understand every name of a domain, too', async () => {
    const [old, survivor] = [await post(of([{ system: OID, value: 'M-1' }])), await post(of([{ system: DOMAIN, value: 'M-2' }]))];
    const there = await send('POST', '/fhir/Patient', {
      body: of([{ system: DOMAIN, value: 'M-1' }]),
      headers: { 'if-none-exist': `identifier=${OID}|M-1` },
    });
    expect([there.status, idOf(there)]).toEqual([200, idOf(old)]);
    const merge = of([{ system: OID, value: 'M-1' }], {
      active: false,
      link: [{ type: 'replaced-by', other: { identifier: { system: OID, value: 'M-2' } } }],
    });
    const merged = await send('PUT', `/fhir/Patient?identifier=${token(DOMAIN, 'M-1')}`, { body: merge });
    expect([merged.status, cruidOf(merged)]).toEqual([200, cruidOf(survivor)]);
    expect((await send('DELETE', `/fhir/Patient?identifier=${token(OID, 'M-2')}`)).status).toBe(204);
    expect((await get(`Patient/${idOf(survivor)}`)).status).toBe(410);
  });

  it('OHIE-CR-03: an identifier of an unknown domain is refused, 422', async () => {
    const answer = await post(
      of([
        { system: 'http://ohie-test.example/nobody', value: '1' },
        { system: DOMAIN, value: 'RJ-440' },
      ]),
    );
    expect([answer.status, issue(answer)?.expression]).toEqual([422, ['Patient.identifier[0]']]);
  });

  it('OHIE-CR-04: an identifier of another source’s domain is refused, 403 (D10)', async () => {
    const answer = await post(of([{ system: DOMAIN, value: 'RJ-441' }]), 'dhis2');
    expect([answer.status, issue(answer)?.code]).toEqual([403, 'forbidden']);
    const oid = await post(of([{ system: OID, value: 'RJ-441' }]), 'dhis2');
    expect(oid.status).toBe(403);
  });

  it.each([
    ['AB12345678X', 422, 'check digit'],
    ['AB1234567', 422, 'form'],
    ['ab123456780', 422, 'form'],
  ])('a value that has not the form of its authority is refused: %s', async (value, status, words) => {
    const answer = await post(
      of([
        { system: DOMAIN, value: `F-${value}` },
        { system: NATIONAL, value },
      ]),
    );
    expect([answer.status, issue(answer)?.expression]).toEqual([status, ['Patient.identifier[1]']]);
    expect(issue(answer)?.diagnostics).toContain(words);
  });
});

describe('asking', () => {
  it('OHIE-CR-06: unknown id 404, known id 200, foreign domain 403', async () => {
    const person = somebody();
    const made = await post({ ...of([{ system: DOMAIN, value: 'P-1' }]), ...person });
    const other = await post({ ...of([{ system: 'http://ohie-test.example/domain2', value: 'P-2' }]), ...person }, 'dhis2');
    expect(cruidOf(other)).toBe(cruidOf(made));
    const pix = (source: string, target = '') =>
      get(`Patient/$ihe-pix?sourceIdentifier=${source}${target && `&targetSystem=${encodeURIComponent(target)}`}`);
    const unknown = await pix(token(DOMAIN, 'nobody'));
    expect([unknown.status, issue(unknown)?.code]).toEqual([404, 'not-found']);
    for (const system of [OID, DOMAIN]) {
      const { parameter = [] } = (await pix(token(system, 'P-1'))).resource('Parameters');
      expect(parameter.map(({ name }) => name).toSorted()).toEqual(['targetId', 'targetIdentifier']);
      expect(parameter.find(({ valueIdentifier }) => valueIdentifier)?.valueIdentifier).toMatchObject({
        system: 'http://ohie-test.example/domain2',
        value: 'P-2',
        assigner: { display: 'Domain 2' },
      });
    }
    expect(
      (
        await send(
          'GET',
          `/fhir/Patient/$ihe-pix?sourceIdentifier=${token('http://ohie-test.example/domain2', 'P-2')}&targetSystem=${encodeURIComponent(OID)}`,
          { client: 'dhis2' },
        )
      ).resource('Parameters').parameter?.[0],
    ).toMatchObject({ valueIdentifier: { system: DOMAIN, value: 'P-1' } });
    const foreign = await pix(token(DOMAIN, 'P-1'), 'http://ohie-test.example/nobody');
    expect([foreign.status, issue(foreign)?.code]).toEqual([403, 'code-invalid']);
  });

  it('OHIE-CR-07: approximate dates, exact names, combinations, nothing found, domain restriction', async () => {
    const person = { ...somebody(), birthDate: '1982-07-15', name: [{ family: 'Okeyo', given: ['Akinyi'] }] };
    const made = await post({ ...of([{ system: DOMAIN, value: 'Q-1' }]), ...person });
    const found = async (query: string) => (await get(`Patient?${query}`)).resource('Bundle');
    for (const query of [
      'birthdate=ap1982&family=Okeyo',
      'given:exact=Akinyi',
      `family=Okeyo&gender=${person.gender}`,
      `family=Okeyo&identifier=${encodeURIComponent(`${OID}|`)}`,
    ]) {
      expect([query, (await found(query)).entry?.map(({ fullUrl }) => fullUrl?.split('/').at(-1))]).toEqual([
        query,
        [idOf(made)],
      ]);
    }
    const nothing = await found('family=Nobody');
    expect([nothing.total, nothing.entry]).toEqual([0, undefined]);
    expect((await get(`Patient?family=Okeyo&identifier=${encodeURIComponent('http://ohie-test.example/nobody|')}`)).status).toBe(
      404,
    );
  });

  it('OHIE-CR-08: after a merge the old id leads to the survivor, read and by PIXm', async () => {
    const [old, survivor] = [
      await post(of([{ system: DOMAIN, value: 'R-1' }])),
      await post(of([{ system: DOMAIN, value: 'R-2' }])),
    ];
    const body = of([{ system: DOMAIN, value: 'R-1' }], {
      active: false,
      link: [{ type: 'replaced-by', other: { identifier: { system: DOMAIN, value: 'R-2' } } }],
    });
    expect((await send('PUT', `/fhir/Patient?identifier=${token(DOMAIN, 'R-1')}`, { body })).status).toBe(200);
    const searched = (await get(`Patient?identifier=${token(DOMAIN, 'R-1')}`)).resource('Bundle');
    expect(searched.entry?.map(({ fullUrl }) => fullUrl?.split('/').at(-1))).toEqual([idOf(old), idOf(survivor)]);
    expect((await get(`Patient/${idOf(old)}`)).resource('Patient')).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by' }],
    });
    const { parameter = [] } = (await get(`Patient/$ihe-pix?sourceIdentifier=${token(DOMAIN, 'R-1')}`)).resource('Parameters');
    expect(
      parameter.flatMap(({ valueIdentifier, valueReference }) => valueIdentifier?.value ?? valueReference?.reference ?? []),
    ).toEqual(expect.arrayContaining(['R-2', `Patient/${idOf(survivor)}`]));
  });

  it('OHIE-CR-09: a merge across domains is refused, 403', async () => {
    await post(of([{ system: 'http://ohie-test.example/domain2', value: 'X-2' }]), 'dhis2');
    const body = of([{ system: DOMAIN, value: 'X-1' }], {
      active: false,
      link: [{ type: 'replaced-by', other: { identifier: { system: 'http://ohie-test.example/domain2', value: 'X-2' } } }],
    });
    const answer = await send('PUT', `/fhir/Patient?identifier=${token(DOMAIN, 'X-1')}`, { body });
    expect([answer.status, answer.resource('OperationOutcome').issue[0]?.severity]).toEqual([403, 'error']);
  });
});

describe('organisations and relations', () => {
  const organisation = {
    resourceType: 'Organization',
    identifier: [{ system: 'urn:oid:1.2.3.9', value: 'O-1' }],
    name: 'Good Health',
  };
  const transaction = (entry: readonly object[]) =>
    send('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
  const entry = (resource: { readonly resourceType: string }, fullUrl: string) => ({
    fullUrl,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  });

  it('OHIE-CR-01: a managing organisation that cannot be resolved is refused, 422, and one that can is kept', async () => {
    const managedBy = (managingOrganization: Patient['managingOrganization'], value: string) =>
      post(of([{ system: DOMAIN, value }], { managingOrganization: managingOrganization ?? {} }));
    for (const reference of ['Organization/unknown', 'Patient/1', 'https://elsewhere.example/fhir/Organization/1']) {
      const answer = await managedBy({ reference }, 'O-1');
      expect([answer.status, issue(answer)?.expression]).toEqual([422, ['Patient.managingOrganization']]);
    }
    const byIdentifier = { identifier: { system: 'urn:oid:1.2.3.9', value: 'O-1' } };
    expect((await managedBy(byIdentifier, 'O-1')).status).toBe(422);
    const made = await send('POST', '/fhir/Organization', { body: organisation, client: 'dhis2' });
    const reference = /^Organization\/[^/]+/.exec(made.headers['location'] ?? '')?.[0] ?? '';
    expect((await managedBy({ reference }, 'O-1')).status).toBe(201);
    expect((await managedBy(byIdentifier, 'O-2')).status).toBe(201);
    const { entry: found = [] } = (
      await get(`Patient?identifier=${token(DOMAIN, 'O-1')}&_include=Organization:managingOrganization`)
    ).resource('Bundle');
    expect(found.map(({ resource, search }) => [resource?.resourceType, search?.mode])).toEqual([
      ['Patient', 'match'],
      ['Organization', 'include'],
    ]);
  });

  it('OHIE-CR-05: mother and child in one transaction are found by each other', async () => {
    const [mother, child, relation] = ['m', 'c', 'r'].map(
      (one) => `urn:uuid:0000000${one.charCodeAt(0)}-0000-4000-8000-000000000000`,
    ) as [string, string, string];
    const maiden = { url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'JONES' };
    const answer = await transaction([
      entry(of([{ system: DOMAIN, value: 'CHILD' }], { extension: [maiden] }), child),
      entry(of([{ system: DOMAIN, value: 'MOTHER' }], { link: [{ type: 'seealso', other: { reference: relation } }] }), mother),
      entry(
        { resourceType: 'RelatedPerson', patient: { reference: child }, relationship: [{ coding: [{ code: 'MTH' }] }] } as never,
        relation,
      ),
    ]);
    expect(answer.status).toBe(200);
    const ids = (answer.resource('Bundle').entry ?? []).map(({ resource }) => (resource as Patient).id);
    const [childId, motherId, relationId] = ids;
    const idsOf = async (path: string) =>
      ((await get(path)).resource('Bundle').entry ?? []).map(({ resource }) => (resource as Patient).id);
    expect(await idsOf(`Patient?_id=${childId}&_revinclude=RelatedPerson:patient`)).toEqual([childId, relationId]);
    expect(await idsOf('Patient?mothersMaidenName=JONES')).toEqual([childId]);
    expect(await idsOf(`RelatedPerson?patient=${childId}&_include=RelatedPerson:patient`)).toEqual([relationId, childId]);
    const links = (await get(`Patient/${motherId}`)).resource('Patient').link ?? [];
    expect(links.map(({ type, other }) => [type, other.reference])).toEqual([
      ['refer', expect.stringMatching(/^Patient\//)],
      ['seealso', `RelatedPerson/${relationId}`],
    ]);
    expect((await idsOf(`Patient?_id=${motherId}&_include=Patient:link`)).slice(2)).toEqual([relationId]);
    const unknown = { resourceType: 'RelatedPerson', patient: { reference: 'Patient/unknown' } };
    expect((await send('POST', '/fhir/RelatedPerson', { body: unknown })).status).toBe(422);
  });
});
