import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, BundleEntry, Patient } from '../../src/fhir/r4.ts';
import { type Answer, type Sending, startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, national, NATIONAL, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;
const base = `https://127.0.0.1:${registry.server.port}/fhir`;

const post = (body: Patient, client = 'openmrs'): Promise<Answer> => send('POST', '/fhir/Patient', { body, client });
const get = (path: string, sending: Sending = {}): Promise<Answer> => send('GET', `/fhir/Patient${path}`, sending);
const read = async (id: string): Promise<Patient> => (await get(`/${id}`)).resource('Patient');
const patientsOf = (entries: readonly BundleEntry[] | undefined, mode?: string): readonly Patient[] =>
  (entries ?? []).flatMap(({ resource, search }) =>
    resource?.resourceType === 'Patient' && (mode === undefined || search?.mode === mode) ? [resource] : [],
  );
const idsFound = async (query: string): Promise<readonly (string | undefined)[]> =>
  patientsOf((await get(`?${query}`)).resource('Bundle').entry, 'match').map(({ id }) => id);
const enc = encodeURIComponent;

/** The pages of an answer, by their links. */
async function pages(path: string): Promise<readonly Bundle[]> {
  const bundle = (await get(path)).resource('Bundle');
  const next = bundle.link?.find(({ relation }) => relation === 'next')?.url.replace(`${base}/Patient`, '');
  return next === undefined ? [bundle] : [bundle, ...(await pages(next))];
}

/** Anna is known to openmrs and dhis2; dhis2's record was somebody else's until its update. */
const anna = somebody();
const atOpenmrs = await post(
  patient('openmrs', 'anna', anna, { id: 'emr-anna', identifier: [identifier('openmrs', 'anna'), national('N-1')] }),
);
const before = await post(patient('dhis2', 'anna'), 'dhis2');
const after = await post(patient('dhis2', 'anna', anna), 'dhis2');
const [record, other] = [idOf(atOpenmrs), idOf(after)];
const [cruid, former] = [cruidOf(atOpenmrs), cruidOf(before)];

describe('reading (REST-20)', () => {
  it('a record: 200, the id of the URL, ETag and Last-Modified (REST-08)', async () => {
    const answer = await get(`/${record}`);
    expect([answer.status, answer.resource('Patient').id, answer.headers['etag']]).toEqual([200, record, 'W/"1"']);
    expect(Date.parse(answer.headers['last-modified'] ?? '')).toBeGreaterThan(0);
    expect(answer.headers).not.toHaveProperty('content-location');
  });

  it('a golden record: every record of the person, by seealso', async () => {
    expect(cruidOf(after)).toBe(cruid);
    const golden = await read(cruid);
    expect(golden).toMatchObject({ id: cruid, active: true });
    expect(golden.link).toEqual([record, other].map((id) => ({ other: { reference: `Patient/${id}` }, type: 'seealso' })));
  });

  it('a former CRUID resolves for ever: inactive, replaced by the person’s (D12)', async () => {
    expect(former).not.toBe(cruid);
    expect(await read(former)).toMatchObject({
      id: former,
      active: false,
      link: [{ other: { reference: `Patient/${cruid}` }, type: 'replaced-by' }],
    });
  });

  it('an alias: the record under its own id, and where it is (design §7)', async () => {
    const answer = await get('/emr-anna');
    expect([answer.status, answer.resource('Patient').id, answer.headers['content-location']]).toEqual([
      200,
      record,
      `${base}/Patient/${record}`,
    ]);
  });

  it('an id that names nothing: 404', async () => {
    for (const id of ['unknown', 'a_b', 'x'.repeat(65)]) expect((await get(`/${id}`)).status).toBe(404);
  });
});

describe('versions (REST-22) and history', () => {
  it('each version of a record can be read, and says what it said then', async () => {
    const [one, two] = [
      await get(`/${other}/_history/1`, { client: 'dhis2' }),
      await get(`/${other}/_history/2`, { client: 'dhis2' }),
    ];
    expect([one.headers['etag'], two.headers['etag']]).toEqual(['W/"1"', 'W/"2"']);
    expect(one.resource('Patient').name).not.toEqual(two.resource('Patient').name);
    expect(one.resource('Patient').link?.[0]?.other.reference).toBe(`Patient/${former}`);
    expect(two.resource('Patient')).toEqual((await get(`/${other}`, { client: 'dhis2' })).resource('Patient'));
  });

  it('a golden record has a version for each change of its links', async () => {
    const versions = await Promise.all(
      ['1', '2'].map(async (vid) => (await get(`/${cruid}/_history/${vid}`)).resource('Patient')),
    );
    expect(versions.map(({ link }) => link?.length)).toEqual([1, 2]);
    expect((await get(`/${former}/_history/1`)).resource('Patient').active).toBe(true);
    expect((await get(`/${cruid}/_history/3`)).status).toBe(404);
  });

  it('a history is newest first, each entry with its request and response', async () => {
    const bundle = (await get(`/${other}/_history`, { client: 'dhis2' })).resource('Bundle');
    expect(bundle).toMatchObject({ type: 'history', total: 2 });
    expect(bundle.entry).toMatchObject([
      {
        fullUrl: `${base}/Patient/${other}`,
        resource: { meta: { versionId: '2' } },
        request: { method: 'PUT' },
        response: { etag: 'W/"2"' },
      },
      {
        resource: { meta: { versionId: '1' } },
        request: { method: 'POST' },
        response: { status: expect.stringMatching(/^201/), etag: 'W/"1"' },
      },
    ]);
  });

  it('a history is paged by links, and an alias’s is its record’s', async () => {
    for (const name of ['a', 'b', 'c', 'd'])
      await post(patient('openmrs', 'paged', somebody(), { id: 'emr-paged', address: [{ city: name }] }));
    const bundles = await pages('/emr-paged/_history?_count=2');
    expect(bundles.map(({ total }) => total)).toEqual([4, 4]);
    const versions = bundles.flatMap(({ entry }) => patientsOf(entry).map(({ meta }) => meta?.versionId));
    expect(versions).toEqual(['4', '3', '2', '1']);
  });

  it('a record whose link changed has a new version, so that its owner can poll', async () => {
    const grace = somebody();
    const first = await post(patient('openmrs', 'grace', grace));
    const moved = await post(patient('openmrs', 'grace-2'));
    await post(patient('openmrs', 'grace-2', grace));
    const [winner, loser] = [await read(idOf(first)), await read(idOf(moved))];
    expect([winner, loser].map(({ link }) => link?.[0]?.other.reference)).toEqual(Array(2).fill(`Patient/${cruidOf(first)}`));
    expect(loser.meta?.versionId).toBe('2');
  });
});

describe('search (SRCH-*)', () => {
  it.each([
    ['system|value', `identifier=${enc(`${systemOf('openmrs')}|anna`)}`],
    ['value in any system (D16)', 'identifier=anna'],
    ['system| for all of a system', `identifier=${enc(`${NATIONAL}|`)}`],
    ['both of two (SRCH-14)', `identifier=${enc(`${systemOf('openmrs')}|anna`)}&identifier=${enc(`${NATIONAL}|N-1`)}`],
    ['one of several (SRCH-14)', `identifier=nobody,${enc(`${NATIONAL}|N-1`)}`],
    ['an identifier and the id', `identifier=${enc(`${NATIONAL}|N-1`)}&_id=${record}`],
  ])('identifier: %s', async (_what, query) => {
    expect(await idsFound(query)).toContain(record);
    expect(await idsFound(query)).not.toContain(cruid);
  });

  it.each([
    ['of another record', `identifier=${enc(`${systemOf('openmrs')}|anna`)}&identifier=${enc(`${systemOf('openmrs')}|paged`)}`],
    ['without a system (SRCH-09)', `identifier=${enc('|anna')}`],
    ['with another id', `identifier=${enc(`${NATIONAL}|N-1`)}&_id=${other}`],
    ['in capitals', `identifier=${enc(`${systemOf('openmrs')}|ANNA`)}`],
    ['cut short', `identifier=${enc(`${systemOf('openmrs')}|ann`)}`],
  ])('identifier %s finds nothing: 200, total 0, no entries', async (_what, query) => {
    const bundle = (await get(`?${query}`)).resource('Bundle');
    expect(bundle).toMatchObject({ type: 'searchset', total: 0 });
    expect(bundle).not.toHaveProperty('entry');
  });

  it('_id: several by comma, as OpenMRS writes them, golden and former records too (SRCH-16, D6)', async () => {
    expect(await idsFound(`_id=${record},Patient/${other}`)).toEqual([record, other]);
    expect(await idsFound(`_id=${cruid},${former}`)).toEqual([cruid, former]);
    expect(await idsFound('_id=emr-anna')).toEqual([record]);
    expect(await idsFound('_id=unknown')).toEqual([]);
  });

  it('_include=Patient:link gives the golden record of a record, and the records of a golden one (SRCH-07)', async () => {
    const included = async (id: string) =>
      patientsOf((await get(`?_id=${id}&_include=Patient:link`)).resource('Bundle').entry, 'include').map((one) => one.id);
    expect(await included(record)).toEqual([cruid]);
    expect(await included(cruid)).toEqual([record, other]);
    expect(await included(former)).toEqual([cruid]);
    const bundle = (await get(`?_id=${record},${other}&_include=Patient:link`)).resource('Bundle');
    expect(bundle.total).toBe(2);
    expect(bundle.entry?.map(({ search }) => search?.mode)).toEqual(['match', 'match', 'include']);
  });

  it('is paged by opaque links, without a gap or a repetition (SRCH-01, SRCH-03)', async () => {
    for (let n = 0; n < 7; n += 1)
      await post(
        patient('openmrs', `page-${n}`, somebody(), {
          identifier: [identifier('openmrs', `page-${n}`), { system: 'http://ward.example', value: '7' }],
        }),
      );
    const bundles = await pages(`?identifier=${enc('http://ward.example|7')}&_count=3`);
    expect(bundles.map(({ total, entry }) => [total, entry?.length])).toEqual([
      [7, 3],
      [7, 3],
      [7, 1],
    ]);
    const entries = bundles.flatMap(({ entry }) => entry ?? []);
    const ids = patientsOf(entries).map(({ id }) => id);
    expect(new Set(ids).size).toBe(7);
    expect(entries.map(({ fullUrl }) => fullUrl)).toEqual(ids.map((id) => `${base}/Patient/${id}`));
  });

  it('_count=0 asks for the total only (SRCH-04)', async () => {
    const bundle = (await get(`?identifier=${enc('http://ward.example|7')}&_count=0`)).resource('Bundle');
    expect([bundle.total, bundle.entry, bundle.link?.map(({ relation }) => relation)]).toEqual([7, undefined, ['self']]);
  });

  it('ignores what it does not know, and leaves it out of the self link (SRCH-15, REST-07)', async () => {
    const bundle = (await get(`?_id=${record}&birthplace=false&_contained=true&_format=json`)).resource('Bundle');
    expect(bundle.total).toBe(1);
    expect(bundle.link).toEqual([{ relation: 'self', url: `${base}/Patient?_id=${record}&_format=json` }]);
  });

  it.each(['birthplace=x', '_sort=birthplace', 'identifier:of-type=a', '_include=Patient:encounter'])(
    '%s is refused when handling is strict (REST-07)',
    async (query) => {
      const answer = await get(`?_id=${record}&${query}`, { headers: { prefer: 'handling=strict' } });
      expect([answer.status, answer.resource('OperationOutcome').issue[0]?.code]).toEqual([400, 'invalid']);
    },
  );
});

describe('GET /fhir/metadata says exactly what is there (REST-01)', async () => {
  interface Statement {
    readonly fhirVersion: string;
    readonly format: readonly string[];
    readonly rest: readonly [
      { readonly interaction: readonly { readonly code: string }[]; readonly resource: readonly Described[] },
    ];
  }
  interface Described {
    readonly type: string;
    readonly interaction: readonly { readonly code: string }[];
    readonly searchParam?: readonly { readonly name: string }[];
    readonly searchInclude?: readonly string[];
    readonly operation?: readonly { readonly name: string }[];
    readonly conditionalCreate: boolean;
    readonly conditionalUpdate: boolean;
    readonly updateCreate: boolean;
  }
  const statement = JSON.parse((await send('GET', '/fhir/metadata')).text) as Statement;
  const [rest] = statement.rest;
  await registry.register({ name: 'auditor', scopes: ['audit'] });

  it('the version, the formats and the resources', () => {
    expect(statement).toMatchObject({
      resourceType: 'CapabilityStatement',
      fhirVersion: '4.0.1',
      kind: 'instance',
      format: ['application/fhir+json', 'json', 'application/fhir+xml', 'xml'],
    });
    expect(rest.resource.map(({ type }) => type)).toEqual(['Patient', 'Organization', 'RelatedPerson', 'AuditEvent']);
  });

  const bundle = (type: string): Sending => ({ body: { resourceType: 'Bundle', type } });
  type Calls = Readonly<Record<string, readonly [method: string, path: string, sending?: Sending]>>;
  const companionCalls = (resourceType: string, more: object): Calls => {
    const at = `/fhir/${resourceType}/claimed`;
    return {
      [`${resourceType} create`]: ['POST', `/fhir/${resourceType}`, { body: { resourceType, ...more } }],
      [`${resourceType} update`]: ['PUT', at, { body: { resourceType, id: 'claimed', ...more } }],
      [`${resourceType} read`]: ['GET', at],
      [`${resourceType} vread`]: ['GET', `${at}/_history/1`],
      [`${resourceType} history-instance`]: ['GET', `${at}/_history`],
      [`${resourceType} search-type`]: ['GET', `/fhir/${resourceType}?_id=claimed`],
      [`${resourceType} delete`]: ['DELETE', at],
    };
  };
  const calls: Calls = {
    'Patient read': ['GET', `/fhir/Patient/${record}`],
    'Patient vread': ['GET', `/fhir/Patient/${record}/_history/1`],
    'Patient history-instance': ['GET', `/fhir/Patient/${record}/_history`],
    'Patient create': ['POST', '/fhir/Patient', { body: patient('openmrs', 'claimed') }],
    'Patient update': ['PUT', '/fhir/Patient/claimed', { body: patient('openmrs', 'claimed', somebody(), { id: 'claimed' }) }],
    'Patient history-type': ['GET', '/fhir/Patient/_history'],
    'Patient delete': ['DELETE', '/fhir/Patient/claimed'],
    'Patient search-type': ['GET', `/fhir/Patient?_id=${record}`],
    ...companionCalls('Organization', { name: 'Claimed' }),
    ...companionCalls('RelatedPerson', { patient: { reference: `Patient/${record}` } }),
    'AuditEvent read': ['GET', '/fhir/AuditEvent/change-1-1', { client: 'auditor' }],
    'AuditEvent search-type': ['GET', '/fhir/AuditEvent', { client: 'auditor' }],
    batch: ['POST', '/fhir', bundle('batch')],
    transaction: ['POST', '/fhir', bundle('transaction')],
  };
  it('every interaction that it lists works, and each that works is listed', async () => {
    const claimed = [
      ...rest.resource.flatMap(({ type, interaction }) => interaction.map(({ code }) => `${type} ${code}`)),
      ...rest.interaction.map(({ code }) => code),
    ];
    expect(claimed.toSorted()).toEqual(Object.keys(calls).toSorted());
    for (const [name, call] of Object.entries(calls)) expect([name, (await send(...call)).status < 300]).toEqual([name, true]);
  });

  it.each([
    ['PATCH', '/fhir/Patient/claimed'],
    ['GET', '/fhir/_history'],
    ['GET', '/fhir?_type=Patient'],
    ['GET', '/fhir/AuditEvent/change-1-1/_history'],
    ['POST', '/fhir/AuditEvent'],
    ['GET', '/fhir/Patient/$everything'],
    ['GET', '/fhir/Person/1'],
  ])('what it does not list is not served: %s %s', async (method, path) => {
    const answer = await send(method, path, { client: 'auditor', ...(method === 'POST' && { body: patient('openmrs', 'x') }) });
    expect([404, 405]).toContain(answer.status);
  });

  it('search parameters, includes, operations and conditions are those that are served', async () => {
    expect(rest.resource[0]).toMatchObject({
      searchInclude: ['Patient:link', 'Patient:organization', 'Patient:general-practitioner'],
      searchRevInclude: ['Patient:link', 'RelatedPerson:patient'],
      operation: [{ name: 'ihe-pix' }, { name: 'match' }],
      conditionalCreate: true,
      conditionalRead: 'full-support',
      conditionalUpdate: true,
      conditionalDelete: 'single',
      updateCreate: true,
    });
  });
});
