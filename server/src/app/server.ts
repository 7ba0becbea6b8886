import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import { uuidv7 } from 'uuidv7';
import { judgeCaller } from '../adapters/identity/caller.ts';
import { peerFacts } from '../adapters/identity/peer.ts';
import { tlsOptions } from '../adapters/identity/tls.ts';
import { openAccessLog } from '../adapters/sql/access-log.ts';
import { lockDataFolder } from '../adapters/sql/lock.ts';
import { openStore, type Store } from '../adapters/sql/store.ts';
import type { AdministrativeChange } from '../cli/administration.ts';
import type { LoadOutcome } from '../cli/import/outcome.ts';
import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/loopback.ts';
import { RegistryError } from '../domain/errors.ts';
import { defaultBodyLimits } from '../fhir/limits.ts';
import type { Ours } from '../fhir/ours.ts';
import { createAdminDoor } from '../http/admin/server.ts';
import type { FhirDependencies } from '../http/fhir/dependencies.ts';
import { fhirRoutes } from '../http/fhir/routes.ts';
import { addHealth } from '../http/health.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import { createDoor } from '../http/server.ts';
import { describeError } from '../http/failure.ts';
import type { RuleSet } from '../matching/model.ts';
import type { Command, CommandResult } from '../registry/commands.ts';
import { createExtractor } from '../registry/extract.ts';
import type { AuditSource } from '../fhir/audit-event.ts';
import type { AccessEntry, AccessLog } from '../registry/ports.ts';
import { openAuditFeeds } from './audit-feeds.ts';
import { systemClock } from './clock.ts';
import { openControlSocket } from './control-socket.ts';
import { closeDoor, listen } from './listen.ts';
import { type Loading, loadPatients, requireClient } from './loading.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { operator } from './operator.ts';
import { released, version } from './project.ts';
import { readRegistered, type Registered } from './registered.ts';
import { type RegistrarClient, startRegistrar } from './registrar-client.ts';
import { openSearchPool, type SearchPool } from './search-pool.ts';
import { openOtherDoors } from './other-doors.ts';
import { tlsMaterial, trustOf } from './tls.ts';

export interface ServerSettings {
  readonly dataDir: string;
  readonly config: Config;
  readonly rules: RuleSet;
  readonly log?: Logger;
}

export interface LedgerHead {
  readonly sequence: number;
  readonly hash: string;
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
  stop(): Promise<LedgerHead>;
}

const BATCH = 128;
const HOUR = 3_600_000;

/** What the parts of a running server share. */
interface Parts {
  readonly settings: ServerSettings;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly search: SearchPool;
  readonly accessLog: AccessLog;
  readonly registrar: RegistrarClient;
  readonly registered: Registered;
  readonly ready: () => boolean;
  readonly execute: (command: Command) => Promise<CommandResult>;
}

export const oursOf = ({ codes, systems }: Config): Ours => ({
  goldenCode: codes.goldenRecord,
  baseUri: systems.CRBaseURI,
  brokenMatch: systems.brokenMatch,
});

const auditSourceOf = ({ systems }: Config): AuditSource => ({
  name: 'OpenCR',
  host: hostname(),
  clientSystem: `${systems.CRBaseURI}/clientid`,
});

/** ATNA-06: this server began or ended, by the account that runs it. */
const applicationEntry = (event: 'application-start' | 'application-stop'): AccessEntry => ({
  ...{ event, at: systemClock.now(), agent: operator(), address: '', requestId: '' },
  ...{ status: 200, query: '', patients: [], code: '', count: 1 },
});

function fhirDependencies({ settings, store, search, accessLog, registered, execute }: Parts): FhirDependencies {
  const { config, rules } = settings;
  const { nesting, elements, stringLength, bundleEntries, bodyBytes } = config.limits;
  const ours = oursOf(config);
  const extract = createExtractor(rules.features);
  return {
    execute,
    reader: store.reader,
    demographic: search,
    accessLog,
    policy: () => ({ authorities: registered.authorities, ours, extract }),
    mayMatch: createRateLimit(config.limits.matchesPerMinute, systemClock.monotonic),
    displayName: (client) => registered.displayName(client),
    ours,
    limits: {
      ...defaultBodyLimits,
      maxDepth: nesting,
      maxValues: elements,
      maxString: stringLength,
      maxEntries: bundleEntries,
      bodyBytes,
    },
    location: config.app.location,
    pixIncludesSource: config.pix.includeSource,
    doors: { tokens: config.tokens.issuers.length > 0, passwords: config.basic.enabled },
    auditSource: auditSourceOf(config),
    version,
    released,
  };
}

