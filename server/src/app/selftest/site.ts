/** A whole registry for the self-test: the installation's configuration over a data folder, a CA and clients of its own, on loopback. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import pino from 'pino';
import { initAuthority } from '../../adapters/identity/authority.ts';
import { issueClientCertificate } from '../../adapters/identity/client-certificate.ts';
import type { Config } from '../../config/config.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { plainAuthority } from '../../domain/authorities.ts';
import type { Client, Scope } from '../../domain/principals.ts';
import { parseXml } from '../../fhir/xml/parse-xml.ts';
import { defaultBodyLimits } from '../../fhir/limits.ts';
import { startServer } from '../server.ts';

const SYSTEM = 'urn:x-opencr-selftest';
/** Sources of the clients `a` and `b`, and one that is everybody's evidence. */
export const SYSTEMS = { a: `${SYSTEM}:a`, b: `${SYSTEM}:b`, shared: `${SYSTEM}:shared`, oid: 'urn:oid:2.25.1' } as const;

/** `a` and `b` submit, `whole` sees everybody and the audit trail, `nobody` shows no certificate. */
export type Who = 'a' | 'b' | 'whole' | 'nobody';
const NAMES = { a: 'opencr-selftest-a', b: 'opencr-selftest-b', whole: 'opencr-selftest-whole' } as const;

const clientOf = (name: string, systems: readonly string[], scopes: readonly Scope[]): Client => ({
  name,
  displayName: name,
  systems,
  scopes,
  disabled: false,
});

/** What of the configuration leads outside, or says where the installation itself is, is left out; `docs/administrator.md` names it. */
const scratchConfig = (config: Config, mode: Config['authorityMode']): Config => ({
  ...config,
  app: { ...config.app, port: 0, host: '127.0.0.1', publicBaseUrl: null },
  admin: { port: 0, host: '127.0.0.1' },
  tls: { mode: 'ca', caFile: null, certFile: null, keyFile: null, clients: [] },
  store: { ...config.store, minFreeMb: 1 },
  authorityMode: mode,
  authorities: [
    ...config.authorities,
    { ...plainAuthority({ uri: SYSTEMS.a, kind: 'source', owner: NAMES.a, name: 'Self-test A' }), aliases: [SYSTEMS.oid] },
    plainAuthority({ uri: SYSTEMS.b, kind: 'source', owner: NAMES.b, name: 'Self-test B' }),
    plainAuthority({ uri: SYSTEMS.shared, kind: 'shared', owner: null, name: 'Self-test shared' }),
  ],
  clients: [
    ...config.clients,
    clientOf(NAMES.a, [SYSTEMS.a], []),
    clientOf(NAMES.b, [SYSTEMS.b], []),
    clientOf(NAMES.whole, [], ['audit', 'demographics']),
  ],
  tokens: { issuers: [] },
  audit: { repositories: [] },
});

export interface Asking {
  readonly as?: Who;
  /** An object goes as application/fhir+json, a text as the headers say. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  /** Method and path, for the report. */
  readonly asked: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** The body, whether JSON or XML; undefined where it is neither. */
  readonly body: unknown;
}

export interface Site {
  readonly mode: Config['authorityMode'];
  readonly location: Config['app']['location'];
  readonly base: string;
  ask(method: string, path: string, asking?: Asking): Promise<Reply>;
  /** A person's word: these two records are one person. So links do not depend on the installation's rules. */
  join(one: string, other: string): Promise<void>;
  stop(): Promise<void>;
}

const readBody = (text: string, type: string): unknown => {
  if (text === '') return undefined;
  if (type.includes('json')) return JSON.parse(text) as unknown;
  const parsed = type.includes('xml') ? parseXml(text, defaultBodyLimits) : undefined;
  return parsed && 'value' in parsed ? parsed.value : undefined;
};

function exchange(
  port: number,
  agent: Agent,
  asked: { method: string; path: string } & Pick<Asking, 'body' | 'headers'>,
): Promise<Reply> {
  const { method, path, body, headers } = asked;
  const bytes = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type =
    bytes === undefined ? {} : { 'content-type': 'application/fhir+json', 'content-length': String(Buffer.byteLength(bytes)) };
  return new Promise((done, fail) => {
    const outgoing = httpsRequest(
      { host: '127.0.0.1', port, agent, method, path, headers: { ...type, ...headers } },
      (incoming) => {
        const given = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
        buffer(incoming).then((chunk) => {
          const text = chunk.toString('utf8');
          const reply = { asked: `${method} ${path}`, status: incoming.statusCode ?? 0, headers: given, text };
          done({ ...reply, body: readBody(text, given['content-type'] ?? '') });
        }, fail);
      },
    );
    outgoing.once('error', fail);
    outgoing.end(bytes);
  });
}

/** Starts it; `stop` ends it and removes its folder. */
export async function openSite({ config, ruleSet }: LoadedConfig, mode: Config['authorityMode']): Promise<Site> {
  const dataDir = await mkdtemp(join(tmpdir(), 'opencr-selftest-'));
  const now = new Date();
  const authority = await initAuthority(dataDir, { development: true, hosts: [], now });
  const agents = { nobody: new Agent({ keepAlive: true, ca: authority.certificate, servername: 'localhost' }) } as Record<
    Who,
    Agent
  >;
  for (const who of ['a', 'b', 'whole'] as const) {
    const name = NAMES[who];
    const outDir = join(dataDir, 'clients');
    await issueClientCertificate(authority, name, { outDir, now });
    const [cert, key] = await Promise.all(['cert', 'key'].map((end) => readFile(join(outDir, `${name}.${end}.pem`), 'utf8')));
    agents[who] = new Agent({ keepAlive: true, ca: authority.certificate, servername: 'localhost', cert, key });
  }
  const server = await startServer({
    dataDir,
    config: scratchConfig(config, mode),
    rules: ruleSet,
    log: pino({ level: 'silent' }),
  });
  await server.ready;
  return {
    mode,
    location: config.app.location,
    base: `https://127.0.0.1:${server.port}/fhir`,
    ask: (method, path, { as = 'a', ...rest } = {}) => exchange(server.port, agents[as], { method, path, ...rest }),
    async join(one, other) {
      const sender = { agent: 'selftest', address: '', requestId: '' };
      const adjudication = { pairs: [{ a: one, b: other }], verdict: 'same' as const };
      const { kind } = await server.execute({ kind: 'adjudicate', sender, adjudication });
      if (kind !== 'done') throw new Error(`two records could not be joined: ${kind}`);
    },
    async stop() {
      for (const agent of Object.values(agents)) agent.destroy();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
