import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** The rows of an import that were refused, one JSON object a line: row, reason, and the row as it stood. Of the owner alone. */
export interface RefusedRows {
  readonly file: string;
  /** Also those of the earlier imports that this one goes on from. */
  count(): number;
  /** They are durable afterwards: the import is about to note that it need not try them again. */
  add(rows: readonly { readonly row: number; readonly reason: string; readonly raw: string }[]): void;
}

const OF_OWNER = { mode: 0o600, flush: true } as const;

const rowOf = (line: string): number => (JSON.parse(line) as { readonly row: number }).row;

/** Lines up to the last line's end: half a line is of a process that was killed, and its rows are tried again. */
const wholeLines = (file: string): readonly string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];

/** @param done Rows up to this one are done: what was noted of later ones is forgotten, since they are tried again. */
export function openRefusedRows(path: string, done: number): RefusedRows {
  const file = `${path}.refused.ndjson`;
  const kept = done === 0 ? [] : wholeLines(file).filter((line) => rowOf(line) <= done);
  let count = kept.length;
  if (count > 0) {
    // Nobody tries the rows kept again: whenever this process is killed, they must be in one file or the other.
    writeFileSync(`${file}.new`, `${kept.join('\n')}\n`, OF_OWNER);
    renameSync(`${file}.new`, file);
  } else rmSync(file, { force: true });
  return {
    file,
    count: () => count,
    add(rows) {
      if (rows.length === 0) return;
      writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''), { ...OF_OWNER, flag: 'a' });
      count += rows.length;
    },
  };
}
