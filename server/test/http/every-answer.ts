/** What a registry says, one of each kind: for the tests that ask validators of others about it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, Patient } from '../../src/fhir/r4.ts';
import { writeXml } from '../../src/fhir/xml/write-xml.ts';
import { type Answer, type Sending, startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, national, patient, somebody, systemOf } from './people.ts';

export interface Given {
  readonly what: string;
  /** The resource as it came. */
  readonly text: string;
}

export type Encoding = 'json' | 'xml';

type Send = (what: string, method: string, path: string, sending?: Sending) => Promise<Answer>;

const BODY_BYTES = 100_000;

const by = (value: string, client = 'openmrs'): string => `identifier=${encodeURIComponent(`${systemOf(client)}|${value}`)}`;

/** With as many kinds of elements as a system may well send. */
const whole = (value: string, person = somebody()): object => ({
  ...patient('openmrs', value, person),

  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">A &amp; <b>B</b></div>' },
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Namusoke' }],
  identifier: [
    {
      ...identifier('openmrs', value),
      use: 'official',
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }], text: 'Number' },
      period: { start: '2020-01-01' },
      assigner: { display: 'Clinic 7' },
    },
    national(`N-${value}`),
  ],
  address: [{ line: ['Plot 7'], city: 'Kaabong', country: 'UG' }],
  contact: [{ name: { family: 'Okello' }, telecom: [{ system: 'phone', value: '0772 1' }] }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] }, preferred: true }],
  multipleBirthInteger: 2,
});

async function patients(send: Send): Promise<void> {
  const anna = somebody();
  const own = await send('a record that was created', 'POST', '/fhir/Patient', { body: whole('every-own', anna) });
  const [id, cruid] = [idOf(own), cruidOf(own)];
  await send('one that was updated', 'PUT', `/fhir/Patient?${by('every-own')}`, {
    body: whole('every-own', { ...anna, gender: 'other' }),
  });
  await send('one of another client', 'POST', '/fhir/Patient', { client: 'dhis2', body: patient('dhis2', 'every-theirs', anna) });
  const potential = patient('lims', 'every-potential', {
    name: anna.name,
    telecom: anna.telecom,
    gender: anna.gender,
  } as Patient);
  await send('one that may be the same', 'POST', '/fhir/Patient', { client: 'lims', body: potential });
  await send('an own record', 'GET', `/fhir/Patient/${id}`);
  await send('a version', 'GET', `/fhir/Patient/${id}/_history/1`);
  await send('a golden record', 'GET', `/fhir/Patient/${cruid}`);
  await send('a record of another (SUBSETTED)', 'GET', `/fhir/Patient/${id}`, { client: 'dhis2' });
  await send('a record for a client with the scope demographics', 'GET', `/fhir/Patient/${id}`, { client: 'ministry' });
  for (const query of ['_summary=true', '_summary=text', '_summary=data', '_elements=birthDate'])
    await send(`a record under ${query}`, 'GET', `/fhir/Patient/${id}?${query}`);
  for (const prefer of ['OperationOutcome', 'minimal'])
    await send(`a record sent again, ${prefer}`, 'POST', '/fhir/Patient', {
      body: { ...whole('every-own', anna), link: [{ other: { reference: 'Patient/1' }, type: 'seealso' }] },
      headers: { prefer: `return=${prefer}` },
    });
}

