import { hostname } from 'node:os';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import { uuidv7 } from 'uuidv7';
import { ensureServerCertificate, openAuthority } from '../adapters/identity/authority.ts';
import { judgePeer, peerFacts, type Trust } from '../adapters/identity/peer.ts';
import { type TlsMaterial, tlsOptions } from '../adapters/identity/tls.ts';
import { readTrustList } from '../adapters/identity/trust-list.ts';
import { openAccessLog } from '../adapters/sql/access-log.ts';
import { lockDataFolder } from '../adapters/sql/lock.ts';
import { openStore } from '../adapters/sql/store.ts';
import type { AdministrativeChange } from '../cli/administration.ts';
import type { Config } from '../config/config.ts';
import { RegistryError } from '../domain/errors.ts';
import { defaultBodyLimits } from '../fhir/limits.ts';
import type { Ours } from '../fhir/ours.ts';
import { addHealth } from '../http/health.ts';
import { createAdminDoor } from '../http/admin/server.ts';
import { fhirRoutes } from '../http/fhir/routes.ts';
import { createDoor } from '../http/server.ts';
import type { RuleSet } from '../matching/model.ts';
import type { Command, CommandResult } from '../registry/commands.ts';
import { createExtractor } from '../registry/extract.ts';
import { systemClock } from './clock.ts';
import { openControlSocket } from './control-socket.ts';
import { createMetrics } from './metrics.ts';
import { operator } from './operator.ts';
import { released, version } from './project.ts';
import { readRegistered } from './registered.ts';
import { startRegistrar } from './registrar-client.ts';

export interface ServerSettings {
  readonly dataDir: string;
  readonly config: Config;
  readonly rules: RuleSet;
  readonly log?: Logger;
}

export interface RunningServer {
  readonly port: number;
  readonly adminPort: number;
  readonly execute: (command: Command) => Promise<CommandResult>;
  /** Resolves when the registry takes submissions. */
  readonly ready: Promise<{ readonly records: number }>;
  /** Resolves when the server cannot go on; never rejects. */
  readonly died: Promise<Error>;
  /** Finishes what was accepted, then answers with the ledger's head. */
  stop(): Promise<{ readonly sequence: number; readonly hash: string }>;
}

const BATCH = 128;
const HOUR = 3_600_000;

const oursOf = (config: Config): Ours => ({
  goldenCode: config.codes.goldenRecord,
  baseUri: config.systems.CRBaseURI,
  brokenMatch: config.systems.brokenMatch,
});

const hostsOf = (config: Config): readonly string[] => {
  const named = config.app.publicBaseUrl === null ? [] : [new URL(config.app.publicBaseUrl).hostname];
  return [...named, ...(/^(0\.0\.0\.0|::|127\.0\.0\.1|localhost)$/.test(config.app.host) ? [] : [config.app.host])];
};

/** The server's own pair: configured files, else what the authority of the data folder keeps. */
async function tlsMaterial(dataDir: string, config: Config): Promise<TlsMaterial> {
  const { certFile, keyFile, caFile } = config.tls;
  const ca = caFile === null ? null : [readFileSync(caFile, 'utf8')];
  if (certFile !== null && keyFile !== null && ca !== null) {
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), ca };
  }
  const own = await ensureServerCertificate(await openAuthority(dataDir), { hosts: hostsOf(config), now: new Date() });
  const pair = certFile !== null && keyFile !== null ? { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') } : own;
  return { ...pair, ca: ca ?? own.ca };
}

async function trustOf({ tls }: Config): Promise<Trust> {
  if (tls.mode === 'ca') return { mode: 'ca' };
  const fromFiles = await readTrustList(tls.clients.flatMap(({ client, file }) => (file === null ? [] : [{ client, file }])));
  const named = tls.clients.flatMap(({ client, fingerprint }) => (fingerprint === null ? [] : [[fingerprint, client] as const]));
  return { mode: 'list', entries: new Map([...fromFiles, ...named]) };
}

/** @throws RegistryError with a sentence when the port is taken or may not be bound. */
async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }, what: string): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EADDRINUSE') throw new RegistryError('conflict', `Port ${port} on ${host} is taken; ${what} needs it. Choose another with --${what === 'the registry' ? 'port' : 'admin-port'}.`);
    if (code === 'EACCES') throw new RegistryError('conflict', `This account may not listen on port ${port}.`);
    throw error;
  }
  return (app.server.address() as AddressInfo).port;
}

