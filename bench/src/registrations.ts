import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, credentialsIn, makeCertificates, serve } from '../../server/test/real/server-process.ts';
import { type Child, startChild } from './child.ts';
import type { EchoJob } from './echo.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { batchSums, residentBytes } from './metrics.ts';
import { people } from './people.ts';
import { SEED } from './seed.ts';
import type { StoreJob, StoreResult } from './store.ts';

const SIZES = [100, 1000, 5000];
const ROUNDS = 3;
const CONNECTIONS = 16;
/** New records of a round: enough to measure, few enough that the registry stays about its size. */
const REGISTRATIONS = 1000;
const WARM_UP_SECONDS = 2;
const ECHO_SECONDS = 1;
const BATCH = 16;
/** Least share of what store and decision allow. */
const GATE = 0.6;

interface Bench {
  readonly folder: string;
  readonly credentials: Credentials;
  readonly bodies: readonly string[];
  readonly load: Child<LoadJob, LoadResult>;
  readonly store: Child<StoreJob, StoreResult>;
  readonly echoPort: number;
}

interface Round extends LoadResult {
  readonly batch: number;
  /** Seconds a registration. */
  readonly decision: number;
  readonly commit: number;
  readonly readyAfter: number;
  readonly residentBytes: number;
  readonly storeAt16: number;
  readonly storeAtBatch: number;
  readonly echo: number;
}

/** A copy of the registry with `size` records, for one use. */
function copyOf({ folder }: Bench, size: number): string {
  const dataDir = join(folder, 'copy');
  rmSync(dataDir, { recursive: true, force: true });
  cpSync(join(folder, String(size)), dataDir, { recursive: true });
  return dataDir;
}

/** Records that are there, submitted again with one of two telephone numbers in turn: work, but no new record. */
const warmUpBodies = (bodies: readonly string[], size: number): readonly string[] =>
  ['700 000001', '700 000002'].flatMap((value) =>
    bodies
      .slice(0, Math.min(size, 100))
      .map((body) => JSON.stringify({ ...JSON.parse(body), telecom: [{ system: 'phone', value }] })),
  );

/** The real server on a copy of the registry: warmed up, then `REGISTRATIONS` people that it does not know yet. */
async function registrationsOf(bench: Bench, size: number): Promise<Omit<Round, 'storeAt16' | 'storeAtBatch' | 'echo'>> {
  const server = await serve(copyOf(bench, size));
  try {
    const target = { port: server.port, credentials: bench.credentials, connections: CONNECTIONS };
    const warm = await bench.load.do({ ...target, bodies: warmUpBodies(bench.bodies, size), seconds: WARM_UP_SECONDS });
    const before = await batchSums(server.adminPort, warm.requests);
    const result = await bench.load.do({ ...target, bodies: bench.bodies.slice(size, size + REGISTRATIONS) });
    const after = await batchSums(server.adminPort, warm.requests + result.requests);
    return {
      ...result,
      batch: result.requests / (after.batches - before.batches),
      decision: (after.decideSeconds - before.decideSeconds) / result.requests,
      commit: (after.commitSeconds - before.commitSeconds) / result.requests,
      readyAfter: server.readyAfter,
      residentBytes: await residentBytes(server.adminPort),
    };
  } finally {
    await server.end('SIGTERM');
  }
}

const storeRate = async (bench: Bench, size: number, batch: number): Promise<number> =>
  (await bench.store.do({ kind: 'commit', dataDir: copyOf(bench, size), from: size, to: size + REGISTRATIONS, batch })).perSecond;

async function round(bench: Bench, size: number): Promise<Round> {
  const registered = await registrationsOf(bench, size);
  const { echoPort: port, credentials } = bench;
  const echo = await bench.load.do({ port, credentials, connections: CONNECTIONS, bodies: bench.bodies, seconds: ECHO_SECONDS });
  return {
    ...registered,
    echo: echo.perSecond,
    storeAt16: await storeRate(bench, size, BATCH),
    storeAtBatch: await storeRate(bench, size, Math.max(1, Math.round(registered.batch))),
  };
}

const median = (rounds: readonly Round[], of: (round: Round) => number): number => {
  const sorted = rounds.map(of).sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
};

/** What the registrar could do if nothing but its own work took time. */
const bound = ({ storeAtBatch, decision }: Round): number => 1 / (1 / storeAtBatch + decision);

const reached = (round: Round): number => round.perSecond / bound(round);

