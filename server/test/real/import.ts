import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stateFromLedger } from '../../src/adapters/sql/rebuild.ts';
import { openStore } from '../../src/adapters/sql/store.ts';
import { inFolder } from './folder.ts';
import { atPoint, everyMoment, type Point, recordsIn, rowsNoted } from './moments.ts';
import { command, type End, makeCertificates, type OpencrProcess, root, serve, start } from './server-process.ts';
import { claim, type Suite } from './suite.ts';

const ROWS = 20_000;
const MAPPING = join(root, 'config', 'mappings', 'generated.json');

/** Every so many rows one cannot be read (its date is none), and one is refused by the registry (its sex is no code of FHIR). */
const WRONG = 1000;
const isUnreadable = (row: number): boolean => row % WRONG === 300;
const isRefused = (row: number): boolean => row % WRONG === 700;

const rowNumbers = Array.from({ length: ROWS }, (_, place) => place + 1);
const refusedRows: readonly number[] = rowNumbers.filter((row) => isUnreadable(row) || isRefused(row));
const RECORDS = ROWS - refusedRows.length;

/** The folder of one import: its data folder with certificates, and the file. */
interface Place {
  readonly dataDir: string;
  readonly file: string;
}

/** What the people's file says, and who is one person in it after an import that nothing broke off. */
interface Reference {
  readonly csv: string;
  readonly persons: readonly string[];
}

const placeIn = async (folder: string, csv: string): Promise<Place> => {
  const place = { dataDir: join(folder, 'data'), file: join(folder, 'people.csv') };
  await makeCertificates(place.dataDir, join(folder, 'out'));
  writeFileSync(place.file, csv);
  return place;
};

/** People of the generator, with wrong rows among them. */
async function people(folder: string): Promise<string> {
  const out = join(folder, 'generated.csv');
  const bench = join(root, 'bench', 'src', 'main.ts');
  const options = ['--profile', 'uganda', '--records', String(ROWS), '--out', out];
  await promisify(execFile)(process.execPath, [bench, 'generate', ...options]);
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  claim(lines.length === ROWS + 1, `the generator wrote ${lines.length} lines`);
  const columns = lines[0]?.split(',') ?? [];
  const [sex, birthDate] = ['sex', 'birthdate'].map((name) => columns.indexOf(name));
  const spoilt = (line: string, row: number): string => {
    const at = isUnreadable(row) ? birthDate : isRefused(row) ? sex : undefined;
    const cells = line.split(',');
    return cells.map((cell, place) => (place === at ? 'never' : cell)).join(',');
  };
  return `${lines.map(spoilt).join('\n')}\n`;
}

const startImport = ({ dataDir, file }: Place): OpencrProcess => start(['import', file, '--data', dataDir, '--mapping', MAPPING]);

/** Source identifiers and the CRUID of each, as `./opencr export links` has them. */
async function links({ dataDir, file }: Place): Promise<readonly (readonly [id: string, cruid: string])[]> {
  const out = `${file}.links`;
  await command('export', 'links', '--data', dataDir, '--out', out);
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n').slice(1);
  return lines.map((line) => {
    const [, value = '', , cruid = ''] = line.split(',');
    return [value, cruid];
  });
}

/** The partition of the source identifiers, whatever the CRUIDs and the order. */
function personsOf(all: Awaited<ReturnType<typeof links>>): readonly string[] {
  const persons = Map.groupBy(all, ([, cruid]) => cruid);
  return [...persons.values()]
    .map((members) =>
      members
        .map(([id]) => id)
        .sort()
        .join(' '),
    )
    .sort();
}

let made: Promise<Reference> | undefined;

/** Made once for all tests. */
const reference = (): Promise<Reference> =>
  (made ??= inFolder(async (folder) => {
    const place = await placeIn(folder, await people(folder));
    const end = await startImport(place).ended;
    claim(end.code === 1, `an import that nothing broke off ended with ${end.code}: ${end.said}`);
    return { csv: readFileSync(place.file, 'utf8'), persons: personsOf(await links(place)) };
  }));

/** Where an import was when a process was killed. */
interface Kill {
  readonly point: Point;
  /** What the registry held, and what the import had noted of it. */
  readonly records: number;
  readonly noted: number;
}

/** Records that the first rows of the file make. */
const recordsOf = (rows: number): number => rows - refusedRows.filter((row) => row <= rows).length;

const pointsOf = (kills: number): readonly Point[] =>
  Array.from({ length: kills }, (_, n) => ({
    rows: Math.floor((n * ROWS) / kills),
    moment: everyMoment[n % everyMoment.length] ?? 'within a commit',
  }));

/** Starts the command and calls `kill` at the point; resolves once the command has ended. */
async function importUntil(place: Place, point: Point, kill: (importing: OpencrProcess) => void): Promise<End> {
  const importing = startImport(place);
  let killed = false;
  const stop = atPoint(place.dataDir, point, () => {
    killed = true;
    kill(importing);
  });
  const end = await importing.ended;
  stop();
  claim(killed, `the import ended before ${point.rows} rows, ${point.moment}: ${end.said}`);
  return end;
}

/** That the kill came in the middle: some of the rows are in the registry, and some are not. */
async function killedAt({ dataDir }: Place, point: Point): Promise<Kill> {
  const [records, noted] = [await recordsIn(dataDir), rowsNoted(dataDir)];
  claim(records < RECORDS, `${records} records are in the registry already`);
  claim(noted >= point.rows && records >= recordsOf(noted), `${records} records, but ${noted} rows are noted`);
  return { point, records, noted };
}

