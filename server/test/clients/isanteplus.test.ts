/** openmrs-module-mpi-client of iSantéPlus and SEDISH (ISP-1…7): what it sends, and what it reads. */
import { afterAll, describe, expect, it } from 'vitest';
import { defaultOurs } from '../../src/fhir/ours.ts';
import type { Bundle, Patient } from '../../src/fhir/r4.ts';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, somebody } from '../http/people.ts';
import { clientOf, hapiJson, idPartOf, isCreated } from './transcript.ts';

const SOURCE_KEY = 'http://sedish-haiti.org/fhir/source-key';
const ISANTE = 'http://isanteplus.org/openmrs/fhir2/5-code-national';
const registry = await startRegistry({ config: { app: { location: 'opencr' } } });
afterAll(() => registry.stop());
await registry.register({ name: 'isanteplus', systems: [SOURCE_KEY, ISANTE], scopes: ['demographics'] });
const isanteplus = clientOf(registry, 'isanteplus', hapiJson);
const dhis2 = clientOf(registry, 'dhis2', hapiJson);

/** A payload with the oddities of the field: extension urls that are no URLs, contacts of organisations, locations of identifiers. */
const exported = (code: string, person = somebody()): Patient =>
  ({
    resourceType: 'Patient',
    extension: [
      { url: 'Communal section', valueString: '1re section' },
      { url: 'Locality', valueString: 'Carrefour' },
      { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { city: 'Jacmel', country: 'Haïti' } },
    ],
    identifier: [
      {
        extension: [
          {
            url: 'http://fhir.openmrs.org/ext/patient/identifier#location',
            valueReference: { reference: 'Location/8d6c993e', type: 'Location', display: 'Unknown Location' },
          },
        ],
        use: 'official',
        system: ISANTE,
        value: code,
      },
    ],
    active: true,
    ...person,
    address: [{ use: 'home', line: ['Rue 12'], city: 'Port-au-Prince', state: 'Ouest', country: 'Haïti' }],
    contact: [{ organization: { display: 'Hôpital' }, telecom: [{ system: 'phone', value: '509 1234' }] }],
  }) as unknown as Patient;

const entriesOf = ({ entry = [] }: Bundle): readonly Patient[] =>
  entry.flatMap(({ resource }) => (resource?.resourceType === 'Patient' ? [resource] : []));
const linksOf = ({ link = [] }: Patient): readonly string[] => link.map(({ other }) => idPartOf(other.reference));

/** FhirMpiClientServiceImpl#getGoldenRecord: the golden record that holds the source, by its first tag. */
const goldenAround = (patients: readonly Patient[]): Patient | undefined =>
  patients.find(({ meta }) => meta?.tag?.[0]?.code === defaultOurs.goldenCode);

describe('the export', () => {
  it('is created with 201 exactly, also the second time (ISP-5)', async () => {
    const patient = exported('JC-1');
    const [first, second] = [await isanteplus.post('Patient', patient), await isanteplus.post('Patient', patient)];
    expect([isCreated(first), isCreated(second)]).toEqual([true, true]);
    expect(first.resource('Patient').extension?.map(({ url }) => url)).toContain('Communal section');
    expect(first.headers['location']).toBe(`Patient/${first.resource('Patient').id}`);
  });

  it('of July 2026 goes to a uuid and is read back with its golden record, by its key (ISP-6)', async () => {
    const uuid = '6f1e1a1c-9f3a-4d32-8f6a-0a1b2c3d4e5f';
    const key = `${SOURCE_KEY}|11100-7`;
    const patient = { ...exported('JC-2'), identifier: [{ system: SOURCE_KEY, value: '11100-7' }], id: uuid };
    expect([
      (await isanteplus.put(`Patient/${uuid}`, patient)).status,
      (await isanteplus.put(`Patient/${uuid}`, patient)).status,
    ]).toEqual([201, 200]);
    const found = entriesOf(
      (await isanteplus.get(`Patient?identifier=${encodeURIComponent(key)}&_include=Patient:link`)).resource('Bundle'),
    );
    const [source] = found;
    expect(source?.id).toBe(uuid);
    expect(goldenAround(found)?.id).toBe(source && linksOf(source)[0]);
  });

  it('of the SEDISH loader is a conditional PUT with a raw bar, and may be sent again (ISP-7)', async () => {
    const person = somebody();
    const body = { ...exported('JC-3', person), identifier: [{ system: SOURCE_KEY, value: '11100-8' }] };
    const path = `Patient?identifier=${SOURCE_KEY}|11100-8`;
    expect([(await isanteplus.put(path, body)).status, (await isanteplus.put(path, body)).status]).toEqual([201, 200]);
  });
});