const COLUMNS: readonly (readonly [string, (rounds: readonly Round[], size: number) => string])[] = [
  ['records', (_, size) => String(size)],
  ['registrations/s', (rounds) => median(rounds, ({ perSecond }) => perSecond).toFixed(0)],
  ['p50 ms', (rounds) => median(rounds, ({ p50 }) => p50).toFixed(1)],
  ['p99 ms', (rounds) => median(rounds, ({ p99 }) => p99).toFixed(1)],
  ['batch', (rounds) => median(rounds, ({ batch }) => batch).toFixed(1)],
  ['decision us', (rounds) => median(rounds, ({ decision }) => decision * 1e6).toFixed(0)],
  ['its share', (rounds) => `${median(rounds, ({ decision, perSecond }) => decision * perSecond * 100).toFixed(0)} %`],
  ['commit us', (rounds) => median(rounds, ({ commit }) => commit * 1e6).toFixed(0)],
  ['store/s at 16', (rounds) => median(rounds, ({ storeAt16 }) => storeAt16).toFixed(0)],
  ['store/s at batch', (rounds) => median(rounds, ({ storeAtBatch }) => storeAtBatch).toFixed(0)],
  ['bound/s', (rounds) => median(rounds, bound).toFixed(0)],
  ['reached', (rounds) => `${(median(rounds, reached) * 100).toFixed(0)} %`],
  ['echo/s', (rounds) => median(rounds, ({ echo }) => echo).toFixed(0)],
  ['of echo', (rounds) => `${median(rounds, ({ perSecond, echo }) => (perSecond / echo) * 100).toFixed(0)} %`],
  ['client CPU', (rounds) => `${median(rounds, ({ cpu }) => cpu * 100).toFixed(0)} %`],
  ['ready after ms', (rounds) => median(rounds, ({ readyAfter }) => readyAfter).toFixed(0)],
  ['resident MB', (rounds) => median(rounds, ({ residentBytes }) => residentBytes / 2 ** 20).toFixed(0)],
];

function print(results: ReadonlyMap<number, readonly Round[]>): void {
  for (const [name, cell] of COLUMNS) {
    console.log(name.padEnd(18) + [...results].map(([size, rounds]) => cell(rounds, size).padStart(8)).join(''));
  }
}

function judge(results: ReadonlyMap<number, readonly Round[]>): void {
  for (const [size, rounds] of results) {
    const share = median(rounds, reached);
    const verdict = share >= GATE ? 'passed' : 'FAILED';
    console.log(
      `gate ${verdict}: at ${size} records ${(share * 100).toFixed(0)} % of what store and decision allow (at least ${GATE * 100} %)`,
    );
    if (share < GATE) process.exitCode = 1;
  }
}

/** Registries of every size, each made from the one before. */
async function fill(folder: string, store: Child<StoreJob, StoreResult>): Promise<void> {
  const dataDir = join(folder, 'data');
  let from = 0;
  for (const to of SIZES) {
    await store.do({ kind: 'fill', dataDir, from, to });
    cpSync(dataDir, join(folder, String(to)), { recursive: true });
    from = to;
  }
}

/** Registrations a second beside an echo and beside the store's own commits, in one run. */
export async function registrations({ gate }: { readonly gate: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'opencr-bench-'));
  const [load, store] = [startChild<LoadJob, LoadResult>('load'), startChild<StoreJob, StoreResult>('store')];
  const echo = startChild<EchoJob, number>('echo');
  try {
    const dataDir = join(folder, 'data');
    await makeCertificates(dataDir, join(folder, 'out'));
    await fill(folder, store);
    const credentials = credentialsIn(join(folder, 'out'));
    const bodies = people(SEED, Math.max(...SIZES) + REGISTRATIONS).map((patient) => JSON.stringify(patient));
    const bench = { folder, credentials, bodies, load, store, echoPort: await echo.do({ dataDir }) };
    console.log(
      `Node ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}`,
    );
    console.log(`${CONNECTIONS} keep-alive connections, mutual TLS, ${REGISTRATIONS} new records a round, medians of ${ROUNDS}`);
    const results = new Map<number, Round[]>(SIZES.map((size) => [size, []]));
    for (let n = 0; n < ROUNDS; n++) for (const [size, rounds] of results) rounds.push(await round(bench, size));
    print(results);
    console.log(`load at the end ${loadavg()[0]?.toFixed(1)}`);
    if (gate) judge(results);
  } finally {
    await Promise.all([load.end(), store.end(), echo.end()]);
    rmSync(folder, { recursive: true, force: true });
  }
}
