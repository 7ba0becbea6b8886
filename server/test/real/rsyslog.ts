/** The audit trail at a real audit repository: rsyslog, which takes syslog over mutual TLS. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { syslogMessage } from '../../src/adapters/atna/syslog.ts';
import type { AuditEvent, Bundle } from '../../src/fhir/r4.ts';
import { freePort } from '../support/free-port.ts';
import { type Connection, openConnection, post } from './connection.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve, type ServerProcess } from './server-process.ts';
import { claim, Missing, type Suite } from './suite.ts';
import { metricsOf } from './told.ts';

/** Debian has it where the path of an account that is not root does not lead. */
const rsyslogd = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  .map((folder) => join(folder, 'rsyslogd'))
  .find((file) => existsSync(file));

interface Repository {
  readonly folder: string;
  readonly port: number;
  /** Where it writes each message, a line each. */
  readonly file: string;
}

/** It lets in who shows a certificate of the registry's CA with the name openmrs, and writes what it took as it took it. */
function configure({ folder, port, file }: Repository, dataDir: string): string {
  const tls = (name: string): string => join(dataDir, 'tls', name);
  const path = join(folder, 'rsyslog.conf');
  writeFileSync(
    path,
    `global(workDirectory="${folder}" maxMessageSize="256k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="${tls('ca.cert.pem')}" defaultNetstreamDriverCertFile="${tls('server.cert.pem')}"
  defaultNetstreamDriverKeyFile="${tls('server.key.pem')}")
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="audit") { action(type="omfile" file="${file}" template="raw") }
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["openmrs"])
input(type="imtcp" port="${port}" address="127.0.0.1" ruleset="audit")
`,
  );
  return path;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Starts it and waits until it listens. */
async function startRepository(program: string, repository: Repository, config: string): Promise<ChildProcess> {
  const child = spawn(program, ['-n', '-f', config, '-i', join(repository.folder, 'rsyslog.pid')], { stdio: 'ignore' });
  process.once('exit', () => child.kill('SIGKILL'));
  while (!(await isListening(repository.port))) {
    claim(child.exitCode === null, `rsyslogd ended with ${child.exitCode}`);
    await setTimeout(50);
  }
  return child;
}

async function stopRepository(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

const patient = (n: number): object => ({
  resourceType: 'Patient',
  identifier: [{ system: 'http://clientregistry.org/openmrs', value: `rsyslog-${n}` }],
  name: [{ family: `Family${n}`, given: [`Given${n}`] }],
  birthDate: new Date(Date.UTC(1950, 0, 1 + n * 11)).toISOString().slice(0, 10),
});

const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);

/** Submissions and searches, so many of each. */
async function work(connection: Connection, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n += 1) {
    const { status } = await connection.send(post('/fhir/Patient', JSON.stringify(patient(n))));
    claim(status === 201, `a submission was answered with ${status}`);
    await connection.send(get(`/fhir/Patient?identifier=rsyslog-${n}%7C%3C%26`));
  }
}

/** The whole trail. */
async function trailOf(server: ServerProcess, out: string): Promise<readonly AuditEvent[]> {
  const connection = await openConnection(server.port, credentialsIn(out, 'auditor'));
  const events: AuditEvent[] = [];
  for (let next: string | undefined = '/fhir/AuditEvent?_count=500'; next !== undefined;) {
    const { status, body } = await connection.send(get(next));
    claim(status === 200, `the trail was answered with ${status}`);
    const { entry = [], link = [] } = JSON.parse(body) as Bundle;
    for (const { resource } of entry) if (resource?.resourceType === 'AuditEvent') events.push(resource);
    const url = link.find(({ relation }) => relation === 'next')?.url;
    next = url === undefined ? undefined : `/fhir/AuditEvent${new URL(url).search}`;
  }
  connection.close();
  return events;
}

