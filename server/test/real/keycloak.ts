/** Tokens of a real Keycloak, which `KEYCLOAK_HOME` names: the registry takes them with nothing but their issuer's address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { freePort } from '../support/free-port.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve } from './server-process.ts';
import { claim, Missing, type Suite } from './suite.ts';

const AUDIENCE = 'opencr';
const secret = (): string => randomBytes(16).toString('hex');

interface Keycloak {
  readonly issuer: string;
  /** A token by the client credentials grant. */
  token(client: string, scope: string): Promise<string>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts it without a disk, and fulfils when it listens. */
async function start(home: string, port: number, admin: string): Promise<() => Promise<void>> {
  const child = spawn(join(home, 'bin', 'kc.sh'), ['start-dev', '--db=dev-mem', '--http-host=127.0.0.1', `--http-port=${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx384m',
      KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
      KC_BOOTSTRAP_ADMIN_PASSWORD: admin,
    },
  });
  running.add(child);
  const ended = once(child, 'close').then(() => running.delete(child));
  const lines: string[] = [];
  await new Promise<void>((done, fail) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (/Listening on: /.test(line)) done();
    });
    void ended.then(() => fail(new Error(`Keycloak ended: ${lines.slice(-5).join('\n')}`)));
  });
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

const form = async (url: string, fields: Readonly<Record<string, string>>): Promise<string> => {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(fields) });
  const said = (await answer.json()) as { readonly access_token?: string };
  claim(said.access_token !== undefined, `no token from ${url}: ${answer.status} ${JSON.stringify(said)}`);
  return said.access_token;
};

/** A realm with a scope for each transaction, the client openmrs that may ask for them, and one that the registry does not know. */
async function realm(base: string, admin: string): Promise<Keycloak> {
  const login = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: admin };
  const token = await form(`${base}/realms/master/protocol/openid-connect/token`, login);
  const make = async (path: string, body: object): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${base}/admin/realms${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    claim(answer.status === 201, `Keycloak answered ${path} with ${answer.status}: ${await answer.text()}`);
  };
  await make('', { realm: 'care', enabled: true, sslRequired: 'none' });
  const scopes = ['ITI-78', 'ITI-83', 'ITI-104', 'ITI-119'];
  const attributes = { 'include.in.token.scope': 'true' };
  for (const name of scopes) await make('/care/client-scopes', { name, protocol: 'openid-connect', attributes });
  const secrets = new Map(['openmrs', 'stranger'].map((client) => [client, secret()]));
  for (const [clientId, clientSecret] of secrets) {
    await make('/care/clients', {
      clientId,
      secret: clientSecret,
      protocol: 'openid-connect',
      publicClient: false,
      serviceAccountsEnabled: true,
      standardFlowEnabled: false,
      optionalClientScopes: scopes,
      protocolMappers: [
        {
          name: 'audience',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-audience-mapper',
          config: { 'included.custom.audience': AUDIENCE, 'access.token.claim': 'true' },
        },
      ],
    });
  }
  const issuer = `${base}/realms/care`;
  return {
    issuer,
    token: (client, scope) =>
      form(`${issuer}/protocol/openid-connect/token`, {
        grant_type: 'client_credentials',
        client_id: client,
        client_secret: secrets.get(client) ?? '',
        scope,
      }),
  };
}

async function withKeycloak(run: (keycloak: Keycloak) => Promise<string>): Promise<string> {
  const home = process.env['KEYCLOAK_HOME'];
  if (home === undefined) throw new Missing('KEYCLOAK_HOME names no Keycloak');
  if (!existsSync(join(home, 'bin', 'kc.sh'))) throw new Missing(`there is no bin/kc.sh in ${home}`);
  const [port, admin] = [await freePort(), secret()];
  const stop = await start(home, port, admin);
  try {
    return await run(await realm(`http://127.0.0.1:${port}`, admin));
  } finally {
    await stop();
  }
}

interface Asked {
  readonly status: number;
  readonly challenge: string;
  readonly body: string;
}

const patient = JSON.stringify({
  resourceType: 'Patient',
  identifier: [{ system: 'http://clientregistry.org/openmrs', value: 'keycloak-1' }],
  name: [{ family: 'Okello', given: ['Anna'] }],
  birthDate: '1980-02-03',
  gender: 'female',
});

const takesTokens = (): Promise<string> =>
  withKeycloak((keycloak) =>
    inFolder(async (folder) => {
      const [dataDir, out] = [join(folder, 'data'), join(folder, 'out')];
      mkdirSync(out);
      await makeCertificates(dataDir, out);
      await command('clients', 'add', 'auditor', '--scope', 'audit', '--data', dataDir);
      await command('certs', 'issue', 'auditor', '--data', dataDir, '--out', out);
      const issuers = JSON.stringify([{ issuer: keycloak.issuer, audience: AUDIENCE }]);
      const server = await serve(dataDir, { env: { tokens__issuers: issuers } });
      const { ca, ...auditor } = credentialsIn(out, 'auditor');
      const ask = async (
        method: string,
        path: string,
        shown: { readonly token?: string; readonly body?: string },
      ): Promise<Asked> => {
        const { token, body } = shown;
        const asking = request({
          ...{ host: '127.0.0.1', servername: 'localhost', port: server.port, agent: false, ca, method, path },
          ...(token === undefined && auditor),
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/fhir+json' }),
          },
        });
        asking.end(body);
        const answered = new Promise<Asked>((done, fail) => {
          asking.once('error', fail);
          asking.once('response', (answer) => {
            const { statusCode: status = 0, headers } = answer;
            text(answer).then((whole) => done({ status, challenge: headers['www-authenticate'] ?? '', body: whole }), fail);
          });
        });
        return answered;
      };
      try {
        const feed = await keycloak.token('openmrs', 'ITI-104');
        const created = await ask('POST', '/fhir/Patient', { token: feed, body: patient });
        claim(created.status === 201, `a token with ITI-104 got ${created.status}: ${created.body}`);
        const pix = '/fhir/Patient/$ihe-pix?sourceIdentifier=http://clientregistry.org/openmrs|keycloak-1';
        const narrow = await ask('GET', pix, { token: feed });
        claim(
          narrow.status === 403 && narrow.challenge.includes('scope="ITI-83"'),
          `without ITI-83: ${narrow.status} ${narrow.challenge}`,
        );
        const wide = await ask('GET', pix, { token: await keycloak.token('openmrs', 'ITI-83 ITI-78') });
        claim(wide.status === 200, `a token with ITI-83 got ${wide.status}: ${wide.body}`);
        const stranger = await ask('GET', '/fhir/metadata', { token: await keycloak.token('stranger', 'ITI-78') });
        claim(stranger.status === 403, `a client that is not registered got ${stranger.status}`);
        const spoilt = await ask('GET', '/fhir/metadata', { token: `${feed.slice(0, -8)}AAAAAAAA` });
        claim(spoilt.status === 401, `a token with another signature got ${spoilt.status}`);
        const { jti } = JSON.parse(Buffer.from(feed.split('.')[1] ?? '', 'base64url').toString()) as { readonly jti: string };
        const trail = await ask('GET', '/fhir/AuditEvent', {});
        claim(trail.body.includes(`urn:ietf:params:oauth:jti:${encodeURIComponent(jti)}`), 'the audit does not name the token');
        return 'a submission, a query, a scope that lacks, a stranger and a spoilt token, the audit';
      } finally {
        await server.end('SIGTERM');
      }
    }),
  );

export const keycloak: Suite = {
  name: 'keycloak',
  tests: [{ title: 'tokens of Keycloak by the client credentials grant are taken for what their scopes say', run: takesTokens }],
};
