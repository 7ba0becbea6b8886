import { Agent, request } from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { initAuthority, openAuthority } from '../../src/adapters/identity/authority.ts';
import { issueClientCertificate } from '../../src/adapters/identity/client-certificate.ts';
import { startServer } from '../../src/app/server.ts';
import { loadConfig } from '../../src/config/load.ts';
import { checkPath } from '../../src/fhir/feature-paths.ts';

const root = join(import.meta.dirname, '..', '..', '..');

export interface FeedOptions {
  readonly dataDir: string;
  /** Decision rules file; the shipped ones where none is named. */
  readonly rules: string | undefined;
}

type Post = (patient: object) => Promise<number>;

/** One keep-alive connection, which a caller uses for one request at a time. */
const poster = (agent: Agent, port: number): Post => {
  const headers = { 'content-type': 'application/fhir+json' };
  return (patient) =>
    new Promise((resolve, reject) => {
      const call = request({ agent, host: '127.0.0.1', port, path: '/fhir/Patient', method: 'POST', headers }, (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode ?? 0);
        });
      });
      call.on('error', reject).end(JSON.stringify(patient));
    });
};

/** Runs a registry on an empty data folder and submits the patients one after the other, as openmrs over mutual TLS. */
export async function feed(patients: readonly object[], { dataDir, rules }: FeedOptions): Promise<void> {
  const now = new Date();
  await initAuthority(dataDir, { development: true, hosts: [], now });
  await issueClientCertificate(await openAuthority(dataDir), 'openmrs', { outDir: dataDir, now });
  const flags = { config: join(root, 'config', 'config_development.json'), rules, port: '0', adminPort: '0' };
  const settings = loadConfig({ root, cwd: root, env: { app__host: '127.0.0.1' }, flags, checkPath });
  if (settings.kind === 'refused') throw new Error(settings.complaints.join('\n'));
  const server = await startServer({ dataDir, config: settings.config, rules: settings.ruleSet, log: pino({ level: 'silent' }) });
  const pem = (name: string): Buffer => readFileSync(join(dataDir, name));
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: pem('ca.pem'), cert: pem('openmrs.cert.pem'), key: pem('openmrs.key.pem') });
  try {
    await server.ready;
    const post = poster(agent, server.port);
    for (const [place, patient] of patients.entries()) {
      const status = await post(patient);
      if (status !== 201) throw new Error(`arrival ${place + 1} was answered with ${status}`);
    }
  } finally {
    agent.destroy();
    await server.stop();
  }
}