describe('the import', () => {
  it('searches by demographics, and each source has exactly one link, to its golden record (ISP-1)', async () => {
    const person = somebody();
    const made = await isanteplus.post('Patient', exported('JC-10', person));
    const [name] = person.name ?? [];
    const part = (text = '') => text.slice(1, 5);
    const year = Number(person.birthDate?.slice(0, 4));
    for (const query of [
      `family:contains=${part(name?.family)}&given:contains=${part(name?.given?.[0] ?? '')}&gender=${person.gender}`,
      `family:contains=${part(name?.family)}&birthdate=gt${year - 1}-12-31&birthdate=lt${year + 1}-01-01`,
      `birthdate=${person.birthDate}&address-state:contains=ues&address-city:contains=Prince`,
      `phone=${encodeURIComponent(person.telecom?.[0]?.value ?? '')}`,
    ]) {
      const found = entriesOf((await isanteplus.get(`Patient?${query}`)).resource('Bundle'));
      const own = found.find(({ id }) => id === made.resource('Patient').id);
      expect([query, own && linksOf(own)]).toEqual([query, [cruidOf(made)]]);
    }
  });

  it('reads golden records by id with their sources, each resolvable by fullUrl and id (ISP-2)', async () => {
    const person = somebody();
    const [here, there] = [
      await isanteplus.post('Patient', exported('JC-11', person)),
      await dhis2.post('Patient', {
        ...exported('x', person),
        identifier: [{ system: 'http://clientregistry.org/dhis2', value: 'isp-2' }],
      }),
    ];
    const alone = await isanteplus.post('Patient', exported('JC-12'));
    expect(cruidOf(there)).toBe(cruidOf(here));
    const ids = [cruidOf(here), cruidOf(alone)];
    const bundle = (await isanteplus.get(`Patient?_id=${ids.join(',')}&_include=Patient:link`)).resource('Bundle');
    const goldens = entriesOf(bundle).filter(({ meta }) => meta?.tag?.[0]?.code === defaultOurs.goldenCode);
    expect(goldens.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    const included = new Map(bundle.entry?.map(({ fullUrl, resource }) => [idPartOf(fullUrl), resource]));
    for (const source of goldens.flatMap(linksOf))
      expect(included.get(source)).toMatchObject({ resourceType: 'Patient', id: source });
    expect(goldens.find(({ id }) => id === cruidOf(here))?.link?.length).toBe(2);
  });

  it('finds by an identifier without its system (ISP-3), and by system and value with the link that refers (ISP-4)', async () => {
    const made = await isanteplus.post('Patient', exported('JC-13'));
    const bare = entriesOf((await isanteplus.get('Patient?identifier=JC-13&_count=1')).resource('Bundle'));
    expect(bare.map(({ id }) => id)).toEqual([made.resource('Patient').id]);
    const exact = (await isanteplus.get(`Patient?identifier=${encodeURIComponent(`${ISANTE}|JC-13`)}&_count=2`)).resource(
      'Bundle',
    );
    expect(exact.entry?.length).toBe(1);
    expect(entriesOf(exact)[0]?.link).toEqual([{ other: { reference: `Patient/${cruidOf(made)}` }, type: 'refer' }]);
  });
});
