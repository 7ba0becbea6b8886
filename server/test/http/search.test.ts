/** Demographic search over HTTP (PDQm ITI-78, FHIR R4 search.html), as a client with the scope `demographics`. */
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../src/adapters/sql/store.ts';
import { defaultOurs } from '../../src/fhir/ours.ts';
import type { Bundle, Patient } from '../../src/fhir/r4.ts';
import { isRefusal } from '../../src/fhir/refusal.ts';
import { parseSearch } from '../../src/fhir/search.ts';
import type { Lookup } from '../../src/registry/lookup.ts';
import { createAuthorities } from '../../src/registry/policy/authorities.ts';
import type { DemographicSearch } from '../../src/registry/ports.ts';
import { searchPatients } from '../../src/registry/search.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { idOf, patient } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
await registry.register({ name: 'ministry', scopes: ['demographics'] });

const person = (family: string, given: string, birthDate: string, more: Partial<Patient> = {}): Partial<Patient> => ({
  name: [{ use: 'official', family, given: [given] }],
  birthDate,
  gender: 'female',
  telecom: [{ system: 'phone', value: '0700 555' }],
  ...more,
});
const post = (value: string, more: Partial<Patient>, client = 'openmrs'): Promise<Answer> =>
  registry.send('POST', '/fhir/Patient', { client, body: patient(client, value, {}, more) });

const ids: Record<string, string> = {};
for (const [name, client, more] of [
  ['anna', 'openmrs', person('Okello', 'Anna', '1990-05-17')],
  ['bosco', 'openmrs', person('Okot', 'Bosco', '1985', { gender: 'male', telecom: [{ system: 'phone', value: '0711 222' }] })],
  ['celia', 'dhis2', person('Ökello', 'Celia', '1971-01-01', { address: [{ city: 'Kotido', district: 'Karamoja' }] })],
  ['dan', 'dhis2', person('Wanjiru', 'Dan', '2001-12-31', { gender: 'male', telecom: [] })],
] as const) {
  ids[name] = idOf(await post(name, more, client));
}
/** Namesakes, some without a value to sort by. */
for (const [name, family, given, birthDate] of [
  ['a', 'Same', 'Bo', '1890'],
  ['b', 'Same', 'Bo', '1885'],
  ['c', 'Same', 'Cy', '1899'],
  ['d', 'Same', 'Al', undefined],
  ['e', 'Same', 'Al', '1890'],
  ['f', undefined, 'Zed', '1850'],
] as const) {
  const more = { name: [{ ...(family && { family }), given: [given] }], ...(birthDate && { birthDate }) };
  ids[name] = idOf(await post(name, { ...more, gender: 'other', active: false, address: [{ city: 'Sortville' }] }, 'lims'));
}
const nameOf = (id = ''): string => Object.entries(ids).find(([, known]) => known === id)?.[0] ?? id;

