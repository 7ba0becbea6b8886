/** What the registry tells of itself at its admin port. */
import type { LedgerHead } from '../../src/app/server.ts';
import type { ServerProcess } from './server-process.ts';
import { claim } from './suite.ts';

type Told = Pick<ServerProcess, 'adminPort'>;

const MIB = 1024 * 1024;
/** What a process may grow by while its work stays the same, for caches that fill and for a garbage collector that waits. */
const ROOM = 128 * MIB;

export async function metricsOf({ adminPort }: Told): Promise<string> {
  return (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
}

export interface Health {
  readonly head: LedgerHead;
  readonly records: number;
}

export const healthOf = async ({ adminPort }: Told): Promise<Health> =>
  (await (await fetch(`http://127.0.0.1:${adminPort}/health`)).json()) as Health;

/** How much a process holds, at one moment. */
export interface Held {
  /** Bytes that are resident. */
  readonly memory: number;
  readonly records: number;
}

export async function heldBy(server: Told): Promise<Held> {
  const [metrics, { records }] = await Promise.all([metricsOf(server), healthOf(server)]);
  return { memory: Number(/^opencr_process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]), records };
}

/** Claims that after the first moment, when it had warmed up, the process did not grow; answers all moments in words. */
export function steady([before, ...after]: readonly Held[]): string {
  claim(before !== undefined && after.length > 0, 'memory was not looked at twice');
  const words = [before, ...after]
    .map(({ memory, records }) => `${Math.round(memory / MIB)} MiB at ${records} records`)
    .join(', ');
  claim(
    after.every(({ memory }) => memory - before.memory < ROOM),
    `the process grew: ${words}`,
  );
  return words;
}
