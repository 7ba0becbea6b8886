/** Tokens of a configured issuer beside mutual TLS (IHE IUA; RFC 6750, 8705), at the running server, from a real HTTPS issuer. */
import { createHash, X509Certificate } from 'node:crypto';
import type { Agent } from 'node:https';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { disableClient } from '../../src/cli/clients.ts';
import { revokeCertificates } from '../../src/cli/certs.ts';
import type { AuditEvent } from '../../src/fhir/r4.ts';
import { type Answer, certificateOf, startRegistry } from '../support/registry-server.ts';
import { inSeconds, signingKey, startIssuer, type Wanted } from '../support/token-issuer.ts';
import { authorityOf, makeCertificate } from './certificates.ts';
import { identifier, patient } from './people.ts';

const issuer = await startIssuer();
const strict = await startIssuer('urn:registry');
const gone = await startIssuer();
await gone.down();
const registry = await startRegistry({
  config: {
    tokens: {
      issuers: [
        { issuer: issuer.url, audience: ['opencr', 'other'], caFile: issuer.caFile },
        {
          issuer: strict.url,
          audience: 'urn:registry',
          jwksUri: strict.jwksUri,
          caFile: strict.caFile,
          clientClaim: 'sub',
          scopes: { feed: ['ITI-104'], research: ['ITI-78', 'demographics'] },
          requireCertificateBinding: true,
          algorithms: ['ES256'],
        },
        { issuer: gone.url, audience: 'opencr', caFile: gone.caFile },
      ],
    },
  },
});
afterAll(() => Promise.all([registry.stop(), issuer.stop(), strict.stop(), gone.stop()]));
const signer = authorityOf(registry.dataDir);
const quiet = { out: () => undefined, err: () => undefined };
await registry.register({ name: 'auditor', scopes: ['audit'] });
await registry.register({ name: 'research', systems: ['http://research.org'], scopes: ['demographics'] });
await registry.register({ name: 'closed' });
await registry.administer((administration) => disableClient(quiet, administration, 'closed'));

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const problem = (answer: Answer) => answer.resource('OperationOutcome').issue[0];
const challenge = ({ headers }: Answer): string => headers['www-authenticate'] ?? '';
const metadata = async (token: string, client: Agent | string | null = null): Promise<Answer> =>
  registry.send('GET', '/fhir/metadata', { client, headers: bearer(token) });
const showing = async (wanted: Parameters<typeof makeCertificate>[0]) => {
  const pair = await makeCertificate(wanted);
  return { agent: registry.agent(pair), thumbprint: thumbprintOf(pair.cert) };
};
const thumbprintOf = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

let sent = 0;
/** Submits somebody of openmrs without a certificate. */
const submit = (token: string): Promise<Answer> =>
  registry.send('POST', '/fhir/Patient', {
    client: null,
    headers: bearer(token),
    body: patient('openmrs', `token-${(sent += 1)}`),
  });

describe('a good token (TLS-07)', () => {
  it('lets its client in without a certificate, to do as with one', async () => {
    const answer = await submit(await issuer.token());
    expect([answer.status, answer.resource('Patient').meta?.tag?.some(({ code }) => code === 'openmrs')]).toEqual([201, true]);
    const foreign = await registry.send('POST', '/fhir/Patient', {
      client: null,
      headers: bearer(await issuer.token()),
      body: patient('dhis2', 'not mine'),
    });
    expect([foreign.status, problem(foreign)?.code]).toEqual([403, 'forbidden']);
  });

  it('is for one of the audiences, in whatever list', async () => {
    expect((await metadata(await issuer.token({ claims: { aud: ['x', 'other'] } }))).status).toBe(200);
  });

  it('may name its client as client_id, and be of the type JWT or of none', async () => {
    const claims = { azp: undefined, client_id: 'openmrs' };
    for (const typ of ['JWT', 'application/at+jwt', undefined])
      expect((await metadata(await issuer.token({ claims, header: { typ } }))).status).toBe(200);
  });

  it('is taken with clocks that are half a minute apart', async () => {
    expect((await metadata(await issuer.token({ claims: { exp: inSeconds(-25) } }))).status).toBe(200);
    expect((await metadata(await issuer.token({ claims: { nbf: inSeconds(25) } }))).status).toBe(200);
  });

  it('whatever the case of its scheme', async () => {
    const headers = { authorization: `bEaReR  ${await issuer.token()} ` };
    expect((await registry.send('GET', '/fhir/metadata', { client: null, headers })).status).toBe(200);
  });

  it('is told in the CapabilityStatement beside certificates, and no password is', async () => {
    const answer = JSON.parse((await metadata(await issuer.token())).text) as {
      readonly rest: readonly {
        readonly security: { readonly service: readonly { readonly coding: readonly { code: string }[] }[] };
      }[];
    };
    expect(answer.rest[0]?.security.service.map(({ coding }) => coding[0]?.code)).toEqual(['Certificates', 'OAuth']);
  });
});

