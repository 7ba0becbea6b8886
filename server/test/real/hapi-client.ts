/** HAPI FHIR's client, which OpenMRS, OpenELIS and others have, against a running registry. */
import { join } from 'node:path';
import { blocksOf } from '../docs/pages.ts';
import { openConnection, post } from './connection.ts';
import { compiled, type Java } from './java.ts';
import { credentialsIn } from './server-process.ts';
import { atSite, type Site } from './site.ts';
import { claim, type Suite } from './suite.ts';

const folder = join(import.meta.dirname, 'hapi-client');

/** The program of the page on HAPI's client. */
const example = (): string => {
  const [program, ...more] = blocksOf('docs/clients/hapi.md').filter(({ language }) => language === 'java');
  claim(program !== undefined && more.length === 0, 'docs/clients/hapi.md has not one program');
  return program.text;
};

let programs: Promise<Java> | undefined;
/** Compiled once for all tests. */
const java = (): Promise<Java> => (programs ??= compiled(folder, { 'Example.java': example() }));

const argumentsAt = ({ port, certificates, samples }: Site): readonly string[] => [
  `https://localhost:${port}/fhir`,
  join(certificates, 'server_cert.pem'),
  join(samples, 'openmrs.p12'),
  join(samples, 'lims.p12'),
];

/** That a program printed these lines. */
function isSaid(printed: string, expected: readonly string[], what: string): void {
  const lines = printed.trimEnd().split('\n');
  const wrong = expected.flatMap((line, n) => (lines[n] === line ? [] : [`${lines[n] ?? 'nothing'}, not ${line}`]));
  claim(wrong.length === 0, `${what} read: ${wrong.join('; ')}`);
  claim(lines.length === expected.length, `${what} read besides: ${lines.slice(expected.length).join('; ')}`);
}

/** What `Walk` reads; `getCreated()` is null where the answer is not 201. */
const walked = (run: string): readonly string[] => [
  'metadata: 4.0.1 Patient',
  `create: true 1 201 Okello & Söhne <${run}>`,
  'create, minimal: true true none',
  `read: Okello & Söhne <${run}> 1980-05-06 1 1`,
  'update: null true 2 Nakato',
  'vread: true 1',
  'history: history 2 Nakato PUT',
  'history of the type: 1 true',
  'conditional update: null 3 Nabirye',
  'conditional create of one that is there: null true Nabirye',
  'conditional create: true 1',
  'conditional read: NotModifiedException',
  'search by identifier: 1 match true',
  'search by ids: true',
  'search by demographics: true',
  'search for nobody: 0',
  'search with the person: 1 include true',
  'count: 1 0',
  'elements: 1980-05-06 0 true',
  'pages: 3 N5,N4,N3,N2,N1',
  '$ihe-pix: targetId=true targetIdentifier=1',
  '$ihe-pix by POST: true',
  '$match: searchset 1 true certain',
  `transaction: transaction-response 201,201 ${run}-tx-1`,
  'transaction with a bad entry: UnprocessableEntityException 422 error business-rule Bundle.entry[2].resource.identifier',
  'and nothing of it is there: 0',
  'merge: true false replaced-by true',
  'search of the merged one: true',
  'delete: 204',
  'read of a deleted one: ResourceGoneException 410 error deleted -',
  'conditional delete: 204 0',
  'batch with a bad entry: 201 422 Bundle.entry[1].resource.identifier',
  'read of nobody: ResourceNotFoundException 404 error not-found -',
  'update of an old version: PreconditionFailedException 412 error conflict -',
  'a patient without an identifier: UnprocessableEntityException 422 error business-rule Patient.identifier',
  'a contact without a name: UnprocessableEntityException 422 error business-rule Patient.contact[0]',
  'an identifier of another system: ForbiddenOperationException 403 error forbidden Patient.identifier[1]',
  'identifiers of two records: ResourceVersionConflictException 409 error conflict Patient.identifier',
  'conditional update by a name: InvalidRequestException 400 error invalid -',
  'the golden record: ForbiddenOperationException 403 error forbidden -',
  '$ihe-pix of an unknown identifier: ResourceNotFoundException 404 error not-found -',
  'another resource: ResourceNotFoundException 404 error not-found -',
];

async function walks(encoding: 'xml' | 'json' | 'default'): Promise<string> {
  const run = await java();
  const expected = walked(`walk-${encoding}`);
  return atSite(async (site) => {
    isSaid(await run('Walk', ...argumentsAt(site), encoding), expected, "HAPI's client");
    return `${expected.length} claims`;
  });
}

const openmrs = [
  'POST: true true Namusoke',
  'PUT by the uuid: true 2 Akello Apio',
  'read by the uuid: true Akello Apio',
  '$ihe-pix of two systems: true',
  '$ihe-pix of a system that has none: 0',
  '$ihe-pix with the system for the value: ResourceNotFoundException',
  // Of the other system's record the id, the links and the identifier are shown; of the own one everything.
  'search of these ids: Akello Apio/true null/true',
  'search of what the module makes of a reference: InvalidRequestException',
  'DELETE by the uuid: ResourceGoneException',
  "and the other system's record stays: true",
];

async function asOpenmrs(): Promise<string> {
  const run = await java();
  return atSite(async (site) => {
    isSaid(await run('OpenmrsModule', ...argumentsAt(site)), openmrs, "OpenMRS's module");
    return `${openmrs.length} claims`;
  });
}

/** The patient of the example, with a number of the laboratory. */
const inLaboratory = {
  resourceType: 'Patient',
  identifier: [{ system: 'http://clientregistry.org/lims', value: 'L-17' }],
  name: [{ use: 'official', family: 'Okello', given: ['Anna'] }],
  telecom: [{ system: 'phone', value: '0772 555017' }],
  gender: 'female',
  birthDate: '1980-05-06',
};

async function asDocumented(): Promise<string> {
  const run = await java();
  return atSite(async (site) => {
    const [base = '', ca = '', own = ''] = argumentsAt(site);
    const asked = await run('Example', base, ca, own, '17');
    const [id, version, cruid] = /Patient\/(\S+), version (\d+)\nThe person: Patient\/(\S+)\n/.exec(asked)?.slice(1) ?? [];
    claim(version === '1' && id !== cruid, `the example saw no record of a person: ${asked}`);
    claim(/^Refused: .*clientregistry\.org\/openmrs/m.test(asked), `the example was not told what is wrong: ${asked}`);
    const connection = await openConnection(site.port, credentialsIn(site.samples, 'lims'));
    const { status } = await connection.send(post('/fhir/Patient', JSON.stringify(inLaboratory)));
    connection.close();
    claim(status === 201, `the laboratory was answered with ${status}`);
    const again = await run('Example', base, ca, own, '17');
    claim(again.includes(`Patient/${id}, version 1\nThe person: Patient/${cruid}\n`), `sent again it is another: ${again}`);
    claim(/^In the laboratory: L-17$/m.test(again), `the laboratory's number is not told: ${again}`);
    return again.split('\n')[0] ?? '';
  });
}

export const hapiClient: Suite = {
  name: 'hapi-client',
  tests: [
    { title: "in XML, HAPI FHIR's client reads what it should of every interaction and every failure", run: () => walks('xml') },
    { title: 'the same in JSON', run: () => walks('json') },
    { title: 'the same in no encoding of choice, as it comes', run: () => walks('default') },
    { title: 'OMRS-1…OMRS-7: what the module of OpenMRS asks in the life of a patient', run: asOpenmrs },
    { title: 'the program of docs/clients/hapi.md', run: asDocumented },
  ],
};
