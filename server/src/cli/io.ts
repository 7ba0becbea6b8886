import type { Issue } from '../domain/errors.ts';

/** Where a command writes; lines, without their end. */
export interface Io {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** Exit codes that scripts rely on: 0 done, 1 found wanting or failed, 2 asked wrongly. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const sayIssues = (io: Io, issues: readonly Issue[]): void => {
  for (const issue of issues) io.err(issue.diagnostics);
};

/** Columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
