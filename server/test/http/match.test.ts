/** ITI-119 `$match`: the rows PDQ-119 of docs/conformance.md, and what a client without the scope `demographics` learns. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Bundle, Patient } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, national, patient, somebody } from './people.ts';

const registry = await startRegistry();
const limited = await startRegistry({ config: { limits: { matchesPerMinute: 3 } } });
afterAll(async () => {
  await registry.stop();
  await limited.stop();
});
await registry.register({ name: 'ministry', scopes: ['demographics'] });

const send = (body: unknown, client = 'ministry', { send: to } = registry): Promise<Answer> =>
  to('POST', '/fhir/Patient/$match', { body: body as object, client });
const sendHandled = (handling: 'strict' | 'lenient', body: object): Promise<Answer> =>
  registry.send('POST', '/fhir/Patient/$match', { body, client: 'ministry', headers: { prefer: `handling=${handling}` } });

const asked = (resource: unknown, more: readonly object[] = []): object => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'resource', resource }, ...more],
});

const bundleOf = (answer: Answer): Bundle => answer.resource('Bundle');
const gradesOf = (answer: Answer): readonly unknown[] =>
  (bundleOf(answer).entry ?? []).flatMap(
    ({ search }) => search?.extension?.find(({ url }) => url.endsWith('match-grade'))?.valueCode ?? [],
  );
const idsOf = (answer: Answer): readonly unknown[] =>
  (bundleOf(answer).entry ?? []).flatMap(({ resource }) => (resource?.resourceType === 'Patient' ? [resource.id] : []));

/** A Patient as somebody asks about it: demographics alone. */
const about = (person: object): object => ({ resourceType: 'Patient', ...person });
const post = (client: string, body: Patient): Promise<Answer> => registry.send('POST', '/fhir/Patient', { body, client });

/** Anna, known to two systems as one person. */
const anna = somebody();
const first = await post('openmrs', patient('openmrs', 'm-1', anna));
const second = await post('dhis2', patient('dhis2', 'm-2', anna));
/** Two persons who share a national id, a birth date and a telephone: each resembles whoever has these. */
const twin = somebody();
const shared = { telecom: twin.telecom, birthDate: twin.birthDate, gender: twin.gender };
const stated = (client: string, value: string) => ({ identifier: [identifier(client, value), national('N-77')] });
const one = await post('openmrs', patient('openmrs', 'm-3', { ...twin, ...shared } as Patient, stated('openmrs', 'm-3')));
const other = somebody();
await registry.send('POST', '/fhir/Patient', {
  client: 'dhis2',
  body: patient('dhis2', 'm-4', { ...other, birthDate: twin.birthDate } as Patient, stated('dhis2', 'm-4')),
});
/** Shares with Anna only a name and a telephone. */
const potential = { name: anna.name, telecom: anna.telecom, gender: anna.gender };

