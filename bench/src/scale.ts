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
const REGISTRATIONS = 4000;
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

async function measure(folder: string, size: number, from: number): Promise<number> {
  const dataDir = await registryOf(folder, size);
  const [load, store] = [startChild<LoadJob, LoadResult>('load'), startChild<StoreJob, StoreResult>('store')];
  const out = join(dataDir, 'out');
  const [credentials, ministry] = [credentialsIn(out), credentialsIn(out, 'ministry')];
  try {
    const server = await serve(dataDir);
    console.log(`${size} records: ready after ${server.readyAfter.toFixed(0)} ms`);
    await untilSearchable(server.port, ministry);
    const target = { port: server.port, credentials, connections: CONNECTIONS };
    await load.do({ ...target, bodies: bodiesFor(size, from, WARM_UP) });
    const plain = await phase(load, server, { ...target, bodies: bodiesFor(size, from + 100_000, REGISTRATIONS) });
    console.log(`${size} records: ${told(plain)}`);
    let running = true;
    const beside = searchBeside(server.port, ministry, () => running);
    const searched = await phase(load, server, { ...target, bodies: bodiesFor(size, from + 200_000, REGISTRATIONS) });
    running = false;
    const { searches, slowest, pages } = await beside;
    console.log(
      `${size} records, with ${searches} searches by :contains (slowest ${slowest.toFixed(0)} ms) and ${pages} pages beside: ${told(searched)}`,
    );
    console.log(`${size} records: resident ${((await residentBytes(server.adminPort)) / 2 ** 20).toFixed(0)} MB`);
    await server.end('SIGTERM');
    const rate = await storeRate(store, dataDir, size, Math.max(1, Math.round(plain.batch)));
    const bound = 1 / (1 / rate + plain.decision);
    const { perSecond } = plain.result;
    console.log(
      `${size} records: the store's own commits ${rate.toFixed(0)}/s at the batch seen; with the decision ${bound.toFixed(0)}/s, ` +
        `of which ${((100 * perSecond) / bound).toFixed(0)} % were reached (gate 60 %)`,
    );
    if (perSecond < 0.6 * bound) process.exitCode = 1;
    return perSecond;
  } finally {
    await Promise.all([load.end(), store.end()]);
  }
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
  const rates: number[] = [];
  for (const size of values.sizes.split(',').map(Number)) rates.push(await measure(folder, size, Number(values.from)));
  const [first = 1, last = 1] = [rates[0], rates.at(-1)];
  if (rates.length > 1) console.log(`the largest reaches ${((100 * last) / first).toFixed(0)} % of the smallest (gate 80 %)`);
}
