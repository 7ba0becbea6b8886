import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { importFile, type ImportRequest, type Loader, showPatients } from './import.ts';
import { type Mapping, patientOfRow, readMapping } from './mapping.ts';
import { openPatientFile } from './read-file.ts';

const mapping: Mapping = readMapping(
  {
    client: 'openmrs',
    columns: {
      id: { to: 'identifier', system: 'urn:openmrs' },
      name: { to: 'given' },
      family: { to: 'family' },
      sex: { to: 'gender', values: { f: 'female' } },
      born: { to: 'birthDate', format: 'DD/MM/YYYY' },
      city: { to: 'city' },
    },
  },
  'mapping.json',
);

const HEADER = 'id,name,family,sex,born,city';

const write = (text: string | Buffer, name = 'people.csv'): string => {
  const file = join(dataFolder(), name);
  writeFileSync(file, text);
  return file;
};

const rowsOf = async (file: string, how: Mapping | null = mapping) => {
  const found: unknown[] = [];
  for await (const { row, patient, wrong } of (await openPatientFile(file, how)).rows())
    found.push([row, wrong === '' ? patient : wrong]);
  return found;
};

const talk = () => {
  const [out, err]: [string[], string[]] = [[], []];
  return { io: { out: (line: string) => out.push(line), err: (line: string) => err.push(line) }, out, err };
};

/** A registry that keeps what it takes by the first identifier, and refuses whoever is called Nobody. */
const registry = (chunk: number, failAfter = Infinity) => {
  const kept = new Map<string, string>();
  let taken = 0;
  const loader: Loader = {
    chunk,
    load: async (patients) => {
      taken += patients.length;
      if (taken > failAfter) throw new Error('the power went');
      return patients.map((patient) => {
        const text = JSON.stringify(patient);
        const id = (patient as { identifier: { value: string }[] }).identifier[0]?.value ?? '';
        if (text.includes('Nobody')) return { status: 'refused', reason: 'Patient.name: Nobody is no name' };
        const before = kept.get(id);
        kept.set(id, text);
        return { status: before === undefined ? 'created' : before === text ? 'unchanged' : 'updated' };
      });
    },
    close: () => Promise.resolve(),
  };
  return { loader, kept };
};

const request = (path: string, dataDir: string, more: Partial<ImportRequest> = {}): ImportRequest => ({
  path,
  dataDir,
  mapping,
  client: 'openmrs',
  stopping: () => false,
  now: () => 0,
  ...more,
});

const people = (count: number): string =>
  [HEADER, ...Array.from({ length: count }, (_, n) => `${n + 1},Anna,Family${n},f,17/05/1990,Kotido`)].join('\n');

describe('a row becomes a Patient', () => {
  it('by its mapping: tokens of given names, words of the file, dates of its form; empty cells are missing', () => {
    expect(
      patientOfRow(mapping, { id: '7', name: 'Anna  Maria', family: ' Okello ', sex: 'f', born: '7/5/1990', city: '' }),
    ).toEqual({
      resourceType: 'Patient',
      identifier: [{ system: 'urn:openmrs', value: '7' }],
      name: [{ use: 'official', given: ['Anna', 'Maria'], family: 'Okello' }],
      gender: 'female',
      birthDate: '1990-05-07',
    });
  });

  it('or a sentence of all that is wrong', () => {
    expect(patientOfRow(mapping, { id: '7', born: '1990' })).toBe('born is no date of the form DD/MM/YYYY');
  });
});

describe('a mapping is refused with every complaint', () => {
  it.each([
    [{ columns: {} }, /no column is an identifier/],
    [{ columns: { id: { to: 'identifier' } } }, /columns\.id: an identifier needs its system/],
    [{ columns: { id: { to: 'identifier', system: 'a' }, x: { to: 'soul' } } }, /columns\.x\.to/],
    [
      { columns: { id: { to: 'identifier', system: 'a' }, x: { to: 'family', format: 'YYYYMMDD' } } },
      /only a birthDate has a format/,
    ],
    [{ columns: { id: { to: 'identifier', system: 'a' } }, delimeter: ';' }, /delimeter/],
  ])('%j', (input, words) => {
    expect(() => readMapping(input, 'm.json')).toThrow(words);
  });
});

describe('a file is read by what stands in it', () => {
  const anna = { resourceType: 'Patient', id: 'a' };

  it('CSV with its header, packed or not, whatever its name', async () => {
    const text = `\ufeff${HEADER}\r\n1,Anna,"O, kello",f,17/05/1990,Kotido\r\n\r\n2,Ben\r\n3,Ben,B,m,never,Kotido\r\n`;
    const expected = [
      [1, expect.objectContaining({ birthDate: '1990-05-17', name: [{ use: 'official', given: ['Anna'], family: 'O, kello' }] })],
      [2, 'has 2 columns, the header 6'],
      [3, 'born is no date of the form DD/MM/YYYY'],
    ];
    expect(await rowsOf(write(text))).toEqual(expected);
    expect(await rowsOf(write(gzipSync(text), 'people.bin'))).toEqual(expected);
  });

  it('NDJSON, a Patient a line; a line that is none has its reason', async () => {
    const text = `${JSON.stringify(anna)}\n\nnonsense\n[1]\n${JSON.stringify(anna)}\n`;
    expect(await rowsOf(write(text, 'x.ndjson'), null)).toEqual([
      [1, anna],
      [3, 'is no JSON'],
      [4, 'is no JSON object'],
      [5, anna],
    ]);
  });

  it('a Bundle, on one line or many', async () => {
    const bundle = { resourceType: 'Bundle', entry: [{ resource: anna }, {}] };
    for (const text of [JSON.stringify(bundle), JSON.stringify(bundle, null, 2)]) {
      expect(await rowsOf(write(text, 'b.json'), null)).toEqual([
        [1, anna],
        [2, 'has no resource'],
      ]);
    }
  });

  it('and refused in words where it cannot be', async () => {
    await expect(openPatientFile(write('a,b\n1,2\n'), null)).rejects.toThrow(/needs --mapping/);
    await expect(rowsOf(write('id,name\n1,2\n'))).rejects.toThrow(/has no column family, sex, born, city/);
    await expect(rowsOf(write('{"a":\n', 'b.json'), null)).rejects.toThrow(/neither CSV nor NDJSON nor a Bundle/);
  });
});

