import { join } from 'node:path';
import { stateFromLedger } from '../../src/adapters/sql/rebuild.ts';
import { openStore } from '../../src/adapters/sql/store.ts';
import { ugandaArrivals } from '../quality/uganda.ts';
import { type Acknowledged, submitOn } from './acknowledged.ts';
import { type Connection, openConnection } from './connection.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve } from './server-process.ts';
import { claim, type Suite } from './suite.ts';

const KILLS = 20;
const CONNECTIONS = 16;
/** Acknowledgements after which each process is killed: early, while it warms up, and later. */
const acknowledgementsBefore = (kill: number): number => 20 + ((kill * 37) % 180);

const arrivals = ugandaArrivals(1).patients;

/** The n-th submission: new people, and every fourth is somebody of the first half again with another telephone. */
function submission(n: number): object {
  const isUpdate = n % 4 === 3;
  const patient = arrivals[isUpdate ? Math.floor(n / 2) : n];
  if (!patient) throw new Error('nobody is left');
  return isUpdate ? { ...patient, telecom: [{ system: 'phone', value: `700 ${String(n).padStart(6, '0')}` }] } : patient;
}

/** Every acknowledgement so far, and the number of the next submission. */
interface Told {
  readonly acknowledged: Acknowledged[];
  next: number;
}

/** Submits until the connection ends, which it will. A refusal is no end, and is thrown. */
async function submitUntilTheEnd(connection: Connection, told: Told, onAcknowledged: () => void): Promise<void> {
  for (;;) {
    try {
      told.acknowledged.push(await submitOn(connection, submission(told.next++)));
    } catch (error) {
      if (error instanceof Error && error.message === 'the connection ended') return;
      throw error;
    }
    onAcknowledged();
  }
}

/** Runs the server under load and kills it after so many acknowledgements. */
async function loadThenKill(folder: string, told: Told, acknowledgements: number): Promise<void> {
  const server = await serve(join(folder, 'data'));
  const credentials = credentialsIn(join(folder, 'out'));
  const open = Array.from({ length: CONNECTIONS }, () => openConnection(server.port, credentials));
  const connections = await Promise.all(open);
  let left = acknowledgements;
  const kills: Promise<void>[] = [];
  const onAcknowledged = (): void => {
    if (--left === 0) kills.push(server.end('SIGKILL'));
  };
  await Promise.all(connections.map((connection) => submitUntilTheEnd(connection, told, onAcknowledged)));
  claim(kills.length === 1, 'the server ended before it was killed');
  await Promise.all(kills);
}

/** Whether the registry holds what was acknowledged: the record in this version at least, and the CRUID, which resolves. */
async function lost(dataDir: string, acknowledged: readonly Acknowledged[]): Promise<readonly string[]> {
  const store = openStore(dataDir, { features: [], readOnly: true });
  try {
    const findings: string[] = [];
    for (const { id, version, cruid } of acknowledged) {
      const record = await store.reader.resolveId(id, 'openmrs');
      const golden = await store.reader.resolveId(cruid, 'openmrs');
      const links = record?.kind === 'record' ? await store.ledger.linksOf(record.key) : [];
      const stored = record?.kind === 'record' ? await store.reader.recordVersion(record.key, version) : undefined;
      if (!stored) findings.push(`version ${version} of record ${id}`);
      if (golden?.kind !== 'golden' || !links.some((link) => link.golden === golden.key))
        findings.push(`CRUID ${cruid} of record ${id}`);
    }
    return findings;
  } finally {
    store.close();
  }
}

/** Nothing is lost, `./opencr verify` finds nothing, and the ledger alone gives the same state. */
async function inspect(dataDir: string, { acknowledged }: Told): Promise<void> {
  const missing = await lost(dataDir, acknowledged);
  claim(missing.length === 0, `lost: ${missing.slice(0, 5).join(', ')}`);
  await command('verify', '--data', dataDir);
  const { stored, rebuilt } = stateFromLedger(dataDir);
  claim(JSON.stringify(stored) === JSON.stringify(rebuilt), 'the state is not the one that the ledger gives');
}

export const kill: Suite = {
  name: 'kill',
  tests: [
    {
      title: `kill -9 under load, ${KILLS} times: nothing acknowledged is lost, and the state is the one that the ledger gives`,
      run: () =>
        inFolder(async (folder) => {
          const dataDir = join(folder, 'data');
          const told: Told = { acknowledged: [], next: 0 };
          await makeCertificates(dataDir, join(folder, 'out'));
          for (let n = 0; n < KILLS; n++) {
            await loadThenKill(folder, told, acknowledgementsBefore(n));
            // A restart recovers the write-ahead log; only then the folder is looked at.
            await (await serve(dataDir)).end('SIGTERM');
            await inspect(dataDir, told);
          }
          return `${told.acknowledged.length} submissions were acknowledged, ${told.next} sent`;
        }),
    },
  ],
};