/** The point-of-service door. */
async function pointOfServiceDoor(parts: Parts) {
  const { settings, registered, accessLog, ready, log, metrics } = parts;
  const { config, dataDir } = settings;
  const doors = openOtherDoors(config, (words) => {
    log.warn(words);
  });
  const door = await createDoor({
    tls: tlsOptions(await tlsMaterial(dataDir, config), config.tls.mode),
    authenticate: async ({ socket, ...shown }) => {
      const verdict = await judgeCaller(
        { ...shown, peer: peerFacts(socket) },
        { doors, known: () => registered, now: () => new Date() },
      );
      if (verdict.kind === 'client') return verdict;
      const { refusal, name = '', proof = null, headers = {} } = verdict;
      return { ...refusal, agent: name, proof, headers };
    },
    accessLog,
    clock: systemClock,
    newId: uuidv7,
    ready,
    publicBaseUrl: config.app.publicBaseUrl,
    origins: config.cors.origins,
    bodyBytes: config.limits.bodyBytes,
    requestTimeoutMs: config.limits.requestTimeoutMs,
    log,
    observe: metrics.request,
  });
  addHealth(door.app, ready);
  door.add(fhirRoutes(fhirDependencies(parts)));
  return door.app;
}

/** The operators' door: health in detail, metrics. */
const operatorsDoor = ({ settings, store, metrics, ready }: Parts): FastifyInstance =>
  createAdminDoor({
    loopback: isLoopback(`http://${settings.config.admin.host}`),
    ready,
    detail: async () => {
      const { sequence, hash, nextRecord } = await store.reader.head();
      return {
        status: ready() ? 'ready' : 'starting',
        version,
        records: nextRecord - 1,
        head: { sequence, hash },
        rules: settings.rules.version,
        walBytes: store.walBytes(),
        freeBytes: store.freeBytes(),
      };
    },
    metrics: metrics.render,
    metricsType: metrics.contentType,
  });

/** The command line may have read another configuration than this server: a source authority has one owner all the same. */
function requireUnowned({ clients }: AdministrativeChange, { peers, authorities }: Registered): void {
  for (const { name, systems } of clients) {
    const had = peers.clients.get(name)?.systems ?? [];
    const taken = systems.find((system) => !had.includes(system) && (authorities.find(system)?.owner ?? name) !== name);
    if (taken !== undefined)
      throw new RegistryError(
        'conflict',
        `${taken} is owned by ${authorities.find(taken)?.owner ?? ''}: a source authority has one owner.`,
      );
  }
}