/** The last line of progress: what became of the rows that this process took. */
function countsOf(said: string): Readonly<Record<'created' | 'updated' | 'unchanged' | 'refused', number>> {
  const found = /done in .*: ([\d,]+) created, ([\d,]+) updated, ([\d,]+) unchanged, ([\d,]+) refused/.exec(said);
  claim(found !== null, `the import was not done: ${said}`);
  const [created = NaN, updated = NaN, unchanged = NaN, refused = NaN] = found
    .slice(1)
    .map((digits) => Number(digits.replaceAll(',', '')));
  return { created, updated, unchanged, refused };
}

/** Every refused row stands in its file, once, and the command says so. */
function refusalsAreTold({ file }: Place, { code, said }: End): void {
  claim(code === 1, `the import ended with ${code}: ${said}`);
  claim(said.includes(`${refusedRows.length} rows were refused`), `the refused rows are not told: ${said}`);
  const path = `${file}.refused.ndjson`;
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  const told = lines.map((line) => (JSON.parse(line) as { readonly row: number }).row);
  claim(told.join() === refusedRows.join(), `of ${refusedRows.length} refused rows ${told.length} are in ${path}`);
}

/** Every other row is one record, whose later versions changed its links only: no row was taken as an update. */
async function everyRowOnce(place: Place, all: Awaited<ReturnType<typeof links>>): Promise<void> {
  const expected = rowNumbers.filter((row) => !isUnreadable(row) && !isRefused(row));
  const ids = all.map(([id]) => id).sort();
  claim(ids.join() === expected.map((row) => String(row).padStart(8, '0')).join(), `${ids.length} identifiers lead to a CRUID`);
  const store = openStore(place.dataDir, { features: [], readOnly: true });
  try {
    const { nextRecord } = await store.ledger.head();
    claim(nextRecord - 1 === RECORDS, `there are ${nextRecord - 1} records of ${RECORDS} rows`);
    for (let key = 1; key < nextRecord; key++) {
      const contents = new Set((await store.reader.recordVersions(key, Infinity, 100)).map(({ resource }) => resource));
      claim(contents.size === 1, `record ${key} has ${contents.size} contents`);
    }
  } finally {
    store.close();
  }
}

/** All that must hold of an import, however often it was broken off. */
async function isWhole(place: Place, end: End): Promise<void> {
  countsOf(end.said);
  refusalsAreTold(place, end);
  const all = await links(place);
  await everyRowOnce(place, all);
  await command('verify', '--data', place.dataDir);
  const { stored, rebuilt } = stateFromLedger(place.dataDir);
  claim(JSON.stringify(stored) === JSON.stringify(rebuilt), 'the state is not the one that the ledger gives');
  const expected = new Set((await reference()).persons);
  const strange = personsOf(all).filter((person) => !expected.has(person));
  claim(strange.length === 0, `${strange.length} persons are not those of an import that nothing broke off`);
}

/** The command once more finds everything there. */
async function isDone(place: Place): Promise<void> {
  const { created, updated, unchanged, refused } = countsOf((await startImport(place).ended).said);
  claim(created + updated === 0 && unchanged === RECORDS, `once more: ${created} created, ${updated} updated`);
  claim(refused === refusedRows.length, `once more: ${refused} refused`);
}

const seen = (kills: readonly Kill[]): string => {
  const unnoted = kills.filter(({ records, noted }) => records > recordsOf(noted)).length;
  return (
    `${RECORDS} records, ${refusedRows.length} rows refused; killed at ` +
    `${kills.map(({ records }) => records).join(', ')} records, ${unnoted} times with records that were not noted yet`
  );
};

/** Broken off at each point; then the same command to its end. `breakOff` kills, and resolves once all is ready to go on. */
async function brokenOff(place: Place, points: readonly Point[], breakOff: (point: Point) => Promise<void>): Promise<string> {
  const kills: Kill[] = [];
  for (const point of points) {
    await breakOff(point);
    kills.push(await killedAt(place, point));
  }
  const end = await startImport(place).ended;
  await isWhole(place, end);
  await isDone(place);
  return seen(kills);
}

const killed = async (place: Place, point: Point): Promise<void> => {
  const { code } = await importUntil(place, point, (importing) => {
    importing.kill('SIGKILL');
  });
  claim(code === null, `the import ended with ${code} when it was killed`);
};

const ALONE = 12;
const BESIDE = 6;

export const imports: Suite = {
  name: 'import',
  tests: [
    {
      title: `kill -9 of an import, ${ALONE} times: the same command goes on, and ends as one that nothing broke off`,
      run: async () => {
        const { csv } = await reference();
        return inFolder(async (folder) => {
          const place = await placeIn(folder, csv);
          return brokenOff(place, pointsOf(ALONE), (point) => killed(place, point));
        });
      },
    },
    {
      title: `kill -9 of an import through a running server, ${BESIDE} times: likewise`,
      run: async () => {
        const { csv } = await reference();
        return inFolder(async (folder) => {
          const place = await placeIn(folder, csv);
          const server = await serve(place.dataDir);
          try {
            return await brokenOff(place, pointsOf(BESIDE), (point) => killed(place, point));
          } finally {
            await server.end('SIGTERM');
          }
        });
      },
    },
    {
      title: `kill -9 of the server that an import goes through, ${BESIDE} times: likewise, once a server runs again`,
      run: async () => {
        const { csv } = await reference();
        return inFolder(async (folder) => {
          const place = await placeIn(folder, csv);
          let server = await serve(place.dataDir);
          try {
            return await brokenOff(place, pointsOf(BESIDE), async (point) => {
              const { code, said } = await importUntil(place, point, () => void server.end('SIGKILL'));
              claim(code === 1, `the import ended with ${code} when the server was killed: ${said}`);
              server = await serve(place.dataDir);
            });
          } finally {
            await server.end('SIGTERM');
          }
        });
      },
    },
  ],
};
