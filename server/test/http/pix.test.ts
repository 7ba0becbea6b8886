/** ITI-83 `$ihe-pix` over HTTP: the rows PIX-83 of docs/conformance.md, but for XML, by GET and by POST. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Parameters, Patient } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { ART, cruidOf, idOf, identifier, national, NATIONAL, patient, somebody, systemOf } from './people.ts';

const registry = await startRegistry();
const including = await startRegistry({ config: { pix: { includeSource: true } } });
const strict = await startRegistry({ config: { authorities: { mode: 'strict' } } });
afterAll(async () => {
  for (const one of [registry, including, strict]) await one.stop();
});
const base = `https://127.0.0.1:${registry.server.port}/fhir`;
const [A, B, C] = [systemOf('openmrs'), systemOf('dhis2'), systemOf('lims')];

/** One person: A|1 in openmrs, B|2 in dhis2, C|3 in lims, and somebody whom nobody else knows: A|alone. */
async function fill({ send }: typeof registry) {
  const anna = somebody();
  const post = (client: string, body: Patient): Promise<Answer> => send('POST', '/fhir/Patient', { body, client });
  const former = await post('lims', patient('lims', '3'));
  const a = await post('openmrs', patient('openmrs', '1', anna, { identifier: [identifier('openmrs', '1'), national('N-1')] }));
  const b = await post(
    'dhis2',
    patient('dhis2', '2', anna, { identifier: [identifier('dhis2', '2'), { system: ART, value: 'ART-2' }] }),
  );
  const c = await post('lims', patient('lims', '3', anna));
  await post('openmrs', patient('openmrs', 'alone'));
  return { a: idOf(a), b: idOf(b), c: idOf(c), cruid: cruidOf(a), former: cruidOf(former) };
}
const ids = await fill(registry);

type Asked = readonly (readonly [name: string, value: string])[];
const from = (sourceIdentifier: string, ...targets: readonly string[]): Asked => [
  ['sourceIdentifier', sourceIdentifier],
  ...targets.map((target) => ['targetSystem', target] as const),
];

const byGet = (asked: Asked, client = 'openmrs', { send } = registry): Promise<Answer> =>
  send(
    'GET',
    `/fhir/Patient/$ihe-pix?${new URLSearchParams(asked.map(([name, value]): [string, string] => [name, value])).toString()}`,
    {
      client,
    },
  );
const byPost = (asked: Asked, client = 'openmrs'): Promise<Answer> =>
  registry.send('POST', '/fhir/Patient/$ihe-pix', {
    body: {
      resourceType: 'Parameters',
      parameter: asked.map(([name, value]) => ({ name, [name === 'targetSystem' ? 'valueUri' : 'valueString']: value })),
    },
    client,
  });

/** `system|value` of identifiers, then the ids, each sorted: the order is free (PIX-83-01). */
const told = ({ parameter = [] }: Parameters): readonly string[] => [
  ...parameter
    .flatMap(({ valueIdentifier }) => (valueIdentifier ? [`${valueIdentifier.system}|${valueIdentifier.value}`] : []))
    .toSorted(),
  ...parameter.flatMap(({ valueReference }) => (valueReference ? [valueReference.reference ?? ''] : [])).toSorted(),
];
const sorted = (...names: readonly string[]): readonly string[] => names.map((id) => `Patient/${id}`).toSorted();

