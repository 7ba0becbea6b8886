/** openmrs-module-clientregistry (OMRS-1…7): the requests it sends, in its order, and what it reads from the answers. */
import { afterAll, expect, it } from 'vitest';
import type { Patient } from '../../src/fhir/r4.ts';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, somebody } from '../http/people.ts';
import { clientOf, hapi, idPartOf, isCreated } from './transcript.ts';

const OPENMRS = 'http://clientregistry.org/openmrs';
const registry = await startRegistry();
afterAll(() => registry.stop());
await registry.register({ name: 'openmrs', scopes: ['demographics'] });
const openmrs = clientOf(registry, 'openmrs', hapi);

const UUID = '1b2c3d4e-0001-4a5b-8c6d-7e8f90a1b2c3';
const person = somebody();
/** As the module's transformer makes it of an OpenMRS patient: without an id, telecoms as phone and mobile, person attributes as extensions. */
const created: Patient = {
  resourceType: 'Patient',
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Auma' }],
  identifier: [
    { use: 'official', system: OPENMRS, value: `kampala/${UUID}` },
    { use: 'usual', type: { text: 'OpenMRS ID' }, value: '100HMD' },
  ],
  active: true,
  ...person,
  name: [{ ...person.name?.[0], use: 'official' }],
  telecom: [{ system: 'phone', value: '0772 123456', use: 'mobile' }],
  deceasedBoolean: false,
};

it('works from the first contact to the deletion', async () => {
  // OMRS-1: HAPI's validation ONCE.
  const metadata = await openmrs.get('metadata');
  expect([metadata.status, (JSON.parse(metadata.text) as { fhirVersion: string }).fhirVersion]).toEqual([200, '4.0.1']);

  // OMRS-2: patient created.
  const made = await openmrs.post('Patient', created);
  expect([isCreated(made), made.headers['content-type']]).toEqual([true, 'application/fhir+json; charset=utf-8']);
  const first = made.resource('Patient');
  expect(first.id).toMatch(/^[A-Za-z0-9.-]{1,64}$/);

  // OMRS-3: patient updated; the module forces the OpenMRS uuid into URL and body, the identifier is the same.
  const updated = await openmrs.put(`Patient/${UUID}`, { ...created, id: UUID, birthDate: '1980-05-05' });
  expect([updated.status, updated.resource('Patient').id, cruidOf(updated)]).toEqual([200, first.id, cruidOf(made)]);
  const before = await openmrs.put(`Patient/${UUID}`, { ...created, id: UUID });
  expect(before.status).toBe(200);

  // Another hospital has the same person.
  const dhis2 = clientOf(registry, 'dhis2', hapi);
  const other = await dhis2.post('Patient', {
    ...created,
    identifier: [{ system: 'http://clientregistry.org/dhis2', value: 'tei-1' }],
  });
  expect(cruidOf(other)).toBe(cruidOf(made));

  // OMRS-4: HAPI escapes the comma between the systems of one parameter.
  const source = encodeURIComponent(`${OPENMRS}|kampala/${UUID}`);
  const targets = encodeURIComponent('http://clientregistry.org/dhis2\\,http://clientregistry.org/lims');
  const pix = await openmrs.get(`Patient/$ihe-pix?sourceIdentifier=${source}&targetSystem=${targets}`);
  const references = (pix.resource('Parameters').parameter ?? [])
    .filter(({ name }) => name === 'targetId')
    .map(({ valueReference }) => valueReference?.reference ?? '');
  expect(references.map(idPartOf)).toEqual([other.resource('Patient').id]);
  const none = await openmrs.get(
    `Patient/$ihe-pix?sourceIdentifier=${source}&targetSystem=${encodeURIComponent('http://clientregistry.org/lims')}`,
  );
  expect([none.status, none.resource('Parameters').parameter]).toEqual([200, undefined]);

  // OMRS-5: the references of the answer before, as they are, and their bare ids.
  for (const ids of [references, references.map(idPartOf), [...references, `Patient/${first.id}`]]) {
    const found = (await openmrs.get(`Patient?_id=${encodeURIComponent(ids.join(','))}&_count=10`)).resource('Bundle');
    expect([found.type, found.total, found.entry?.length]).toEqual(['searchset', ids.length, ids.length]);
    expect(found.entry?.every(({ fullUrl }) => fullUrl?.startsWith('https://'))).toBe(true);
  }

  // OMRS-6: the search of its form.
  const [name] = created.name ?? [];
  for (const query of [
    `name=${name?.family}`,
    `given=${name?.given?.[0]}`,
    `family:exact=${name?.family}`,
    `family=${name?.family}&gender=${created.gender}`,
    `birthdate=ge${created.birthDate}&birthdate=le${created.birthDate}&family=${name?.family}`,
    `identifier=${encodeURIComponent(`kampala/${UUID}`)}`,
    `_id=${first.id}&_lastUpdated=ge2020-01-01&_count=5`,
  ]) {
    const found = (await openmrs.get(`Patient?${query}`)).resource('Bundle');
    expect([query, found.entry?.some(({ fullUrl }) => idPartOf(fullUrl) === first.id)]).toEqual([query, true]);
  }

  // OMRS-7: read and DELETE by the uuid that it knows.
  const read = await openmrs.get(`Patient/${UUID}`);
  expect([read.status, read.resource('Patient').identifier?.[0]?.value]).toEqual([200, `kampala/${UUID}`]);
  expect((await openmrs.delete(`Patient/${UUID}`)).status).toBe(204);
  expect((await openmrs.get(`Patient/${UUID}`)).status).toBe(410);
});

it('an answer that it cannot use is a failure it can read: an OperationOutcome, in the format of its choice', async () => {
  const nobody = await openmrs.get('Patient/nobody');
  expect([nobody.status, nobody.resource('OperationOutcome').issue[0]?.code]).toEqual([404, 'not-found']);
  // One code path of the module passes the system where the value belongs.
  const odd = await openmrs.get(`Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(`${OPENMRS}|${OPENMRS}`)}`);
  expect([odd.status, odd.resource('OperationOutcome').issue[0]?.code]).toEqual([404, 'not-found']);
});
