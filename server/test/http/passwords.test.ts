/** HTTP Basic beside mutual TLS (RFC 7617), as clients of iSantéPlus, SEDISH and OpenMRS log in, at the running server. */
import type { Agent } from 'node:https';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/adapters/identity/password.ts';
import { verifyStore } from '../../src/adapters/sql/verify.ts';
import { disableClient } from '../../src/cli/clients.ts';
import { type PasswordSource, setPassword } from '../../src/cli/passwords.ts';
import type { AuditEvent } from '../../src/fhir/r4.ts';
import { type Answer, startRegistry } from '../support/registry-server.ts';
import { makeCertificate } from './certificates.ts';
import { patient } from './people.ts';

const registry = await startRegistry({ config: { basic: { enabled: true } } });
afterAll(() => registry.stop());
await registry.register({ name: 'auditor', scopes: ['audit'] });
for (const name of ['isanteplus', 'closed', 'guessed', 'changing', 'removed', 'silent', 'nobodys'])
  await registry.register({ name, systems: [`http://${name}.org`] });

const PASSWORD = 'a long password';
const password = (name: string, text = PASSWORD, source: PasswordSource = 'stdin'): Promise<unknown> =>
  registry.administer((administration) =>
    setPassword({ out: () => undefined, err: () => undefined }, administration, {
      name,
      source,
      maker: {
        generate: () => text,
        hash: hashPassword,
        isPublished: () => false,
        read: () => Promise.resolve(text),
      },
    }),
  );
for (const name of ['isanteplus', 'closed', 'guessed', 'changing', 'removed', 'openmrs']) await password(name);
await registry.administer((administration) =>
  disableClient({ out: () => undefined, err: () => undefined }, administration, 'closed'),
);

const basic = (name: string, text = PASSWORD) => ({
  authorization: `Basic ${Buffer.from(`${name}:${text}`).toString('base64')}`,
});
const login = (name: string, text?: string, client: Agent | string | null = null): Promise<Answer> =>
  registry.send('GET', '/fhir/metadata', { client, headers: basic(name, text) });
const problem = (answer: Answer) => answer.resource('OperationOutcome').issue[0];
const CHALLENGE = 'Basic realm="OpenCR", charset="UTF-8"';

describe('a client with a password', () => {
  it('does without a certificate what it may', async () => {
    const body = patient('isanteplus', '1', undefined, { identifier: [{ system: 'http://isanteplus.org', value: '1' }] });
    const answer = await registry.send('POST', '/fhir/Patient', { client: null, headers: basic('isanteplus'), body });
    expect([answer.status, answer.resource('Patient').meta?.tag?.some(({ code }) => code === 'isanteplus')]).toEqual([201, true]);
    const other = { client: null, headers: basic('isanteplus'), body: patient('openmrs', 'not mine') };
    expect((await registry.send('POST', '/fhir/Patient', other)).status).toBe(403);
    const audit = await registry.send('GET', '/fhir/AuditEvent', { client: null, headers: basic('isanteplus') });
    expect(audit.status).toBe(403);
  });

  it('may show its certificate too, which has to be good and its own', async () => {
    expect((await login('openmrs', PASSWORD, 'openmrs')).status).toBe(200);
    const other = await login('openmrs', PASSWORD, 'dhis2');
    expect([other.status, problem(other)?.diagnostics]).toEqual([403, 'The certificate and the password are of two clients.']);
    const foreign = await login('openmrs', PASSWORD, registry.agent(await makeCertificate({ names: ['openmrs'] })));
    expect([foreign.status, problem(foreign)?.diagnostics]).toEqual([403, expect.stringContaining('invalid certificate')]);
  });

  it('is refused from its next request on when its password is changed or taken away, or it is disabled', async () => {
    expect([(await login('changing')).status, (await login('removed')).status]).toEqual([200, 200]);
    await password('changing', 'another long one');
    await password('removed', '', 'none');
    expect([(await login('changing')).status, (await login('removed')).status]).toEqual([401, 401]);
    expect((await login('changing', 'another long one')).status).toBe(200);
    const closed = await login('closed');
    expect([closed.status, problem(closed)?.diagnostics]).toEqual([403, 'The client closed is disabled.']);
  });

  it('finds Basic in the CapabilityStatement', async () => {
    expect((await login('isanteplus')).text).toContain('"code":"Basic"');
  });
});

