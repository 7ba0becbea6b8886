/** What the door says of itself, tried by a program that believes every word of it: schemathesis, over mutual TLS. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openConnection } from './connection.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve, type ServerProcess } from './server-process.ts';
import { claim, Missing, type Suite } from './suite.ts';

const run = promisify(execFile);
const VERSION = '4.32.5';
/** Cases of each operation; some 24 operations, and the cases that cover each parameter besides. */
const CASES = 400;
const LEAST = 10_000;
const DEADLINE = 290_000;

/** What holds whatever is sent: no fault, and answers as they are described. */
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'];

async function installed(folder: string): Promise<string> {
  const environment = join(folder, 'venv');
  try {
    await run('python3', ['-m', 'venv', environment]);
    const pip = ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`];
    await run(join(environment, 'bin', 'pip'), pip);
  } catch (error) {
    throw new Missing(`schemathesis cannot be had: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`);
  }
  return join(environment, 'bin', 'schemathesis');
}

/** Requests that were answered, as the metrics say, and which of them with 5xx. */
async function answered({ adminPort }: ServerProcess): Promise<{ readonly all: number; readonly faults: readonly string[] }> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const rows = [...text.matchAll(/^opencr_http_request_seconds_count\{(.*)\} (\d+)$/gm)];
  const faults = rows.filter(([, labels = '']) => /status="5(?!03)/.test(labels)).map(([row]) => row);
  return { all: rows.reduce((sum, [, , count]) => sum + Number(count), 0), faults };
}

async function describedAt(server: ServerProcess, out: string): Promise<string> {
  const connection = await openConnection(server.port, credentialsIn(out));
  const { status, body } = await connection.send(Buffer.from('GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'));
  connection.close();
  claim(status === 200, `GET /openapi.json was answered with ${status}`);
  return body;
}

async function scenario(folder: string): Promise<string> {
  const program = await installed(folder);
  const [dataDir, out] = [join(folder, 'data'), join(folder, 'out')];
  await makeCertificates(dataDir, out);
  await command('clients', 'add', 'openmrs', '--scope', 'audit', '--scope', 'demographics', '--data', dataDir);
  const server = await serve(dataDir);
  try {
    const schema = join(folder, 'openapi.json');
    writeFileSync(schema, await describedAt(server, out));
    const shown = ['--tls-verify', join(out, 'ca.pem'), '--request-cert', join(out, 'openmrs.cert.pem')];
    const told = ['--url', `https://localhost:${server.port}`, ...shown, '--request-cert-key', join(out, 'openmrs.key.pem')];
    const how = ['--phases', 'coverage,fuzzing', '-n', String(CASES), '--workers', '4', '--no-shrink', '--warnings', 'off'];
    const cases = [
      ...how,
      '--suppress-health-check',
      'all',
      '--continue-on-failure',
      '-c',
      CHECKS.join(','),
      '--request-timeout',
      '20',
    ];
    const tried = run(program, ['run', schema, ...told, ...cases], { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
    const words = await tried.then(
      ({ stdout }) => stdout,
      (error: Error & { readonly stdout?: string }) => {
        throw new Error(`schemathesis found something:\n${(error.stdout ?? error.message).slice(-4_000)}`);
      },
    );
    const { all, faults } = await answered(server);
    claim(faults.length === 0, `the registry failed: ${faults.join(', ')}`);
    claim(all >= LEAST, `only ${all} requests were answered:\n${words.slice(-2_000)}`);
    await server.end('SIGTERM');
    await command('verify', '--data', dataDir);
    return `schemathesis ${VERSION}: ${all} requests`;
  } finally {
    await server.end('SIGTERM');
  }
}

export const schemathesis: Suite = {
  name: 'schemathesis',
  tests: [
    {
      title: 'every answer is one that the OpenAPI document describes, and none is a fault',
      run: () => inFolder(scenario),
      deadline: DEADLINE,
    },
  ],
};