async function mergedAndDeleted(send: Send): Promise<void> {
  const [old, survivor] = [somebody(), somebody()];
  const before = await send('a record to merge', 'POST', '/fhir/Patient', { body: patient('openmrs', 'every-old', old) });
  await send('its survivor', 'POST', '/fhir/Patient', { body: patient('openmrs', 'every-new', survivor) });
  const link = [{ other: { identifier: identifier('openmrs', 'every-new') }, type: 'replaced-by' as const }];
  const merge = patient('openmrs', 'every-old', old, { active: false, link });
  await send('a merge', 'PUT', `/fhir/Patient?${by('every-old')}`, { body: merge });
  await send('a merged record', 'GET', `/fhir/Patient/${idOf(before)}`);
  await send('a retired golden record', 'GET', `/fhir/Patient/${cruidOf(before)}`);
  await send('a search that finds a merged record', 'GET', `/fhir/Patient?${by('every-old')}`);
  const gone = await send('a record to delete', 'POST', '/fhir/Patient', { body: patient('openmrs', 'every-gone') });
  await send('a deletion', 'DELETE', `/fhir/Patient/${idOf(gone)}`, { headers: { prefer: 'return=OperationOutcome' } });
  await send('a deletion of nothing', 'DELETE', '/fhir/Patient/nobody');
  await send('a conditional deletion', 'DELETE', `/fhir/Patient?${by('every-new')}`);
  await send('a deleted record (410)', 'GET', `/fhir/Patient/${idOf(gone)}`);
  await send('a golden record whose last record went', 'GET', `/fhir/Patient/${cruidOf(gone)}`);
  await send('the history of a deleted record', 'GET', `/fhir/Patient/${idOf(gone)}/_history`);
  await send('the history of the type', 'GET', '/fhir/Patient/_history?_count=50');
}

async function questions(send: Send): Promise<void> {
  const anna = somebody();
  await send('a record', 'POST', '/fhir/Patient', { body: patient('openmrs', 'asked', anna) });
  await send('another', 'POST', '/fhir/Patient', { body: patient('dhis2', 'asked', anna), client: 'dhis2' });
  const family = encodeURIComponent(anna.name?.[0]?.family ?? '');
  for (const query of [
    by('asked'),
    `${by('asked')}&_include=Patient:link`,
    `${by('asked')}&unknown=1`,
    `${by('asked')}&_summary=count`,
    `${by('asked')}&_summary=true`,
    `${by('asked')}&_elements=name`,
    `family=${family}&_sort=birthdate&_total=accurate`,
    'identifier=nobody',
    `identifier=${encodeURIComponent(`${systemOf('openmrs')}|`)}&_count=1`,
    'identifier=every-theirs',
  ])
    await send(`a search, ${query}`, 'GET', `/fhir/Patient?${query}`);
  const source = `sourceIdentifier=${encodeURIComponent(`${systemOf('openmrs')}|asked`)}`;
  await send('$ihe-pix', 'GET', `/fhir/Patient/$ihe-pix?${source}`);
  await send(
    '$ihe-pix without an answer',
    'GET',
    `/fhir/Patient/$ihe-pix?${source}&targetSystem=${encodeURIComponent(systemOf('lims'))}`,
  );
  const about = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: { resourceType: 'Patient', ...anna } }] };
  for (const client of ['openmrs', 'ministry'])
    await send(`$match for ${client}`, 'POST', '/fhir/Patient/$match', { client, body: about });
  const nobody = { resourceType: 'Patient', ...somebody() };
  await send('$match of nobody', 'POST', '/fhir/Patient/$match', { client: 'ministry', body: nobody });
  await send('the CapabilityStatement', 'GET', '/fhir/metadata');
}

async function bundles(send: Send): Promise<void> {
  const entry = (resource: object | undefined, method: string, url: string, more: object = {}) => ({
    ...(resource && { resource }),
    request: { method, url, ...more },
  });
  const put = (value: string) => entry(patient('openmrs', value), 'PUT', `Patient?${by(value)}`);
  for (const type of ['batch', 'transaction'])
    for (const prefer of ['representation', 'minimal', 'OperationOutcome'])
      await send(`a ${type}, ${prefer}`, 'POST', '/fhir', {
        body: {
          resourceType: 'Bundle',
          type,
          entry: [entry(whole(`${type} ${prefer}`), 'POST', 'Patient'), put(`${type} put ${prefer}`)],
        },
        headers: { prefer: `return=${prefer}` },
      });
  const mixed = [
    entry({ resourceType: 'Patient' }, 'POST', 'Patient'),
    entry(undefined, 'DELETE', `Patient?${by('batch put minimal')}`),
    entry(patient('openmrs', 'batch minimal'), 'POST', 'Patient', { ifNoneExist: by('batch minimal') }),
    entry(undefined, 'GET', 'Patient/1'),
  ];
  await send('a batch of which some is refused', 'POST', '/fhir', {
    body: { resourceType: 'Bundle', type: 'batch', entry: mixed },
  });
  await send('a batch of nothing', 'POST', '/fhir', { body: { resourceType: 'Bundle', type: 'batch' } });
}

