import { basename } from 'node:path';
import { EXIT, type ExitCode, type Io } from '../io.ts';
import { openMark } from './mark.ts';
import type { Mapping } from './mapping.ts';
import type { LoadOutcome } from './outcome.ts';
import { createProgress } from './progress.ts';
import { type FileRow, openPatientFile } from './read-file.ts';
import { openRefusedRows } from './refused-rows.ts';

/** Who takes the Patients: a registry in this process, or the server that runs on the data folder. */
export interface Loader {
  /** Patients that are best sent together. */
  readonly chunk: number;
  /** Resolves once they are durable, an outcome each; calls are answered in turn. `what` is for the audit. */
  load(patients: readonly object[], what: string): Promise<readonly LoadOutcome[]>;
  close(): Promise<void>;
}

export interface ImportRequest {
  readonly path: string;
  readonly dataDir: string;
  readonly mapping: Mapping | null;
  readonly client: string;
  /** Set when the caller wants to stop: the chunk in hand is finished. */
  readonly stopping: () => boolean;
  readonly now: () => number;
}

const SHOWN = 10;

/** `--dry-run`: the first ten rows as Patients; nothing is written. */
export async function showPatients(io: Io, path: string, mapping: Mapping | null): Promise<ExitCode> {
  const file = await openPatientFile(path, mapping);
  let shown = 0;
  for await (const { row, patient, wrong } of file.rows()) {
    if (shown === 0) for (const remark of file.remarks) io.err(remark);
    if (patient === null) io.err(`Row ${row} ${wrong}.`);
    else io.out(JSON.stringify(patient, null, 2));
    if (++shown === SHOWN) break;
  }
  io.err(`${shown} rows of a ${file.kind} file; nothing was written.`);
  return EXIT.done;
}

/** Rows in parts of `size`, those up to `done` left out. */
async function* chunks(rows: AsyncIterable<FileRow>, size: number, done: number): AsyncGenerator<readonly FileRow[]> {
  let part: FileRow[] = [];
  for await (const row of rows) {
    if (row.row <= done) continue;
    part.push(row);
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/** One chunk in the registry; answers what was refused of it. */
async function loadChunk(loader: Loader, rows: readonly FileRow[], what: string) {
  const good = rows.flatMap((row) => (row.patient ? [{ ...row, patient: row.patient }] : []));
  const outcomes =
    good.length === 0
      ? []
      : await loader.load(
          good.map(({ patient }) => patient),
          what,
        );
  const refused = good.flatMap(({ row, raw }, place) => {
    const outcome = outcomes[place];
    return outcome?.status === 'refused' ? [{ row, reason: outcome.reason, raw }] : [];
  });
  const unreadable = rows.flatMap(({ row, raw, patient, wrong }) => (patient ? [] : [{ row, reason: wrong, raw }]));
  return { outcomes, refused: [...unreadable, ...refused].sort((x, y) => x.row - y.row) };
}

/**
 * Imports a file. Two chunks are under way at a time, so that the next is read while one is decided. What is durable is
 * noted after it is; started again after an interruption it goes on there.
 */
export async function importFile(io: Io, request: ImportRequest, loader: Loader): Promise<ExitCode> {
  const { path, dataDir, mapping, client, stopping } = request;
  const file = await openPatientFile(path, mapping);
  const mark = openMark(dataDir, path, JSON.stringify({ mapping, client }));
  const refusedRows = openRefusedRows(path, mark.rows);
  const progress = createProgress({ io, now: request.now, total: file.bytes, read: file.read });
  if (mark.rows > 0) io.err(`Going on after row ${mark.rows}, where an earlier import of this file stopped.`);
  const what = `import ${basename(path)}`;

  const settle = async (rows: readonly FileRow[], loading: ReturnType<typeof loadChunk>): Promise<void> => {
    const { outcomes, refused } = await loading;
    refusedRows.add(refused);
    mark.advance(rows.at(-1)?.row ?? mark.rows);
    progress.add(outcomes, refused.length - outcomes.filter(({ status }) => status === 'refused').length);
  };

  let settling: Promise<void> = Promise.resolve();
  let waiting: Promise<void> = Promise.resolve();
  let remarked = false;
  for await (const rows of chunks(file.rows(), loader.chunk, mark.rows)) {
    if (!remarked) for (const remark of file.remarks) io.err(remark);
    remarked = true;
    if (stopping()) break;
    const before = settling;
    const loading = loadChunk(loader, rows, what);
    loading.catch(() => undefined); // heard of where its rows are settled, which is after those of the chunk before
    settling = before.then(() => settle(rows, loading));
    // Whoever waits for the chunk before hears of a failure; nobody may be waiting for this one yet.
    settling.catch(() => undefined);
    await waiting;
    waiting = settling;
  }
  await settling;
  progress.finish();
  if (stopping()) {
    io.err('Stopped. The same command goes on from here.');
    return EXIT.failed;
  }
  mark.remove();
  const refused = refusedRows.count();
  if (refused > 0) io.err(`${refused} rows were refused: ${refusedRows.file} has them with the reasons.`);
  return refused > 0 ? EXIT.failed : EXIT.done;
}
