/** Design §8 as an oracle: registries that differ only in what a client may not see answer it alike, whatever it asks. */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { Patient } from '../../src/fhir/r4.ts';
import { SORTS } from '../../src/fhir/sorting.ts';
import { readShot } from '../fuzz/requests.ts';
import { type Answer, type RegistryServer, type Sending, startRegistry } from '../support/registry-server.ts';
import { ART, cruidOf, identifier, NATIONAL, national, patient, somebody, systemOf } from './people.ts';

const WARD = 'http://ward.example';
const enc = encodeURIComponent;

/** What dhis2's record holds in one of the registries and not in another. */
const HIDDEN: readonly Partial<Patient>[] = [
  {},
  { address: [{ city: 'Kotido' }], maritalStatus: { text: 'married' } } as Partial<Patient>,
  { identifier: [identifier('dhis2', 'd-1'), national('N-5'), { system: ART, value: 'ART-5' }] },
  { identifier: [identifier('dhis2', 'd-1'), { system: WARD, value: 'ward-5' }, { value: 'l-1' }] },
  {
    meta: {
      tag: [{ system: 'http://t', code: 'trial' }],
      profile: ['http://p/one'],
      security: [{ system: 'http://s', code: 'R' }],
    },
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Nakiru' }],
    address: [{ use: 'home', city: 'Kotido' }],
    deceasedDateTime: '2020-02-03',
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'sw' }] } }],
    managingOrganization: { reference: 'Organization/o1', identifier: { system: 'urn:org', value: 'MoH' } },
    generalPractitioner: [{ reference: 'Practitioner/p1' }],
  },
  {
    name: [],
    birthDate: '1955',
    identifier: [identifier('dhis2', 'd-1'), { ...national('N-5'), type: { coding: [{ system: 'urn:types', code: 'NI' }] } }],
  },
  // As the requests at random ask for.
  {
    name: [{ family: 'Okello', given: ['Anna'] }],
    gender: 'female',
    birthDate: '1990-01-01',
    telecom: [{ system: 'phone', value: '0700 100001' }],
    address: [{ city: 'Gulu', country: 'UG' }],
  },
];

/** RelatedPersons of dhis2's in one of the registries and not in another, by their ids there. */
const RELATIONS: readonly Readonly<Record<string, object>>[] = [
  {},
  { mother: { name: [{ family: 'Nakiru' }], gender: 'female', identifier: [{ system: 'urn:m', value: '1' }] } },
  { mother: { name: [{ family: 'Okello' }] }, guardian: { relationship: [{ coding: [{ code: 'GUARD' }] }] } },
];

interface Question extends Pick<Sending, 'body' | 'headers'> {
  readonly method: string;
  readonly path: string;
}

const get = (path: string, headers: Question['headers'] = {}): Question => ({
  method: 'GET',
  path: `/fhir/Patient${path}`,
  headers,
});

const values = ['d-1', 'l-1', 'N-5', 'ART-5', 'ward-5'];
const systems = [systemOf('dhis2'), systemOf('openmrs'), NATIONAL, ART, WARD];
const tokens = systems.flatMap((system) => [`${system}|`, ...values.map((value) => `${system}|${value}`)]);

/** A date found by halving: whether it is before or after some others. */
const bisections = ['ge', 'gt', 'le', 'lt', 'eq', 'ne', 'sa', 'eb', 'ap'].flatMap((prefix) =>
  ['1950', '1955', '1955-06-01', '1990-01-01', '2000'].map((date) => `birthdate=${prefix}${date}`),
);

/** Parts of queries about what may be hidden. */
const DEMOGRAPHICS = [
  ...bisections,
  ...['family=a', 'family:contains=kel', 'family:exact=Okello', 'name:contains=an', 'given=Anna', 'given:missing=true'],
  ...['birthdate:missing=true', 'birthdate=lt1990&_sort=-birthdate', 'gender=female&_count=1&_sort=family', 'gender:not=male'],
  ...['address-city=Kotido', 'address:contains=ti&_total=accurate', 'address-use=home', 'address-use:missing=false'],
  ...['address:missing=true', 'phone=0700100001', 'phone:missing=false', 'telecom=0700', 'active=true', 'active:not=false'],
  ...['deceased=true', 'deceased=false', 'death-date=ge2000', 'death-date:missing=false&_sort=-birthdate,family&_count=1'],
  ...['mothersMaidenName=nak', 'mothersMaidenName:missing=true&_total=accurate', 'language=sw', 'language:not=sw'],
  ...['organization=o1', 'organization:identifier=MoH', 'organization:missing=false', 'general-practitioner:missing=true'],
  ...['identifier:missing=false', `identifier:of-type=${enc('urn:types|NI|N-5')}`, '_tag=dhis2', '_tag=trial', '_tag:not=trial'],
  ...['_tag:not=5c827da5-4858-4f3d-a50c-62ece001efea', '_profile:below=http://p', '_profile:missing=true', '_security=R'],
  ...['_security:missing=false', 'link:missing=false&_include=Patient:link&_revinclude=Patient:link'],
  ...['_lastUpdated=ge2000', '_lastUpdated:missing=false', '_id:missing=false&_sort=birthdate'],
];

