/** Every route with whatever comes, from several clients at once: 5,000 requests, or FUZZ_RUNS of them; FUZZ_SEED repeats a run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, expect, it } from 'vitest';
import { verify } from '../../src/app/verify.ts';
import { startRegistry } from '../support/registry-server.ts';
import { anyShot } from './requests.ts';
import { asked, fuzz, inWords } from './volleys.ts';

const run = asked(5_000);
const dataDir = mkdtempSync(join(tmpdir(), 'opencr-fuzz-'));
const faults: string[] = [];
const registry = await startRegistry({
  dataDir,
  log: pino({ level: 'error' }, { write: (line: string) => void faults.push(line) }),
});
await registry.register({ name: 'lims', scopes: ['demographics'] });
await registry.register({ name: 'auditor', scopes: ['audit', 'demographics'] });
afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

it(
  'whatever is sent is answered in time, as FHIR asks, and what is refused leaves nothing behind',
  async () => {
    const statuses = await fuzz(registry, anyShot, run).catch((error: unknown) => {
      throw new Error(`the log says: ${faults.at(-1) ?? 'nothing'}`, { cause: error });
    });
    expect(faults).toEqual([]);
    // Of every kind there was enough for the test to mean something.
    const seen = (status: number): number => statuses.get(status) ?? 0;
    expect((seen(200) + seen(201)) / run.requests, inWords(statuses)).toBeGreaterThan(0.15);
    for (const status of [400, 401, 403, 404, 405, 406, 410, 415, 422])
      expect(seen(status), inWords(statuses)).toBeGreaterThan(0);
    expect((await registry.send('GET', '/health/ready', { client: null })).status).toBe(200);
  },
  60_000 + run.requests * 60,
);

it('what is stored afterwards is in order', async () => {
  const { hash } = await registry.stop();
  const said: string[] = [];
  expect([await verify({ out: () => undefined, err: (line) => void said.push(line) }, dataDir, hash), said]).toEqual([0, []]);
});