describe('an import', () => {
  it('takes every row, and says what it left out and what was refused', async () => {
    const file = write(
      `${HEADER},note\n1,Anna,A,f,17/05/1990,Kotido,x\n2,Nobody,B,f,17/05/1990,Kotido,y\n3,Cy,C,f,never,Kotido,z\n`,
    );
    const dataDir = dataFolder();
    const { io, err } = talk();
    const { loader, kept } = registry(2);
    expect(await importFile(io, request(file, dataDir), loader)).toBe(1);
    expect([...kept.keys()]).toEqual(['1']);
    expect(err.join('\n')).toMatch(/left out: note[^]*1 created, 0 updated, 0 unchanged, 2 refused[^]*2 rows were refused/);
    const refused = readFileSync(`${file}.refused.ndjson`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(refused).toEqual([
      { row: 2, reason: 'Patient.name: Nobody is no name', raw: '2,Nobody,B,f,17/05/1990,Kotido,y' },
      { row: 3, reason: 'born is no date of the form DD/MM/YYYY', raw: '3,Cy,C,f,never,Kotido,z' },
    ]);
    expect(statSync(`${file}.refused.ndjson`).mode & 0o777).toBe(0o600);
  });

  it('that is broken off goes on where it stopped, and ends as one that was not', async () => {
    const file = write(people(23));
    const dataDir = dataFolder();
    const { io, err } = talk();
    const broken = registry(5, 12);
    await expect(importFile(io, request(file, dataDir), broken.loader)).rejects.toThrow('the power went');
    expect(broken.kept.size).toBe(10);
    const again = registry(5);
    expect(await importFile(io, request(file, dataDir), again.loader)).toBe(0);
    expect(err.join('\n')).toContain('Going on after row 10');
    expect([...again.kept.keys()]).toEqual(Array.from({ length: 13 }, (_, n) => String(n + 11)));
    const whole = registry(5);
    expect(await importFile(talk().io, request(file, dataDir), whole.loader)).toBe(0);
    expect(whole.kept.size).toBe(23);
  });

  it('that goes on tells every refused row, also those that the ones before refused and whose line was cut short', async () => {
    const nobodies = [2, 7, 8, 14];
    const rows = Array.from(
      { length: 15 },
      (_, n) => `${n + 1},${nobodies.includes(n + 1) ? 'Nobody' : 'Anna'},A,f,17/05/1990,Kotido`,
    );
    const file = write([HEADER, ...rows].join('\n'));
    const dataDir = dataFolder();
    await expect(importFile(talk().io, request(file, dataDir), registry(5, 12).loader)).rejects.toThrow('the power went');
    // As a process leaves it that is killed in a write of rows that it has not noted as done.
    appendFileSync(`${file}.refused.ndjson`, '{"row":14,"reason":"Patient.na');
    const { io, err } = talk();
    expect(await importFile(io, request(file, dataDir), registry(5).loader)).toBe(1);
    expect(err.join('\n')).toContain('4 rows were refused');
    const told = readFileSync(`${file}.refused.ndjson`, 'utf8').trim().split('\n');
    expect(told.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual(nobodies);
  });

  it('whose last rows are well fails all the same, where rows before them were refused', async () => {
    const file = write(people(10).replace('1,Anna', '1,Nobody'));
    const dataDir = dataFolder();
    await expect(importFile(talk().io, request(file, dataDir), registry(5, 6).loader)).rejects.toThrow('the power went');
    expect(await importFile(talk().io, request(file, dataDir), registry(5).loader)).toBe(1);
  });

  it('that was stopped by its caller finishes the rows in hand, and the next goes on', async () => {
    const file = write(people(20));
    const dataDir = dataFolder();
    let chunks = 0;
    const { io, err } = talk();
    const first = registry(5);
    expect(await importFile(io, request(file, dataDir, { stopping: () => ++chunks > 2 }), first.loader)).toBe(1);
    expect(err.join('\n')).toContain('The same command goes on from here');
    const second = registry(5);
    expect(await importFile(talk().io, request(file, dataDir), second.loader)).toBe(0);
    expect(first.kept.size + second.kept.size).toBe(20);
  });

  it('of the same rows for another client begins at the beginning', async () => {
    const file = write(people(10));
    const dataDir = dataFolder();
    await expect(importFile(talk().io, request(file, dataDir), registry(5, 6).loader)).rejects.toThrow();
    const other = registry(5);
    await importFile(talk().io, request(file, dataDir, { client: 'dhis2' }), other.loader);
    expect(other.kept.size).toBe(10);
  });

  it('shows its first ten rows as Patients without writing anything', async () => {
    const file = write(people(12));
    const { io, out, err } = talk();
    expect(await showPatients(io, file, mapping)).toBe(0);
    expect(out).toHaveLength(10);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ resourceType: 'Patient', gender: 'female' });
    expect(err.join()).toContain('10 rows of a csv file; nothing was written');
    expect(existsSync(`${file}.refused.ndjson`)).toBe(false);
  });
});
