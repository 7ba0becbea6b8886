/** The registry as a process under whatever comes, and the memory that it holds. */
import { Agent } from 'node:https';
import { join } from 'node:path';
import type { LedgerHead } from '../../src/app/server.ts';
import { anyShot, CLIENTS, type ClientName, steadyShot } from '../fuzz/requests.ts';
import { asked, fuzz, inWords, type Target } from '../fuzz/volleys.ts';
import { exchange } from '../support/registry-server.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve, type ServerProcess } from './server-process.ts';
import { claim, type Suite } from './suite.ts';

const run = asked(10_000);
const MIB = 1024 * 1024;
/** What a process may grow by while its records stay, for caches that fill and for a garbage collector that waits. */
const ROOM = 128 * MIB;

interface Detail {
  readonly head: LedgerHead;
  readonly records: number;
}

const detailOf = async ({ adminPort }: ServerProcess): Promise<Detail> =>
  (await (await fetch(`http://127.0.0.1:${adminPort}/health`)).json()) as Detail;

/** Bytes that the process holds, as it says itself. */
async function memoryOf({ adminPort }: ServerProcess): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(/^opencr_process_resident_memory_bytes (\d+)/m.exec(text)?.[1]);
}

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
    head: async () => (await detailOf(server)).head,
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
    const before = { memory: await memoryOf(server), records: (await detailOf(server)).records };
    await fuzz(target, steadyShot, run);
    const after = { memory: await memoryOf(server), records: (await detailOf(server)).records };
    const words = [before, after]
      .map(({ memory, records }) => `${Math.round(memory / MIB)} MiB at ${records} records`)
      .join(', then ');
    claim(after.memory - before.memory < ROOM, `the process grew: ${words}`);
    await server.end('SIGTERM');
    await command('verify', '--data', dataDir);
    return `${inWords(statuses)}; ${run.requests} more that add no record: ${words}`;
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
