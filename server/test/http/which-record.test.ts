/** The table of design.md §7 over HTTP: which record a submission means. Each title begins with its row. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Patient } from '../../src/fhir/r4.ts';
import { type Answer, type Sending, startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, national, NATIONAL, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry({
  config: { authorities: { mode: 'open', list: [{ uri: 'http://clientregistry.org/internal', kind: 'source' }] } },
});
afterAll(() => registry.stop());
const { send } = registry;

const post = (body: Patient, client = 'openmrs'): Promise<Answer> => send('POST', '/fhir/Patient', { body, client });
const put = (id: string, body: Patient, client = 'openmrs'): Promise<Answer> =>
  send('PUT', `/fhir/Patient/${id}`, { body: { id, ...body }, client });
const putBy = (query: string, body: Patient, client = 'openmrs'): Promise<Answer> =>
  send('PUT', `/fhir/Patient?${query}`, { body, client });
const named = (system: string, value: string): string => `identifier=${encodeURIComponent(`${system}|${value}`)}`;
const get = (id: string, sending: Sending = {}): Promise<Answer> => send('GET', `/fhir/Patient/${id}`, sending);
const problem = (answer: Answer) => answer.resource('OperationOutcome').issue[0];
const family = (answer: Answer): string | undefined => answer.resource('Patient').name?.[0]?.family;

/** A record that is there already. */
const existing = async (value: string, client = 'openmrs') => {
  const answer = await post(patient(client, value), client);
  return { id: idOf(answer), cruid: cruidOf(answer) };
};
const both = (a: string, b: string) =>
  patient('openmrs', a, somebody(), { identifier: [identifier('openmrs', a), identifier('openmrs', b)] });

