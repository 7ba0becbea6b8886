/** The dry run of OpenCR 1.x, `POST /match/matches` (opencr-1x.md §1.6): what `$match` tells, as rows of the score matrix. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/app/project.ts';
import type { OperationOutcome, Patient } from '../../src/fhir/r4.ts';
import { dataFolder } from '../support/data-folder.ts';
import { type Answer, type RegistryServer, startRegistry } from '../support/registry-server.ts';
import { ART, cruidOf, idOf, identifier, national, NATIONAL, patient, somebody, systemOf } from './people.ts';

/** The shipped rules, under which an answer is cut after one record. */
function shortRules(): string {
  const shipped = JSON.parse(readFileSync(join(projectRoot, 'config', 'decisionRules.json'), 'utf8')) as object;
  const file = join(dataFolder(), 'rules.json');
  writeFileSync(file, JSON.stringify({ ...shipped, limits: { maxCandidates: 1 } }));
  return file;
}

const registry = await startRegistry();
const limited = await startRegistry({ config: { limits: { matchesPerMinute: 3 } } });
afterAll(async () => {
  for (const one of [registry, limited]) await one.stop();
});
await registry.register({ name: 'ministry', scopes: ['demographics'] });

type Row = Readonly<Record<string, unknown>>;
interface DryRun {
  readonly parent: readonly Row[];
  readonly auto: readonly Row[];
  readonly potential: readonly Row[];
  readonly conflict: readonly Row[];
  readonly outcome?: OperationOutcome;
}

const ask = (body: unknown, client = 'ministry', { send } = registry): Promise<Answer> =>
  send('POST', '/match/matches', { body: body as object, client });
const match = (body: unknown, client: string, { send } = registry): Promise<Answer> =>
  send('POST', '/fhir/Patient/$match', { body: body as object, client });
const rowsOf = ({ text }: Answer): DryRun => JSON.parse(text) as DryRun;
const listsOf = (answer: Answer): Row => {
  const { auto, potential, conflict } = rowsOf(answer);
  const idsOf = (rows: readonly Row[]): readonly unknown[] => rows.map(({ id }) => id);
  return { auto: idsOf(auto), potential: idsOf(potential), conflict: idsOf(conflict) };
};
const about = (person: object): object => ({ resourceType: 'Patient', ...person });
const post = (client: string, body: Patient, { send }: RegistryServer = registry): Promise<Answer> =>
  send('POST', '/fhir/Patient', { body, client });
const art = (value: string) => ({ system: ART, value });

/** Anna, known to two systems as one person. */
const anna = somebody();
const first = await post(
  'openmrs',
  patient('openmrs', 'dr-1', anna, {
    identifier: [national('N-1'), identifier('openmrs', 'dr-1')],
    extension: [
      { url: 'http://a.example/ward', valueString: 'East' },
      { url: 'http://a.example/since', valueDate: '2020-02-03' },
    ],
    telecom: [...(anna.telecom ?? []), { system: 'email', value: 'a@example.org' }, { system: 'phone', value: '0700 9' }],
  }),
);
const second = await post('dhis2', patient('dhis2', 'dr-2', anna));
/** Resembles her, and has in its own system the number that she has in another. */
const third = await post('lims', patient('lims', 'dr-2', { ...anna, birthDate: '1901-01-01' }));
/** Two persons; each is reached at the automatic level by whoever has the one's name and the other's birth date, and the rest of both. */
const bosco = { ...somebody(), gender: 'other' as const };
const celia = { ...somebody(), gender: 'other' as const };
const fourth = await post(
  'openmrs',
  patient('openmrs', 'dr-4', bosco, { identifier: [identifier('openmrs', 'dr-4'), national('N-4')] }),
);
const fifth = await post('dhis2', patient('dhis2', 'dr-5', celia, { identifier: [identifier('dhis2', 'dr-5'), art('A-5')] }));
const ofBoth = about({
  ...bosco,
  birthDate: celia.birthDate,
  telecom: [...(bosco.telecom ?? []), ...(celia.telecom ?? [])],
  identifier: [national('N-4'), art('A-5')],
});

