import { createReadStream, openSync, readSync, closeSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { RegistryError } from '../../domain/errors.ts';
import { checkHeader, type Mapping, patientOfRow } from './mapping.ts';

/** One record of a file: the Patient that it is, or what is wrong with it. */
export interface FileRow {
  /** From 1: a line of NDJSON, a record of CSV, an entry of a Bundle. */
  readonly row: number;
  readonly raw: string;
  readonly patient: object | null;
  readonly wrong: string;
}

export type FileKind = 'csv' | 'ndjson' | 'bundle';

export interface PatientFile {
  readonly kind: FileKind;
  readonly bytes: number;
  /** Bytes of the file that were read so far. */
  read(): number;
  /** Remarks on the file as a whole, known once the first row was read. */
  readonly remarks: string[];
  rows(): AsyncIterable<FileRow>;
}

/** A Bundle is read whole: larger ones are to be sent as NDJSON. */
const LARGEST_BUNDLE = 256 * 1024 * 1024;

const beginning = (path: string): Buffer => {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(65_536);
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(file);
  }
};

const isGzip = (start: Buffer): boolean => start[0] === 0x1f && start[1] === 0x8b;

/** The first characters of what the file holds, unpacked. */
async function firstText(path: string): Promise<string> {
  const start = beginning(path);
  if (!isGzip(start))
    return start
      .toString('utf8')
      .replace(/^\ufeff/, '')
      .trimStart();
  const unpacked = createReadStream(path).pipe(createGunzip());
  for await (const chunk of unpacked as AsyncIterable<Buffer>) return chunk.toString('utf8').trimStart();
  return '';
}

/** By what stands in it: JSON on its first line is NDJSON, JSON across lines or a Bundle is a Bundle, the rest CSV. */
function kindOf(start: string): FileKind {
  if (!start.startsWith('{')) return 'csv';
  const [line = ''] = start.split('\n', 1);
  try {
    const first = JSON.parse(line) as { readonly resourceType?: unknown };
    return first.resourceType === 'Bundle' ? 'bundle' : 'ndjson';
  } catch {
    return 'bundle';
  }
}

const parsed = (raw: string, row: number): FileRow => {
  try {
    const value: unknown = JSON.parse(raw);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { row, raw, patient: value, wrong: '' };
    return { row, raw, patient: null, wrong: 'is no JSON object' };
  } catch {
    return { row, raw, patient: null, wrong: 'is no JSON' };
  }
};

async function* ndjsonRows(stream: Readable): AsyncGenerator<FileRow> {
  let row = 0;
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    row += 1;
    if (line.trim() !== '') yield parsed(line, row);
  }
}

async function* bundleRows(stream: Readable): AsyncGenerator<FileRow> {
  const whole = parsed(await text(stream), 0).patient as { readonly resourceType?: string; readonly entry?: unknown } | null;
  const entries = whole?.resourceType === 'Bundle' ? (whole.entry ?? []) : whole ? [{ resource: whole }] : undefined;
  if (!Array.isArray(entries))
    throw new RegistryError('invalid-json', 'The file is neither CSV nor NDJSON nor a Bundle of Patients.');
  for (const [place, entry] of entries.entries()) {
    const { resource } = (entry ?? {}) as { readonly resource?: object };
    const raw = JSON.stringify(resource ?? null);
    yield { row: place + 1, raw, patient: resource ?? null, wrong: resource ? '' : 'has no resource' };
  }
}

async function* csvRows(stream: Readable, mapping: Mapping, remarks: string[]): AsyncGenerator<FileRow> {
  const parser = stream.pipe(
    parse({
      bom: true,
      delimiter: mapping.delimiter,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: 1024 * 1024,
    }),
  );
  stream.on('error', (error) => parser.destroy(error));
  let header: readonly string[] | undefined;
  let row = 0;
  for await (const cells of parser as AsyncIterable<readonly string[]>) {
    if (header === undefined) {
      header = cells;
      const unread = checkHeader(mapping, header);
      if (unread.length > 0) remarks.push(`Columns that the mapping does not speak of are left out: ${unread.join(', ')}.`);
      continue;
    }
    row += 1;
    const raw = cells.join(mapping.delimiter);
    if (cells.length !== header.length) {
      yield { row, raw, patient: null, wrong: `has ${cells.length} columns, the header ${header.length}` };
      continue;
    }
    const patient = patientOfRow(mapping, Object.fromEntries(header.map((name, place) => [name, cells[place] ?? ''])));
    yield typeof patient === 'string' ? { row, raw, patient: null, wrong: patient } : { row, raw, patient, wrong: '' };
  }
}

/** Opens a file of Patients by what stands in it, packed by gzip or not. @throws RegistryError in words. */
export async function openPatientFile(path: string, mapping: Mapping | null): Promise<PatientFile> {
  const { size: bytes } = statSync(path);
  const kind = kindOf(await firstText(path));
  const remarks: string[] = [];
  let read = 0;
  if (kind === 'csv' && mapping === null) {
    throw new RegistryError('invalid-request', 'A CSV file needs --mapping FILE; config/mappings has examples.');
  }
  if (kind === 'bundle' && bytes > LARGEST_BUNDLE) {
    throw new RegistryError('too-large', 'A Bundle is read whole, up to 256 MB: write larger files as NDJSON, a Patient a line.');
  }
  const open = (): Readable => {
    const file = createReadStream(path, { highWaterMark: 1 << 18 });
    file.on('data', (chunk) => (read += chunk.length));
    if (!isGzip(beginning(path))) return file;
    const unpacked = file.pipe(createGunzip());
    file.on('error', (error) => unpacked.destroy(error));
    return unpacked;
  };
  return {
    kind,
    bytes,
    read: () => read,
    remarks,
    rows: () =>
      kind === 'csv' && mapping ? csvRows(open(), mapping, remarks) : kind === 'bundle' ? bundleRows(open()) : ndjsonRows(open()),
  };
}
