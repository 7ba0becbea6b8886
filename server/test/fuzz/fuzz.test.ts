/**
 * Every route with whatever comes: FUZZ_RUNS requests (5,000 unless said), several at a time from several clients. FUZZ_SEED repeats a run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import { afterAll, expect, it } from 'vitest';
import { verify } from '../../src/app/verify.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { complaint, keptOf } from './judge.ts';
import { anyShot, CLIENTS, type Shot } from './requests.ts';

const REQUESTS = Number(process.env['FUZZ_RUNS'] ?? 5_000);
const seed = process.env['FUZZ_SEED'];
const TOGETHER = 5;
/** Milliseconds in which every request is answered, on a busy machine too. */
const PATIENCE = 20_000;

const dataDir = mkdtempSync(join(tmpdir(), 'opencr-fuzz-'));
const faults: string[] = [];
const registry = await startRegistry({ dataDir, log: pino({ level: 'error' }, { write: (line: string) => void faults.push(line) }) });
await registry.register({ name: 'lims', scopes: ['demographics'] });
await registry.register({ name: 'auditor', scopes: ['audit', 'demographics'] });
afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

/** Ids that the registry gave, of Patients and of AuditEvents, the newest in place of the oldest. */
const known = { patients: [] as string[], events: [] as string[], seen: 0 };
const KNOWN = 300;

function learn({ headers, text }: Answer): void {
  for (const list of ['location', 'locationcruid'] as const) {
    const id = /^Patient\/([^/]+)/.exec(headers[list] ?? '')?.[1];
    if (id !== undefined) known.patients[known.seen++ % KNOWN] = id;
  }
  const event = /"resourceType":"AuditEvent","id":"([^"]+)"/.exec(text)?.[1];
  if (event !== undefined) known.events[known.seen++ % KNOWN] = event;
}

const named = (text: string): string =>
  text.replaceAll(/@(A?)(\d+)@/g, (_, kind: string, n: string) => {
    const ids = kind === 'A' ? known.events : known.patients;
    return ids[Number(n) % Math.max(ids.length, 1)] ?? 'none';
  });

async function fire({ method, path, headers, content, client }: Shot): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer after ${PATIENCE} ms`)), PATIENCE);
  const body = typeof content === 'string' ? named(content) : content;
  try {
    return await Promise.race([registry.send(method, named(path), { client, headers, ...(body !== null && { body }) }), late.promise]);
  } catch (error) {
    throw new Error(`${method} ${named(path)} of ${client} was not answered`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const statuses = new Map<number, number>();

async function volley(shots: readonly Shot[]): Promise<void> {
  const before = await registry.head();
  const answers = await Promise.all(shots.map(async (shot) => ({ shot, answer: await fire(shot) })));
  const after = await registry.head();
  let [least, most] = [0, 0];
  for (const { shot, answer } of answers) {
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const wrong = complaint(shot, answer);
    if (wrong !== null) throw new Error(`${wrong}: ${shot.method} ${named(shot.path)} → ${answer.status} ${answer.text.slice(0, 500)}\n${faults.at(-1) ?? ''}`);
    learn(answer);
    const kept = keptOf(shot, answer);
    least += kept.least;
    most += kept.most;
  }
  const moved = after.sequence - before.sequence;
  if (moved < least || moved > most)
    throw new Error(`the ledger moved by ${moved}, the answers say ${least} to ${most}: ${answers.map(({ shot, answer }) => `${shot.method} ${shot.path} ${answer.status}`).join('; ')}`);
  if (most === 0) expect(after).toEqual(before);
}

it(
  'whatever is sent is answered in time, as FHIR asks, and what is refused leaves nothing behind',
  async () => {
    await fc.assert(fc.asyncProperty(fc.array(anyShot, { minLength: TOGETHER, maxLength: TOGETHER }), volley), {
      numRuns: Math.ceil(REQUESTS / TOGETHER),
      ...(seed !== undefined && { seed: Number(seed) }),
    });
    expect(faults).toEqual([]);
    // Of every kind there was enough for the test to mean something.
    const count = (...wanted: readonly number[]): number => wanted.reduce((sum, status) => sum + (statuses.get(status) ?? 0), 0);
    expect(count(200, 201) / REQUESTS).toBeGreaterThan(0.2);
    for (const status of [400, 401, 403, 404, 405, 406, 409, 410, 415, 422]) expect(count(status), String(status)).toBeGreaterThan(0);
    for (const client of CLIENTS.slice(0, 3)) expect((await registry.send('GET', '/fhir/metadata', { client })).status).toBe(200);
    console.log(`${REQUESTS} requests: ${[...statuses].toSorted().map(([status, n]) => `${status} × ${n}`).join(', ')}`);
  },
  60_000 + REQUESTS * 60,
);

it('what is stored afterwards is in order', async () => {
  const { hash } = await registry.stop();
  const said: string[] = [];
  expect([await verify({ out: () => undefined, err: (line) => void said.push(line) }, dataDir, hash), said]).toEqual([0, []]);
});