describe('who is not let in', () => {
  it('reads one and the same 401, whatever is wrong, and nothing is done (REST-34)', async () => {
    const before = await registry.head();
    const wrong = [basic('isanteplus', 'wrong'), basic('nobody'), basic('silent'), basic(''), { authorization: 'Basic !' }];
    const answers = await Promise.all(
      wrong.map((headers) => registry.send('POST', '/fhir/Patient', { client: null, headers, body: patient('openmrs', 'x') })),
    );
    for (const answer of answers) {
      expect([answer.status, answer.headers['www-authenticate'], problem(answer)]).toEqual([
        401,
        CHALLENGE,
        { severity: 'error', code: 'login', diagnostics: 'The name or the password of the client is wrong.' },
      ]);
    }
    expect(await registry.head()).toEqual(before);
  });

  it('is told that a password would do', async () => {
    const answer = await registry.send('GET', '/fhir/metadata', { client: null });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, CHALLENGE]);
    expect(problem(answer)?.diagnostics).toBe('Sorry, you need to provide a client certificate or a password to continue.');
  });

  it('after five wrong passwords is held up, with the right one too, and others are not', async () => {
    const guesses = await Promise.all(Array.from({ length: 12 }, (_, n) => login('guessed', `guess ${n}`)));
    const statuses = guesses.map(({ status }) => status).sort();
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429, 429, 429, 429]);
    const right = await login('guessed');
    expect([right.status, problem(right)?.code]).toEqual([429, 'throttled']);
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(800);
    expect((await login('isanteplus')).status).toBe(200);
  });

  it('and no header of any kind brings the door down', async () => {
    const header = fc.oneof(
      fc.base64String().map((text) => `Basic ${text}`),
      fc
        .string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
        .map((text) => `Basic ${text}`),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => `basic ${Buffer.from(bytes).toString('base64')}`),
    );
    await fc.assert(
      fc.asyncProperty(header, async (authorization) => {
        const answer = await registry.send('GET', '/fhir/metadata', { client: null, headers: { authorization } });
        expect([401, 429]).toContain(answer.status);
      }),
      { numRuns: 200 },
    );
    expect((await login('isanteplus')).status).toBe(200);
  });
});

describe('the audit', () => {
  const trail = async (): Promise<readonly AuditEvent[]> => {
    const bundle = (await registry.send('GET', '/fhir/AuditEvent?_count=500', { client: 'auditor' })).resource('Bundle');
    return (bundle.entry ?? []).map(({ resource }) => resource as AuditEvent);
  };

  it('TLS-05: has each refusal, those past the tenth in a minute counted, with the client whose password was tried', async () => {
    const alerts = (await trail()).filter(({ outcomeDesc }) => outcomeDesc?.startsWith('password-refused'));
    expect(alerts.some(({ agent }) => agent[0]?.altId === 'isanteplus')).toBe(true);
    for (const { agent, subtype } of alerts)
      expect([agent[0]?.who.display, subtype?.[0]?.code]).toEqual(['unauthenticated', '110126']);
    const count = async (): Promise<number> =>
      (await trail())
        .filter(({ outcome }) => outcome === '4')
        .reduce((sum, { outcomeDesc }) => sum + Number(/stands for (\d+)/.exec(outcomeDesc ?? '')?.[1] ?? 1), 0);
    const before = await count();
    for (let n = 0; n < 15; n += 1) await login('nobodys', `guess ${n}`);
    expect(await count()).toBe(before + 15);
  });

  it('AUD-01: says of a submission that its client came with a password', async () => {
    const created = (await trail()).filter(({ action, agent }) => action === 'C' && agent[0]?.who.display === 'isanteplus');
    expect(created.length).toBeGreaterThan(0);
    for (const { agent } of created) expect(agent[0]?.policy).toEqual(['urn:ietf:rfc:7617']);
  });

  it('holds neither password nor hash, and the ledger verifies with its passwords', async () => {
    expect(JSON.stringify(await trail())).not.toMatch(/argon2|a long password/);
    expect(verifyStore(registry.dataDir)).toEqual([]);
  });
});
