/** The threads of demographic search: one follows the ledger, the others answer. */
import { parentPort, workerData } from 'node:worker_threads';
import { setImmediate } from 'node:timers/promises';
import { storedSubject } from '../fhir/demographics.ts';
import type { DemographicQuery } from '../registry/ports.ts';
import type { Committed } from '../domain/change-set.ts';
import { openStore } from '../adapters/sql/store.ts';
import {
  openSearchReader,
  openSearchWriter,
  type SearchAnswer,
  type SearchReader,
  type SearchRow,
} from '../adapters/search/search-file.ts';

export interface SearchSetup {
  readonly dataDir: string;
  readonly role: 'follower' | 'reader';
}

export type ToSearch =
  /** To the follower: the ledger has moved. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'search'; readonly query: DemographicQuery; readonly milliseconds: number }
  | { readonly kind: 'close' };

export type FromSearch =
  | { readonly kind: 'follows'; readonly sequence: number }
  | { readonly kind: 'answer'; readonly answer: SearchAnswer | 'late' }
  /** The file's own words may hold what was asked for: they stay here, but for their code. */
  | { readonly kind: 'failed'; readonly words: string };

if (!parentPort) throw new Error('search-thread.ts runs as a worker thread');
const port = parentPort;
const { dataDir, role } = workerData as SearchSetup;
const tell = (message: FromSearch): void => {
  port.postMessage(message);
};

/** Change sets a step: a load has hundreds of records in one. */
const STEP = 64;

const rowsOf = ({ change }: Committed): readonly SearchRow[] =>
  change.records.map(({ record: { key, source, flags, deleted }, content }): SearchRow => {
    if (deleted) return { record: key, deleted };
    return content === null
      ? { record: key, updated: change.at, flags }
      : { record: key, ...storedSubject(content.resource, { client: source, updated: change.at, flags }) };
  });

async function follow(): Promise<void> {
  const store = openStore(dataDir, { features: [], readOnly: true });
  const writer = openSearchWriter(dataDir);
  const { sequence, hash } = writer.follows();
  // Another ledger, or one that was put back to an earlier day.
  if (sequence > 0 && (await store.scan.hashAt(sequence)) !== hash) writer.clear();
  let at = writer.follows().sequence;
  const state = { moved: true, closing: false, wake: (): void => undefined };
  port.on('message', ({ kind }: ToSearch) => {
    state.moved = true;
    state.closing ||= kind === 'close';
    state.wake();
  });
  const isClosing = (): boolean => state.closing;
  while (!isClosing()) {
    const page: readonly Committed[] = state.moved ? await store.ledger.changes(at, STEP) : [];
    const last = page.at(-1);
    if (last) {
      writer.write(page.flatMap(rowsOf), { sequence: last.sequence, hash: (await store.scan.hashAt(last.sequence)) ?? '' });
      at = last.sequence;
    }
    tell({ kind: 'follows', sequence: at });
    state.moved = page.length > 0;
    if (state.moved) await setImmediate();
    else if (!isClosing()) await new Promise<void>((resolve) => (state.wake = resolve));
  }
  writer.close();
  store.close();
  port.close();
}

/** One search that fails is the fault of its question: the thread goes on with the next. */
function answerTo(reader: SearchReader, { query, milliseconds }: Extract<ToSearch, { kind: 'search' }>): FromSearch {
  try {
    return { kind: 'answer', answer: reader.search(query, milliseconds) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unexpected';
    return { kind: 'failed', words: `the search failed: ${code}` };
  }
}

function answer(): void {
  const reader = openSearchReader(dataDir);
  port.on('message', (asked: ToSearch) => {
    if (asked.kind === 'close') {
      reader.close();
      port.close();
    } else if (asked.kind === 'search') {
      tell(answerTo(reader, asked));
    }
  });
}

if (role === 'follower') await follow();
else answer();