/** Clients, certificates and revocations, changed while the server runs; one change after the other. */
function administrator({ execute, registered }: Pick<Parts, 'execute' | 'registered'>) {
  let last: Promise<unknown> = Promise.resolve();
  const administer = async (change: AdministrativeChange): Promise<void> => {
    requireUnowned(change, registered);
    const result = await execute({ kind: 'administer', sender: { agent: operator(), address: '', requestId: '' }, ...change });
    if (result.kind === 'refused') throw new RegistryError(result.refusal.code, result.refusal.issues);
    await registered.refresh();
  };
  return (change: AdministrativeChange): Promise<void> => {
    const mine = last.then(() => administer(change));
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Files that are imported while the server runs. */
const loader =
  ({ settings, registered, execute }: Parts) =>
  async (loading: Loading): Promise<readonly LoadOutcome[]> => {
    requireClient(loading.client, registered.peers.clients);
    const policy = {
      authorities: registered.authorities,
      ours: oursOf(settings.config),
      extract: createExtractor(settings.rules.features),
    };
    return loadPatients(loading, policy, execute);
  };

/**
 * Puts the registry together and starts it (design §3): this process's main thread, the registrar's and the access log's.
 * What was opened is closed in the opposite order, at the end or when a later step fails.
 */
export async function startServer(settings: ServerSettings): Promise<RunningServer> {
  const { dataDir, config, rules } = settings;
  const log = settings.log ?? pino({ level: config.log.level }, pino.destination(2));
  await using opened = new AsyncDisposableStack();
  opened.adopt(lockDataFolder(dataDir, 'opencr serve'), (lock) => {
    lock.release();
  });
  // Migrations come before anybody reads.
  openStore(dataDir, { features: [] }).close();
  const store = opened.adopt(openStore(dataDir, { features: rules.features, readOnly: true }), (one) => {
    one.close();
  });
  const accessFile = opened.adopt(openAccessLog(dataDir), (one) => one.close());
  const feeds = opened.adopt(
    openAuditFeeds({
      ...{ dataDir, log, repositories: config.audit.repositories },
      trail: { reader: store.reader, accessLog: accessFile, source: auditSourceOf(config) },
    }),
    (one) => one.close(),
  );
  const accessLog: AccessLog = {
    ...accessFile,
    append: async (entry) => {
      await accessFile.append(entry);
      feeds.moved();
    },
  };
  let started = false;
  opened.defer(async () => {
    if (started) await accessLog.append(applicationEntry('application-stop')).catch(() => undefined);
  });
  const found = await store.reader.head();
  const progress = (follows: number): void => {
    if (follows <= found.sequence) log.info({ follows, head: found.sequence }, 'preparing search');
  };
  const search = opened.adopt(openSearchPool(dataDir, { ...config.search, progress }), (one) => one.close());
  const metrics = createMetrics();
  const died = Promise.withResolvers<Error>();
  metrics.auditFeeds(feeds.behind);
  void accessFile.died.then(died.resolve);
  void search.died.then(died.resolve);
  metrics.stands({ sequence: found.sequence, records: found.nextRecord - 1, walBytes: store.walBytes() });
  let head: LedgerHead = found;
  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  const registrar = startRegistrar(
    {
      dataDir,
      rules,
      limits: { batch: BATCH, queueLength: config.limits.queueLength, queueAge: config.limits.queueAgeMs },
      minFreeBytes: config.store.minFreeMb * 1024 * 1024,
    },
    {
      progress: (of) => {
        log.info(of, 'preparing');
      },
      batch: (news) => {
        head = { sequence: news.sequence, hash: news.hash };
        search.moved();
        feeds.moved();
        metrics.batch(news);
        metrics.stands(news);
      },
      warning: (words) => {
        log.warn(words);
      },
      died: died.resolve,
    },
  );
  opened.defer(async () => {
    // A registrar that died has told so already.
    head = await registrar.close().catch(() => head);
    log.info(head, 'ledger head at shutdown');
  });
  const ready = registrar.ready.then((how) => {
    if (state === 'starting') state = 'ready';
    return how;
  });
  ready.catch(() => undefined);
  const registered = await readRegistered(store.reader, {
    trust: await trustOf(config),
    clients: config.clients,
    authorities: config.authorities,
    mode: config.authorityMode,
  });
  const execute = async (command: Command): Promise<CommandResult> => {
    const result = await registrar.execute(command);
    if (command.kind !== 'match') metrics.submission(result.kind === 'accepted' ? result.status : result.kind);
    return result;
  };
  const parts: Parts = {
    settings,
    log,
    metrics,
    store,
    search,
    accessLog,
    registrar,
    registered,
    execute,
    ready: () => state === 'ready',
  };
  opened.adopt(await openControlSocket(dataDir, { administer: administrator(parts), load: loader(parts) }), (one) => {
    one.close();
  });
  const admin = opened.adopt(operatorsDoor(parts), closeDoor);
  const door = opened.adopt(await pointOfServiceDoor(parts), closeDoor);
  const port = await listen(door, { ...config.app, flag: '--port' });
  const adminPort = await listen(admin, { ...config.admin, flag: '--admin-port' });
  // One that cannot be appended to ends the server, or refuses every request until it can.
  await accessLog.append(applicationEntry('application-start')).catch((error: unknown) => {
    log.error({ error: describeError(error) }, 'the start is not in the audit trail');
  });
  started = true;
  const hourly = setInterval(() => {
    log.info(head, 'ledger head');
  }, HOUR);
  opened.defer(() => {
    clearInterval(hourly);
    state = 'stopping';
  });
  const running = opened.move();
  return {
    port,
    adminPort,
    execute,
    ready,
    died: died.promise,
    async stop() {
      await running.disposeAsync();
      return head;
    },
  };
}