describe('POST: the own source identifier names the record', () => {
  it('– | unknown: create', async () => {
    const answer = await post(patient('openmrs', 'new'));
    expect(answer.status).toBe(201);
    expect(answer.resource('Patient').meta?.versionId).toBe('1');
  });

  it('– | names R: update R', async () => {
    const r = await existing('r');
    const answer = await post(patient('openmrs', 'r'));
    expect([answer.status, idOf(answer), answer.headers['etag']]).toEqual([201, r.id, 'W/"2"']);
  });

  it('– | names two records: 409, and neither changes', async () => {
    const [one, two] = [await existing('one'), await existing('two')];
    const answer = await post(both('one', 'two'));
    expect(answer.status).toBe(409);
    expect(problem(answer)).toMatchObject({ code: 'conflict', expression: ['Patient.identifier'] });
    for (const { id } of [one, two]) expect((await get(id)).headers['etag']).toBe('W/"1"');
  });

  it('a second system may be called what every object has', async () => {
    for (const system of ['__proto__', 'constructor', 'toString']) {
      const body = patient('openmrs', system, somebody(), {
        identifier: [identifier('openmrs', system), { system, value: '1' }],
      });
      const first = await post(body);
      expect([first.status, idOf(await post(body))]).toEqual([201, idOf(first)]);
    }
  });

  it('the order of identifiers does not matter: one known and one new name the known record', async () => {
    const r = await existing('order');
    expect(idOf(await post(both('order', 'order-second')))).toBe(r.id);
    expect(idOf(await post(both('order-third', 'order-second')))).toBe(r.id);
  });

  it('any | none at all: 422 that names the client’s own systems, for POST and for PUT', async () => {
    const stranger = patient('openmrs', '-', somebody(), { identifier: [national('N-0')] });
    for (const answer of [await post(stranger), await put('some-id', stranger)]) {
      expect(answer.status).toBe(422);
      expect(problem(answer)).toMatchObject({ code: 'business-rule', expression: ['Patient.identifier'] });
      expect(problem(answer)?.diagnostics).toContain(systemOf('openmrs'));
      expect(problem(answer)?.diagnostics).not.toContain(systemOf('dhis2'));
    }
  });

  it('under If-None-Exist: done where the identifier is unknown; else 200 and what is there (REST-24), also where it is a whole URL', async () => {
    const r = await existing('if-none-exist');
    const under = (condition: string, value: string): Promise<Answer> =>
      send('POST', '/fhir/Patient', { body: patient('openmrs', value), headers: { 'if-none-exist': condition } });
    for (const before of ['', '?', 'Patient?', 'https://localhost:3000/fhir/Patient?', 'http://proxy/a/b/Patient?']) {
      const answer = await under(before + named(systemOf('openmrs'), 'if-none-exist'), 'if-none-exist');
      expect([answer.status, idOf(answer), answer.headers['etag']], before).toEqual([200, r.id, 'W/"1"']);
    }
    const url = `https://localhost:3000/fhir/Patient?${named(systemOf('openmrs'), 'if-none')}`;
    expect((await under(url, 'if-none')).status).toBe(201);
    for (const wrong of ['https://localhost:3000/fhir/Person?', 'https://localhost:3000/fhir/Patient', 'Person?'])
      expect((await under(wrong + named(systemOf('openmrs'), 'x'), 'x')).status, wrong).toBe(400);
  });

  it('the body’s id is ignored, but an unused one addresses the record later, for this client only', async () => {
    const answer = await post(patient('openmrs', 'with-id', somebody(), { id: 'emr-17' }));
    expect(idOf(answer)).not.toBe('emr-17');
    const read = await get('emr-17');
    expect([read.status, read.resource('Patient').id]).toEqual([200, idOf(answer)]);
    expect(read.headers['content-location']).toMatch(new RegExp(`/fhir/Patient/${idOf(answer)}$`));
    expect((await get('emr-17', { client: 'dhis2' })).status).toBe(404);
  });

  it('the body’s id that names another record is no alias: the identifier beats the id', async () => {
    const [r, other] = [await existing('beats'), await existing('beaten')];
    const answer = await post(patient('openmrs', 'beats', somebody(), { id: other.id }));
    expect(idOf(answer)).toBe(r.id);
    expect((await get(other.id)).resource('Patient').id).toBe(other.id);
  });

  it('an authority without an owner is a source of every client: the same value of two clients names two records', async () => {
    const internal = { identifier: [{ system: 'http://clientregistry.org/internal', value: '7' }] };
    const first = await post(patient('openmrs', '-', somebody(), internal));
    const second = await post(patient('dhis2', '-', somebody(), internal), 'dhis2');
    const again = await post(patient('openmrs', '-', somebody(), internal));
    expect(idOf(second)).not.toBe(idOf(first));
    expect(idOf(again)).toBe(idOf(first));
  });
});

it('a conditional request never means several records: of equal values it means the sender’s own (PIX-104-03, PIX-104-18)', async () => {
  const internal = { identifier: [{ system: 'http://clientregistry.org/internal', value: '9' }] };
  const query = named('http://clientregistry.org/internal', '9');
  const mine = await putBy(query, patient('openmrs', '-', somebody(), internal));
  const theirs = await putBy(query, patient('dhis2', '-', somebody(), internal), 'dhis2');
  expect([mine.status, theirs.status, idOf(mine) === idOf(theirs)]).toEqual([201, 201, false]);
  expect((await send('DELETE', `/fhir/Patient?${query}`, { client: 'dhis2' })).status).toBe(204);
  expect([(await get(idOf(mine))).status, (await get(idOf(theirs))).status]).toEqual([200, 410]);
});

