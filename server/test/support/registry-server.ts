/** A whole registry in this process for tests: a data folder of its own, real TLS on a free loopback port, real certificates. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type AgentOptions, request as httpsRequest } from 'node:https';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import pino, { type Logger } from 'pino';
import { initAuthority, openAuthority } from '../../src/adapters/identity/authority.ts';
import { issueClientCertificate } from '../../src/adapters/identity/client-certificate.ts';
import { openAdministration } from '../../src/app/administration.ts';
import { projectRoot } from '../../src/app/project.ts';
import { startServer } from '../../src/app/server.ts';
import { changeOf, registered, type Registration } from '../../src/cli/clients.ts';
import type { Administration } from '../../src/cli/administration.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { LedgerHead } from '../../src/app/server.ts';
import { checkPath } from '../../src/fhir/feature-paths.ts';
import { defaultBodyLimits } from '../../src/fhir/limits.ts';
import type { AuditEvent, Bundle, OperationOutcome, Parameters, Patient } from '../../src/fhir/r4.ts';
import { isRefusal } from '../../src/fhir/refusal.ts';
import { parseXml } from '../../src/fhir/xml/parse-xml.ts';
import { made } from './made.ts';

const identity = join(projectRoot, 'server', 'src', 'adapters', 'identity');
const madeBy = ['authority.ts', 'certificate.ts', 'client-certificate.ts', 'pkcs12.ts'].map((name) =>
  readFileSync(join(identity, name)),
);
const month = new Date().toISOString().slice(0, 7);

/** Keys cost seconds: made once a month and for each version of the code that makes them, then shared by every test. */
const cache = join(
  tmpdir(),
  `opencr-test-certificates-${userInfo().uid}`,
  createHash('sha256').update(Buffer.concat(madeBy)).update(month).digest('hex').slice(0, 16),
);

/** A data folder that holds nothing but a development CA and the server's certificate. */
export const authorityFolder = (): Promise<string> =>
  made(join(cache, 'authority'), (draft) => initAuthority(draft, { development: true, hosts: [], now: new Date() }));

/** NAME.cert.pem, NAME.key.pem, NAME.p12 and ca.pem of that CA in a folder; the certificate is in no registry's ledger. */
const certificateFolder = async (name: string): Promise<string> => {
  const authority = await openAuthority(await authorityFolder());
  return made(join(cache, `client-${name}`), (outDir) => issueClientCertificate(authority, name, { outDir, now: new Date() }));
};

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export const certificateOf = async (name: string): Promise<Pair> => {
  const folder = await certificateFolder(name);
  const read = (end: string): string => readFileSync(join(folder, `${name}.${end}.pem`), 'utf8');
  return { cert: read('cert'), key: read('key') };
};

interface Resources {
  readonly Patient: Patient;
  readonly Bundle: Bundle;
  readonly OperationOutcome: OperationOutcome;
  readonly Parameters: Parameters;
  readonly AuditEvent: AuditEvent;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** The body as JSON has it, also one in XML; null where there is none. */
  body(): unknown;
  /** The body, which must be a resource of this type. */
  resource<T extends keyof Resources>(type: T): Resources[T];
}

export interface Sending {
  /** An object is sent as application/fhir+json, a text or bytes as they are under the headers given (also then fhir+json by default). */
  readonly body?: object | string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the client whose certificate is shown, `openmrs` by default; an agent shows its own, null none. */
  readonly client?: string | Agent | null;
}

