import { afterAll, describe, expect, it } from 'vitest';
import type { BundleEntry, BundleResponse, Patient } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { cruidOf, demo, idOf, identifier, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;

type Entry = Readonly<Record<string, unknown>>;
const post = (resource: object): Entry => ({ resource, request: { method: 'POST', url: 'Patient' } });
const put = (url: string, resource: object): Entry => ({ resource, request: { method: 'PUT', url } });
const submit = (
  type: string | undefined,
  entry: readonly Entry[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => send('POST', '/fhir', { body: { resourceType: 'Bundle', ...(type && { type }), entry }, headers });

const entries = (answer: Answer): readonly BundleEntry[] => answer.resource('Bundle').entry ?? [];
const responses = (answer: Answer): readonly (BundleResponse | undefined)[] => entries(answer).map((entry) => entry.response);
const statuses = (answer: Answer) => responses(answer).map((response) => response?.status);
const cruids = (answer: Answer): readonly string[] => JSON.parse(answer.headers['locationcruid'] ?? '[]') as readonly string[];
const ids = (answer: Answer) => responses(answer).map((response) => /^Patient\/([^/]+)/.exec(response?.location ?? '')?.[1]);
const idOfPatient = (entry: BundleEntry | undefined) => (entry?.resource as Patient | undefined)?.id;
const nobody = { resourceType: 'Patient', name: [{ family: 'Nobody' }] };
const observation = { resourceType: 'Observation', status: 'final', code: { text: 'weight' } };

describe.each(['batch', 'transaction'])('a %s', (type) => {
  it('is answered entry by entry in the order asked, each with status, location, etag and lastModified (TX-02, TX-08)', async () => {
    const answer = await submit(
      type,
      ['a', 'b', 'c'].map((name) => post(patient('openmrs', `${type} ${name}`))),
    );
    expect(answer.status).toBe(200);
    expect(answer.resource('Bundle').type).toBe(`${type}-response`);
    for (const [index, entry] of entries(answer).entries()) {
      expect(entry.response).toEqual({
        status: '201',
        location: `Patient/${idOfPatient(entry)}/_history/1`,
        etag: 'W/"1"',
        lastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      expect(entry.resource).toMatchObject({ identifier: [{ value: `${type} ${'abc'.charAt(index)}` }] });
    }
    expect(cruids(answer)).toHaveLength(3);
  });

  it('holds two patients that match each other: they get one CRUID', async () => {
    const anna = somebody();
    const answer = await submit(type, [post(patient('openmrs', `${type} 1`, anna)), post(patient('openmrs', `${type} 2`, anna))]);
    const [first, second] = cruids(answer);
    expect(second).toBe(first);
    expect(new Set(ids(answer)).size).toBe(2);
    const golden = (await send('GET', `/fhir/${first}`)).resource('Patient');
    expect(golden.link?.map(({ other }) => other.reference)).toEqual(ids(answer).map((id) => `Patient/${id}`));
  });

  it('takes PUT by id and by identifier, and answers 201 or 200 as alone', async () => {
    const old = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', `${type} old`) }));
    const answer = await submit(type, [
      put(`Patient/${type}-new`, patient('openmrs', `${type} new`, somebody(), { id: `${type}-new` })),
      put(`Patient?identifier=${systemOf('openmrs')}|${type}%20old`, patient('openmrs', `${type} old`)),
    ]);
    expect(statuses(answer)).toEqual(['201', '200']);
    expect(ids(answer)).toEqual([`${type}-new`, old]);
  });

  it.each(['minimal', 'representation'])('gives resources back as Prefer: return=%s asks (TX-08)', async (wanted) => {
    const answer = await submit(type, [post(patient('openmrs', `${type} prefer`))], { prefer: `return=${wanted}` });
    expect(idOfPatient(entries(answer)[0]) !== undefined).toBe(wanted === 'representation');
    expect(responses(answer)[0]?.location).toBeDefined();
  });

  it('without entries is fine (TX-09), and stores nothing', async () => {
    const before = await registry.head();
    const answer = await submit(type, []);
    expect([answer.status, answer.resource('Bundle')]).toEqual([200, { resourceType: 'Bundle', type: `${type}-response` }]);
    expect(await registry.head()).toEqual(before);
  });

  it('of 1,001 entries is refused (413) before any is looked at', async () => {
    const before = await registry.head();
    const answer = await submit(
      type,
      Array.from({ length: 1001 }, (_, n) => post(patient('openmrs', `${type} many ${n}`))),
    );
    expect(answer.status).toBe(413);
    expect(answer.resource('OperationOutcome').issue).toMatchObject([{ code: 'too-long', expression: ['Bundle.entry'] }]);
    expect(await registry.head()).toEqual(before);
  });
});

describe('a batch', () => {
  it('takes the same patient twice as a submission and its update', async () => {
    const answer = await submit('batch', [post(patient('openmrs', 'twice')), post(patient('openmrs', 'twice'))]);
    expect(statuses(answer)).toEqual(['201', '201']);
    expect(ids(answer)[1]).toBe(ids(answer)[0]);
    expect(responses(answer).map((response) => response?.etag)).toEqual(['W/"1"', 'W/"2"']);
    const same = patient('openmrs', 'twice-same');
    const again = await submit('batch', [post(same), post(same)]);
    expect(responses(again).map((response) => response?.etag)).toEqual(['W/"1"', 'W/"1"']);
  });

  it('stores the good ones and says what is wrong with the bad one, where it stands (TX-01)', async () => {
    const answer = await submit('batch', [
      post(patient('openmrs', 'good 1')),
      post({ ...patient('openmrs', 'bad'), birthDate: '2001-02-30' }),
      post(nobody),
      post(observation),
      { resource: patient('openmrs', 'deleted'), request: { method: 'PATCH', url: 'Patient/1' } },
      post(patient('openmrs', 'good 2')),
    ]);
    expect(answer.status).toBe(200);
    expect(statuses(answer)).toEqual(['201', '422', '422', '400', '405', '201']);
    expect(responses(answer).map((response) => response?.outcome?.issue[0]?.expression?.[0])).toEqual([
      undefined,
      'Bundle.entry[1].resource.birthDate',
      'Bundle.entry[2].resource.identifier',
      'Bundle.entry[3].resource.resourceType',
      'Bundle.entry[4].request.method',
      undefined,
    ]);
    expect(cruids(answer)).toHaveLength(2);
    for (const id of ids(answer).filter((one) => one !== undefined))
      expect((await send('GET', `/fhir/Patient/${id}`)).status).toBe(200);
  });

  it('says which of its refusals happened, in the audit trail, although it was answered with 200', async () => {
    await registry.register({ name: 'auditor', scopes: ['audit'] });
    const body = { resourceType: 'Bundle', type: 'batch', entry: [post(nobody), post(observation)] };
    await send('POST', '/fhir', { body, client: 'lims', headers: { 'x-request-id': 'half-refused' } });
    const trail = (await send('GET', '/fhir/AuditEvent?_count=5', { client: 'auditor' })).resource('Bundle');
    const rows = (trail.entry ?? []).filter(({ resource }) => JSON.stringify(resource).includes('half-refused'));
    expect(rows.map(({ resource }) => resource)).toMatchObject([
      { outcome: '4', outcomeDesc: 'business-rule (stands for 2 alike)' },
    ]);
  });

  it.each([['collection'], [undefined]])('is what 1.x’s senders mean by a Bundle of type %s', async (type) => {
    const answer = await submit(type, [post(patient('openmrs', `type ${type}`))]);
    expect([answer.status, answer.resource('Bundle').type]).toEqual([200, 'batch-response']);
  });

  it('takes entries without a request as POSTs of their Patients, as 1.x did', async () => {
    const answer = await submit(
      'batch',
      ['patient1_openmrs'].map((name) => ({ resource: JSON.parse(demo(name)) as unknown })),
    );
    expect(statuses(answer)).toEqual(['201']);
  });

  it('honours ifNoneExist, each entry alone (TX-06, REST-24)', async () => {
    const named = (value: string) => ({
      method: 'POST',
      url: 'Patient',
      ifNoneExist: `identifier=${systemOf('openmrs')}|${value}`,
    });
    const known = await submit('batch', [post(patient('openmrs', 'if-known'))]);
    const answer = await submit('batch', [
      { resource: patient('openmrs', 'if-known', somebody()), request: named('if-known') },
      { resource: patient('openmrs', 'if-new'), request: named('if-new') },
      { resource: patient('openmrs', 'if-foreign'), request: { ...named(''), ifNoneExist: 'identifier=a|b' } },
    ]);
    expect(statuses(answer)).toEqual(['200', '201', '400']);
    const [first] = answer.resource('Bundle').entry ?? [];
    expect(first?.resource).toEqual(known.resource('Bundle').entry?.[0]?.resource);
  });

  it('deletes first, then creates, then updates, and answers in the order asked (TX-03)', async () => {
    for (const type of ['batch', 'transaction'] as const) {
      const id = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'order') }));
      const put = { method: 'PUT', url: `Patient?identifier=${systemOf('openmrs')}|order` };
      const remove = { method: 'DELETE', url: `Patient/${id}` };
      const answer = await submit(type, [{ resource: patient('openmrs', 'order'), request: put }, { request: remove }]);
      expect(statuses(answer)).toEqual(['201', '204']);
      expect((await send('GET', `/fhir/Patient/${id}`)).status).toBe(410);
    }
  });

  it('honours ifMatch, each entry alone (TX-06)', async () => {
    const id = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'if-match') }));
    const put = (ifMatch: string): Entry => ({
      resource: patient('openmrs', 'if-match', somebody(), { id }),
      request: { method: 'PUT', url: `Patient/${id}`, ifMatch },
    });
    expect(statuses(await submit('batch', [put('W/"1"'), put('W/"1"'), put('W/"2"')]))).toEqual(['200', '412', '200']);
  });

  it('of hundreds keeps their order, and leaves the headers of 1.x out, which no client would take at that length', async () => {
    const values = Array.from({ length: 200 }, (_, n) => `hundred ${n}`);
    const answer = await submit(
      'batch',
      values.map((value) => post(patient('openmrs', value))),
    );
    expect(entries(answer).map(({ resource }) => (resource as Patient).identifier?.[0]?.value)).toEqual(values);
    expect(answer.headers).not.toHaveProperty('location');
    expect(answer.headers).not.toHaveProperty('locationcruid');
    expect((entries(answer).at(-1)?.resource as Patient).link?.[0]?.other.reference).toMatch(/^Patient\//);
  });
});

