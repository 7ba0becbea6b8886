import { setImmediate } from 'node:timers/promises';
import { uuidv7 } from 'uuidv7';
import { lockDataFolder } from '../adapters/sql/lock.ts';
import { openStore } from '../adapters/sql/store.ts';
import type { Administration, AdministrativeChange } from '../cli/administration.ts';
import { emptyChange } from '../domain/change-set.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Client } from '../domain/principals.ts';
import type { Ledger } from '../registry/ports.ts';
import { systemClock } from './clock.ts';
import { askServer, serverListens } from './control-socket.ts';
import { operator } from './operator.ts';
import { effectiveClients } from './registered.ts';

const ATTEMPTS = 3;

/** Commits an administrative change straight to the ledger; the data folder's lock is held. */
async function administerLedger(
  ledger: Ledger,
  { what, clients, certificates, revocations, passwords }: AdministrativeChange,
): Promise<void> {
  const audit = { action: 'administer' as const, agent: operator(), address: '', requestId: '', record: null, what };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const head = await ledger.head();
    const change = { ...emptyChange(systemClock.now(), audit), clients, certificates, revocations, passwords };
    if ((await ledger.commit(uuidv7(), [change], head.sequence, head)).kind === 'committed') return;
    await setImmediate();
  }
  throw new RegistryError('busy', 'The registry is being written by another process; try again.');
}

const lockOr = (dataDir: string, what: string): { release(): void } | RegistryError => {
  try {
    return lockDataFolder(dataDir, what);
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
};

/** Through the running server where one holds the data folder, else by taking its lock. */
export async function openAdministration(dataDir: string, configured: readonly Client[]): Promise<Administration> {
  const lock = lockOr(dataDir, 'opencr administration');
  const running = lock instanceof RegistryError;
  if (running && !serverListens(dataDir)) throw lock;
  const store = openStore(dataDir, { features: [], readOnly: running });
  return {
    clients: async () => effectiveClients(configured, await store.reader.clients()),
    certificates: () => store.reader.certificates(),
    revocations: () => store.reader.revocations(),
    administer: (change) => (running ? askServer(dataDir, change) : administerLedger(store.ledger, change)),
    close: async () => {
      store.close();
      if (!running) lock.release();
    },
  };
}
