import { mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/adapters/sql/store.ts';

/** Where between two chunks an import is: the files of the data folder tell, as they change. */
const moments = {
  /** The write-ahead log grows: what is being committed is not whole yet. */
  'within a commit': 'registry.sqlite-wal',
  /** What was committed is about to be noted: the next import finds rows in the registry that it does not know of. */
  'before the note': '.json.new',
  'after the note': '.json',
} as const;

export type Moment = keyof typeof moments;
export const everyMoment = Object.keys(moments) as readonly Moment[];

/** In the course of an import: the moment that comes first once so many rows are noted. */
export interface Point {
  readonly rows: number;
  readonly moment: Moment;
}

const notesOf = (dataDir: string): string => join(dataDir, 'imports');

/** Rows that the one import of this folder has noted as done; 0 where it has noted none, or is done. */
export function rowsNoted(dataDir: string): number {
  const [note] = readdirSync(notesOf(dataDir)).filter((name) => name.endsWith('.json'));
  if (note === undefined) return 0;
  return (JSON.parse(readFileSync(join(notesOf(dataDir), note), 'utf8')) as { readonly rows: number }).rows;
}

/** Records in the registry, whether or not a process has it open. */
export async function recordsIn(dataDir: string): Promise<number> {
  const store = openStore(dataDir, { features: [], readOnly: true });
  try {
    return (await store.ledger.head()).nextRecord - 1;
  } finally {
    store.close();
  }
}

/** Calls `act` when the import of the folder comes to the point; the answer ends the wait. */
export function atPoint(dataDir: string, { rows, moment }: Point, act: () => void): () => void {
  mkdirSync(notesOf(dataDir), { recursive: true, mode: 0o700 });
  let noted = rows === 0;
  const end = (): void => {
    for (const watcher of watchers) watcher.close();
  };
  const look = (name: string | null): void => {
    if (name === null) return;
    if (!noted && name.endsWith('.json')) noted = rowsNoted(dataDir) >= rows;
    if (!noted || !name.endsWith(moments[moment])) return;
    end();
    act();
  };
  const watchers = [notesOf(dataDir), dataDir].map((folder) =>
    watch(folder, (_, name) => {
      look(name);
    }),
  );
  return end;
}
