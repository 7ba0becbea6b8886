/** Design §8 on every route: what a point-of-service client without the scope `demographics` learns of the records of others. */
import { afterAll, describe, expect, it } from 'vitest';
import type { BundleEntry, Patient } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { ART, cruidOf, idOf, identifier, national, NATIONAL, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(registry.stop);
await registry.register({ name: 'ministry', scopes: ['demographics'] });

const WARD = 'http://ward.example';
const enc = encodeURIComponent;
const post = (client: string, body: Patient, { send } = registry): Promise<Answer> =>
  send('POST', '/fhir/Patient', { body, client });
const get = (path: string, client: string, { send } = registry): Promise<Answer> =>
  send('GET', `/fhir/Patient${path}`, { client });
const patientsIn = (entries: readonly BundleEntry[] | undefined): readonly Patient[] =>
  (entries ?? []).flatMap(({ resource }) => (resource?.resourceType === 'Patient' ? [resource] : []));

/** Anna as dhis2 knows her, with all that others may not learn. */
const anna = {
  ...somebody(),
  address: [{ city: 'Kaabong' }],
  extension: [{ url: 'http://a.example/tribe', valueString: 'secret-extension' }],
};
const dhis2s = patient('dhis2', 'd-1', anna, {
  identifier: [
    identifier('dhis2', 'd-1'),
    national('secret-national'),
    { system: ART, value: 'secret-art' },
    { system: WARD, value: 'secret-ward' },
  ],
  meta: { tag: [{ system: 'http://a.example', code: 'secret-tag' }] },
});
const known = await post('dhis2', dhis2s);
await post('dhis2', { ...dhis2s, address: [{ city: 'Kotido' }] });
const mine = await post(
  'openmrs',
  patient('openmrs', 'o-1', {
    name: anna.name,
    telecom: anna.telecom,
    gender: anna.gender,
    birthDate: anna.birthDate,
  } as Patient),
);
const [record, own, cruid] = [idOf(known), idOf(mine), cruidOf(known)];

const secrets = [
  ...['secret-national', 'secret-art', 'secret-ward', 'secret-extension', 'secret-tag', 'Kaabong', 'Kotido'],
  ...[anna.birthDate, anna.telecom?.[0]?.value, anna.name?.[0]?.family].map(String),
];

/** Every route by which dhis2's record can be read, as the path and the Patients that it answers with. */
const routes = [
  ['read', `/${record}`],
  ['vread', `/${record}/_history/1`],
  ['history', `/${record}/_history`],
  ['search by _id', `?_id=${record}`],
  ['search by identifier', `?identifier=${enc(`${systemOf('dhis2')}|d-1`)}`],
  ['_include from the golden record', `?_id=${cruid}&_include=Patient:link`],
] as const;

async function answered(path: string, client: string): Promise<readonly Patient[]> {
  const { text } = await get(path, client);
  const body = JSON.parse(text) as Patient | { readonly resourceType: 'Bundle'; readonly entry?: readonly BundleEntry[] };
  const patients = body.resourceType === 'Patient' ? [body] : patientsIn(body.entry);
  return patients.filter(({ id }) => id === record);
}

describe('another’s record, to a client without the scope demographics', () => {
  it.each(routes)('%s: id, version, links and source identifiers, tagged SUBSETTED, and nothing else', async (_route, path) => {
    expect(cruidOf(mine)).toBe(cruid);
    const shown = await answered(path, 'openmrs');
    expect(shown.length).toBeGreaterThan(0);
    for (const one of shown) {
      expect(one).toEqual({
        resourceType: 'Patient',
        id: record,
        meta: {
          versionId: expect.stringMatching(/^[12]$/),
          lastUpdated: expect.any(String),
          tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' }],
        },
        active: true,
        identifier: [identifier('dhis2', 'd-1')],
        link: [{ other: { reference: `Patient/${cruid}` }, type: 'refer' }],
      });
    }
  });

  it.each([...routes, ['$ihe-pix', `/$ihe-pix?sourceIdentifier=${enc(`${systemOf('openmrs')}|o-1`)}`]] as const)(
    '%s: none of what is secret stands anywhere in the answer',
    async (_route, path) => {
      const { text } = await get(path, 'lims');
      for (const secret of secrets) expect(text).not.toContain(secret);
    },
  );

  it('its own record it sees whole, on the same routes', async () => {
    for (const path of [`/${own}`, `/${own}/_history/1`, `?_id=${own}`, `?_id=${cruid}&_include=Patient:link`]) {
      const { text } = await get(path, 'openmrs');
      expect(text).toContain(anna.birthDate);
    }
  });

  it('of a shared authority it sees the others’ identifiers once it has stated one of that system for the person, and no others', async () => {
    const lims = (
      await post(
        'lims',
        patient(
          'lims',
          'l-1',
          { name: anna.name, telecom: anna.telecom, gender: anna.gender, birthDate: anna.birthDate } as Patient,
          { identifier: [identifier('lims', 'l-1'), national('N-of-lims')] },
        ),
      )
    ).resource('Patient');
    expect(lims.link?.[0]?.other.reference).toBe(`Patient/${cruid}`);
    for (const [, path] of routes) {
      const [shown] = await answered(path, 'lims');
      expect(shown?.identifier).toEqual([identifier('dhis2', 'd-1'), national('secret-national')]);
    }
    const pix = (await get(`/$ihe-pix?sourceIdentifier=${enc(`${systemOf('lims')}|l-1`)}`, 'lims')).text;
    expect(pix).toContain('secret-national');
    expect(pix).not.toContain('secret-art');
    expect((await get(`/${record}`, 'openmrs')).text).not.toContain('secret-national');
  });

  it('a version of a record that was the person’s once shows no more than the record does now', async () => {
    const grace = somebody();
    await post('openmrs', patient('openmrs', 'grace', grace, { identifier: [identifier('openmrs', 'grace'), national('N-2')] }));
    const theirs = (client: string, who = grace): Promise<Answer> =>
      post(
        client,
        patient(client, 'moved', who, { identifier: [identifier(client, 'moved'), { system: NATIONAL, value: 'N-3' }] }),
      );
    const moved = idOf(await theirs('dhis2'));
    expect((await get(`/${moved}/_history/1`, 'openmrs')).text).toContain('N-3');
    await theirs('dhis2', somebody());
    for (const path of [`/${moved}`, `/${moved}/_history/1`, `/${moved}/_history`])
      expect((await get(path, 'openmrs')).text).not.toContain('N-3');
  });
});

it.each(routes)('%s: with the scope demographics a client sees what the owner sees', async (_route, path) => {
  const [seen, owners] = [await answered(path, 'ministry'), await answered(path, 'dhis2')];
  expect(seen).toEqual(owners);
  expect(seen[0]?.name).toEqual(anna.name);
  expect(seen[0]?.meta?.tag).not.toContainEqual(expect.objectContaining({ code: 'SUBSETTED' }));
});

it('a golden record is alike for everybody: links, never demographics', async () => {
  const texts = await Promise.all(
    ['openmrs', 'dhis2', 'lims', 'ministry'].map(async (client) => (await get(`/${cruid}`, client)).text),
  );
  expect(new Set(texts).size).toBe(1);
  for (const secret of secrets) expect(texts[0]).not.toContain(secret);
});

describe('a search, a refusal or a total tells no more than a read', () => {
  /** The answer, but for the value that was asked for and what differs between any two requests. */
  const answer = async (path: string, value: string, client = 'openmrs') => {
    const { status, text } = await get(path.replace('VALUE', enc(value)), client);
    return { status, text: text.replaceAll(enc(value), 'VALUE').replaceAll(value, 'VALUE') };
  };
  const tokens = (system: string, value: string): readonly (readonly [path: string, value: string])[] => [
    ['?identifier=VALUE', value],
    ['?identifier=VALUE', `${system}|${value}`],
    ['?identifier=VALUE&_count=0', `${system}|${value}`],
    [`?identifier=VALUE&_id=${record}`, `${system}|${value}`],
    ['?identifier=VALUE&_include=Patient:link', `${system}|${value}`],
    ['/$ihe-pix?sourceIdentifier=VALUE', `${system}|${value}`],
    [`/$ihe-pix?sourceIdentifier=VALUE&targetSystem=${enc(systemOf('dhis2'))}`, `${system}|${value}`],
  ];

  it.each([
    ['a shared identifier that others stated', NATIONAL, 'secret-national'],
    ['one of another shared system', ART, 'secret-art'],
    ['one of a system that nobody owns', WARD, 'secret-ward'],
  ])('asking for %s is answered as for one that nobody has', async (_what, system, value) => {
    for (const [path, token] of tokens(system, value)) {
      expect(await answer(path, token)).toEqual(await answer(path, token.replace(value, 'nobody-has-this')));
    }
  });

  it('whether others hold identifiers of a system that nobody owns is not told, as a source or as a target', async () => {
    const source = '/$ihe-pix?sourceIdentifier=VALUE';
    expect(await answer(source, `${WARD}|x`)).toEqual(await answer(source, 'http://never.example|x'));
    const target = `/$ihe-pix?sourceIdentifier=${enc(`${systemOf('openmrs')}|o-1`)}&targetSystem=VALUE`;
    expect(await answer(target, WARD)).toEqual(await answer(target, 'http://never.example'));
    expect(await answer('?identifier=VALUE', `${WARD}|`)).toEqual(await answer('?identifier=VALUE', 'http://never.example|'));
    expect((await answer(target, WARD, 'dhis2')).status).toBe(200);
  });

  it('a demographic parameter finds none of the records of others, alone or with their id: its value tells nothing', async () => {
    const family = anna.name?.[0]?.family ?? '';
    const demographics = [
      `family=${family}`,
      `name:contains=${family.slice(1, 5)}`,
      `phonetic=${family}`,
      `birthdate=${anna.birthDate}`,
      `birthdate=le${anna.birthDate}`,
      `phone=${enc(anna.telecom?.[0]?.value ?? '')}`,
      'address-city=Kotido',
      '_tag=dhis2',
    ];
    for (const query of [...demographics, 'family=Nobody', 'birthdate=1900-01-01']) {
      expect((await get(`?_id=${record}&${query}`, 'openmrs')).resource('Bundle').total).toBe(0);
      const alone = (await get(`?${query}&_sort=-birthdate`, 'openmrs')).resource('Bundle');
      expect(patientsIn(alone.entry).filter(({ id }) => id !== own)).toEqual([]);
      expect((await get(`?${query}`, 'ministry')).resource('Bundle').total).toBeTypeOf('number');
    }
    for (const query of demographics) {
      const found = patientsIn((await get(`?${query}&_count=100`, 'ministry')).resource('Bundle').entry);
      expect(found.map(({ id }) => id)).toContain(record);
    }
    expect(patientsIn((await get(`?family=${family}`, 'openmrs')).resource('Bundle').entry).map(({ id }) => id)).toEqual([own]);
  });
});

describe('the order of an answer', () => {
  it('tells nothing of the demographics of others: their records stand as if they had none', async () => {
    const born = (value: string, birthDate: string, client = 'dhis2'): Promise<Answer> =>
      registry.send('POST', '/fhir/Patient', { client, body: patient(client, value, somebody(), { birthDate }) });
    const theirs = [idOf(await born('o-1', '1990-01-01')), idOf(await born('o-2', '1970-01-01'))];
    const mine = idOf(await born('o-3', '1980-01-01', 'openmrs'));
    const ordered = async (sort: string, client: string): Promise<readonly unknown[]> => {
      const answer = await get(`?_id=${[mine, ...theirs].join(',')}&_sort=${sort}`, client);
      return patientsIn(answer.resource('Bundle').entry).map(({ id }) => id);
    };
    expect(await ordered('birthdate,family', 'ministry')).toEqual([theirs[1], mine, theirs[0]]);
    expect(await ordered('birthdate,family', 'openmrs')).toEqual([...theirs, mine]);
    expect(await ordered('-birthdate,_id', 'openmrs')).toEqual([mine, ...theirs]);
  });
});