const CONTROLS = [
  '_summary=count',
  '_count=0',
  '_count=1&_total=accurate',
  '_total=none',
  '_elements=name',
  '_revinclude=Patient:link',
];

/** What is read of one record, of all, and by identifier. */
const reads = (golden: string, foreign: string): readonly Question[] => [
  ...['theirs', 'mine', golden, foreign].flatMap((id) => [
    ...['', '/_history', '/_history?_count=1', '/_history/1', '/_history/2'].flatMap((part) => [
      get(`/${id}${part}`),
      get(`/${id}${part}`, { accept: 'application/fhir+xml' }),
    ]),
    ...['W/"1"', 'W/"2"'].map((etag) => get(`/${id}`, { 'if-none-match': etag })),
    get(`/${id}`, { 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' }),
    ...['true', 'text', 'data', 'count'].map((summary) => get(`?_id=${id}&_summary=${summary}`)),
    get(`?_id=${id}&_include=Patient:link`),
    get(`?_id=${id}&_revinclude=Patient:link&_include:iterate=Patient:link`),
    get(`?_id=${id}&_elements=address,maritalStatus,identifier`),
    get(`?link=${id}&_revinclude=Patient:link`),
  ]),
  ...['/_history', '/_history?_count=1', '/_history?_since=2000-01-01T00:00:00Z'].map((path) => get(path)),
  ...SORTS.flatMap((key) => [key, `-${key}`]).map((sort) => get(`?_id=theirs,mine,${golden},${foreign}&_sort=${sort}`)),
  ...tokens.flatMap((token) => [
    get(`?identifier=${enc(token)}&_include=Patient:link`),
    get(`?_id=theirs&identifier:not=${enc(token)}`),
    get(`/$ihe-pix?sourceIdentifier=${enc(token)}`),
  ]),
  ...values.flatMap((value) => [
    get(`?identifier=${value}`),
    get(`?identifier:not=${value}`),
    get(`?link.identifier=${value}&_include:iterate=Patient:link`),
  ]),
  ...systems.flatMap((system) => [
    get(`?identifier=${enc(`${system}|`)}&family:missing=true`),
    get(`?identifier=${enc(`${system}|`)}&_lastUpdated=ge2000&_sort=birthdate`),
    get(`?link.identifier=${enc(`${system}|`)}`),
    get(`/$ihe-pix?sourceIdentifier=${enc(`${systemOf('openmrs')}|mine`)}&targetSystem=${enc(system)}`),
  ]),
  ...DEMOGRAPHICS.flatMap((query) => [
    get(`?${query}`),
    get(`?${query}`, { accept: 'application/fhir+xml' }),
    get(`?_id=theirs,mine&${query}`),
    get(`?link=${foreign}&${query}`),
    { method: 'HEAD', path: `/fhir/Patient?${query}` },
    {
      ...{ method: 'POST', path: '/fhir/Patient/_search', body: query },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
  ]),
  ...CONTROLS.flatMap((control) => ['', '_id=theirs&', 'family=Okello&'].map((query) => get(`?${query}${control}`))),
  { method: 'GET', path: '/fhir/AuditEvent?entity=Patient/theirs' },
  ...['mother', 'guardian'].flatMap((id) =>
    ['', '/_history', '/_history/1'].map((part) => ({ method: 'GET', path: `/fhir/RelatedPerson/${id}${part}` })),
  ),
  ...[
    'name=nakiru',
    'name:contains=el',
    'patient=theirs',
    'patient=Patient/theirs&_include=RelatedPerson:patient',
    'gender=female',
  ].map((query) => ({ method: 'GET', path: `/fhir/RelatedPerson?${query}` })),
  ...['identifier=urn:m|1', 'relationship=GUARD&_summary=count', '_id=mother,guardian'].map((query) => ({
    ...{ method: 'POST', path: '/fhir/RelatedPerson/_search', body: query },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })),
  get('?_id=theirs&_revinclude=RelatedPerson:patient&_include=*'),
];

const me = somebody();
const another = somebody();

/** Whom it asks about: itself with what may be hidden, and the half of somebody. */
const asked: readonly Patient[] = [
  patient('openmrs', 'asked', me),
  { ...patient('openmrs', 'asked', me), address: [{ city: 'Kotido' }], identifier: [national('N-5')] },
  patient('openmrs', 'asked', {}, { birthDate: '1955' }),
  patient('openmrs', 'asked', {}, { name: [{ family: 'Okello', given: ['Anna'] }] }),
  patient('openmrs', 'asked', {}, { birthDate: '1990-01-01', gender: 'female', name: [{ family: 'Okello' }] }),
];

const matches: readonly Question[] = asked.flatMap((resource) => [
  { method: 'POST', path: '/fhir/Patient/$match', body: resource },
  {
    ...{ method: 'POST', path: '/fhir/Patient/$match' },
    body: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'resource', resource },
        { name: 'onlyCertainMatches', valueBoolean: true },
      ],
    },
  },
  { method: 'POST', path: '/match/matches', body: resource },
]);

