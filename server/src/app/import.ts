import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lockDataFolder } from '../adapters/sql/lock.ts';
import { openStore } from '../adapters/sql/store.ts';
import { importFile, type Loader, showPatients } from '../cli/import/import.ts';
import { type Mapping, readMapping } from '../cli/import/mapping.ts';
import type { ExitCode, Io } from '../cli/io.ts';
import type { ImportOptions } from '../cli/run.ts';
import type { Config } from '../config/config.ts';
import { RegistryError } from '../domain/errors.ts';
import type { RuleSet } from '../matching/model.ts';
import { createExtractor } from '../registry/extract.ts';
import { createAuthorities } from '../registry/policy/authorities.ts';
import { systemClock } from './clock.ts';
import { askServerToLoad, serverListens } from './control-socket.ts';
import { loadPatients, requireClient } from './loading.ts';
import { effectiveClients } from './registered.ts';
import { startRegistrar } from './registrar-client.ts';
import { oursOf } from './server.ts';
import { readSettings } from './settings.ts';

/** Patients together: few where a server runs, so that its own submissions wait little. */
const CHUNK = { alone: 500, besideServer: 50 };

const mappingOf = (file: string | undefined): Mapping | null => {
  if (file === undefined) return null;
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new RegistryError('invalid-json', `${file} is no JSON.`, { cause });
    throw cause;
  }
  return readMapping(input, file);
};

/** A registry in this process: the data folder's lock is held. */
async function ownRegistry(
  io: Io,
  dataDir: string,
  { client, config, rules }: { readonly client: string; readonly config: Config; readonly rules: RuleSet },
): Promise<Loader> {
  openStore(dataDir, { features: [] }).close();
  const store = openStore(dataDir, { features: [], readOnly: true });
  const clients = effectiveClients(config.clients, await store.reader.clients());
  store.close();
  requireClient(client, new Map(clients.map((one) => [one.name, one])));
  const policy = {
    authorities: createAuthorities(config.authorities, clients, config.authorityMode),
    ours: oursOf(config),
    extract: createExtractor(rules.features),
  };
  const registrar = startRegistrar(
    {
      dataDir,
      rules,
      limits: { batch: 1, queueLength: 16, queueAge: Number.MAX_SAFE_INTEGER },
      minFreeBytes: config.store.minFreeMb * 1024 * 1024,
    },
    {
      progress: ({ step, done, total }) => {
        io.err(`Preparing: ${step}, ${done} of ${total} records.`);
      },
      batch: () => undefined,
      warning: (said) => {
        io.err(`Warning: ${said}`);
      },
      died: () => undefined,
    },
  );
  await registrar.ready;
  return {
    chunk: CHUNK.alone,
    load: (patients, what) => loadPatients({ client, patients, what }, policy, (command) => registrar.execute(command)),
    close: async () => {
      await registrar.close();
    },
  };
}

/** `./opencr import`: through the server that runs on the data folder, else by taking its lock. */
export async function importCommand(io: Io, options: ImportOptions): Promise<ExitCode> {
  const dataDir = resolve(options.data);
  const mapping = mappingOf(options.mapping);
  if (options.dryRun) return showPatients(io, options.file, mapping);
  const client = options.client ?? mapping?.client;
  if (client === undefined) throw new RegistryError('invalid-request', 'Whose records are these? --client NAME says so.');
  const settings = readSettings(io, options);
  if (typeof settings === 'number') return settings;
  let stop = false;
  const interrupt = (): void => {
    if (stop) process.exit(130);
    stop = true;
    io.err('Finishing the rows in hand; Ctrl+C again breaks off.');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const request = { path: resolve(options.file), dataDir, mapping, client, stopping: () => stop, now: systemClock.monotonic };
  if (serverListens(dataDir) && isLocked(dataDir)) {
    const loader: Loader = {
      chunk: CHUNK.besideServer,
      load: (patients, what) => askServerToLoad(dataDir, { client, patients, what }),
      close: () => Promise.resolve(),
    };
    return importFile(io, request, loader);
  }
  const lock = lockDataFolder(dataDir, 'opencr import');
  try {
    const loader = await ownRegistry(io, dataDir, { client, config: settings.config, rules: settings.ruleSet });
    try {
      return await importFile(io, request, loader);
    } finally {
      await loader.close();
    }
  } finally {
    lock.release();
  }
}

/** Whether somebody holds the data folder: a socket file alone may be left of a process that is gone. */
function isLocked(dataDir: string): boolean {
  try {
    lockDataFolder(dataDir, 'opencr import').release();
    return false;
  } catch (error) {
    if (error instanceof RegistryError) return true;
    throw error;
  }
}