describe.each([
  ['GET', byGet],
  ['POST (PIX-83-19)', byPost],
])('$ihe-pix by %s', (_method, ask) => {
  it('answers with the identifiers of the person elsewhere, and each Patient (PIX-83-01), not with the one asked about (PIX-83-02)', async () => {
    const answer = await ask(from(`${A}|1`));
    expect(answer.status).toBe(200);
    expect(told(answer.resource('Parameters'))).toEqual([`${B}|2`, `${C}|3`, `${NATIONAL}|N-1`, ...sorted(ids.b, ids.c)]);
  });

  it.each([
    ['one target: its identifiers, and the Patients that hold one (PIX-83-03)', [B], [`${B}|2`]],
    ['two targets: both (PIX-83-04)', [B, C], [`${B}|2`, `${C}|3`]],
    ['two targets joined by a comma, as OpenMRS sends them (D2)', [`${B},${C}`], [`${B}|2`, `${C}|3`]],
    ['two targets joined by an escaped comma (D2)', [`${B}\\,${C}`], [`${B}|2`, `${C}|3`]],
    ['the domain of the source: nothing, since nothing else is there (PIX-83-08)', [A], []],
  ])('%s', async (_what, targets, identifiers) => {
    const { parameter = [] } = (await ask(from(`${A}|1`, ...targets))).resource('Parameters');
    expect(told({ resourceType: 'Parameters', parameter }).filter((one) => one.includes('|'))).toEqual(identifiers);
  });

  it('nothing to tell: 200 and no parameter (PIX-83-08, PIX-83-09)', async () => {
    for (const asked of [from(`${A}|alone`), from(`${A}|alone`, B)]) {
      const answer = await ask(asked);
      expect([answer.status, answer.resource('Parameters')]).toEqual([200, { resourceType: 'Parameters' }]);
    }
  });

  it.each([
    ['a value that nobody has (PIX-83-05)', from(`${A}|nope`), 404, 'not-found', 'sourceIdentifier Patient Identifier not found'],
    [
      'an unknown domain (PIX-83-06)',
      from('http://z.example|1'),
      400,
      'code-invalid',
      'sourceIdentifier Assigning Authority not found',
    ],
    ['an unknown target (PIX-83-07)', from(`${A}|1`, 'http://z.example'), 403, 'code-invalid', 'targetSystem not found'],
    [
      'a good target and a bad one (PIX-83-07)',
      from(`${A}|1`, B, 'http://z.example'),
      403,
      'code-invalid',
      'targetSystem not found',
    ],
    ['no source (PIX-83-18)', [], 400, 'invalid', 'sourceIdentifier'],
    ['two sources (PIX-83-18)', [...from(`${A}|1`), ...from(`${B}|2`)], 400, 'invalid', 'more than once'],
    ['a source without a domain (PIX-83-18)', from('1'), 400, 'invalid', 'system|value'],
    ['a source with an empty domain (PIX-83-18)', from('|1'), 400, 'invalid', 'system|value'],
    ['a source with an empty value (PIX-83-18)', from(`${A}|`), 400, 'invalid', 'system|value'],
  ] as const)('%s: the status and the words that PIXm asks for (PIX-83-17)', async (_what, asked, status, code, words) => {
    const answer = await ask(asked);
    expect(answer.status).toBe(status);
    const [issue] = answer.resource('OperationOutcome').issue;
    expect(issue).toMatchObject({ severity: 'error', code });
    expect(issue?.diagnostics).toContain(words);
  });

  it('every identifier has system and value, and the name of its authority where it has one (PIX-83-13)', async () => {
    const { parameter } = (await ask(from(`${A}|1`, B))).resource('Parameters');
    expect(parameter).toContainEqual({
      name: 'targetIdentifier',
      valueIdentifier: { system: B, value: '2', assigner: { display: 'DHIS2' } },
    });
    expect(parameter).toContainEqual({ name: 'targetId', valueReference: { reference: `Patient/${ids.b}` } });
  });

  it('a logical id of ours is a source like any other (PIX-83-15), of a record or of the person, also by a former CRUID', async () => {
    expect(told((await ask(from(`${base}|Patient/${ids.a}`, B))).resource('Parameters'))).toContain(`${B}|2`);
    expect(told((await ask(from(`${base}|${ids.a}`, B))).resource('Parameters'))).toContain(`${B}|2`);
    expect(told((await ask(from(`${base}|Patient/${ids.cruid}`, B))).resource('Parameters'))).toContain(`${B}|2`);
    expect(told((await ask(from(`${base}|Patient/${ids.former}`, B))).resource('Parameters'))).toContain(`${B}|2`);
    expect((await ask(from(`${base}|Patient/unknown`))).status).toBe(404);
  });

  it('our own base as the target selects the Patients only (PIX-83-16)', async () => {
    expect(told((await ask(from(`${A}|1`, base))).resource('Parameters'))).toEqual(sorted(ids.b, ids.c));
  });

  it('parameters that it does not know do no harm (PIX-83-20)', async () => {
    expect((await ask([...from(`${A}|1`), ['_pretty', 'true'], ['_format', 'json'], ['onlyActive', 'x']])).status).toBe(200);
  });

  it('the caller gets what it may see (PIX-83-11): a shared identifier of others only if it has stated one of that system', async () => {
    const asked = told((await ask(from(`${B}|2`), 'dhis2')).resource('Parameters'));
    expect(asked).toContain(`${A}|1`);
    expect(asked).not.toContain(`${NATIONAL}|N-1`);
    expect(asked).toContain(`${ART}|ART-2`);
    expect(told((await ask(from(`${A}|1`))).resource('Parameters'))).not.toContain(`${ART}|ART-2`);
  });

  it('golden records are no targets (D6)', async () => {
    expect(told((await ask(from(`${A}|1`))).resource('Parameters'))).not.toContain(`Patient/${ids.cruid}`);
  });
});

it('a source that was taken back from its record is not found any more (PIX-83-10)', async () => {
  const body = patient('openmrs', 'deprecated');
  const id = idOf(await registry.send('POST', '/fhir/Patient', { body }));
  expect((await byGet(from(`${A}|deprecated`))).status).toBe(200);
  await registry.send('PUT', `/fhir/Patient/${id}`, { body: { ...body, id, identifier: [identifier('openmrs', 'new')] } });
  expect((await byGet(from(`${A}|deprecated`))).status).toBe(404);
  expect((await byGet(from(`${A}|new`))).status).toBe(200);
});

it('with pix.includeSource the identifier asked about, and its Patient, are told too (D1)', async () => {
  const its = await fill(including);
  const answer = told((await byGet(from(`${A}|1`), 'openmrs', including)).resource('Parameters'));
  expect(answer).toEqual([`${B}|2`, `${C}|3`, `${NATIONAL}|N-1`, `${A}|1`, ...sorted(its.a, its.b, its.c)]);
});

it.each([
  ['openmrs', 'open', registry, 200],
  ['openmrs', 'strict', strict, 400],
] as const)(
  'a domain that %s’s own data hold is known in %s mode, configured or not (standards.md §11)',
  async (client, _mode, { send }, status) => {
    const body = patient('openmrs', 'of-ward', somebody(), {
      identifier: [identifier('openmrs', 'of-ward'), { system: 'http://ward.example', value: '7' }],
    });
    await send('POST', '/fhir/Patient', { body, client });
    const answer = await send('GET', `/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent('http://ward.example|7')}`, {
      client,
    });
    expect(answer.status).toBe(status);
  },
);

it('a body that is no Parameters is refused', async () => {
  for (const body of [{ resourceType: 'Patient' }, { resourceType: 'Parameters', parameter: {} }, []]) {
    const answer = await registry.send('POST', '/fhir/Patient/$ihe-pix', { body });
    expect([answer.status, answer.resource('OperationOutcome').issue[0]?.code]).toEqual([400, 'structure']);
  }
});
