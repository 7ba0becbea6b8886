import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openConnection } from '../../server/test/real/connection.ts';
import {
  command,
  type Credentials,
  credentialsIn,
  makeCertificates,
  root,
  serve,
  type ServerProcess,
} from '../../server/test/real/server-process.ts';
import { type Child, startChild } from './child.ts';
import { profiles } from './generator/profiles.ts';
import { recordAt, type Register } from './generator/records.ts';
import { openFile, patientOf, writeRegister } from './generator/write.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { batchSums, residentBytes } from './metrics.ts';
import type { StoreJob, StoreResult } from './store.ts';

const CONNECTIONS = 16;
/** A round. */
const REGISTRATIONS = 2000;
const ROUNDS = 5;
const WARM_UP = 1000;
const SEED = 1;
/** Of the people who are registered: every fourth is in the registry already, with another number. */
const AGAIN = 4;

const register = (total: number, seed = SEED): Register => {
  const { uganda } = profiles;
  if (!uganda) throw new Error('there is no profile uganda');
  return { profile: uganda, seed, total };
};

/** People as they come to a registry of so many. */
const bodiesFor = (size: number, from: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => {
    const again = n % AGAIN === 0;
    const record = again ? recordAt(register(size), (from + n * 7919) % size) : recordAt(register(10_000_000, 2), from + n);
    return JSON.stringify(patientOf({ ...record, id: `bench-${from + n}` }));
  });

/** A command whose progress is shown; answers its last line, and rejects when it fails. */
async function shown(...args: readonly string[]): Promise<string> {
  const child = spawn(join(root, 'opencr'), [...args], { stdio: ['ignore', 'inherit', 'pipe'] });
  let last = '';
  for await (const line of createInterface({ input: child.stderr })) {
    last = line;
    process.stderr.write(`  ${line}\n`);
  }
  const [code] = child.exitCode === null ? ((await once(child, 'exit')) as [number]) : [child.exitCode];
  if (code !== 0) throw new Error(`./opencr ${args.join(' ')}: ${last}`);
  return last;
}

/** A registry of so many people, imported; left alone where it is there already. */
async function registryOf(folder: string, size: number): Promise<string> {
  const dataDir = join(folder, String(size));
  if (existsSync(dataDir)) return dataDir;
  mkdirSync(dataDir, { recursive: true });
  await makeCertificates(dataDir, join(dataDir, 'out'));
  await command('clients', 'add', 'ministry', '--scope', 'demographics', '--data', dataDir);
  await command('certs', 'issue', 'ministry', '--data', dataDir, '--out', join(dataDir, 'out'));
  const file = join(folder, `${size}.csv`);
  const out = openFile(file);
  await writeRegister({ register: register(size), format: 'csv', out, truth: null, progress: () => undefined });
  await new Promise<void>((done) => out.end(done));
  const line = await shown('import', file, '--data', dataDir, '--mapping', join(root, 'config', 'mappings', 'generated.json'));
  console.log(`import of ${size}: ${line}`);
  rmSync(file);
  return dataDir;
}

const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);

/** Until the search has followed the ledger. */
async function untilSearchable(port: number, ministry: Credentials): Promise<void> {
  const connection = await openConnection(port, ministry);
  for (;;) {
    const { status, body } = await connection.send(get('/fhir/Patient?family=zzzz&_total=none'));
    if (status === 200) break;
    process.stderr.write(`  ${/"diagnostics":"([^"]*)"/.exec(body)?.[1] ?? status}\n`);
  }
  connection.close();
}

/** Searches and pages as long as it runs; answers how often, and the slowest in milliseconds. */
async function searchBeside(port: number, ministry: Credentials, running: () => boolean) {
  const seen = { searches: 0, slowest: 0, pages: 0 };
  const loop = async (first: string, next: (body: string) => string | undefined, count: (ms: number) => void): Promise<void> => {
    const connection = await openConnection(port, ministry);
    for (let path: string | undefined = first; running(); path ??= first) {
      const began = performance.now();
      const { body } = await connection.send(get(path));
      count(performance.now() - began);
      path = next(body);
    }
    connection.close();
  };
  const nextOf = (body: string): string | undefined => /"relation":"next","url":"https:\/\/[^/]+([^"]+)"/.exec(body)?.[1];
  await Promise.all([
    loop(
      '/fhir/Patient?name:contains=angab&_total=accurate',
      () => undefined,
      (ms) => {
        seen.searches += 1;
        seen.slowest = Math.max(seen.slowest, ms);
      },
    ),
    loop('/fhir/Patient?gender=female&_sort=family&_count=50&_total=none', nextOf, () => (seen.pages += 1)),
  ]);
  return seen;
}

interface Phase {
  readonly result: LoadResult;
  readonly batch: number;
  readonly decision: number;
  readonly commit: number;
}

async function phase(load: Child<LoadJob, LoadResult>, server: ServerProcess, job: LoadJob): Promise<Phase> {
  const before = await batchSums(server.adminPort, 0);
  const result = await load.do(job);
  const after = await batchSums(server.adminPort, before.commands + result.requests);
  return {
    result,
    batch: result.requests / (after.batches - before.batches),
    decision: (after.decideSeconds - before.decideSeconds) / result.requests,
    commit: (after.commitSeconds - before.commitSeconds) / result.requests,
  };
}