const stranger = await signingKey();
const rsa = await signingKey('RS384');
issuer.rotate(rsa, issuer.key);
const { kid } = issuer.key;

const wrongTokens: readonly (readonly [what: string, wanted: Wanted, words: string])[] = [
  ['that expired', { claims: { exp: inSeconds(-60) } }, 'expired'],
  ['that never expires', { claims: { exp: undefined } }, 'The claim exp'],
  ['that expires at no time', { claims: { exp: 'tomorrow' } }, 'The claim exp'],
  ['that is not valid yet', { claims: { nbf: inSeconds(60) } }, 'The claim nbf'],
  ['for somebody else', { claims: { aud: 'elsewhere' } }, 'The claim aud'],
  ['for nobody', { claims: { aud: undefined } }, 'The claim aud'],
  ['of another issuer', { claims: { iss: 'https://issuer.example.org' } }, 'issuer of the token is not known'],
  ['of the issuer with a slash more', { claims: { iss: `${issuer.url}/` } }, 'issuer of the token is not known'],
  ['of no issuer', { claims: { iss: undefined } }, 'issuer of the token is not known'],
  ['of an issuer that is no text', { claims: { iss: [issuer.url] } }, 'issuer of the token is not known'],
  ['of another of the issuers, under its own key', { claims: { iss: strict.url, aud: 'urn:registry' } }, 'a key that its issuer'],
  ['signed by a stranger under a known key’s name', { key: { ...stranger, kid } }, 'signature of the token is wrong'],
  ['signed with a key that the issuer does not have', { key: stranger }, 'a key that its issuer does not have'],
  ['signed by an algorithm that is not allowed', { key: rsa }, 'algorithm of the token is not allowed'],
  ['of another type', { header: { typ: 'logout+jwt' } }, 'no access token'],
  ['of Keycloak to refresh another', { claims: { typ: 'Refresh' } }, 'no access token'],
  ['of no client', { claims: { azp: undefined } }, 'names no client'],
  ['of a client that is no text', { claims: { azp: ['openmrs'] } }, 'names no client'],
  ['of two clients', { claims: { client_id: 'dhis2' } }, 'names two clients'],
  ['bound to a key that is not looked at', { claims: { cnf: { jkt: 'x'.repeat(43) } } }, 'bound in a way'],
  ['bound to nothing', { claims: { cnf: {} } }, 'bound in a way'],
  ['bound in two ways', { claims: { cnf: { jkt: 'x', 'x5t#S256': 'x'.repeat(43) } } }, 'bound in a way'],
  ['with an id that cannot be kept', { claims: { jti: 'x'.repeat(257) } }, 'id of the token'],
];