async function companions(send: Send): Promise<void> {
  const clinic = {
    resourceType: 'Organization',
    identifier: [{ system: 'urn:example:organizations', value: 'C-7' }],
    type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'prov' }] }],
    name: 'Clinic 7',
    telecom: [{ system: 'phone', value: '0772 7' }],
    contact: [{ name: { family: 'Okello' } }],
  };
  const [child, organization] = [
    'urn:uuid:0b0e7bb6-9a6c-4c8e-8a52-1d9f6a1f0001',
    'urn:uuid:0b0e7bb6-9a6c-4c8e-8a52-1d9f6a1f0002',
  ];
  const mother = {
    resourceType: 'RelatedPerson',
    patient: { reference: child },
    relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH' }] }],
    name: [{ family: 'Achieng', given: ['Grace'] }],
  };
  const post = (resource: { readonly resourceType: string }, fullUrl?: string) => ({
    ...(fullUrl !== undefined && { fullUrl }),
    resource,
    request: { method: 'POST', url: resource.resourceType },
  });
  const born = patient('openmrs', 'every-born', somebody(), { managingOrganization: { reference: organization } });
  const reading = { request: { method: 'GET', url: `Patient?${by('every-born')}&_include=Patient:organization` } };
  await send('a transaction of several types', 'POST', '/fhir', {
    body: {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [post(mother), post(born, child), post(clinic, organization), reading],
    },
  });
  const created = await send('an Organization', 'POST', '/fhir/Organization', { body: clinic });
  const at = `/fhir/${/^Organization\/[^/]+/.exec(created.headers['location'] ?? '')?.[0] ?? ''}`;
  await send('one that is read', 'GET', at);
  await send('its summary', 'GET', `${at}?_summary=true`);
  await send('its history', 'GET', `${at}/_history`);
  const related = await send('a RelatedPerson', 'POST', '/fhir/RelatedPerson', {
    body: { ...mother, patient: { reference: 'Patient/7' } },
  });
  await send('one that is read', 'GET', `/fhir/${/^RelatedPerson\/[^/]+/.exec(related.headers['location'] ?? '')?.[0] ?? ''}`);
  await send('Organizations', 'GET', '/fhir/Organization?name=clinic');
  await send('RelatedPersons', 'GET', '/fhir/RelatedPerson?relationship=MTH&_include=RelatedPerson:patient&_summary=true');
  await send('a patient with relations', 'GET', `/fhir/Patient?${by('every-born')}&_revinclude=RelatedPerson:patient`);
  await send('an Organization without a name', 'POST', '/fhir/Organization', { body: { resourceType: 'Organization' } });
}