describe('PUT by id', () => {
  it('unknown | unknown: create with that id, 201', async () => {
    const answer = await put('chosen-1', patient('openmrs', 'chosen'));
    expect([answer.status, idOf(answer)]).toEqual([201, 'chosen-1']);
  });

  it('unknown | names R: update R, 200; the id becomes an alias', async () => {
    const r = await existing('aliased');
    const answer = await put('alias-1', patient('openmrs', 'aliased'));
    expect([answer.status, idOf(answer), answer.headers['etag']]).toEqual([200, r.id, 'W/"2"']);
    expect(answer.resource('Patient').id).toBe(r.id);
    const read = await get('alias-1');
    expect(read.resource('Patient').id).toBe(r.id);
    expect(read.headers['content-location']).toMatch(new RegExp(`/fhir/Patient/${r.id}$`));
    expect((await get(r.id)).headers).not.toHaveProperty('content-location');
    expect((await get('alias-1', { client: 'lims' })).status).toBe(404);
  });

  it('an alias of R counts as R’s id: 200, another’s identifiers under it 409', async () => {
    const [r, other] = [await existing('counts'), await existing('counts-not')];
    await put('alias-2', patient('openmrs', 'counts'));
    const answer = await put('alias-2', patient('openmrs', 'counts-new'));
    expect([answer.status, idOf(answer)]).toEqual([200, r.id]);
    expect((await put('alias-2', patient('openmrs', 'counts-not'))).status).toBe(409);
    expect((await get(other.id)).headers['etag']).toBe('W/"1"');
  });

  it('R’s | unknown: update R, its identifiers replaced', async () => {
    const r = await existing('before');
    const answer = await put(r.id, patient('openmrs', 'after'));
    expect([answer.status, idOf(answer)]).toEqual([200, r.id]);
    expect(answer.resource('Patient').identifier).toEqual([identifier('openmrs', 'after')]);
    const freed = await post(patient('openmrs', 'before'));
    expect(idOf(freed)).not.toBe(r.id);
  });

  it('R’s | names R: update R, 200', async () => {
    const r = await existing('plain');
    const answer = await put(r.id, patient('openmrs', 'plain'));
    expect([answer.status, idOf(answer), answer.headers['etag']]).toEqual([200, r.id, 'W/"2"']);
  });

  it('R’s | names another: 409, and neither changes', async () => {
    const [r, other] = [await existing('mine-1'), await existing('mine-2')];
    const answer = await put(r.id, patient('openmrs', 'mine-2'));
    expect([answer.status, problem(answer)?.code]).toEqual([409, 'conflict']);
    for (const { id } of [r, other]) expect((await get(id)).headers['etag']).toBe('W/"1"');
  });

  it('another client’s | unknown: create with a new id, 201; the id means it for this client only', async () => {
    const foreign = await existing('foreign-1', 'dhis2');
    const answer = await put(foreign.id, patient('openmrs', 'local-1'));
    expect(answer.status).toBe(201);
    expect(idOf(answer)).not.toBe(foreign.id);
    expect((await get(foreign.id)).resource('Patient').id).toBe(idOf(answer));
    for (const client of ['dhis2', 'lims']) expect((await get(foreign.id, { client })).resource('Patient').id).toBe(foreign.id);
    const untouched = await get(foreign.id, { client: 'dhis2' });
    expect([untouched.headers['etag'], untouched.headers['content-location']]).toEqual(['W/"1"', undefined]);
  });

  it('another client’s | names R: update R; the id is an alias for this client only', async () => {
    const [foreign, r] = [await existing('foreign-2', 'dhis2'), await existing('local-2')];
    const answer = await put(foreign.id, patient('openmrs', 'local-2'));
    expect([answer.status, idOf(answer)]).toEqual([200, r.id]);
    expect((await get(foreign.id)).resource('Patient').id).toBe(r.id);
    expect((await get(foreign.id, { client: 'dhis2' })).resource('Patient').id).toBe(foreign.id);
  });

  it.each(['unknown', 'its own'])('a golden record’s | %s: 403, and it stays as it is', async (which) => {
    const r = await existing(`golden of ${which}`);
    const answer = await put(r.cruid, patient('openmrs', which === 'unknown' ? 'golden-new' : `golden of ${which}`));
    expect([answer.status, problem(answer)?.code]).toEqual([403, 'forbidden']);
    expect((await get(r.cruid)).headers['etag']).toBe('W/"1"');
    expect((await get(r.id)).headers['etag']).toBe('W/"1"');
  });

  it.each([
    ['absent', {}],
    ['unlike the URL’s', { id: 'other' }],
  ])('with a body id that is %s: 400 (REST-26)', async (_what, id) => {
    const answer = await send('PUT', '/fhir/Patient/the-url-s', { body: patient('openmrs', 'mismatch', somebody(), id) });
    expect(answer.status).toBe(400);
    expect(problem(answer)).toMatchObject({ code: 'invalid', expression: ['Patient.id'] });
  });
});