describe('a transaction is all or nothing (TX-02): refused with one outcome, the store as it was', () => {
  const good = () => post(patient('openmrs', 'good in transaction'));
  it.each([
    [
      'a Patient that breaks a rule',
      422,
      'Bundle.entry[1].resource.birthDate',
      () => post({ ...patient('openmrs', 'x'), birthDate: '2001-02-30' }),
    ],
    [
      'a Patient that breaks the structure',
      400,
      'Bundle.entry[1].resource.name',
      () => post({ ...patient('openmrs', 'x'), name: 'Anna' }),
    ],
    ['a Patient without an own identifier', 422, 'Bundle.entry[1].resource.identifier', () => post(nobody)],
    ['a Patient of another client', 403, 'Bundle.entry[1].resource.identifier[0]', () => post(patient('dhis2', 'x'))],
    ['a non-Patient', 400, 'Bundle.entry[1].resource.resourceType', () => post(observation)],
    [
      'a method that is not served',
      405,
      'Bundle.entry[1].request.method',
      () => ({ request: { method: 'PATCH', url: 'Patient/1' } }),
    ],
    ['the same patient by POST twice (TX-04)', 400, 'Bundle.entry[1]', good],
    [
      'a PUT to a golden record',
      403,
      undefined,
      () => put('Patient/GOLDEN', patient('openmrs', 'x', somebody(), { id: 'GOLDEN' })),
    ],
    [
      'a version that is not the current one',
      412,
      undefined,
      () => ({ ...good(), request: { method: 'POST', url: 'Patient', ifMatch: 'W/"7"' } }),
    ],
    [
      'a malformed condition',
      400,
      'Bundle.entry[1]',
      () => ({ ...good(), request: { method: 'POST', url: 'Patient', ifNoneExist: 'a' } }),
    ],
  ])('%s: %i', async (_what, status, expression, bad) => {
    const golden = cruidOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'with golden') }));
    const before = await registry.head();
    const entry = JSON.parse(JSON.stringify(bad()).replaceAll('GOLDEN', golden)) as Entry;
    const answer = await submit('transaction', [good(), entry, post(patient('openmrs', 'another good one'))]);
    expect(answer.status).toBe(status);
    const [issue] = answer.resource('OperationOutcome').issue;
    expect(issue?.severity).toBe('error');
    expect(issue?.expression?.[0]).toBe(expression ?? 'Bundle.entry[1]');
    expect(await registry.head()).toEqual(before);
    expect(
      (await send('GET', `/fhir/Patient?identifier=${systemOf('openmrs')}|good%20in%20transaction`)).resource('Bundle').total,
    ).toBe(0);
  });

  it('two PUTs of one id (TX-04): 400', async () => {
    const before = await registry.head();
    const one = (value: string) => put('Patient/tx-twice', patient('openmrs', value, somebody(), { id: 'tx-twice' }));
    const answer = await submit('transaction', [one('tx-a'), one('tx-b')]);
    expect([answer.status, answer.resource('OperationOutcome').issue[0]?.expression]).toEqual([
      400,
      ['Bundle.entry[1].request.url'],
    ]);
    expect(await registry.head()).toEqual(before);
  });

  it('and sent again without the bad one it is accepted', async () => {
    const answer = await submit('transaction', [good(), post(patient('openmrs', 'another good one'))]);
    expect(statuses(answer)).toEqual(['201', '201']);
  });
});

it.each([
  ['searchset', { type: 'searchset' }, 400, 'Bundle.type'],
  ['document', { type: 'document' }, 400, 'Bundle.type'],
  ['entry that is no list', { type: 'batch', entry: { resource: patient('openmrs', 'x') } }, 400, 'Bundle.entry'],
  ['no Bundle at all', { resourceType: 'Patient', identifier: [identifier('openmrs', 'x')] }, 400, 'resourceType'],
  ['a list', [], 400, 'resourceType'],
])('POST /fhir with %s is refused', async (_what, body, status, expression) => {
  const before = await registry.head();
  const answer = await send('POST', '/fhir', { body: Array.isArray(body) ? body : { resourceType: 'Bundle', ...body } });
  expect(answer.status).toBe(status);
  expect(answer.resource('OperationOutcome').issue[0]).toMatchObject({ code: 'structure', expression: [expression] });
  expect(await registry.head()).toEqual(before);
});