describe('$match', () => {
  it('PDQ-119-01, PDQ-119-06: answers with score and grade; several records of one person are all certain', async () => {
    const answer = await send(asked(about(anna)));
    expect(answer.status).toBe(200);
    const bundle = bundleOf(answer);
    expect(bundle).toMatchObject({ type: 'searchset', total: 2 });
    expect(new Set(idsOf(answer))).toEqual(new Set([idOf(first), idOf(second)]));
    expect(gradesOf(answer)).toEqual(['certain', 'certain']);
    for (const { search, resource } of bundle.entry ?? []) {
      expect(search?.mode).toBe('match');
      expect(search?.score).toBeGreaterThan(0.5);
      expect(search?.score).toBeLessThanOrEqual(1);
      expect((resource as Patient).name).toEqual(anna.name);
    }
  });

  it('tells those who may know what the rule saw', async () => {
    const [entry] = bundleOf(await send(asked(about(anna)))).entry ?? [];
    const evidence = entry?.search?.extension?.find(({ url }) => url.endsWith('/matchEvidence'));
    expect(evidence?.extension?.[0]).toEqual({ url: 'rule', valueString: 'person' });
    const family = evidence?.extension?.find(({ extension }) => extension?.some(({ valueString }) => valueString === 'family'));
    expect(family?.extension).toContainEqual({ url: 'agrees', valueBoolean: true });
    expect(family?.extension).toContainEqual({ url: 'measure', valueDecimal: 1 });
  });

  it('PDQ-119-02: puts the likeliest first, each graded; the automatic level of several persons is only probable', async () => {
    const answer = await send(asked(about({ ...twin, identifier: [national('N-77')] })));
    expect(gradesOf(answer)[0]).toBe('certain');
    expect(idsOf(answer)[0]).toBe(idOf(one));
    const scores = (bundleOf(answer).entry ?? []).map(({ search }) => search?.score ?? 0);
    expect(scores).toEqual(scores.toSorted((x, y) => y - x));
  });

  it('PDQ-119-03, PDQ-119-04, PDQ-119-05: onlyCertainMatches leaves out what is not', async () => {
    const only = { name: 'onlyCertainMatches', valueBoolean: true };
    expect(gradesOf(await send(asked(about(anna), [only])))).toEqual(['certain', 'certain']);
    const doubtful = asked(about(potential), [only]);
    expect(gradesOf(await send(asked(about(potential))))).toEqual(['possible', 'possible']);
    expect(bundleOf(await send(doubtful))).toMatchObject({ total: 0 });
    expect(idsOf(await send(doubtful))).toEqual([]);
  });

  it('PDQ-119-07: count is the most that is told, the best of them', async () => {
    const answer = await send(asked(about(anna), [{ name: 'count', valueInteger: 1 }]));
    expect(idsOf(answer)).toHaveLength(1);
    expect(bundleOf(answer).total).toBe(2);
  });

  it('answers nobody where a single match was asked for and several persons resemble', async () => {
    const single = { name: 'onlySingleMatch', valueBoolean: true };
    expect(idsOf(await send(asked(about(anna), [single])))).toHaveLength(2);
    const several = { ...other, birthDate: twin.birthDate, identifier: [national('N-77')], telecom: twin.telecom };
    const answer = await send(asked(about(several), [single]));
    expect(gradesOf(await send(asked(about(several))))).toHaveLength(2);
    const severity = 'information';
    const outcome = { resource: { resourceType: 'OperationOutcome', issue: [{ severity }] }, search: { mode: 'outcome' } };
    expect(bundleOf(answer)).toMatchObject({ total: 0, entry: [outcome] });
  });

  it('minds a parameter that it does not know only where handling=strict is asked for, and says so where lenient is (D13)', async () => {
    const body = asked(about(anna), [{ name: 'onlyTwins', valueBoolean: true }]);
    const ignored = await send(body);
    expect(idsOf(ignored)).toEqual(idsOf(await send(asked(about(anna)))));
    expect(ignored.text).not.toContain('onlyTwins');
    const strict = await sendHandled('strict', body);
    expect([strict.status, strict.resource('OperationOutcome').issue[0]?.expression]).toEqual([400, ['Parameters.parameter']]);
    expect((await sendHandled('strict', asked(about(anna), [{ name: 'count', valueInteger: 5 }]))).status).toBe(200);
  });

  it('PDQ-119-11: warnings stand in an outcome after the matches, none of them an error', async () => {
    const odd = { ...about(anna), extension: [{ url: 'no url', valueString: 'y' }] };
    const answer = await sendHandled('lenient', asked(odd, [{ name: 'onlyTwins', valueBoolean: true }]));
    expect([answer.status, idsOf(answer)]).toEqual([200, idsOf(await send(asked(about(anna))))]);
    const entries = bundleOf(answer).entry ?? [];
    expect(entries.map(({ search }) => search?.mode)).toEqual(['match', 'match', 'outcome']);
    const [issues] = entries.flatMap(({ resource }) => (resource?.resourceType === 'OperationOutcome' ? [resource.issue] : []));
    expect(new Set(issues?.map(({ severity }) => severity))).toEqual(new Set(['warning']));
    expect(JSON.stringify(issues)).toMatch(/extension.*onlyTwins/);
  });

  it('PDQ-119-08: finds nobody with 200', async () => {
    const answer = await send(asked(about(somebody())));
    expect(answer.status).toBe(200);
    expect(bundleOf(answer)).toEqual({ resourceType: 'Bundle', type: 'searchset', total: 0 });
  });

  it('PDQ-119-09: leaves deactivated records out', async () => {
    const gone = somebody();
    await post('openmrs', patient('openmrs', 'm-5', gone));
    await post('openmrs', patient('openmrs', 'm-5', gone, { active: false }));
    expect(idsOf(await send(asked(about(gone))))).toEqual([]);
  });

  it('PDQ-119-14: takes the bare Patient', async () => {
    expect(bundleOf(await send(about(anna))).total).toBe(2);
  });

  it('PDQ-119-13: minds no extension that it does not know', async () => {
    const answer = await send(asked(about({ ...anna, extension: [{ url: 'http://a.example/x', valueString: 'y' }] })));
    expect(bundleOf(answer).total).toBe(2);
  });

  it.each([
    ['PDQ-119-12: a modifierExtension', asked({ ...about(anna), modifierExtension: [{ url: 'http://a.example/not' }] }), 400],
    ['PDQ-119-17: Parameters without a resource', { resourceType: 'Parameters', parameter: [] }, 400],
    ['PDQ-119-17: Parameters without a parameter', { resourceType: 'Parameters' }, 400],
    ['a parameter without a name', asked(about(anna), [{ valueBoolean: true }]), 400],
    ['a count of 0', asked(about(anna), [{ name: 'count', valueInteger: 0 }]), 400],
    ['a flag that is a text', asked(about(anna), [{ name: 'onlyCertainMatches', valueString: 'yes' }]), 400],
    ['another resource', asked({ resourceType: 'Observation' }), 400],
    ['two resources', asked(about(anna), [{ name: 'resource', resource: about(anna) }]), 400],
    ['an impossible birth date', asked(about({ ...anna, birthDate: '1990-02-31' })), 422],
  ])('PDQ-119-10: %s is refused', async (_what, body, status) => {
    const answer = await send(body);
    expect(answer.status).toBe(status);
    expect(answer.resource('OperationOutcome').issue[0]?.severity).toBe('error');
  });

  it('is served by POST only, and listed', async () => {
    expect((await registry.send('GET', '/fhir/Patient/$match', { client: 'ministry' })).status).toBe(405);
    const { text } = await registry.send('GET', '/fhir/metadata', { client: 'ministry' });
    expect(text).toContain('"name":"match"');
  });

  it('writes nothing, and is audited as a query with what was asked', async () => {
    await registry.register({ name: 'auditor', scopes: ['audit'] });
    const before = idOf(await post('openmrs', patient('openmrs', 'm-1', anna)));
    await send(asked(about(anna)));
    expect(idOf(await post('openmrs', patient('openmrs', 'm-1', anna)))).toBe(before);
    const { text } = await registry.send('GET', '/fhir/AuditEvent', { client: 'auditor' });
    expect(text).toContain('"code":"ITI-119"');
  });
});

