/** ITI-104 resolve duplicates: a replaced-by link merges a record into another of the same system (PIX-104-11…15). */
import { afterAll, describe, expect, it } from 'vitest';
import type { Patient } from '../../src/fhir/r4.ts';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, patient, type Person, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;

const by = (value: string, client = 'openmrs'): string => `?identifier=${encodeURIComponent(`${systemOf(client)}|${value}`)}`;
const put = (value: string, body: Patient, sending: { client?: string; headers?: Record<string, string> } = {}) =>
  send('PUT', `/fhir/Patient${by(value, sending.client)}`, { body, ...sending });
const submit = async (value: string, person: Person = somebody(), client = 'openmrs') => {
  const answer = await put(value, patient(client, value, person), { client });
  return { value, person, id: idOf(answer), cruid: cruidOf(answer) };
};
const get = (path: string, client = 'openmrs') => send('GET', `/fhir/Patient${path}`, { client });
/** `value` as it says that `survivor` replaces it. */
const replaced = (value: string, other: NonNullable<Patient['link']>[number]['other'], person = somebody()): Patient =>
  patient('openmrs', value, person, { active: false, link: [{ other, type: 'replaced-by' }] });
const into = (survivor: string) => ({ identifier: identifier('openmrs', survivor) });
const pix = async (value: string) => {
  const answer = await get(`/$ihe-pix?sourceIdentifier=${encodeURIComponent(`${systemOf('openmrs')}|${value}`)}`);
  const { parameter = [] } = answer.resource('Parameters');
  return parameter.map(({ valueIdentifier, valueReference }) => valueIdentifier?.value ?? valueReference?.reference);
};

/** A record merged into another, each of a person of its own before. */
const merged = async (name: string) => {
  const [old, survivor] = [await submit(`${name}-old`), await submit(`${name}-new`)];
  expect(old.cruid).not.toBe(survivor.cruid);
  const answer = await put(old.value, replaced(old.value, into(survivor.value), old.person));
  return { old, survivor, answer };
};