describe('If-Match (REST-27)', () => {
  const conditional = (id: string, ifMatch: string): Promise<Answer> =>
    send('PUT', `/fhir/Patient/${id}`, {
      body: patient('openmrs', 'versioned', somebody(), { id }),
      headers: { 'if-match': ifMatch },
    });

  it('the current version: update, 200; a former one: 412, and nothing changes', async () => {
    const { id } = await existing('versioned');
    expect((await conditional(id, 'W/"1"')).status).toBe(200);
    const stale = await conditional(id, 'W/"1"');
    expect([stale.status, problem(stale)?.code]).toEqual([412, 'conflict']);
    expect((await get(id)).headers['etag']).toBe('W/"2"');
  });

  it('a record that is not there: 412, and it is not created', async () => {
    const before = await registry.head();
    const answer = await send('PUT', '/fhir/Patient/if-match-new', {
      body: patient('openmrs', 'if-match-new', somebody(), { id: 'if-match-new' }),
      headers: { 'if-match': 'W/"1"' },
    });
    expect(answer.status).toBe(412);
    expect(await registry.head()).toEqual(before);
  });
});

describe('PUT ?identifier=s|v (REST-28, PIX-104-01 to 09)', () => {
  it('own system, 0 records: create 201, with the body’s id where it has one', async () => {
    const created = await putBy(named(systemOf('openmrs'), 'c-0'), patient('openmrs', 'c-0'));
    expect([created.status, created.headers['etag']]).toEqual([201, 'W/"1"']);
    const chosen = await putBy(named(systemOf('openmrs'), 'c-id'), patient('openmrs', 'c-id', somebody(), { id: 'c-id' }));
    expect([chosen.status, idOf(chosen)]).toEqual([201, 'c-id']);
  });

  it('own system, 1 record: update 200, also with the record’s own id in the body', async () => {
    const r = await existing('c-1');
    const updated = await putBy(named(systemOf('openmrs'), 'c-1'), patient('openmrs', 'c-1'));
    expect([updated.status, idOf(updated), updated.headers['etag']]).toEqual([200, r.id, 'W/"2"']);
    const withId = await putBy(named(systemOf('openmrs'), 'c-1'), patient('openmrs', 'c-1', somebody(), { id: r.id }));
    expect([withId.status, idOf(withId), withId.headers['etag']]).toEqual([200, r.id, 'W/"3"']);
  });

  it('the pipe may come unencoded (PIX-104-08)', async () => {
    const answer = await putBy(`identifier=${systemOf('openmrs')}|raw-pipe`, patient('openmrs', 'raw-pipe'));
    expect(answer.status).toBe(201);
  });

  it('1 record, another id in the body: 400 (PIX-104-05)', async () => {
    const [r, other] = [await existing('c-2'), await existing('c-3')];
    const answer = await putBy(named(systemOf('openmrs'), 'c-2'), patient('openmrs', 'c-2', somebody(), { id: other.id }));
    expect([answer.status, problem(answer)?.expression]).toEqual([400, ['Patient.id']]);
    expect((await get(r.id)).headers['etag']).toBe('W/"1"');
  });

  it('more records: an identifier names one record at most, so that two in the body are 409 and 412 never has to be said', async () => {
    const [one] = [await existing('c-4'), await existing('c-5')];
    const answer = await putBy(named(systemOf('openmrs'), 'c-4'), both('c-4', 'c-5'));
    expect(answer.status).toBe(409);
    expect((await get(one.id)).headers['etag']).toBe('W/"1"');
  });

  it.each([
    ['other parameters', 'family=Okello'],
    ['no parameter', ''],
    ['the identifier and another parameter', `${named(systemOf('openmrs'), 'c-6')}&gender=male`],
    ['two identifiers', `${named(systemOf('openmrs'), 'c-6')}&${named(systemOf('openmrs'), 'c-7')}`],
    ['an identifier without a system', 'identifier=c-6'],
    ['an identifier without a value', named(systemOf('openmrs'), '')],
    ['a shared system', named(NATIONAL, 'N-6')],
    ['another client’s system', named(systemOf('dhis2'), 'c-6')],
    ['an unknown system', named('http://elsewhere.example', 'c-6')],
    ['an identifier that is not in the body (PIX-104-09)', named(systemOf('openmrs'), 'not-there')],
  ])('%s: 400, and nothing is stored', async (_what, query) => {
    const before = await registry.head();
    const body = patient('openmrs', 'c-6', somebody(), { identifier: [identifier('openmrs', 'c-6'), national('N-6')] });
    const answer = await putBy(query, body);
    expect([answer.status, problem(answer)?.code]).toEqual([400, 'invalid']);
    expect(await registry.head()).toEqual(before);
  });
});

