import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** The rows of an import that were refused, one JSON object a line: row, reason, and the row as it stood. Of the owner alone. */
export interface RefusedRows {
  readonly file: string;
  add(rows: readonly { readonly row: number; readonly reason: string; readonly raw: string }[]): void;
}

const rowOf = (line: string): number => (JSON.parse(line) as { readonly row: number }).row;

/** @param done Rows up to this one are done: what was noted of later ones is forgotten, since they are tried again. */
export function openRefusedRows(path: string, done: number): RefusedRows {
  const file = `${path}.refused.ndjson`;
  const lines = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
  const kept = done === 0 ? [] : lines.filter((line) => rowOf(line) <= done);
  if (kept.length > 0) writeFileSync(file, `${kept.join('\n')}\n`, { mode: 0o600 });
  else rmSync(file, { force: true });
  return {
    file,
    add(rows) {
      if (rows.length === 0) return;
      appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''), { mode: 0o600 });
    },
  };
}
