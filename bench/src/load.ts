import { type Connection, openConnection, post } from '../../server/test/real/connection.ts';
import type { Credentials } from '../../server/test/real/server-process.ts';
import { answerJobs } from './child.ts';

export interface LoadJob {
  readonly port: number;
  readonly credentials: Credentials;
  readonly connections: number;
  readonly bodies: readonly string[];
  /** Sends the bodies again and again for so long; without it each once. */
  readonly seconds?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Share of one core that this process took. */
  readonly cpu: number;
}

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;

/** The next request to send, over all connections; undefined at the end. */
function requests({ bodies, seconds }: LoadJob): () => Buffer | undefined {
  const bytes = bodies.map((body) => post('/fhir/Patient', body));
  const until = seconds === undefined ? Infinity : performance.now() + seconds * 1000;
  let next = 0;
  return () => {
    if (seconds === undefined) return bytes[next++];
    return performance.now() < until ? bytes[next++ % bytes.length] : undefined;
  };
}

async function sendAll(connection: Connection, next: () => Buffer | undefined, took: number[]): Promise<void> {
  for (let request = next(); request; request = next()) {
    const began = performance.now();
    const { status, body } = await connection.send(request);
    took.push(performance.now() - began);
    if (status !== 201) throw new Error(`answered with ${status}: ${body}`);
  }
}

async function load(job: LoadJob): Promise<LoadResult> {
  const open = Array.from({ length: job.connections }, () => openConnection(job.port, job.credentials));
  const connections = await Promise.all(open);
  const took: number[] = [];
  const next = requests(job);
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await Promise.all(connections.map((connection) => sendAll(connection, next, took)));
  const milliseconds = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const connection of connections) connection.close();
  const sorted = Float64Array.from(took).sort();
  return {
    requests: took.length,
    perSecond: (took.length / milliseconds) * 1000,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    cpu: (user + system) / 1000 / milliseconds,
  };
}

export const answerLoad = (): void => answerJobs(load);