describe('what a submission does to the record', () => {
  it('the same body again: no new version and no new link, but a row in the audit trail', async () => {
    const body = patient('openmrs', 'same');
    const first = await post(body);
    const before = await registry.head();
    const second = await send('POST', '/fhir/Patient', { body, headers: { 'x-request-id': 'sent-again' } });
    expect([second.status, second.headers['location'], second.headers['etag']]).toEqual([
      201,
      first.headers['location'],
      'W/"1"',
    ]);
    expect(second.resource('Patient')).toEqual(first.resource('Patient'));
    expect((await get(cruidOf(first))).headers['etag']).toBe('W/"1"');
    expect((await registry.head()).sequence).toBe(before.sequence + 1);
    await registry.register({ name: 'auditor', scopes: ['audit'] });
    const trail = (await send('GET', '/fhir/AuditEvent?_count=20', { client: 'auditor' })).text;
    expect(trail).toContain('sent-again');
  });

  it('the order of keys is not a change, the order of names is', async () => {
    const { resourceType, ...rest } = patient('openmrs', 'keys');
    await post({ resourceType, ...rest });
    const reordered = await send('POST', '/fhir/Patient', {
      body: { ...Object.fromEntries(Object.entries(rest).reverse()), resourceType },
    });
    expect(reordered.headers['etag']).toBe('W/"1"');
    const names = [{ family: 'Aaa' }, { family: 'Bbb' }];
    await post({ resourceType, ...rest, name: names });
    expect((await post({ resourceType, ...rest, name: names.toReversed() })).headers['etag']).toBe('W/"3"');
  });

  it('an update replaces: what the new body does not say is gone (opencr-1x.md I1)', async () => {
    await post(
      patient('openmrs', 'replace', somebody(), {
        address: [{ city: 'Kampala' }],
        identifier: [identifier('openmrs', 'replace'), national('N-9')],
      }),
    );
    const { telecom: _gone, ...body } = patient('openmrs', 'replace');
    const answer = await post(body);
    expect(answer.resource('Patient')).not.toHaveProperty('address');
    expect(answer.resource('Patient')).not.toHaveProperty('telecom');
    expect(answer.resource('Patient').identifier).toEqual([identifier('openmrs', 'replace')]);
    expect(family(await get(idOf(answer)))).toBe(body.name?.[0]?.family);
  });

  it('that is inactive is no candidate: the same person’s arrival gets another CRUID', async () => {
    const anna = somebody();
    const off = await post(patient('openmrs', 'off', anna, { active: false }));
    const on = await post(patient('dhis2', 'on', anna), 'dhis2');
    expect(cruidOf(on)).not.toBe(cruidOf(off));
  });
});
