/** What the door says of itself, tried by a program that believes every word of it: schemathesis, over mutual TLS. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asked } from '../fuzz/volleys.ts';
import { openConnection } from './connection.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve, type ServerProcess } from './server-process.ts';
import { claim, Missing, type RealTest, type Suite } from './suite.ts';
import { type Held, heldBy, metricsOf, steady } from './told.ts';

const run = promisify(execFile);
const VERSION = '4.32.5';
const { requests, seed = Date.now() % 2 ** 31 } = asked(10_000);
/** Cases of each operation in a round; those that cover each parameter and element come on top, once. */
const CASES = 50;
/** Of a part with the requests of `npm run test:real`, several times what it takes; more for more. */
const DEADLINE = 10 * 60_000 + requests * 20;

/** What holds whatever is sent, valid or not: no fault, and answers as they are described. */
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'];
/** One worker: two threads that parse at once break Python 3.11 ("AST constructor recursion depth mismatch"). */
const HOW = [
  ...['--mode', 'all', '-n', String(CASES), '--workers', '1', '-c', CHECKS.join(','), '--continue-on-failure'],
  ...['--no-shrink', '--warnings', 'off', '--suppress-health-check', 'all', '--request-timeout', '20', '--no-color'],
];

/** Operations that are tried together. */
interface Part {
  readonly title: string;
  /** Of their ids in the OpenAPI document. */
  readonly operations: RegExp;
  /** Of all requests. */
  readonly share: number;
  /** Whether each element of a body is covered too; a resource has thousands of cases. */
  readonly covered: boolean;
}

const PARTS: readonly Part[] = [
  { title: 'reads and deletions', operations: /^(get|delete)/, share: 0.3, covered: true },
  { title: 'writes', operations: /^(postFhirPatient|postFhir)$/, share: 0.6, covered: true },
  {
    title: 'questions',
    operations: /^postFhir(Patient(IhePix|Match)|(Patient|Organization|RelatedPerson)Search)$/,
    share: 0.05,
    covered: false,
  },
  {
    title: 'other doors to writes and questions',
    operations:
      /^(post|post(AddPatient|Patient|MatchMatches)|putFhirPatient(Id)?|(post|put)Fhir(Organization|RelatedPerson)(Id)?)$/,
    share: 0.05,
    covered: false,
  },
];

let environment: Promise<string> | undefined;