/** Rows that the repository is not known to have, as the metrics say. */
async function behind(server: ServerProcess): Promise<number> {
  const text = await metricsOf(server);
  const found = [...text.matchAll(/^opencr_audit_feed_behind\{.*\} (\d+)$/gm)];
  return found.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** `access-12-3`: the third event of the log's twelfth row. */
const orderOf = ({ id }: AuditEvent): number => {
  const [, row, n] = id.split('-');
  return Number(row) * 1_000 + Number(n);
};

/** Each message of the trail, byte for byte; of each log in its order. */
function compare(events: readonly AuditEvent[], lines: readonly string[]): string {
  const places = new Map<string, number>();
  lines.forEach((line, place) => {
    if (!places.has(line)) places.set(line, place);
  });
  const lost = events.filter((event) => !places.has(syslogMessage(event)));
  claim(
    lost.length === 0,
    `${lost.length} of ${events.length} messages are missing: ${lost
      .map(({ id }) => id)
      .slice(0, 5)
      .join(', ')}`,
  );
  for (const log of ['change', 'access']) {
    const own = events
      .filter(({ id }) => id.startsWith(log))
      .toSorted((x, y) => orderOf(x) - orderOf(y))
      .map((event) => places.get(syslogMessage(event)) ?? -1);
    claim(
      own.every((place, n) => n === 0 || place >= (own[n - 1] ?? 0)),
      `the ${log} log came out of order`,
    );
  }
  const twice = lines.length - places.size;
  return `${events.length} messages came, each byte for byte, ${twice} of them twice`;
}

async function scenario(folder: string): Promise<string> {
  if (rsyslogd === undefined) throw new Missing('there is no rsyslogd on this machine (Debian: rsyslog rsyslog-gnutls)');
  const [dataDir, out] = [join(folder, 'data'), join(folder, 'out')];
  await makeCertificates(dataDir, out);
  await command('certs', 'issue', 'auditor', '--data', dataDir, '--out', out);
  await command('clients', 'add', 'auditor', '--scope', 'audit', '--data', dataDir);
  const repository = { folder, port: await freePort(), file: join(folder, 'audit.log') };
  const config = configure(repository, dataDir);
  const check = spawnSync(rsyslogd, ['-N1', '-f', config], { encoding: 'utf8' });
  if (/gtls/.test(check.stderr) && check.status !== 0) throw new Missing('rsyslogd has no gtls driver (Debian: rsyslog-gnutls)');
  claim(check.status === 0, `rsyslogd does not take its configuration: ${check.stderr}`);

  const own = { caFile: join(out, 'ca.pem'), certFile: join(out, 'openmrs.cert.pem'), keyFile: join(out, 'openmrs.key.pem') };
  const repositories = JSON.stringify([{ name: 'rsyslog', kind: 'syslog', host: 'localhost', port: repository.port, ...own }]);
  let running = await startRepository(rsyslogd, repository, config);
  const server = await serve(dataDir, { env: { audit__repositories: repositories } });
  const connection = await openConnection(server.port, credentialsIn(out));
  await work(connection, 0, 40);
  // Stopped while it is written to, and started again under load, too.
  const stopped = stopRepository(running);
  await work(connection, 40, 40);
  await stopped;
  await work(connection, 80, 40);
  const again = startRepository(rsyslogd, repository, config);
  await work(connection, 120, 40);
  running = await again;
  connection.close();
  const events = await trailOf(server, out);
  while ((await behind(server)) > 0) await setTimeout(200);
  await server.end('SIGTERM');
  await stopRepository(running);
  return compare(events, readFileSync(repository.file, 'utf8').trimEnd().split('\n'));
}

export const rsyslog: Suite = {
  name: 'rsyslog',
  tests: [
    {
      title: 'ATNA-03, ATNA-04: rsyslog gets every audit message over mutual TLS, also those written while it was stopped',
      run: () => inFolder(scenario),
    },
  ],
};
