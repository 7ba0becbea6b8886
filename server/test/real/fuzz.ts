/** The registry as a process under whatever comes, and the memory that it holds. */
import { Agent } from 'node:https';
import { join } from 'node:path';
import { recordsOf } from '../fuzz/bodies.ts';
import { anyShot, CLIENTS, type ClientName, steadyShot } from '../fuzz/requests.ts';
import { asked, fuzz, inWords, type Target } from '../fuzz/volleys.ts';
import { exchange } from '../support/registry-server.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve, type ServerProcess } from './server-process.ts';
import { claim, type Suite } from './suite.ts';
import { type Held, healthOf, heldBy, steady } from './told.ts';

const run = asked(3_000);
const JSON_TYPE = { 'content-type': 'application/fhir+json' };
/** Of the requests that add no record, until memory is looked at: first those that warm up. */
const SHARES = [0.1, 0.4, 0.5];

function targetOf(server: ServerProcess, out: string): Target & { readonly close: () => void } {
  const { ca } = credentialsIn(out);
  const agentOf = (client: ClientName): Agent =>
    new Agent({ keepAlive: true, servername: 'localhost', ...(client === null ? { ca } : credentialsIn(out, client)) });
  const agents = new Map(CLIENTS.map((client) => [client, agentOf(client)]));
  return {
    send: (method, path, { client, headers, body }) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const agent = agents.get(client) ?? agentOf(client);
      return exchange({
        ...{ port: server.port, agent, method, path, headers: { ...length, ...headers } },
        ...(body !== undefined && { body }),
      });
    },
    head: async () => (await healthOf(server)).head,
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

async function scenario(folder: string): Promise<string> {
  const [dataDir, out] = [join(folder, 'data'), join(folder, 'out')];
  await makeCertificates(dataDir, out);
  for (const name of ['dhis2', 'lims', 'auditor', 'stranger'])
    await command('certs', 'issue', name, '--data', dataDir, '--out', out);
  await command('clients', 'add', 'lims', '--scope', 'demographics', '--data', dataDir);
  await command('clients', 'add', 'auditor', '--scope', 'audit', '--scope', 'demographics', '--data', dataDir);
  const server = await serve(dataDir);
  const target = targetOf(server, out);
  try {
    const statuses = await fuzz(target, anyShot, run);
    for (const client of ['openmrs', 'dhis2', 'lims'] as const)
      for (const body of recordsOf(client)) await target.send('POST', '/fhir/Patient', { client, headers: JSON_TYPE, body });
    const held: Held[] = [];
    for (const [place, share] of SHARES.entries()) {
      const seed = run.seed === undefined ? {} : { seed: run.seed + place };
      await fuzz(target, steadyShot, { requests: share * run.requests, ...seed });
      held.push(await heldBy(server));
    }
    claim(new Set(held.map(({ records }) => records)).size === 1, `records did not stay: ${steady(held)}`);
    await server.end('SIGTERM');
    await command('verify', '--data', dataDir);
    return `${inWords(statuses)}; ${run.requests} more that add no record: ${steady(held)}`;
  } finally {
    target.close();
    await server.end('SIGTERM');
  }
}

export const fuzzing: Suite = {
  name: 'fuzz',
  tests: [
    {
      title: 'whatever comes is answered, nothing stays of what is refused, and memory stays where records do',
      run: () => inFolder(scenario),
      deadline: 60_000 + run.requests * 120,
    },
  ],
};