/** The program, installed once for all parts. */
const installed = (): Promise<string> =>
  (environment ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'opencr-schemathesis-'));
    process.once('exit', () => {
      rmSync(folder, { recursive: true, force: true });
    });
    try {
      await run('python3', ['-m', 'venv', folder]);
      const pip = ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`];
      await run(join(folder, 'bin', 'pip'), pip);
    } catch (error) {
      throw new Missing(`schemathesis cannot be had: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`);
    }
    return join(folder, 'bin', 'schemathesis');
  })());

/** Requests that were answered, as the metrics say; claims that none was with a fault. */
async function answered(server: ServerProcess): Promise<number> {
  const rows = [...(await metricsOf(server)).matchAll(/^opencr_http_request_seconds_count\{(.*)\} (\d+)$/gm)];
  const faults = rows.filter(([, labels = '']) => /status="5(?!03)/.test(labels)).map(([row]) => row);
  claim(faults.length === 0, `the registry failed: ${faults.join(', ')}`);
  return rows.reduce((sum, [, , count]) => sum + Number(count), 0);
}

async function describedAt(server: ServerProcess, out: string): Promise<string> {
  const connection = await openConnection(server.port, credentialsIn(out));
  const { status, body } = await connection.send(Buffer.from('GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'));
  connection.close();
  claim(status === 200, `GET /openapi.json was answered with ${status}`);
  return body;
}

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string; requestBody?: object }>>>>;
}

const operationsOf = ({ paths }: Described): readonly Described['paths'][string][string][] =>
  Object.values(paths).flatMap((path) => Object.values(path));

/** Claims that each operation of the document belongs to one part: a new one is not forgotten. */
function claimDivided(document: Described): void {
  for (const { operationId } of operationsOf(document))
    claim(PARTS.filter(({ operations }) => operations.test(operationId)).length === 1, `${operationId} belongs to no one part`);
}

const oneOf = (...values: readonly string[]): object => ({ type: 'string', enum: values });
const object = (required: readonly string[], properties: Readonly<Record<string, object>>): object => ({
  ...{ type: 'object', required, properties, additionalProperties: false },
});
const listOf = (items: object): object => ({ type: 'array', items, minItems: 1, maxItems: 1 });

/** A Patient that the registry keeps, of few people and identifiers: what the document allows is hardly ever one by chance. */
const KEPT = object(['resourceType', 'identifier'], {
  resourceType: { const: 'Patient' },
  identifier: listOf(
    object(['system', 'value'], {
      system: { const: 'http://clientregistry.org/openmrs' },
      value: oneOf(...Array.from({ length: 20 }, (_, n) => `s${n}`)),
    }),
  ),
  active: { type: 'boolean' },
  name: listOf(object(['family', 'given'], { family: oneOf('Okello', 'Nakato', 'Li'), given: listOf(oneOf('Anna', 'Marie')) })),
  gender: oneOf('male', 'female'),
  birthDate: oneOf('1990-01-01', '1990', '1985-06'),
});

/** Lets bodies be such Patients too. */
function withKept(document: Described): void {
  for (const operation of operationsOf(document)) {
    if (operation.requestBody === undefined) continue;
    const patient = '{"$ref":"#/components/schemas/Patient"}';
    const body = JSON.stringify(operation.requestBody).replaceAll(patient, `{"anyOf":[${JSON.stringify(KEPT)},${patient}]}`);
    operation.requestBody = JSON.parse(body) as object;
  }
}

async function round(program: string, folder: string, args: readonly string[]): Promise<void> {
  await run(program, ['run', 'openapi.json', ...args, ...HOW], { cwd: folder, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: unknown) => {
      const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
      throw new Error(`schemathesis found something:\n${said.slice(-4_000)}`);
    },
  );
}

/** Rounds with other seeds, two at least, until the part's requests were answered. */
async function scenario(folder: string, { operations, share, covered }: Part): Promise<string> {
  const program = await installed();
  const [dataDir, out] = [join(folder, 'data'), join(folder, 'out')];
  await makeCertificates(dataDir, out);
  await command('clients', 'add', 'openmrs', '--scope', 'audit', '--scope', 'demographics', '--data', dataDir);
  const server = await serve(dataDir);
  try {
    // An answer of `return=minimal` has no body, which OpenAPI cannot say of a status that has one otherwise.
    const document = JSON.parse((await describedAt(server, out)).replaceAll('"return=minimal",', '')) as Described;
    claimDivided(document);
    withKept(document);
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
    const shown = ['--tls-verify', join(out, 'ca.pem'), '--request-cert', join(out, 'openmrs.cert.pem')];
    const told = ['--url', `https://localhost:${server.port}`, ...shown, '--request-cert-key', join(out, 'openmrs.key.pem')];
    const chosen = [...told, '--include-operation-id-regex', operations.source];
    const held: Held[] = [];
    while (held.length < 2 || (await answered(server)) < requests * share) {
      const phases = covered && held.length === 0 ? 'coverage,fuzzing' : 'fuzzing';
      await round(program, folder, [...chosen, '--phases', phases, '--seed', String(seed + held.length)]);
      held.push(await heldBy(server));
    }
    const count = await answered(server);
    await server.end('SIGTERM');
    await command('verify', '--data', dataDir);
    const [first, middle, last] = [held[0], held[held.length >> 1], held.at(-1)];
    const moments = [first, middle, last].filter((moment) => moment !== undefined);
    return `schemathesis ${VERSION}, seeds from ${seed}: ${count} requests in ${held.length} rounds; ${steady(moments)}`;
  } finally {
    await server.end('SIGTERM');
  }
}

const testOf = (part: Part): RealTest => ({
  title: `${part.title}: every answer is one that the OpenAPI document describes, none is a fault, and memory stays`,
  run: () => inFolder((folder) => scenario(folder, part)),
  deadline: DEADLINE,
});

export const schemathesis: Suite = { name: 'schemathesis', tests: PARTS.map(testOf) };
