/** Pages of a search while others write: what does not change is on exactly one of them (SRCH-01, PDQ-78-13). */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, Patient } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { ART, cruidOf, idOf, identifier, national, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
await registry.register({ name: 'ministry', scopes: ['demographics'] });

const GROUP = 'http://group.example';
const enc = encodeURIComponent;

/** Somebody of a group, found by its name and by an identifier that the whole group has. */
const put = async (value: string, group: string, given: string): Promise<string> => {
  const more = {
    name: [{ family: group, given: [given] }],
    identifier: [identifier('openmrs', value), { system: GROUP, value: group }],
  };
  return idOf(await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', value, somebody(), more) }));
};
const bundleOf = async (query: string): Promise<Bundle> =>
  (await registry.send('GET', `/fhir/Patient?${query}`, { client: 'ministry' })).resource('Bundle');

/** What happens between two pages: somebody new comes, one who may change is renamed, or leaves the group. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('comes' as const),
    given: fc.string({ minLength: 1, maxLength: 1, unit: fc.constantFrom('a', 'm', 'z') }),
  }),
  fc.record({ kind: fc.constant('renamed' as const), who: fc.nat(2), given: fc.constantFrom('aa', 'mm', 'zz') }),
  fc.record({ kind: fc.constant('leaves' as const), who: fc.nat(2) }),
);

let groups = 0;

describe('the pages of a search, while records come, change and leave', () => {
  it.each([
    ['by demographics', (group: string) => `family:exact=${group}`],
    ['by an identifier', (group: string) => `identifier=${enc(`${GROUP}|${group}`)}`],
    ['by a domain and a name', (group: string) => `identifier=${enc(`${systemOf('openmrs')}|`)}&family=${group}`],
    ['by ids', (_group: string, ids: readonly string[]) => `_id=${ids.join(',')}`],
  ])('SRCH-01, PDQ-78-13: %s: what does not change is neither doubled nor left out', async (_how, queryOf) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('b', 'c', 'n', 'y'), { minLength: 3, maxLength: 6 }),
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('', '&_sort=given', '&_sort=-given,family', '&_sort=-_lastUpdated', '&_sort=-_id'),
        fc.integer({ min: 1, max: 3 }),
        async (names, steps, sort, count) => {
          groups += 1;
          const group = `Group${String.fromCharCode(97 + (groups % 26))}${groups}x`;
          const stable: string[] = [];
          const changing: string[] = [];
          for (const [place, given] of names.entries()) {
            stable.push(await put(`${group}-s${place}`, group, given));
            if (place < 3) changing.push(await put(`${group}-c${place}`, group, given));
          }
          const waiting = [...steps];
          const seen: string[] = [];
          let query = `${queryOf(group, [...stable, ...changing])}${sort}&_count=${count}`;
          for (;;) {
            const page = await bundleOf(query);
            const ids = (page.entry ?? []).flatMap(({ resource }) => (resource as Patient).id ?? []);
            expect(ids.length).toBeLessThanOrEqual(count);
            seen.push(...ids);
            const next = page.link?.find(({ relation }) => relation === 'next')?.url.split('?')[1];
            if (next === undefined) break;
            query = next;
            const now = waiting.shift();
            if (now?.kind === 'comes') await put(`${group}-n${waiting.length}`, group, now.given);
            else if (now)
              await put(
                `${group}-c${now.who}`,
                now.kind === 'leaves' ? 'Elsewhere' : group,
                now.kind === 'leaves' ? 'x' : now.given,
              );
          }
          expect(seen.filter((id) => stable.includes(id)).toSorted()).toEqual(stable.toSorted());
        },
      ),
      { numRuns: 12 },
    );
  });

  it('PDQ-78-13: golden records come after the records, each once', async () => {
    const answers = [];
    for (const value of ['g1', 'g2', 'g3'])
      answers.push(await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', value) }));
    const ids = answers.flatMap((answer) => [(answer.headers['locationcruid'] ?? '').replace('Patient/', ''), idOf(answer)]);
    const seen: string[] = [];
    let query: string | undefined = `_id=${ids.join(',')}&_count=1`;
    while (query !== undefined) {
      const page: Bundle = await bundleOf(query);
      expect(page.total).toBe(6);
      seen.push(...(page.entry ?? []).flatMap(({ resource }) => (resource as Patient).id ?? []));
      query = page.link?.find(({ relation }) => relation === 'next')?.url.split('?')[1];
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(seen.slice(0, 3)).toEqual(answers.map(idOf));
  });
});

describe('a record whose link alone has changed', () => {
  it('SRCH-10: is found by _lastUpdated, so that its owner can poll', async () => {
    const grace = { ...somebody(), gender: 'female' as const };
    const numbers = [national('N-G'), { system: ART, value: 'A-G' }];
    const post = (client: string, more: Partial<Patient>): Promise<Answer> =>
      registry.send('POST', '/fhir/Patient', { client, body: patient(client, 'grace', grace, more) });
    const first = await post('openmrs', {});
    const second = await post('dhis2', {
      ...somebody(),
      gender: 'female',
      identifier: [identifier('dhis2', 'grace'), ...numbers],
    });
    const read = async (answer: Answer): Promise<Patient> => {
      const path = `/fhir/Patient/${idOf(answer)}`;
      return (await registry.send('GET', path, { client: 'ministry' })).resource('Patient');
    };
    expect(cruidOf(second)).not.toBe(cruidOf(first));
    // It bears the name of the one and the numbers of the other: they are one person then.
    await post('lims', { identifier: [identifier('lims', 'grace'), ...numbers] });
    const [one, two] = [await read(first), await read(second)];
    expect(two.link).toEqual(one.link);
    const moved = [one, two].filter(({ meta }) => meta?.versionId === '2');
    expect(moved.length).toBeGreaterThan(0);
    for (const { id, meta } of moved) {
      const { entry = [] } = await bundleOf(`_lastUpdated=ge${enc(meta?.lastUpdated ?? '')}&_tag=openmrs,dhis2`);
      expect(entry.map(({ resource }) => (resource as Patient).id)).toContain(id);
      expect((await bundleOf(`_lastUpdated=lt${enc(meta?.lastUpdated ?? '')}&_id=${id}`)).total).toBe(0);
    }
  });
});