describe('to a client without the scope demographics, $match', () => {
  it('tells the CRUID and the grade of the one certain person, and nothing else', async () => {
    const bundle = bundleOf(await send(asked(about(anna)), 'lims'));
    expect(bundle.total).toBe(1);
    expect(bundle.entry?.map(({ resource, search }) => [resource, search])).toEqual([
      [
        {
          resourceType: 'Patient',
          id: cruidOf(second),
          meta: {
            tag: [
              { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' },
            ],
          },
        },
        {
          extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/match-grade', valueCode: 'certain' }],
          mode: 'match',
          score: 1,
        },
      ],
    ]);
  });

  it('answers alike for nobody, for a doubtful match and for one of several persons', async () => {
    const nobody = await send(asked(about(somebody())), 'lims');
    expect(bundleOf(nobody)).toEqual({ resourceType: 'Bundle', type: 'searchset', total: 0 });
    // The telephone of the one, the rest of the other: both resemble.
    const ofTwo = {
      ...other,
      birthDate: twin.birthDate,
      identifier: [national('N-77')],
      telecom: [...(twin.telecom ?? []), ...(other.telecom ?? [])],
    };
    expect(gradesOf(await send(asked(about(ofTwo))))).toEqual(['certain', 'possible']);
    for (const body of [about(potential), about(ofTwo)]) {
      const answer = await send(asked(body), 'lims');
      expect(answer.text).toBe(nobody.text);
      expect(answer.status).toBe(200);
    }
  });

  it('is limited a minute, with a time to try again; a client with the scope is not', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) statuses.push((await send(asked(about(somebody())), 'lims', limited)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect((await send(asked(about(somebody())), 'lims', limited)).headers['retry-after']).toBe('5');
    await limited.register({ name: 'ministry', scopes: ['demographics'] });
    expect((await send(asked(about(somebody())), 'ministry', limited)).status).toBe(200);
  });
});