/** Criteria that only what is hidden could meet. */
const CRITERIA = [
  ...['N-5', 'ART-5', 'ward-5', 'l-1'].map((value) => `identifier=${value}`),
  ...[`${NATIONAL}|N-5`, `${ART}|ART-5`, `${WARD}|ward-5`].map((token) => `identifier=${enc(token)}`),
  ...['birthdate=1955', 'family=Okello', '_id=theirs&birthdate=le1960', '_tag=trial', '_id=theirs'],
];

/** What it tries to write, in this order: on conditions, at the record of the other, alone and in Bundles. */
const writes = (foreign: string): readonly Question[] => {
  const mine = (value: string, more: Partial<Patient> = {}): Patient => patient('openmrs', value, another, more);
  const bundle = (type: 'batch' | 'transaction', entry: readonly object[]): Question => ({
    ...{ method: 'POST', path: '/fhir', body: { resourceType: 'Bundle', type, entry } },
  });
  const theirs = '/fhir/Patient/theirs';
  return [
    ...['W/"1"', 'W/"2"', '*'].flatMap((etag) => [
      { method: 'PUT', path: theirs, body: { ...mine('w-1'), id: 'theirs' }, headers: { 'if-match': etag } },
      { method: 'DELETE', path: theirs, headers: { 'if-match': etag } },
    ]),
    { method: 'PUT', path: theirs, body: { ...mine('w-1'), id: 'theirs' } },
    { method: 'PUT', path: theirs, body: { ...patient('dhis2', 'd-1', another), id: 'theirs' } },
    { method: 'DELETE', path: theirs },
    { method: 'DELETE', path: `/fhir/Patient/${foreign}` },
    { method: 'DELETE', path: '/fhir/RelatedPerson/mother' },
    { method: 'DELETE', path: '/fhir/RelatedPerson?identifier=urn:m|1' },
    bundle('transaction', [
      {
        resource: { ...mine('of-relation'), link: [{ type: 'seealso', other: { reference: 'RelatedPerson/mother' } }] },
        request: { method: 'POST', url: 'Patient' },
      },
    ]),
    bundle('transaction', [
      {
        resource: { resourceType: 'RelatedPerson', patient: { reference: 'Patient?identifier=N-5' } },
        request: { method: 'POST', url: 'RelatedPerson', ifNoneExist: 'identifier=urn:m|1' },
      },
    ]),
    ...CRITERIA.flatMap((criteria, n) => [
      { method: 'DELETE', path: `/fhir/Patient?${criteria}` },
      { method: 'POST', path: '/fhir/Patient', body: mine(`c-${n}`), headers: { 'if-none-exist': criteria } },
      { method: 'PUT', path: `/fhir/Patient?${criteria}`, body: mine(`u-${n}`) },
      ...(['batch', 'transaction'] as const).flatMap((type) => [
        bundle(type, [{ resource: mine(`b-${n}`), request: { method: 'POST', url: 'Patient', ifNoneExist: criteria } }]),
        bundle(type, [{ resource: mine(`p-${n}`), request: { method: 'PUT', url: `Patient?${criteria}` } }]),
        bundle(type, [{ request: { method: 'DELETE', url: `Patient?${criteria}` } }]),
        bundle(type, [{ request: { method: 'GET', url: `Patient?${criteria}` } }]),
      ]),
    ]),
    ...(['seealso', 'replaced-by', 'replaces', 'refer'] as const).map((type) => ({
      ...{ method: 'POST', path: '/fhir/Patient' },
      body: mine(`link-${type}`, { active: type !== 'replaced-by', link: [{ other: { reference: 'Patient/theirs' }, type }] }),
    })),
  ];
};

