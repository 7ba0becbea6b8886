import { get } from 'node:http';
import { PassThrough } from 'node:stream';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/adapters/sql/verify.ts';
import { patient, somebody } from '../http/people.ts';
import { startRegistry } from '../support/registry-server.ts';

const folders: string[] = [];
const folder = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'opencr-operations-'));
  folders.push(dir);
  return dir;
};
afterAll(() => {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true });
});

/** Everything that a registry logged. */
function listened(): { readonly log: pino.Logger; readonly lines: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  return { log: pino({ level: 'trace' }, stream), lines: () => text };
}

describe('health and metrics', () => {
  it('are told at the operators’ door, the status alone at the point-of-service door, without a certificate', async () => {
    const registry = await startRegistry();
    const status = await registry.send('GET', '/health/ready', { client: null });
    expect([status.status, JSON.parse(status.text)]).toEqual([200, { status: 'ready' }]);
    expect((await registry.send('GET', '/health', { client: null })).status).toBe(401);
    expect((await registry.send('GET', '/metrics', { client: null })).status).toBe(401);
    await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', 'metrics-1') });
    const detail = await (await fetch(`http://127.0.0.1:${registry.server.adminPort}/health`)).json();
    expect(detail).toMatchObject({ status: 'ready', records: 1 });
    const metrics = await (await fetch(`http://127.0.0.1:${registry.server.adminPort}/metrics`)).text();
    const rebound = await new Promise<number | undefined>((done, fail) => {
      const headers = { host: 'evil.example' };
      get({ host: '127.0.0.1', port: registry.server.adminPort, path: '/health', headers }, (answer) => {
        answer.resume();
        done(answer.statusCode);
      }).on('error', fail);
    });
    expect(rebound).toBe(421);
    expect(metrics).toContain('opencr_submissions_total{outcome="created"} 1');
    expect(metrics).toContain('opencr_http_request_seconds_count{route="/fhir/Patient",method="POST",status="201"} 1');
    await registry.stop();
  });
});

describe('logs', () => {
  it('hold no name, identifier, birth date or phone of anybody, whatever was asked and refused', async () => {
    const { log, lines } = listened();
    const registry = await startRegistry({ log });
    const secret = { family: 'Xqzfamily', given: ['Xqzgiven'], use: 'official' } as const;
    const body = {
      ...patient('openmrs', 'xqz-value'),
      name: [secret],
      birthDate: '1966-06-16',
      telecom: [{ system: 'phone', value: 'xqz-phone' }],
    };
    await registry.send('POST', '/fhir/Patient', { body });
    await registry.send('POST', '/fhir/Patient', { body: { ...body, birthDate: 'xqz-date' } });
    await registry.send('POST', '/fhir/Patient', { body: JSON.stringify(body).slice(0, -5) });
    await registry.send('GET', '/fhir/Patient?identifier=http://clientregistry.org/openmrs|xqz-value');
    await registry.send('GET', '/fhir/Patient/xqz-unknown');
    await registry.stop();
    expect(lines()).toContain('ledger head at shutdown');
    expect(lines()).not.toMatch(/xqz|1966-06-16/i);
  });
});

describe('a shutdown', () => {
  it('finishes what was accepted: whatever was answered is there, and the rest was refused or cut off', async () => {
    const dataDir = folder();
    const first = await startRegistry({ dataDir });
    const sent = Array.from({ length: 200 }, (_, n) => patient('openmrs', `stop-${n}`, somebody()));
    await first.client('openmrs');
    const answers = sent.map((body) =>
      first.send('POST', '/fhir/Patient', { body }).then(
        (answer) => answer.status,
        () => 0,
      ),
    );
    await Promise.race(answers);
    await first.server.stop();
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => ![201, 503, 0].includes(status))).toEqual([]);
    expect(statuses).toContain(201);
    expect(verifyStore(dataDir)).toEqual([]);
    const second = await startRegistry({ dataDir });
    for (const [n, status] of statuses.entries()) {
      if (status !== 201) continue;
      const found = await second.send('GET', `/fhir/Patient?identifier=http://clientregistry.org/openmrs|stop-${n}`);
      expect(found.resource('Bundle').total).toBe(1);
    }
    await second.stop();
  });
});

describe('a disk that is nearly full', () => {
  it('refuses writes with 503 and Retry-After, leaves nothing behind, and goes on reading', async () => {
    const registry = await startRegistry({ config: { store: { minFreeMb: 1_000_000_000 } }, dataDir: await prepared() });
    const before = await registry.head();
    const refused = await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', 'full-2') });
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');
    expect(refused.resource('OperationOutcome').issue[0]?.code).toBe('no-store');
    expect(await registry.head()).toEqual(before);
    const read = await registry.send('GET', '/fhir/Patient?identifier=http://clientregistry.org/openmrs|full-1');
    expect(read.resource('Bundle').total).toBe(1);
    await registry.stop();
  });

  /** A data folder whose rules are already in force: preparing is a write, too. */
  async function prepared(): Promise<string> {
    const dataDir = folder();
    const registry = await startRegistry({ dataDir });
    await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', 'full-1') });
    await registry.stop();
    return dataDir;
  }
});