describe('POST /match/matches', () => {
  it('answers in the lists of 1.x, with a row of the score matrix for each record, as plain JSON', async () => {
    const draft = { ...anna, id: 'draft-1', identifier: [national('N-1'), identifier('openmrs', 'unknown')] };
    const answer = await ask(about(draft));
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    const { parent, auto, ...rest } = rowsOf(answer);
    const [name] = anna.name ?? [];
    const said = { gender: anna.gender, given: name?.given?.join(' '), family: name?.family, birthDate: anna.birthDate };
    expect(parent).toEqual([
      {
        ...said,
        id: 'draft-1',
        phone: anna.telecom?.[0]?.value,
        uid: null,
        ouid: null,
        source_id: 'unknown',
        source: 'ministry',
        scores: { 'dr-1': 7, 'dr-2': 5 },
        [`identifier_${NATIONAL}`]: 'N-1',
        [`identifier_${systemOf('openmrs')}`]: 'unknown',
      },
    ]);
    const cruid = { uid: cruidOf(first), ouid: cruidOf(first), reason: 'Auto Matches', reasonCode: 'autoMatches' };
    expect(auto).toEqual([
      {
        ...said,
        ...cruid,
        id: idOf(first),
        phone: `${anna.telecom?.[0]?.value}, 0700 9`,
        source_id: 'dr-1',
        source: 'OpenMRS',
        scores: { 'dr-2': 5 },
        'extension_http://a.example/ward': 'East',
        'extension_http://a.example/since': '2020-02-03',
        [`identifier_${NATIONAL}`]: 'N-1',
        [`identifier_${systemOf('openmrs')}`]: 'dr-1',
      },
      {
        ...said,
        ...cruid,
        id: idOf(second),
        phone: anna.telecom?.[0]?.value,
        source_id: 'dr-2',
        source: 'DHIS2',
        scores: { 'dr-1': 5, 'dr-2': 4 },
        [`identifier_${systemOf('dhis2')}`]: 'dr-2',
      },
    ]);
    expect(rest).toEqual({
      potential: [expect.objectContaining({ id: idOf(third), reasonCode: 'potentialMatches' })],
      conflict: [],
    });
  });

  it('of two records with one number in two systems keeps both rows, and the better score', async () => {
    const { parent, auto, potential } = rowsOf(await ask(about(anna)));
    expect([...auto, ...potential].map(({ id }) => id)).toEqual([idOf(first), idOf(second), idOf(third)]);
    expect(parent[0]?.['scores']).toEqual({ 'dr-1': 5, 'dr-2': 5 });
  });

  it('takes the strongest at the automatic level for the person; another person at that level is a conflict', async () => {
    const answer = await ask(ofBoth);
    expect(listsOf(answer)).toEqual({ auto: [idOf(fourth)], potential: [], conflict: [idOf(fifth)] });
    expect(rowsOf(answer).conflict[0]).toMatchObject({ uid: cruidOf(fifth), reason: 'Conflict On Match' });
  });

  it('puts what merely resembles among potential matches, but for records of the person that is sure', async () => {
    const potential = { name: anna.name, telecom: anna.telecom, gender: anna.gender };
    expect(listsOf(await ask(about(potential)))).toEqual({
      auto: [],
      potential: [idOf(first), idOf(second), idOf(third)],
      conflict: [],
    });
    // Without the family name the national id makes the first sure, and the second its companion.
    const byNumber = { ...anna, name: [{ given: anna.name?.[0]?.given }], identifier: [national('N-1')] };
    expect(listsOf(await ask(about(byNumber)))).toEqual({ auto: [idOf(first), idOf(second)], potential: [], conflict: [] });
  });

  it('says as $match does who is sure and who is not', async () => {
    for (const body of [about(anna), ofBoth, about(somebody())]) {
      const found = (await match(body, 'ministry')).resource('Bundle').entry ?? [];
      const { auto, potential, conflict } = rowsOf(await ask(body));
      expect([...auto, ...conflict, ...potential].map(({ id }) => id)).toEqual(
        found.flatMap(({ resource }) => (resource?.resourceType === 'Patient' ? [resource.id] : [])),
      );
    }
  });

  it('answers a Patient with nothing in it, and one whose name is not official, with a row for it all the same', async () => {
    const { parent, ...rest } = rowsOf(await ask({ resourceType: 'Patient' }));
    expect(parent).toEqual([
      { given: '', family: '', phone: '', uid: null, ouid: null, source_id: null, source: 'ministry', scores: {} },
    ]);
    expect(rest).toEqual({ auto: [], potential: [], conflict: [] });
    const maiden = { name: [{ use: 'maiden', given: ['Ann', 'B'], family: 'C' }] };
    expect(rowsOf(await ask(about(maiden))).parent).toMatchObject([{ given: 'Ann B', family: 'C' }]);
  });

  it('warns of what is odd', async () => {
    const odd = { ...somebody(), extension: [{ url: 'ward', valueString: 'East' }] };
    expect(rowsOf(await ask(about(odd))).outcome?.issue).toMatchObject([{ severity: 'warning' }]);
    expect(rowsOf(await ask(about(somebody())))).not.toHaveProperty('outcome');
  });

  it('says where candidates were cut', async () => {
    const short = await startRegistry({ rules: shortRules() });
    await short.register({ name: 'ministry', scopes: ['demographics'] });
    for (const client of ['openmrs', 'dhis2']) await post(client, patient(client, 'cut', anna), short);
    const { auto, outcome } = rowsOf(await ask(about(anna), 'ministry', short));
    expect([auto.length, outcome?.issue[0]?.severity]).toEqual([1, 'warning']);
    expect(outcome?.issue[0]?.diagnostics).toMatch(/only the strongest/);
    await short.stop();
  });

  it('stores nothing: the ledger stands where it stood, and the Patient is not found', async () => {
    const { sequence } = await registry.head();
    await ask(about({ ...anna, id: 'draft-2', identifier: [identifier('openmrs', 'draft-2')] }), 'openmrs');
    expect((await registry.head()).sequence).toBe(sequence);
    expect((await registry.send('GET', '/fhir/Patient/draft-2')).status).toBe(404);
    const query = `identifier=${encodeURIComponent(`${systemOf('openmrs')}|draft-2`)}`;
    expect((await registry.send('GET', `/fhir/Patient?${query}`)).resource('Bundle').total).toBe(0);
  });

  it('is audited as the query ITI-119, with what was asked and whom it told of', async () => {
    await registry.register({ name: 'auditor', scopes: ['audit'] });
    await ask(about(anna));
    const trail = await registry.send('GET', '/fhir/AuditEvent?_count=3', { client: 'auditor' });
    expect(trail.text).toContain('"code":"ITI-119"');
    for (const id of [first, second, third].map(idOf)) expect(trail.text).toContain(`Patient/${id}`);
    const queries = [...trail.text.matchAll(/"query":"([^"]+)"/g)].map(([, query = '']) =>
      Buffer.from(query, 'base64').toString(),
    );
    expect(JSON.parse(queries[0] ?? '')).toMatchObject({ resourceType: 'Patient' });
    expect(queries[0]).toContain(anna.name?.[0]?.family);
  });

  it.each([
    ['another resource', { resourceType: 'Observation' }, 400],
    ['the Parameters of $match', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: about(anna) }] }, 400],
    ['a list', [about(anna)], 400],
    ['a body that is no JSON', '{"resourceType"', 400],
    ['a modifierExtension', about({ ...anna, modifierExtension: [{ url: 'http://a.example/not' }] }), 400],
    ['a name that is a text', about({ name: 'Anna' }), 400],
    ['an impossible birth date', about({ ...anna, birthDate: '1990-02-31' }), 422],
  ])('refuses %s with an OperationOutcome', async (_what, body, status) => {
    const answer = await ask(body);
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/fhir+json; charset=utf-8']);
    expect(answer.resource('OperationOutcome').issue[0]?.severity).toBe('error');
  });

  it('asks for JSON, a certificate and the method POST; 1.x’s door for its users is not served', async () => {
    const body = JSON.stringify(about(anna));
    const { send } = registry;
    expect((await send('POST', '/match/matches', { body, headers: { 'content-type': 'text/plain' } })).status).toBe(415);
    expect((await send('POST', '/match/matches', { body, client: null })).status).toBe(401);
    const get = await send('GET', '/match/matches');
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST']);
    expect((await send('POST', '/ocrux/match/matches', { body })).status).toBe(404);
  });
});