interface Subject {
  readonly server: RegistryServer;
  readonly golden: string;
  readonly foreign: string;
  /** The answer as openmrs reads it, without what differs between any two registries. */
  readonly answer: (question: Question) => Promise<string>;
}

/** Headers that may tell something. */
const HEADERS = ['etag', 'location', 'locationcruid', 'content-type', 'warning', 'allow', 'retry-after'];

async function subject(
  hidden: Partial<Patient>,
  relations: Readonly<Record<string, object>>,
  dhis2s: ReturnType<typeof somebody>,
): Promise<Subject> {
  const server = await startRegistry();
  /** Ids, times and ports differ between any two registries: names in order of appearance stand for ids. */
  const names = new Map<string, string>();
  const nameOf = (id: string): string => names.get(id) ?? names.set(id, `id-${names.size + 1}`).get(id) ?? '';
  const normalised = (text: string): string =>
    text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, nameOf)
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
  const put = (id: string, client: string, body: Patient): Promise<Answer> =>
    server.send('PUT', `/fhir/Patient/${id}`, { body: { ...body, id }, client });
  const golden = cruidOf(await put('mine', 'openmrs', patient('openmrs', 'mine', me)));
  const foreign = cruidOf(await put('theirs', 'dhis2', patient('dhis2', 'd-1', dhis2s, hidden)));
  for (const [id, relation] of Object.entries(relations)) {
    const body = { resourceType: 'RelatedPerson', id, patient: { reference: 'Patient/theirs' }, ...relation };
    await server.send('PUT', `/fhir/RelatedPerson/${id}`, { body, client: 'dhis2' });
  }
  return {
    ...{ server, golden, foreign },
    async answer({ method, path, ...sending }) {
      const { status, headers, text } = await server.send(method, path, { ...sending, client: 'openmrs' });
      const told = HEADERS.map((name) => headers[name] ?? '').join(' ');
      return normalised(`${method} ${path} ${JSON.stringify(sending)} ${status} ${told} ${text}`);
    },
  };
}

const dhis2s = somebody();
const subjects = await Promise.all(HIDDEN.map((hidden, n) => subject(hidden, RELATIONS[n % RELATIONS.length] ?? {}, dhis2s)));
afterAll(async () => {
  for (const { server } of subjects) await server.stop();
});

/** Asks all registries the same, each in its order. */
async function requireAlike(questions: (one: Subject) => readonly Question[]): Promise<void> {
  const [plain, ...others] = await Promise.all(
    subjects.map(async (one) => {
      const answers: string[] = [];
      for (const question of questions(one)) answers.push(await one.answer(question));
      return answers;
    }),
  );
  for (const other of others) expect(other).toEqual(plain);
}

it('whatever is read or asked for is answered alike', async () => {
  await requireAlike(({ golden, foreign }) => reads(golden, foreign));
}, 60_000);

it('whoever is asked about by $match and by the dry run of OpenCR 1.x is answered alike', async () => {
  await requireAlike(() => matches);
});

it('reads at random, right and wrong, are answered alike', async () => {
  const property = fc.asyncProperty(
    readShot.filter(({ method }) => method === 'GET' || method === 'HEAD'),
    async ({ method, path, headers }) => {
      await requireAlike(({ golden, foreign }) => {
        const ids = ['theirs', 'mine', golden, foreign];
        return [{ method, path: path.replaceAll(/@A?(\d+)@/g, (_, n: string) => ids[Number(n) % ids.length] ?? ''), headers }];
      });
    },
  );
  await fc.assert(property, { numRuns: 300 });
}, 120_000);

it('what is refused, and what a condition finds, tells nothing of what is hidden', async () => {
  await requireAlike(({ foreign }) => writes(foreign));
}, 60_000);