describe('a wrong token is refused with 401, and nothing is done (TLS-07)', () => {
  const refused = async (token: string, words: string): Promise<void> => {
    const before = await registry.head();
    const answer = await submit(token);
    expect([answer.status, problem(answer)?.code]).toEqual([401, 'login']);
    expect(problem(answer)?.diagnostics).toContain(words);
    expect(challenge(answer)).toBe(
      `Bearer realm="OpenCR", error="invalid_token", error_description="${problem(answer)?.diagnostics ?? ''}"`,
    );
    expect(await registry.head()).toEqual(before);
  };

  it.each(wrongTokens)('one %s', async (_what, wanted, words) => {
    await refused(await issuer.token(wanted), words);
  });

  it('one whose claims were changed after it was signed', async () => {
    const [header = '', , signature = ''] = (await issuer.token({ claims: { azp: 'dhis2' } })).split('.');
    const [, claims = ''] = (await issuer.token()).split('.');
    await refused(`${header}.${claims}.${signature}`, 'signature of the token is wrong');
  });

  it('one that nobody signed, or that is signed with the issuer’s public key as a secret', async () => {
    const claims = encoded({ iss: issuer.url, aud: 'opencr', azp: 'openmrs', exp: inSeconds(300) });
    await refused(`${encoded({ alg: 'none' })}.${claims}.`, 'algorithm of the token is not allowed');
    const head = `${encoded({ alg: 'HS256', kid })}.${claims}`;
    const mac = createHash('sha256').update(head).digest('base64url');
    await refused(`${head}.${mac}`, 'algorithm of the token is not allowed');
  });

  it.each([
    ['nothing', ''],
    ['no token', 'abc'],
    ['five parts', 'a.b.c.d.e'],
    ['two tokens', 'a.b.c, d.e.f'],
    ['blanks', 'a b'],
  ])('%s for a token', async (_what, token) => {
    await refused(token, 'This is no signed token.');
  });

  it('although a good certificate is shown beside it', async () => {
    expect((await metadata(await issuer.token({ claims: { aud: 'elsewhere' } }), 'openmrs')).status).toBe(401);
  });

  it('and no header of any kind brings the door down', async () => {
    const good = await issuer.token();
    const header = fc.oneof(
      fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) }),
      fc.base64String().map((text) => `Bearer ${text}`),
      fc.tuple(fc.jsonValue(), fc.jsonValue()).map(([head, claims]) => `Bearer ${encoded({ head })}.${encoded({ claims })}.AA`),
      fc
        .record({
          alg: fc.constantFrom('ES256', 'none', 'HS256', 'RS256'),
          kid: fc.constantFrom(kid, 'other'),
          typ: fc.jsonValue(),
        })
        .map((head) => `Bearer ${encoded(head)}.${good.split('.')[1] ?? ''}.${good.split('.')[2] ?? ''}`),
      fc.nat(good.length - 1).map((at) => `Bearer ${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`),
    );
    await fc.assert(
      fc.asyncProperty(header, async (authorization) => {
        const answer = await registry.send('GET', '/fhir/metadata', { client: null, headers: { authorization } });
        // The last character of a signature has bits that say nothing.
        if (answer.status !== 200) expect(answer.status).toBe(401);
        else expect(authorization.slice(0, -1)).toBe(`Bearer ${good}`.slice(0, -1));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a token gives no more than its client has (TLS-07)', () => {
  it.each([
    ['of nobody that is registered', 'nobody', 'not a registered client'],
    ['of a client that is disabled', 'closed', 'The client closed is disabled.'],
  ])('one %s: 403', async (_what, azp, words) => {
    const answer = await submit(await issuer.token({ claims: { azp } }));
    expect([answer.status, problem(answer)?.code]).toEqual([403, 'security']);
    expect(problem(answer)?.diagnostics).toContain(words);
  });

  const everything = 'ITI-78 ITI-83 ITI-104 ITI-119 audit demographics';
  const asked: readonly (readonly [scope: string, method: string, path: string, body: object | null])[] = [
    ['ITI-78', 'GET', `/fhir/Patient?identifier=http://clientregistry.org/openmrs|a`, null],
    ['ITI-78', 'GET', '/fhir/Patient/x', null],
    ['ITI-78', 'GET', '/fhir/Patient/x/_history', null],
    ['ITI-83', 'GET', '/fhir/Patient/$ihe-pix?sourceIdentifier=http://clientregistry.org/openmrs|a', null],
    ['ITI-104', 'POST', '/fhir/Patient', patient('openmrs', 'scope-1')],
    ['ITI-104', 'PUT', '/fhir/Patient?identifier=http://clientregistry.org/openmrs|scope-1', patient('openmrs', 'scope-1')],
    ['ITI-104', 'POST', '/fhir', { resourceType: 'Bundle', type: 'batch', entry: [] }],
    ['ITI-104', 'POST', '/addPatient', patient('openmrs', 'scope-1')],
    ['ITI-119', 'POST', '/fhir/Patient/$match', { resourceType: 'Parameters', parameter: [] }],
    ['ITI-119', 'POST', '/match/matches', patient('openmrs', 'scope-1')],
    ['audit', 'GET', '/fhir/AuditEvent', null],
  ];

  it.each(asked)('PDQ-78-19, PDQ-119-16: %s is needed for %s %s', async (scope, method, path, body) => {
    const azp = scope === 'audit' ? 'auditor' : 'openmrs';
    const ask = async (scopes: string): Promise<Answer> =>
      registry.send(method, path, {
        client: null,
        headers: bearer(await issuer.token({ claims: { azp, scope: scopes } })),
        ...(body && { body }),
      });
    const before = await registry.head();
    const lacking = await ask(everything.replace(scope, ''));
    expect([lacking.status, problem(lacking)?.code, challenge(lacking)]).toEqual([
      403,
      'forbidden',
      `Bearer realm="OpenCR", error="insufficient_scope", scope="${scope}"`,
    ]);
    expect(await registry.head()).toEqual(before);
    const having = await ask(scope);
    expect([401, 403]).not.toContain(having.status);
  });

  it('without any scope it reads what the registry can do, and nothing else', async () => {
    const token = await issuer.token({ claims: { scope: undefined } });
    expect((await metadata(token)).status).toBe(200);
    expect((await submit(token)).status).toBe(403);
  });

  it('the audit is for clients with that scope, whatever their token says', async () => {
    const headers = bearer(await issuer.token({ claims: { scope: everything } }));
    const answer = await registry.send('GET', '/fhir/AuditEvent', { client: null, headers });
    expect([answer.status, problem(answer)?.diagnostics]).toEqual([403, 'The audit trail is for clients with the scope audit.']);
  });

  it('demographics are shown to a client that has the scope, when its token has it too', async () => {
    const system = identifier('openmrs', 'seen-1');
    await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', 'seen-1') });
    const shown = async (azp: string, scope: string): Promise<boolean> => {
      const headers = bearer(await issuer.token({ claims: { azp, scope } }));
      const path = `/fhir/Patient?identifier=${system.system}|${system.value}`;
      const [entry] = (await registry.send('GET', path, { client: null, headers })).resource('Bundle').entry ?? [];
      return (entry?.resource as { readonly name?: unknown } | undefined)?.name !== undefined;
    };
    expect(await shown('research', 'ITI-78 demographics')).toBe(true);
    expect(await shown('research', 'ITI-78')).toBe(false);
    expect(await shown('dhis2', 'ITI-78 demographics')).toBe(false);
  });
});

describe('a certificate beside a token (TLS-07)', () => {
  it('has to be good, and of the same client', async () => {
    const token = await issuer.token();
    expect((await metadata(token, 'openmrs')).status).toBe(200);
    const other = await metadata(token, 'dhis2');
    expect([other.status, problem(other)?.diagnostics]).toEqual([403, 'The certificate and the token are of two clients.']);
    const { agent } = await showing({ names: ['openmrs'] });
    const foreign = await metadata(token, agent);
    expect([foreign.status, problem(foreign)?.diagnostics]).toEqual([403, expect.stringContaining('invalid certificate')]);
  });

  it('that the token is bound to is the one that has to be shown, whoever signed it (RFC 8705)', async () => {
    const mine = await showing({ names: ['gateway'] });
    const token = await issuer.token({ claims: { cnf: { 'x5t#S256': mine.thumbprint } } });
    expect((await metadata(token, mine.agent)).status).toBe(200);
    for (const client of [null, 'openmrs', (await showing({ names: ['gateway'], until: 40 })).agent]) {
      const answer = await metadata(token, client);
      expect([answer.status, problem(answer)?.diagnostics]).toEqual([401, expect.stringContaining('is bound to a')]);
    }
  });

  it('that expired binds nothing any more, nor does one of ours that was revoked', async () => {
    const old = await showing({ names: ['gateway'], from: -30, until: -1 });
    const bound = ({ thumbprint }: { readonly thumbprint: string }) =>
      issuer.token({ claims: { cnf: { 'x5t#S256': thumbprint } } });
    expect((await metadata(await bound(old), old.agent)).status).toBe(403);
    await registry.register({ name: 'node' });
    const ours = await showing({ names: ['node'], signer });
    expect((await metadata(await bound(ours), ours.agent)).status).toBe(200);
    await registry.administer((administration) => revokeCertificates(quiet, administration, 'node', new Date().toISOString()));
    const answer = await metadata(await bound(ours), ours.agent);
    expect([answer.status, problem(answer)?.diagnostics]).toEqual([403, expect.stringContaining('revoked')]);
  });

  it('where the configuration wants it, every token is bound; it also says which claim names the client, and what scopes mean', async () => {
    const { cert, key } = await certificateOf('openmrs');
    const agent = registry.agent({ cert, key });
    const claims = { azp: undefined, sub: 'openmrs', scope: 'feed', cnf: { 'x5t#S256': thumbprintOf(cert) } };
    expect((await metadata(await strict.token({ claims: { ...claims, cnf: undefined } }), agent)).status).toBe(401);
    const headers = bearer(await strict.token({ claims }));
    const submitted = await registry.send('POST', '/fhir/Patient', {
      client: agent,
      headers,
      body: patient('openmrs', 'feed-1'),
    });
    expect(submitted.status).toBe(201);
    const read = await registry.send('GET', '/fhir/Patient/x', { client: agent, headers });
    expect(read.status).toBe(403);
  });
});

describe('the issuer', () => {
  it('that cannot be reached lets nobody in: 503, to be tried again', async () => {
    const before = await registry.head();
    const answer = await submit(await gone.token());
    expect([answer.status, problem(answer)?.code, Number(answer.headers['retry-after'])]).toEqual([503, 'transient', 5]);
    expect(answer.text).not.toMatch(/localhost|ECONN/);
    expect(await registry.head()).toEqual(before);
  });

  it('is not asked at each request', async () => {
    await metadata(await issuer.token());
    const before = issuer.asked.length;
    for (let n = 0; n < 50; n += 1) await metadata(await issuer.token({ ...(n % 2 === 0 && { key: stranger }) }));
    expect(issuer.asked.length).toBe(before);
  });
});

describe('decided at every request', () => {
  it('a token that expires on an open connection ends there', async () => {
    const agent = registry.agent({ maxSockets: 1 });
    const token = await issuer.token({ claims: { exp: inSeconds(-29) } });
    expect((await metadata(token, agent)).status).toBe(200);
    const port = Object.values(agent.freeSockets)[0]?.[0]?.localPort;
    const deadline = Date.now() + 5_000;
    let answer = await metadata(token, agent);
    while (answer.status === 200 && Date.now() < deadline) answer = await metadata(token, agent);
    expect([answer.status, problem(answer)?.diagnostics]).toEqual([401, 'The token has expired.']);
    expect(Object.values(agent.freeSockets)[0]?.[0]?.localPort).toBe(port);
  });

  it('a client that is disabled is refused from its next request on', async () => {
    await registry.register({ name: 'leaving' });
    const token = await issuer.token({ claims: { azp: 'leaving' } });
    expect((await metadata(token)).status).toBe(200);
    await registry.administer((administration) => disableClient(quiet, administration, 'leaving'));
    expect((await metadata(token)).status).toBe(403);
  });
});

describe('who shows neither', () => {
  it('reads 401, and that a token would do (REST-34)', async () => {
    const answer = await registry.send('GET', '/fhir/metadata', { client: null });
    expect([answer.status, challenge(answer)]).toEqual([401, 'Bearer realm="OpenCR"']);
    expect(problem(answer)?.diagnostics).toBe('Sorry, you need to provide a client certificate or a token to continue.');
  });

  it('or a login whose door is closed: the certificate counts, as if nothing else were there', async () => {
    const headers = { authorization: `Basic ${Buffer.from('openmrs:whatever').toString('base64')}` };
    expect((await registry.send('GET', '/fhir/metadata', { headers })).status).toBe(200);
    expect((await registry.send('GET', '/fhir/metadata', { client: null, headers })).status).toBe(401);
  });
});

describe('the audit', () => {
  const trail = async (query = ''): Promise<readonly AuditEvent[]> => {
    const bundle = (await registry.send('GET', `/fhir/AuditEvent?_count=500${query}`, { client: 'auditor' })).resource('Bundle');
    return (bundle.entry ?? []).map(({ resource }) => resource as AuditEvent);
  };

  it('AUD-01, AUD-05: names the token of a submission and of a query by its id, and the client as its issuer does', async () => {
    const token = await issuer.token({ claims: { jti: 'told-1' } });
    await submit(token);
    await registry.send('GET', '/fhir/Patient?identifier=http://clientregistry.org/openmrs|token-1', {
      client: null,
      headers: bearer(token),
    });
    const told = (await trail()).filter(({ agent }) => agent[0]?.policy?.includes('urn:ietf:params:oauth:jti:told-1'));
    expect(new Set(told.map(({ action }) => action))).toEqual(new Set(['C', 'E']));
    for (const { agent } of told)
      expect(agent[0]?.who).toEqual({ identifier: { system: issuer.url, value: 'openmrs' }, display: 'openmrs' });
  });

  it('TLS-05: refused tokens are Security Alerts, without a name that nobody vouched for', async () => {
    // The newest 500 of all may be the readings of the token that expired.
    const alerts = (await trail('&type=110113')).filter(({ outcomeDesc }) => outcomeDesc?.startsWith('token-refused'));
    expect(alerts.length).toBeGreaterThan(5);
    for (const { agent, subtype } of alerts)
      expect([agent[0]?.who.display, subtype?.[0]?.code]).toEqual(['unauthenticated', '110126']);
  });
});
