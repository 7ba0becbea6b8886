import { createWriteStream, existsSync } from 'node:fs';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { initAuthority, openAuthority, tlsFolder } from '../adapters/identity/authority.ts';
import { issueClientCertificate } from '../adapters/identity/client-certificate.ts';
import { generatePassword, hashPassword } from '../adapters/identity/password.ts';
import { registryFile } from '../adapters/sql/connection.ts';
import { openStore } from '../adapters/sql/store.ts';
import { exportLinks } from '../cli/export-links.ts';
import { EXIT, type ExitCode, type Io } from '../cli/io.ts';
import type { Doors, ServeOptions } from '../cli/run.ts';
import { isPublishedSecret } from '../config/known-secrets.ts';
import { RegistryError } from '../domain/errors.ts';
import { openAdministration } from './administration.ts';
import { systemClock } from './clock.ts';
import { start } from './development.ts';
import { doctor } from './doctor.ts';
import { importCommand } from './import.ts';
import { projectRoot } from './project.ts';
import { rematchCommand } from './rematch.ts';
import { selftest } from './selftest/selftest.ts';
import { readSettings } from './settings.ts';
import { startServer } from './server.ts';
import { bringsOwnTls } from './tls.ts';
import { verify } from './verify.ts';

/** Resolves with the first signal that asks the process to end; a second one ends it at once. */
const asked = (): Promise<NodeJS.Signals> =>
  new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        done(signal);
        process.on(signal, () => process.exit(130));
      });
    }
  });

/** Of standard input; '' where there is none. */
async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}

/** Every address of the machine is no address to call. */
const toCall = (host: string): string => (host === '0.0.0.0' || host === '::' ? 'localhost' : host);

async function serve(io: Io, options: ServeOptions): Promise<ExitCode> {
  const dataDir = resolve(options.data);
  const settings = readSettings(io, options);
  if (typeof settings === 'number') return settings;
  for (const warning of settings.warnings) io.err(`Warning: ${warning}`);
  if (process.getuid?.() === 0) io.err('Warning: this is root; run the registry under an account of its own.');
  if (!existsSync(tlsFolder(dataDir)) && !bringsOwnTls(settings.config)) {
    throw new RegistryError(
      'not-found',
      `There is no certificate authority in ${dataDir}: ./opencr certs init --data ${options.data} makes one.`,
    );
  }
  const signal = asked();
  const server = await startServer({ dataDir, config: settings.config, rules: settings.ruleSet });
  try {
    const first = await Promise.race([server.ready, server.died, signal]);
    if (typeof first === 'object' && 'records' in first) {
      io.out(
        `OpenCR is ready at https://${toCall(settings.config.app.host)}:${server.port}/fhir with ${first.records} records; health and metrics at http://${settings.config.admin.host}:${server.adminPort}.`,
      );
    }
    const ended = await Promise.race([server.died, signal]);
    if (ended instanceof Error) throw ended;
    io.out('Finishing what was accepted.');
  } finally {
    await server.stop().catch(() => undefined);
  }
  io.out('Stopped.');
  return EXIT.done;
}

async function initCertificates(io: Io, data: string, development: boolean): Promise<ExitCode> {
  const dataDir = resolve(data);
  await initAuthority(dataDir, { development, hosts: [], now: new Date() });
  io.out(
    `A certificate authority${development ? ' for development' : ''} and the server's certificate are in ${tlsFolder(dataDir)}. Keep ca.key.pem secret.`,
  );
  return EXIT.done;
}

async function exportTo(io: Io, data: string, file: string): Promise<ExitCode> {
  const store = openStore(resolve(data), { features: [], readOnly: true });
  const out = createWriteStream(file, { mode: 0o600 });
  let rows = -1;
  try {
    for await (const line of exportLinks(store)) {
      rows += 1;
      if (!out.write(`${line}\n`)) await once(out, 'drain');
    }
  } finally {
    out.end();
    await finished(out);
    store.close();
  }
  io.out(`${rows} source identifiers are in ${file}.`);
  return EXIT.done;
}

/** So that a misspelt name makes no registry. */
function requireDataFolder(dataDir: string): void {
  if (existsSync(tlsFolder(dataDir)) || existsSync(registryFile(dataDir))) return;
  throw new RegistryError('not-found', `There is no data folder of a registry at ${dataDir}.`);
}

/** The clients that the configuration registers, for commands that only administer. */
function configuredClients(io: Io, config: string | undefined) {
  const settings = readSettings(io, { config });
  if (typeof settings === 'number') throw new RegistryError('invalid-request', 'The configuration is not in order.');
  return settings.config.clients;
}

export const createDoors = (io: Io): Doors => ({
  defaultData: join(projectRoot, 'data'),
  now: systemClock.now,
  serve,
  start: (_io, options) => start(_io, options, serve),
  initCertificates,
  async openAdministration(data, config, mayMake) {
    if (!mayMake) requireDataFolder(resolve(data));
    return openAdministration(resolve(data), configuredClients(io, config));
  },
  async certificateMaker(data) {
    const authority = await openAuthority(resolve(data));
    return { issue: (name, outDir) => issueClientCertificate(authority, name, { outDir: resolve(outDir), now: new Date() }) };
  },
  passwordMaker: { generate: generatePassword, hash: hashPassword, isPublished: isPublishedSecret, read: firstLine },
  importFile: async (_io, options) => {
    requireDataFolder(resolve(options.data));
    return importCommand(io, options);
  },
  rematch: async (_io, options) => {
    requireDataFolder(resolve(options.data));
    return rematchCommand(io, options);
  },
  exportLinks: exportTo,
  verify,
  doctor,
  selftest,
});