/** Puts the registry together and starts it (design §3): this process's main thread, the registrar's and the access log's. */
export async function startServer({ dataDir, config, rules, log = pino({ level: config.log.level }, pino.destination(2)) }: ServerSettings): Promise<RunningServer> {
  const lock = lockDataFolder(dataDir, 'opencr serve');
  const undo: (() => void | Promise<void>)[] = [() => lock.release()];
  try {
    const died = Promise.withResolvers<Error>();
    const metrics = createMetrics();
    const material = await tlsMaterial(dataDir, config);
    // Migrations come before anybody reads.
    openStore(dataDir, { features: [] }).close();
    let state: 'starting' | 'ready' | 'stopping' = 'starting';
    const registrar = startRegistrar(
      {
        dataDir,
        rules,
        limits: { batch: BATCH, queueLength: config.limits.queueLength, queueAge: config.limits.queueAgeMs },
        minFreeBytes: config.store.minFreeMb * 1024 * 1024,
      },
      {
        progress: (progress) => log.info(progress, 'preparing'),
        batch: (news) => {
          last = { sequence: news.sequence, hash: news.hash };
          metrics.batch(news);
        },
        warning: (words) => log.warn(words),
        died: (error) => died.resolve(error),
      },
    );
    let last = { sequence: 0, hash: '' };
    void registrar.ready.then(
      () => {
        if (state === 'starting') state = 'ready';
      },
      () => undefined,
    );
    const store = openStore(dataDir, { features: rules.features, readOnly: true });
    undo.push(() => store.close());
    const accessLog = openAccessLog(dataDir);
    undo.push(() => accessLog.close());
    const registered = await readRegistered(store.reader, {
      trust: await trustOf(config),
      clients: config.clients,
      authorities: config.authorities,
      mode: config.authorityMode,
    });
    const execute = async (command: Command): Promise<CommandResult> => {
      const result = await registrar.execute(command);
      metrics.submission(result.kind === 'accepted' ? result.status : result.kind);
      return result;
    };
    const ready = (): boolean => state === 'ready';
    const extract = createExtractor(rules.features);
    const ours = oursOf(config);
    const door = createDoor({
      tls: tlsOptions(material, config.tls.mode),
      authenticate: (socket) => {
        const verdict = judgePeer(peerFacts(socket), registered.peers, new Date());
        return verdict.kind === 'client' ? verdict.client : verdict.refusal;
      },
      accessLog,
      clock: systemClock,
      newId: uuidv7,
      ready,
      publicBaseUrl: config.app.publicBaseUrl,
      bodyBytes: config.limits.bodyBytes,
      requestTimeoutMs: config.limits.requestTimeoutMs,
      log,
      observe: metrics.request,
    });
    addHealth(door.app, ready);
    const { nesting, elements, stringLength, bundleEntries, bodyBytes } = config.limits;
    door.add(
      fhirRoutes({
        execute,
        reader: store.reader,
        accessLog,
        policy: () => ({ authorities: registered.authorities, ours, extract }),
        displayName: (client) => registered.displayName(client),
        ours,
        limits: { ...defaultBodyLimits, maxDepth: nesting, maxValues: elements, maxString: stringLength, maxEntries: bundleEntries, bodyBytes },
        location: config.app.location,
        pixIncludesSource: config.pix.includeSource,
        auditSource: { name: 'OpenCR', host: hostname(), clientSystem: `${config.systems.CRBaseURI}/clientid` },
        version,
        released,
      }),
    );
    const administer = async (change: AdministrativeChange): Promise<void> => {
      const result = await execute({ kind: 'administer', sender: { agent: operator(), address: '', requestId: '' }, ...change });
      if (result.kind === 'refused') throw new RegistryError(result.refusal.code, result.refusal.issues);
      await registered.refresh();
    };
    const control = await openControlSocket(dataDir, administer);
    undo.push(() => control.close());
    const admin = createAdminDoor({
      ready,
      detail: async () => {
        const head = await store.reader.head();
        return { status: state, version, records: head.nextRecord - 1, head: { sequence: head.sequence, hash: head.hash }, rules: rules.version, walBytes: store.walBytes(), freeBytes: store.freeBytes() };
      },
      metrics: metrics.render,
      metricsType: metrics.contentType,
    });
    const port = await listen(door.app as unknown as FastifyInstance, config.app, 'the registry');
    undo.push(() => door.app.close());
    const adminPort = await listen(admin, config.admin.port === config.app.port + 1 && config.app.port === 0 ? { ...config.admin, port: 0 } : config.admin, 'the operators\' door');
    undo.push(() => admin.close());
    const hourly = setInterval(() => log.info(last, 'ledger head'), HOUR);
    hourly.unref();
    const stop = async (): Promise<{ sequence: number; hash: string }> => {
      state = 'stopping';
      clearInterval(hourly);
      await door.app.close();
      await admin.close();
      control.close();
      const head = await registrar.close();
      await accessLog.close();
      store.close();
      lock.release();
      log.info(head, 'ledger head at shutdown');
      return head;
    };
    return { port, adminPort, execute, ready: registrar.ready, died: died.promise, stop };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}