describe('a merge', () => {
  it('is answered with 200 and the CRUID of the survivor; the old record reads inactive, replaced by it (PIX-104-11, D12, D14)', async () => {
    const { old, survivor, answer } = await merged('plain');
    expect([answer.status, idOf(answer), cruidOf(answer)]).toEqual([200, old.id, survivor.cruid]);
    const link = [{ other: { reference: `Patient/${survivor.id}` }, type: 'replaced-by' }];
    expect(answer.resource('Patient')).toMatchObject({ active: false, link });
    expect((await get(`/${old.id}`)).resource('Patient')).toEqual(answer.resource('Patient'));
    expect((await get(`/${survivor.cruid}`)).resource('Patient').link).toEqual([
      { other: { reference: `Patient/${survivor.id}` }, type: 'seealso' },
    ]);
    expect((await get(`/${old.cruid}`)).resource('Patient')).toMatchObject({
      active: false,
      link: [{ other: { reference: `Patient/${survivor.cruid}` }, type: 'replaced-by' }],
    });
  });

  it('shows at once in $ihe-pix: the old identifier answers as the survivor, and is in no answer (PIX-104-11, PIX-104-15)', async () => {
    const { old, survivor } = await merged('pix');
    const elsewhere = await submit('pix-elsewhere', survivor.person, 'dhis2');
    expect(elsewhere.cruid).toBe(survivor.cruid);
    const expected = [survivor.value, `Patient/${survivor.id}`, elsewhere.value, `Patient/${elsewhere.id}`];
    expect((await pix(old.value)).toSorted()).toEqual(expected.toSorted());
    expect((await pix(survivor.value)).toSorted()).toEqual([elsewhere.value, `Patient/${elsewhere.id}`].toSorted());
  });

  it('is found by its old identifier together with the survivor (PDQ-78-12)', async () => {
    const { old, survivor } = await merged('found');
    const { total, entry = [] } = (await get(by(old.value))).resource('Bundle');
    expect([total, entry.map(({ fullUrl, search }) => [fullUrl?.split('/').at(-1), search?.mode])]).toEqual([
      1,
      [
        [old.id, 'match'],
        [survivor.id, 'include'],
      ],
    ]);
  });

  it('may name the survivor by its id (PIX-104-12), and comes in a transaction', async () => {
    const [old, survivor] = [await submit('ref-old'), await submit('ref-new')];
    const entry = {
      resource: replaced(old.value, { reference: `Patient/${survivor.id}` }),
      request: { method: 'PUT', url: `Patient${by(old.value)}` },
    };
    const answer = await send('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry: [entry] } });
    expect(answer.status).toBe(200);
    expect((await get(`/${old.id}`)).resource('Patient').link?.[0]?.other.reference).toBe(`Patient/${survivor.id}`);
  });

  it('sent again changes nothing; an inactive update without the link leaves it merged', async () => {
    const { old, survivor, answer } = await merged('again');
    const again = await put(old.value, replaced(old.value, into(survivor.value), old.person));
    expect([again.status, again.headers['etag']]).toEqual([200, answer.headers['etag']]);
    await put(old.value, patient('openmrs', old.value, somebody(), { active: false }));
    expect((await get(`/${old.id}`)).resource('Patient').link?.[0]?.type).toBe('replaced-by');
  });

  it('follows the survivor where that is merged in turn, and where that joins another person', async () => {
    const { old, survivor } = await merged('chain');
    const end = await submit('chain-end');
    await put(survivor.value, replaced(survivor.value, into(end.value)));
    expect(await pix(old.value)).toEqual([end.value, `Patient/${end.id}`]);
    expect((await get(`/${old.cruid}`)).resource('Patient').link?.[0]?.other.reference).toBe(`Patient/${end.cruid}`);
    const elsewhere = await submit('chain-elsewhere', somebody(), 'dhis2');
    await put(end.value, patient('openmrs', end.value, elsewhere.person));
    expect((await pix(old.value)).toSorted()).toEqual(
      [end.value, `Patient/${end.id}`, elsewhere.value, `Patient/${elsewhere.id}`].toSorted(),
    );
  });
});

describe('taking a merge back', () => {
  it('is not done by an old message sent again: 409, which says how', async () => {
    const { old } = await merged('stale');
    const before = await registry.head();
    const answer = await put(old.value, patient('openmrs', old.value, old.person));
    expect(answer.status).toBe(409);
    expect(answer.resource('OperationOutcome').issue[0]?.diagnostics).toContain('If-Match: W/"2"');
    expect(await registry.head()).toEqual(before);
  });

  it('is done by whoever knows of it (If-Match): each record has its own CRUID again', async () => {
    const { old, survivor } = await merged('back');
    const answer = await put(old.value, patient('openmrs', old.value, old.person), { headers: { 'if-match': 'W/"2"' } });
    expect([answer.status, cruidOf(answer)]).toEqual([200, old.cruid]);
    expect(answer.resource('Patient').link).toEqual([{ other: { reference: `Patient/${old.cruid}` }, type: 'refer' }]);
    expect((await get(`/${survivor.id}`)).resource('Patient').link?.[0]?.other.reference).toBe(`Patient/${survivor.cruid}`);
    expect(await pix(old.value)).toEqual([]);
    expect((await get(`/${old.id}/_history`)).resource('Bundle').total).toBe(3);
  });
});

describe('a merge is refused, and nothing is done', () => {
  it('into a record that is not there: 422 (PIX-104-13)', async () => {
    const old = await submit('no-survivor');
    const before = await registry.head();
    for (const other of [into('nobody'), { reference: 'Patient/nobody' }]) {
      const answer = await put(old.value, replaced(old.value, other));
      expect([answer.status, answer.resource('OperationOutcome').issue[0]?.expression]).toEqual([422, ['Patient.link']]);
    }
    expect(await registry.head()).toEqual(before);
  });

  it('into a record of another system: 403 (PIX-104-14, OHIE-CR-09)', async () => {
    const [old, foreign] = [await submit('cross'), await submit('cross', somebody(), 'dhis2')];
    for (const other of [{ identifier: identifier('dhis2', 'cross') }, { reference: `Patient/${foreign.id}` }]) {
      expect((await put(old.value, replaced(old.value, other))).status).toBe(403);
    }
  });

  it('into itself, into a golden record, in a circle, or into a record that is merged itself', async () => {
    const { old, survivor } = await merged('circle');
    const third = await submit('circle-third');
    expect((await put(third.value, replaced(third.value, into(third.value)))).status).toBe(422);
    expect((await put(third.value, replaced(third.value, { reference: `Patient/${third.cruid}` }))).status).toBe(422);
    expect((await put(survivor.value, replaced(survivor.value, into(old.value)))).status).toBe(409);
    expect((await put(third.value, replaced(third.value, into(old.value)))).status).toBe(409);
  });
});

it('deleting the survivor deletes what was merged into it', async () => {
  const { old, survivor } = await merged('both-gone');
  expect((await send('DELETE', `/fhir/Patient/${survivor.id}`)).status).toBe(204);
  expect((await get(`/${old.id}`)).status).toBe(410);
  expect((await get(`/${old.cruid}`)).resource('Patient')).toMatchObject({ active: false });
  expect((await get(`/${old.cruid}`)).resource('Patient').link).toBeUndefined();
});

describe('the feed', () => {
  const unused = (name: string): Patient => patient('openmrs', name, somebody());

  it('adds with 201 and revises with 200 and a new version, matched again (PIX-104-01, PIX-104-02, PIX-104-10)', async () => {
    const elsewhere = await submit('feed-elsewhere', somebody(), 'dhis2');
    const added = await put('feed', unused('feed'));
    expect([added.status, added.headers['etag']]).toEqual([201, 'W/"1"']);
    expect(await pix('feed')).toEqual([]);
    const revised = await put('feed', patient('openmrs', 'feed', elsewhere.person));
    expect([revised.status, revised.headers['etag']]).toEqual([200, 'W/"2"']);
    expect((await pix('feed')).toSorted()).toEqual([elsewhere.value, `Patient/${elsewhere.id}`].toSorted());
  });

  it('takes a body id that is the record’s, or a free one, and refuses another’s (PIX-104-04, PIX-104-05, PIX-104-06)', async () => {
    const [known, other] = [await submit('feed-id'), await submit('feed-id-other')];
    const withId = (id: string, value: string) => put(value, { ...unused(value), id });
    expect((await withId(known.id, known.value)).status).toBe(200);
    expect((await withId(other.id, known.value)).status).toBe(400);
    const chosen = await withId('feed-chosen', 'feed-chosen');
    expect([chosen.status, idOf(chosen)]).toEqual([201, 'feed-chosen']);
  });

  it('understands logical ids of the source, and a bar raw or encoded (PIX-104-07, PIX-104-08)', async () => {
    const system = 'http://src.example.org/fhir';
    await registry.register({ name: 'logical', systems: [system] });
    const body = { ...unused('-'), identifier: [{ system, value: 'Patient/123' }] };
    const ids = [];
    for (const bar of ['|', '%7C']) {
      ids.push(idOf(await send('PUT', `/fhir/Patient?identifier=${system}${bar}Patient/123`, { body, client: 'logical' })));
    }
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe('');
  });

  it('refuses what names nobody, or says what nobody understands (PIX-104-09, PIX-104-19, PIX-104-21, PIX-104-22)', async () => {
    const before = await registry.head();
    expect((await put('feed-not-in-body', unused('feed-in-body'))).status).toBe(400);
    expect((await send('PUT', '/fhir/Patient', { body: unused('x') })).status).toBe(400);
    expect((await send('PUT', '/fhir/Patient?identifier=x', { body: unused('x') })).status).toBe(400);
    const foreign = { ...unused('x'), identifier: [identifier('openmrs', 'x'), identifier('dhis2', 'x')] };
    expect((await put('x', foreign)).status).toBe(403);
    const modified = { ...unused('x'), modifierExtension: [{ url: 'http://a.example/not', valueBoolean: true }] };
    expect((await put('x', modified)).status).toBe(422);
    expect(await registry.head()).toEqual(before);
  });

  it('is POST, too, for the clients of OpenCR 1.x (PIX-104-20)', async () => {
    expect((await send('POST', '/fhir/Patient', { body: unused('feed-post') })).status).toBe(201);
  });
});