describe('to a client without the scope demographics, POST /match/matches', () => {
  it('tells the CRUID of the one certain person, and nothing else', async () => {
    const stranger = somebody();
    const answer = await post('openmrs', patient('openmrs', 'dr-6', stranger));
    const { parent, ...rest } = rowsOf(await ask(about(stranger), 'lims'));
    const cruid = cruidOf(answer);
    expect(parent).toMatchObject([{ birthDate: stranger.birthDate, uid: null, scores: {} }]);
    expect(rest).toEqual({
      auto: [{ id: cruid, uid: cruid, ouid: cruid, scores: {}, reason: 'Auto Matches', reasonCode: 'autoMatches' }],
      potential: [],
      conflict: [],
    });
  });

  it('answers for a doubtful match and for several persons as for nobody', async () => {
    const nothing = { auto: [], potential: [], conflict: [] };
    for (const body of [about(somebody()), about(anna), about({ ...anna, birthDate: '1901-02-02' }), ofBoth]) {
      const { parent, ...rest } = rowsOf(await ask(body, 'lims'));
      expect([rest, parent[0]?.['scores'], parent[0]?.['uid']]).toEqual([nothing, {}, null]);
    }
  });

  it('is limited a minute together with $match, with a time to try again; a client with the scope is not', async () => {
    const statuses: number[] = [];
    for (const asking of [ask, match, ask, match, ask]) statuses.push((await asking(about(somebody()), 'lims', limited)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const refused = await ask(about(somebody()), 'lims', limited);
    expect([refused.resource('OperationOutcome').issue[0]?.code, refused.headers['retry-after']]).toEqual(['throttled', '5']);
    await limited.register({ name: 'ministry', scopes: ['demographics'] });
    expect((await ask(about(somebody()), 'ministry', limited)).status).toBe(200);
  });
});