async function refusals(send: Send): Promise<void> {
  const own = await send('a record', 'POST', '/fhir/Patient', { body: patient('openmrs', 'refused') });
  const post = (body: object | string, headers: Record<string, string> = {}) =>
    send('a refusal', 'POST', '/fhir/Patient', { body, headers });
  await post('{', { 'content-type': 'application/fhir+json' });
  await post({ resourceType: 'Patient', name: 'x' });
  await post({ ...patient('openmrs', 'x'), birthDate: '1990-02-31' });
  await post({ ...patient('openmrs', 'x'), gender: 'f' });
  await post(patient('lims', 'x'));
  await post({ ...patient('openmrs', 'x'), identifier: [identifier('openmrs', 'refused'), identifier('openmrs', 'asked')] });
  await post('x', { 'content-type': 'text/csv' });
  await post({ ...patient('openmrs', 'x'), name: [{ text: 'x'.repeat(BODY_BYTES) }] });
  await send('a golden record written', 'PUT', `/fhir/Patient/${cruidOf(own)}`, {
    body: { ...patient('openmrs', 'x'), id: cruidOf(own) },
  });
  const stale = { body: { ...patient('openmrs', 'refused'), id: idOf(own) }, headers: { 'if-match': 'W/"7"' } };
  await send('another version', 'PUT', `/fhir/Patient/${idOf(own)}`, stale);
  for (const path of [
    '/fhir/Patient/nobody',
    '/fhir/Observation',
    '/fhir/Patient?_id=',
    '/fhir/Patient/$ihe-pix',
    '/fhir/AuditEvent',
  ])
    await send(`refused, ${path}`, 'GET', path);
  await send('refused, PATCH', 'PATCH', `/fhir/Patient/${idOf(own)}`);
  await send('a format that is not served', 'GET', '/fhir/metadata?_format=text/turtle');
  await send('without a certificate', 'GET', '/fhir/metadata', { client: null });
  await send('a client that is not registered', 'GET', '/fhir/metadata', { client: 'stranger' });
}

/** The trail, page by page, and one event by itself. */
async function trail(send: Send): Promise<void> {
  // Its reading is in it.
  await send('the newest event', 'GET', '/fhir/AuditEvent?_count=1', { client: 'auditor' });
  for (let next: string | undefined = '/fhir/AuditEvent?_count=100'; next !== undefined;) {
    const page: Bundle = (await send('a page of the trail', 'GET', next, { client: 'auditor' })).resource('Bundle');
    const url: string | undefined = page.link?.find(({ relation }) => relation === 'next')?.url;
    next = url === undefined ? undefined : `/fhir/AuditEvent${new URL(url).search}`;
    const [first] = page.entry ?? [];
    if (first?.resource?.resourceType === 'AuditEvent')
      await send('an event', 'GET', `/fhir/AuditEvent/${first.resource.id}`, { client: 'auditor' });
  }
  await send('no event', 'GET', '/fhir/AuditEvent?_id=nobody', { client: 'auditor' });
}

/** As the encoding has it: what is asked, and what is sent. */
const inEncoding = (encoding: Encoding, { body, headers, ...rest }: Sending): Sending => {
  const isResource = typeof body === 'object' && !Buffer.isBuffer(body);
  if (encoding === 'json') return { ...rest, ...(body !== undefined && { body }), ...(headers && { headers }) };
  return {
    ...rest,
    ...(body !== undefined && { body: isResource ? writeXml(body) : body }),
    headers: { accept: 'application/fhir+xml', ...(isResource && { 'content-type': 'application/fhir+xml' }), ...headers },
  };
};

const started = (dataDir: string) => startRegistry({ dataDir, config: { limits: { bodyBytes: BODY_BYTES } } });

/** Every answer with a body that a registry gave in this encoding: to submissions, questions, refusals, and of its trail. */
export async function everyAnswer(encoding: Encoding): Promise<readonly Given[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'opencr-every-answer-'));
  // Its end is in the trail.
  await (await started(dataDir)).stop();
  const registry = await started(dataDir);
  await registry.register({ name: 'ministry', scopes: ['demographics'] });
  await registry.register({ name: 'auditor', scopes: ['audit'] });
  const given: Given[] = [];
  const send: Send = async (what, method, path, sending = {}) => {
    const answer = await registry.send(method, path, inEncoding(encoding, sending));
    if (answer.text !== '') given.push({ what: `${what} (${answer.status})`, text: answer.text });
    return answer;
  };
  try {
    for (const part of [patients, mergedAndDeleted, questions, bundles, companions, refusals, trail]) await part(send);
  } finally {
    await registry.stop();
    rmSync(dataDir, { recursive: true });
  }
  return given;
}