const search = (query: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  registry.send('GET', `/fhir/Patient?${query}`, { client: 'ministry', headers });
const bundleOf = async (query: string): Promise<Bundle> => (await search(query)).resource('Bundle');
const named = ({ entry = [] }: Bundle): readonly string[] =>
  entry.flatMap(({ resource }) => (resource?.resourceType === 'Patient' ? [nameOf(resource.id)] : []));

describe('search by demographics', () => {
  it.each([
    ['family=okel', ['anna', 'celia']],
    ['family:exact=Okello', ['anna']],
    ['family:contains=ell', ['anna', 'celia']],
    ['name=bos', ['bosco']],
    ['given=anna,dan', ['anna', 'dan']],
    ['birthdate=1990-05-17', ['anna']],
    ['birthdate=1985', ['bosco']],
    ['birthdate=ge1985&birthdate=lt1991', ['anna', 'bosco']],
    ['birthdate=sa1990-05-17', ['dan']],
    ['gender=male', ['bosco', 'dan']],
    ['phone=0711222', ['bosco']],
    ['telecom=phone%7C0700-555', ['anna', 'celia']],
    ['address-city=kot', ['celia']],
    ['address=kara', ['celia']],
    ['family=ok&gender=female', ['anna', 'celia']],
    ['_tag=dhis2', ['celia', 'dan']],
    ['_tag=http://openclientregistry.org/fhir/clientid%7Copenmrs', ['anna', 'bosco']],
    ['active=true&_tag:not=5c827da5-4858-4f3d-a50c-62ece001efea', ['anna', 'bosco', 'celia', 'dan']],
    ['_lastUpdated=ge2020&family=w', ['dan']],
    ['_lastUpdated=lt2020', []],
    ['family=%25', []],
  ])('SRCH-08, SRCH-09, SRCH-10: %s finds %j', async (query, expected) => {
    expect(named(await bundleOf(query)).toSorted()).toEqual(expected);
  });

  it('sees a registration at once, in its new version, and no longer what it was', async () => {
    await post('eve', person('Zawadi', 'Eve', '1999-09-09'));
    expect((await bundleOf('family=zawadi')).total).toBe(1);
    await post('eve', person('Zuhura', 'Eve', '1999-09-09', { active: false }));
    expect((await bundleOf('family=zawadi')).total).toBe(0);
    expect((await bundleOf('family=zuhura&active=false')).total).toBe(1);
  });

  it('SRCH-05, SRCH-02: sorts and pages, and each page names the next', async () => {
    let url = '_sort=-birthdate&_count=2&gender=male,female&_lastUpdated=ge2020&active=true';
    const seen: string[] = [];
    for (;;) {
      const page = await bundleOf(url);
      expect(page.total).toBe(4);
      seen.push(...named(page));
      const next = page.link?.find(({ relation }) => relation === 'next')?.url;
      if (next === undefined) break;
      url = next.split('?')[1] ?? '';
    }
    expect(seen).toEqual(['dan', 'anna', 'bosco', 'celia']);
  });

  const paged = async (query: string): Promise<readonly string[]> => {
    const seen: string[] = [];
    for (let url: string | undefined = query; url !== undefined;) {
      const page = await bundleOf(url);
      seen.push(...named(page));
      url = page.link?.find(({ relation }) => relation === 'next')?.url.split('?')[1];
    }
    return seen;
  };

  it.each([
    ['family,-birthdate', ['f', 'c', 'e', 'a', 'b', 'd']],
    ['family,birthdate', ['f', 'd', 'b', 'a', 'e', 'c']],
    ['-family,given,-birthdate', ['e', 'd', 'a', 'b', 'c', 'f']],
    ['-given,family,-_id', ['f', 'c', 'b', 'a', 'e', 'd']],
    ['_lastUpdated,family', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['-_id,family', ['f', 'e', 'd', 'c', 'b', 'a']],
  ])('SRCH-05: _sort=%s: ties by the next key, then by arrival; each once over all pages', async (sort, expected) => {
    for (const count of [1, 2, 4, 50]) {
      expect(await paged(`address-city=Sortville&_sort=${sort}&_count=${count}`)).toEqual(expected);
      const ours = expected.map((name) => ids[name]).join(',');
      expect(await paged(`_id=${ours}&_sort=${sort}&_count=${count}`)).toEqual(expected);
    }
  });

  it('SRCH-05: a next page belongs to the keys that it was made for', async () => {
    const page = await bundleOf('address-city=Sortville&_sort=family,given&_count=1');
    const next = page.link?.find(({ relation }) => relation === 'next')?.url.split('?')[1] ?? '';
    expect(new URLSearchParams(next).get('_sort')).toBe('family,given');
    for (const sort of ['family', 'family,given,birthdate', '_id', 'family,_id']) {
      const other = new URLSearchParams(next);
      other.set('_sort', sort);
      expect((await search(other.toString())).status).toBe(400);
    }
  });

  it('SRCH-06, SRCH-07: includes golden records, and answers as much of each match as was asked for', async () => {
    const included = await bundleOf('family:exact=Okello&_include=Patient:link');
    expect(included.entry?.map(({ search: how }) => how?.mode)).toEqual(['match', 'include']);
    const [elements] = (await bundleOf('family:exact=Okello&_elements=birthDate')).entry ?? [];
    expect(Object.keys(elements?.resource ?? {}).toSorted()).toEqual(['birthDate', 'id', 'meta', 'resourceType']);
    expect(JSON.stringify(elements?.resource)).toContain('SUBSETTED');
    expect(await bundleOf('gender=female&_summary=count')).not.toHaveProperty('entry');
    expect((await bundleOf('gender=female&active=true&_summary=count')).total).toBe(2);
    expect(await bundleOf('gender=female&_total=none')).not.toHaveProperty('total');
  });

  it('takes demographics beside an id or an identifier, and all must be met', async () => {
    expect(named(await bundleOf(`_id=${ids['anna']},${ids['dan']}&gender=male`))).toEqual(['dan']);
    expect(named(await bundleOf('identifier=http://clientregistry.org/openmrs%7Canna&family=okot'))).toEqual([]);
  });

  it.each([
    ['phonetic=Ockelo', ['anna', 'celia']],
    ['phonetic=Wanjeeru', ['dan']],
    ['phonetic=Bosko,Dann', ['bosco', 'dan']],
    ['phonetic=Ana&birthdate=1990', ['anna']],
    ['phonetic:missing=true', []],
    // Scripts that the algorithm does not know match nothing, not everything; nor does what has no letter.
    ['phonetic=%E1%8A%A0%E1%8A%93', []],
    ['phonetic=%D0%90%D0%BD%D0%BD%D0%B0', []],
    ['phonetic=%D0%90%D0%BD%D0%BD%D0%B0%20Anna', []],
    ['phonetic=12', []],
  ])('SRCH-08: %s finds who sounds so: %j', async (query, expected) => {
    expect(named(await bundleOf(query)).toSorted()).toEqual(expected);
  });

  it.each([
    ['phonetic=', 400],
    ['phonetic=Anna,', 400],
    ['phonetic:exact=Anna', 400],
    ['phonetic:missing=perhaps', 400],
    ['_sort=birthplace&gender=male', 400],
    ['_sort=family,birthplace&gender=male', 400],
    ['_sort=family,&gender=male', 400],
    ['_sort=family,-family&gender=male', 400],
    ['_sort=family&_sort=given&gender=male', 400],
    [`_sort=birthplace&_id=${'a'.repeat(8)}`, 400],
    ['_total=roughly&gender=male', 400],
    ['_summary=short&gender=male', 400],
    ['_elements=na-me&gender=male', 400],
    ['birthdate=soon', 400],
    ['birthdate=1990-13', 400],
    ['birthdate=1990-05-00', 400],
    ['_lastUpdated=lt9999-12-31T23:59:59-14:00', 400],
    ['name:contains=x', 400],
    ['gender=male&_page=bm90aGluZw', 400],
    ['_count=5', 400],
  ])('%s is refused in words', async (query, status) => {
    const answer = await search(query);
    expect([answer.status, answer.resource('OperationOutcome').issue[0]?.severity]).toEqual([status, 'error']);
  });

  it('ignores a parameter that it does not know, unless asked to be strict', async () => {
    expect((await search('family=w&birthplace=x')).status).toBe(200);
    expect((await search('family=w&birthplace=x', { prefer: 'handling=strict' })).status).toBe(400);
  });
});

describe('as many values as a search may have', () => {
  const many = (value: string, count: number): string => Array(count).fill(value).join(',');
  it.each([
    ['family', 'okello'],
    ['family:exact', 'Okello'],
    ['family:contains', 'kell'],
    ['birthdate', '1990-05-17'],
    ['phone', '0700555'],
    ['_tag', 'openmrs'],
    ['identifier', 'nobody'],
    ['_id', 'nobody'],
  ])('500 of %s are answered, 501 refused', async (name, value) => {
    expect((await search(`${name}=${many(value, 500)}`)).status).toBe(200);
    expect((await search(`${name}=${many(value, 501)}`)).status).toBe(400);
  });

  it('100 parameters are answered, 101 refused; 500 values in all', async () => {
    expect((await search(Array(100).fill('gender=male').join('&'))).status).toBe(200);
    expect((await search(Array(101).fill('gender=male').join('&'))).status).toBe(400);
    expect((await search(`family=${many('a', 400)}&given=${many('a', 101)}`)).status).toBe(400);
  });
});

it('a record that was deleted after the index named it is not in the answer', async () => {
  const [gone, stays] = [
    await post('gone', { name: [{ family: 'Vanish' }] }, 'lims'),
    await post('stays', { name: [{ family: 'Vanish' }] }, 'lims'),
  ];
  expect((await registry.send('DELETE', `/fhir/Patient/${idOf(gone)}`, { client: 'lims' })).status).toBe(204);
  const store = openStore(registry.dataDir, { features: [], readOnly: true });
  onTestFinished(() => {
    store.close();
  });
  const keys = await Promise.all([gone, stays].map(async (one) => (await store.reader.resolveId(idOf(one), 'lims'))?.key ?? 0));
  const lookup: Lookup = {
    reader: store.reader,
    authorities: createAuthorities([], [], 'open'),
    ours: defaultOurs,
    principal: { kind: 'client', name: 'lims', scopes: [] },
    displayName: () => '',
  };
  const index: DemographicSearch = { search: async () => ({ kind: 'page', records: keys, next: null, total: 2 }) };
  const asked = parseSearch(new URLSearchParams('family=Vanish'));
  const page = isRefusal(asked) ? asked : await searchPatients(lookup, asked, index);
  expect('matches' in page && page.matches.map(({ id }) => id)).toEqual([idOf(stays)]);
});