export interface RegistryOptions {
  /** Sections laid over those of config/config_development.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** File of decision rules; config/decisionRules.json by default. */
  readonly rules?: string;
  /** A data folder to go on with: it is then not removed at the end. */
  readonly dataDir?: string;
  readonly log?: Logger;
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readConfig(dataDir: string, { config = {}, rules }: RegistryOptions) {
  const text = readFileSync(join(projectRoot, 'config', 'config_development.json'), 'utf8');
  const document = JSON.parse(text) as Record<string, unknown>;
  const local = { app: { port: 0, host: '127.0.0.1' }, admin: { port: 0 }, store: { minFreeMb: 1 }, log: { level: 'silent' } };
  for (const [section, value] of [...Object.entries(local), ...Object.entries(config)]) {
    const before = document[section];
    document[section] = isSection(before) && isSection(value) ? { ...before, ...value } : value;
  }
  const file = join(dataDir, 'config.json');
  writeFileSync(file, JSON.stringify(document));
  const flags = { config: file, rules };
  const loaded = loadConfig({ root: projectRoot, cwd: projectRoot, env: {}, flags, checkPath });
  if (loaded.kind === 'refused') throw new Error(loaded.complaints.join('\n'));
  return loaded;
}

const bodyOf = (text: string, type = ''): unknown => {
  if (text === '' || !type.includes('xml')) return text === '' ? null : JSON.parse(text);
  const parsed = parseXml(text, defaultBodyLimits);
  if (isRefusal(parsed)) throw new Error(`the answer is no FHIR XML: ${JSON.stringify(parsed)} ${text.slice(0, 500)}`);
  return parsed.value;
};

const answerOf = (status: number, headers: Answer['headers'], text: string): Answer => ({
  status,
  headers,
  text,
  body: () => bodyOf(text, headers['content-type']),
  resource<T extends keyof Resources>(type: T): Resources[T] {
    const body = bodyOf(text, headers['content-type']);
    if (!isSection(body) || body['resourceType'] !== type)
      throw new Error(`expected a ${type}, got ${status} ${text.slice(0, 500)}`);
    return body as unknown as Resources[T];
  },
});

/** One request over TLS, answered whole. */
export const exchange = (options: {
  readonly port: number;
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}): Promise<Answer> =>
  new Promise((done, fail) => {
    const { body, ...rest } = options;
    const outgoing = httpsRequest({ host: '127.0.0.1', ...rest }, (incoming) => {
      const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
      buffer(incoming).then((bytes) => done(answerOf(incoming.statusCode ?? 0, headers, bytes.toString('utf8'))), fail);
    });
    outgoing.once('error', fail);
    outgoing.end(body);
  });

export type RegistryServer = Awaited<ReturnType<typeof startRegistry>>;

/** Starts it and waits until it is ready; `stop` at the end (`afterAll`). */
export async function startRegistry(options: RegistryOptions = {}) {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'opencr-registry-'));
  if (!existsSync(join(dataDir, 'tls'))) cpSync(join(await authorityFolder(), 'tls'), join(dataDir, 'tls'), { recursive: true });
  const { config, ruleSet } = readConfig(dataDir, options);
  const server = await startServer({ dataDir, config, rules: ruleSet, log: options.log ?? pino({ level: 'silent' }) });
  await server.ready;
  const ca = readFileSync(join(dataDir, 'tls', 'ca.cert.pem'), 'utf8');
  const agents: Agent[] = [];

  /** A keep-alive agent that trusts this registry and shows what it is told to. */
  const agent = (shown: AgentOptions = {}): Agent => {
    const one = new Agent({ keepAlive: true, ca, servername: 'localhost', ...shown });
    agents.push(one);
    return one;
  };
  const known = new Map<string | null, Promise<Agent>>();
  /** The agent of a client by its name; null shows no certificate. */
  const client = (name: string | null): Promise<Agent> => {
    const held = known.get(name) ?? (name === null ? Promise.resolve(agent()) : certificateOf(name).then(agent));
    known.set(name, held);
    return held;
  };

  const send = async (method: string, path: string, sending: Sending = {}): Promise<Answer> => {
    const { body, headers, client: who = 'openmrs' } = sending;
    const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return exchange({
      port: server.port,
      agent: who instanceof Agent ? who : await client(who),
      method,
      path,
      headers: {
        ...(bytes !== undefined && {
          'content-type': 'application/fhir+json',
          'content-length': String(Buffer.byteLength(bytes)),
        }),
        ...headers,
      },
      ...(bytes !== undefined && { body: bytes }),
    });
  };

  const administer = async <T>(act: (administration: Administration) => Promise<T>): Promise<T> => {
    const administration = await openAdministration(dataDir, config.clients);
    try {
      return await act(administration);
    } finally {
      await administration.close();
    }
  };

  return {
    dataDir,
    config,
    server,
    agent,
    client,
    send,
    /** Through the control socket, as the command line does while a server runs. */
    administer,
    /** `./opencr clients add`: gives a client systems and scopes, besides those that it has. */
    register: ({ name, systems = [], scopes = [] }: Pick<Registration, 'name'> & Partial<Registration>): Promise<void> =>
      administer(async (administration) => {
        const client = registered(await administration.clients(), { name, systems, scopes });
        await administration.administer(changeOf(`clients add ${name}`, { clients: [client] }));
      }),
    /** Where the ledger stands, as the operators' door says it. */
    async head(): Promise<LedgerHead> {
      const detail = (await (await fetch(`http://127.0.0.1:${server.adminPort}/health`)).json()) as { readonly head: LedgerHead };
      return detail.head;
    },
    async stop(): Promise<LedgerHead> {
      for (const one of agents) one.destroy();
      const head = await server.stop();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
      return head;
    },
  };
}
