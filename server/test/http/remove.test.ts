/** DELETE: REST-29, REST-30, and what ITI-104 calls remove. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/fhir/r4.ts';
import { startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;

const submit = async (value: string, person = somebody(), client = 'openmrs') => {
  const answer = await send('POST', '/fhir/Patient', { body: patient(client, value, person), client });
  return { id: idOf(answer), cruid: cruidOf(answer) };
};
const get = (path: string, client = 'openmrs') => send('GET', `/fhir/Patient${path}`, { client });
const remove = (path: string, client = 'openmrs', headers: Record<string, string> = {}) =>
  send('DELETE', `/fhir/Patient${path}`, { client, headers });
const by = (value: string, client = 'openmrs'): string => `?identifier=${encodeURIComponent(`${systemOf(client)}|${value}`)}`;

describe('DELETE Patient/id (REST-29)', () => {
  it('204; a later read is 410, its versions stay, and its history ends in the deletion', async () => {
    const { id } = await submit('gone');
    const answer = await remove(`/${id}`);
    expect([answer.status, answer.text, answer.headers['etag']]).toEqual([204, '', 'W/"2"']);
    const read = await get(`/${id}`);
    expect([read.status, read.resource('OperationOutcome').issue[0]?.code]).toEqual([410, 'deleted']);
    expect((await get(`/${id}/_history/2`)).status).toBe(410);
    expect((await get(`/${id}/_history/1`)).resource('Patient').identifier).toEqual([identifier('openmrs', 'gone')]);
    const { entry = [], total } = (await get(`/${id}/_history`)).resource('Bundle');
    expect(total).toBe(2);
    expect(entry.map(({ request, response, resource }) => [request?.method, response?.status, resource?.resourceType])).toEqual([
      ['DELETE', '204', undefined],
      ['POST', '201', 'Patient'],
    ]);
  });

  it('of nothing, and a second time: 204 (D7)', async () => {
    const { id } = await submit('twice');
    for (const path of [`/${id}`, `/${id}`, '/never-was', by('never-was')]) expect((await remove(path)).status).toBe(204);
    expect((await get(`/${id}/_history`)).resource('Bundle').total).toBe(2);
  });

  it('with Prefer: return=OperationOutcome 200 and an outcome', async () => {
    const { id } = await submit('outcome');
    const answer = await remove(`/${id}`, 'openmrs', { prefer: 'return=OperationOutcome' });
    expect([answer.status, answer.resource('OperationOutcome').issue[0]?.severity]).toEqual([200, 'information']);
  });

  it('by others, of golden records, and of another version than the one in force is refused, and nothing is done', async () => {
    const { id, cruid } = await submit('kept');
    const before = await registry.head();
    expect((await remove(`/${id}`, 'dhis2')).status).toBe(403);
    expect((await remove(`/${cruid}`)).status).toBe(403);
    expect((await remove(`/${id}`, 'openmrs', { 'if-match': 'W/"7"' })).status).toBe(412);
    expect((await remove(by('kept'), 'dhis2')).status).toBe(400);
    expect(await registry.head()).toEqual(before);
    expect((await remove(`/${id}`, 'openmrs', { 'if-match': 'W/"1"' })).status).toBe(204);
  });

  it('takes it out of searches, cross-references and its person; the CRUID lives on with the others', async () => {
    const person = somebody();
    const [here, there] = [await submit('both', person), await submit('both', person, 'dhis2')];
    expect(there.cruid).toBe(here.cruid);
    await remove(`/${here.id}`);
    for (const query of [
      `?_id=${here.id}`,
      by('both'),
      `?family=${person.name?.[0]?.family ?? ''}`,
      '?_tag=openmrs&_total=accurate',
    ]) {
      const { entry = [] } = (await get(query)).resource('Bundle');
      expect([query, entry.filter(({ fullUrl }) => fullUrl?.endsWith(here.id))]).toEqual([query, []]);
    }
    const source = encodeURIComponent(`${systemOf('openmrs')}|both`);
    expect((await get(`/$ihe-pix?sourceIdentifier=${source}`)).status).toBe(404);
    const golden = (await get(`/${here.cruid}`)).resource('Patient');
    expect([golden.active, golden.link]).toEqual([true, [{ other: { reference: `Patient/${there.id}` }, type: 'seealso' }]]);
  });

  it('of the last record of a person: the CRUID answers, inactive', async () => {
    const { id, cruid } = await submit('last');
    await remove(`/${id}`);
    const golden = await get(`/${cruid}`);
    expect([golden.status, golden.resource('Patient').active, golden.resource('Patient').link]).toEqual([200, false, undefined]);
  });

  it('frees the identifier for a new record; PUT on the id brings the record back, with its CRUID (REST-25)', async () => {
    const { id, cruid } = await submit('phoenix');
    await remove(`/${id}`);
    const back = await send('PUT', `/fhir/Patient/${id}`, { body: { id, ...patient('openmrs', 'phoenix') } });
    expect([back.status, idOf(back), back.headers['etag'], cruidOf(back)]).toEqual([201, id, 'W/"3"', cruid]);
    await remove(`/${id}`);
    const anew = await submit('phoenix');
    expect(anew.id).not.toBe(id);
  });

  it('is audited as a deletion (AUD-04)', async () => {
    const { id } = await submit('audited');
    await remove(`/${id}`);
    await registry.register({ name: 'auditor', scopes: ['audit'] });
    const { entry = [] } = (await send('GET', '/fhir/AuditEvent?_count=5', { client: 'auditor' })).resource('Bundle');
    const events = entry.flatMap(({ resource }) => (resource?.resourceType === 'AuditEvent' ? [resource] : []));
    const [event] = events.filter(({ action }) => action === 'D');
    expect(event).toMatchObject({ action: 'D', subtype: [{ code: 'delete' }], outcome: '0' });
    expect(event?.entity?.map(({ what }) => what?.reference)).toContain(`Patient/${id}`);
    expect(event?.agent.map(({ type }) => type.coding?.[0]?.code)).toEqual(['110150', 'custodian']);
  });
});

describe('DELETE Patient?identifier= (REST-30, PIX-104-16, PIX-104-17)', () => {
  it('removes the record that it names', async () => {
    const { id } = await submit('by-identifier');
    expect((await remove(by('by-identifier'))).status).toBe(204);
    expect((await get(`/${id}`)).status).toBe(410);
  });
});

describe('Patient/_history (R4 http.html#history)', () => {
  it('lists all versions that the asker sees whole, newest first, deletions too, in pages', async () => {
    await registry.register({ name: 'paging', systems: [systemOf('paging')] });
    const start = new Date().toISOString();
    const first = await submit('h1', somebody(), 'paging');
    const second = await submit('h2', somebody(), 'paging');
    await submit('h1', somebody(), 'paging');
    await submit('elsewhere');
    await remove(`/${second.id}`, 'paging');
    const seen: (readonly [string | undefined, string | undefined])[] = [];
    let next: string | undefined = `/_history?_count=1&_since=${encodeURIComponent(start)}`;
    for (let pages = 0; next !== undefined && pages < 10; pages++) {
      const bundle: Bundle = (await get(next, 'paging')).resource('Bundle');
      expect(bundle.type).toBe('history');
      for (const { request, fullUrl } of bundle.entry ?? []) seen.push([request?.method, fullUrl?.split('/').at(-1)]);
      next = bundle.link?.find(({ relation }) => relation === 'next')?.url.split('/fhir/Patient')[1];
    }
    expect(seen).toEqual([
      ['DELETE', second.id],
      ['PUT', first.id],
      ['POST', second.id],
      ['POST', first.id],
    ]);
  });

  it('of one record since an instant', async () => {
    const { id } = await submit('since');
    const later = new Date(Date.now() + 60_000).toISOString();
    const bundle = (await get(`/${id}/_history?_since=${later}`)).resource('Bundle');
    expect(bundle.entry).toBeUndefined();
    for (const wrong of ['_since=yesterday', '_since=2026-01-01', '_count=x', '_page=1', '_count=1&_count=2']) {
      expect([wrong, (await get(`/_history?${wrong}`)).status]).toEqual([wrong, 400]);
    }
  });
});

describe('a conditional read (REST-21)', () => {
  it('is 304 where the reader has the version in force', async () => {
    const { id } = await submit('cached');
    const known = await get(`/${id}`);
    const read = (headers: Record<string, string>) => send('GET', `/fhir/Patient/${id}`, { headers });
    const etag = known.headers['etag'] ?? '';
    for (const tag of [etag, `W/"9", ${etag}`, '*', '"1"']) {
      const answer = await read({ 'if-none-match': tag });
      expect([tag, answer.status, answer.text, answer.headers['etag']]).toEqual([tag, 304, '', etag]);
    }
    expect((await read({ 'if-none-match': 'W/"2"' })).status).toBe(200);
    expect((await read({ 'if-modified-since': known.headers['last-modified'] ?? '' })).status).toBe(304);
    expect((await read({ 'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' })).status).toBe(200);
    expect((await read({ 'if-none-match': 'W/"2"', 'if-modified-since': known.headers['last-modified'] ?? '' })).status).toBe(
      200,
    );
  });

  it('gives the elements asked for (REST-20)', async () => {
    const { id } = await submit('elements');
    const { name, gender, meta } = (await get(`/${id}?_elements=gender`)).resource('Patient');
    expect([name, typeof gender, meta?.tag?.some(({ code }) => code === 'SUBSETTED')]).toEqual([undefined, 'string', true]);
    expect((await get(`/${id}?_summary=count`)).status).toBe(400);
  });
});