const told = ({ result, batch, decision, commit }: Phase): string =>
  `${result.perSecond.toFixed(0)}/s, p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms, batch ${batch.toFixed(1)}, ` +
  `decision ${(decision * 1e6).toFixed(0)} us, commit ${(commit * 1e6).toFixed(0)} us`;

/** The store's own commits at the batch size seen, on a copy, without doors and threads. */
async function storeRate(store: Child<StoreJob, StoreResult>, dataDir: string, size: number, batch: number): Promise<number> {
  const copy = `${dataDir}.copy`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(dataDir, copy, { recursive: true });
  const bodies = bodiesFor(size, 500_000, REGISTRATIONS);
  const { perSecond } = await store.do({ kind: 'commit these', dataDir: copy, bodies, batch });
  rmSync(copy, { recursive: true });
  return perSecond;
}

/** A registry that serves, and the process that loads it. */
interface Served {
  readonly size: number;
  readonly dataDir: string;
  readonly server: ServerProcess;
  readonly load: Child<LoadJob, LoadResult>;
  readonly target: Pick<LoadJob, 'port' | 'credentials' | 'connections'>;
  readonly ministry: Credentials;
}

async function open(folder: string, size: number, from: number): Promise<Served> {
  const dataDir = await registryOf(folder, size);
  const load = startChild<LoadJob, LoadResult>('load');
  const out = join(dataDir, 'out');
  const [credentials, ministry] = [credentialsIn(out), credentialsIn(out, 'ministry')];
  const server = await serve(dataDir);
  console.log(`${size} records: ready after ${server.readyAfter.toFixed(0)} ms`);
  await untilSearchable(server.port, ministry);
  const target = { port: server.port, credentials, connections: CONNECTIONS };
  await load.do({ ...target, bodies: bodiesFor(size, from, WARM_UP) });
  return { size, dataDir, server, load, target, ministry };
}

const plainPhase = ({ size, server, load, target }: Served, from: number): Promise<Phase> =>
  phase(load, server, { ...target, bodies: bodiesFor(size, from, REGISTRATIONS) });

async function searchedPhase(served: Served, from: number): Promise<Phase> {
  const { size, server, ministry } = served;
  let running = true;
  const beside = searchBeside(server.port, ministry, () => running);
  const searched = await plainPhase(served, from);
  running = false;
  const { searches, slowest, pages } = await beside;
  console.log(`${size} records: ${searches} searches by :contains (slowest ${slowest.toFixed(0)} ms) and ${pages} pages beside`);
  return searched;
}

/** Ends the server, and measures its store alone. */
async function end({ size, dataDir, server, load }: Served, { result, batch, decision }: Phase): Promise<void> {
  console.log(`${size} records: resident ${((await residentBytes(server.adminPort)) / 2 ** 20).toFixed(0)} MB`);
  await Promise.all([server.end('SIGTERM'), load.end()]);
  const store = startChild<StoreJob, StoreResult>('store');
  const rate = await storeRate(store, dataDir, size, Math.max(1, Math.round(batch)));
  await store.end();
  const bound = 1 / (1 / rate + decision);
  console.log(
    `${size} records: the store's own commits ${rate.toFixed(0)}/s at the batch seen; with the decision ${bound.toFixed(0)}/s, ` +
      `of which ${((100 * result.perSecond) / bound).toFixed(0)} % were reached (gate 60 %)`,
  );
  if (result.perSecond < 0.6 * bound) process.exitCode = 1;
}

const middle = (phases: readonly Phase[]): Phase => {
  const found = [...phases].sort((x, y) => x.result.perSecond - y.result.perSecond)[phases.length >> 1];
  if (!found) throw new Error('nothing was measured');
  return found;
};

/** Every size in turn, some rounds: what the machine does beside falls on all of them. Answers the middle round of each, by rate. */
async function inTurns(
  all: readonly Served[],
  measure: (served: Served, round: number) => Promise<Phase>,
): Promise<readonly Phase[]> {
  const phases = all.map((): Phase[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [place, served] of all.entries()) phases[place]?.push(await measure(served, round));
  }
  return phases.map(middle);
}

/** `npm run bench -- scale`: import, start, and registrations over mutual TLS at size, beside the store's own commits, in one run. */
export async function scale(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: 'string', default: '10000,1000000' },
      in: { type: 'string' },
      from: { type: 'string', default: '0' },
    },
  });
  const folder = values.in ?? join(tmpdir(), 'opencr-scale');
  mkdirSync(folder, { recursive: true });
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}`,
  );
  const from = Number(values.from);
  const all: Served[] = [];
  for (const size of values.sizes.split(',').map(Number)) all.push(await open(folder, size, from));
  const plain = await inTurns(all, (served, round) => plainPhase(served, from + 100_000 + round * REGISTRATIONS));
  const searched = await inTurns(all, (served, round) => searchedPhase(served, from + 200_000 + round * REGISTRATIONS));
  for (const [place, served] of all.entries()) {
    const [alone, beside] = [plain[place], searched[place]];
    if (!alone || !beside) continue;
    console.log(`${served.size} records: ${told(alone)}`);
    console.log(`${served.size} records, with searches beside: ${told(beside)}`);
    await end(served, alone);
  }
  const [first = 1, last = 1] = [plain[0], plain.at(-1)].map((one) => one?.result.perSecond);
  if (all.length > 1) console.log(`the largest reaches ${((100 * last) / first).toFixed(0)} % of the smallest (gate 80 %)`);
}
