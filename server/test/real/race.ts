import { join } from 'node:path';
import { openStore } from '../../src/adapters/sql/store.ts';
import { patientOf, type Row } from '../quality/uganda.ts';
import { type Acknowledged, submitOn } from './acknowledged.ts';
import { type Connection, openConnection } from './connection.ts';
import { inFolder } from './folder.ts';
import { command, credentialsIn, makeCertificates, serve, type ServerProcess } from './server-process.ts';
import { claim, type Suite } from './suite.ts';

const RACES = 200;
const CONNECTIONS = 16;

/** Letters that no two numbers share the most of, so that the races' people do not resemble one another. */
const nameOf = (n: number, salt: number): string =>
  Array.from({ length: 8 }, (_, place) =>
    String.fromCharCode(97 + ((n * (place * 31 + salt) + (n >> place) * 7 + place * salt) % 26)),
  ).join('');

const person = (n: number): Row => ({
  id: '',
  given: nameOf(n, 17),
  family: nameOf(n, 29),
  sex: n % 2 === 0 ? 'f' : 'm',
  birthDate: `19${String(10 + (n % 90))}${String(1 + (n % 12)).padStart(2, '0')}${String(1 + (n % 28)).padStart(2, '0')}`,
  phone: `7${String(n * 7919).padStart(8, '0')}`,
  nationalId: `CM${String(n * 104_729).padStart(12, '0')}`,
  artNumber: '',
});

const as = (client: string, patient: object): object =>
  JSON.parse(
    JSON.stringify(patient).replaceAll('http://clientregistry.org/openmrs', `http://clientregistry.org/${client}`),
  ) as object;

/** Both are written before either is answered: over two of the connections, a different pair each time. */
async function atOnce(
  one: readonly [Connection, object],
  other: readonly [Connection, object],
): Promise<readonly Acknowledged[]> {
  return Promise.all([submitOn(...one), submitOn(...other)]);
}

const openAll = (server: ServerProcess, out: string, client: string): Promise<readonly Connection[]> =>
  Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(server.port, credentialsIn(out, client))));

const at = (connections: readonly Connection[], n: number): Connection => {
  const connection = connections[n % connections.length];
  if (!connection) throw new Error('no connection is open');
  return connection;
};

/** The real server with connections of openmrs and dhis2; then what its store holds. */
async function racing(
  race: (
    n: number,
    connections: { readonly openmrs: readonly Connection[]; readonly dhis2: readonly Connection[] },
  ) => Promise<void>,
  recordsEach: number,
): Promise<string> {
  return inFolder(async (folder) => {
    const [dataDir, out] = [join(folder, 'data'), join(folder, 'out')];
    await makeCertificates(dataDir, out);
    await command('certs', 'issue', 'dhis2', '--data', dataDir, '--out', out);
    const server = await serve(dataDir);
    try {
      const connections = { openmrs: await openAll(server, out, 'openmrs'), dhis2: await openAll(server, out, 'dhis2') };
      for (let n = 0; n < RACES; n++) await race(n, connections);
      for (const connection of [...connections.openmrs, ...connections.dhis2]) connection.close();
    } finally {
      await server.end('SIGTERM');
    }
    const store = openStore(dataDir, { features: [], readOnly: true });
    const { nextRecord, nextGolden } = await store.ledger.head();
    store.close();
    claim(nextRecord - 1 === RACES * recordsEach, `there are ${nextRecord - 1} records of ${RACES} people`);
    return `${RACES} races, ${nextRecord - 1} records, ${nextGolden - 1} CRUIDs`;
  });
}

export const race: Suite = {
  name: 'race',
  tests: [
    {
      title: `two identical first submissions at once, ${RACES} times, are one record and one CRUID`,
      run: () =>
        racing(async (n, { openmrs }) => {
          const patient = patientOf(person(n), String(n));
          const [one, other] = await atOnce([at(openmrs, n), patient], [at(openmrs, n + 1 + (n % 7)), patient]);
          claim(one?.id === other?.id, `race ${n} made two records`);
          claim(one?.cruid === other?.cruid, `race ${n} made two CRUIDs`);
        }, 1),
    },
    {
      title: `two systems' first records of one person at once, ${RACES} times, get one CRUID`,
      run: () =>
        racing(async (n, { openmrs, dhis2 }) => {
          const patient = patientOf(person(n), String(n));
          const [one, other] = await atOnce([at(openmrs, n), patient], [at(dhis2, n * 5), as('dhis2', patient)]);
          claim(one?.id !== other?.id, `race ${n} made one record of two systems'`);
          claim(one?.cruid === other?.cruid, `race ${n} made two CRUIDs`);
        }, 2),
    },
  ],
};
