/** Answers retrievals over the registrar's index, whose arrays it shares and which is not written meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Query, RangePairs, Retrieval } from '../matching/candidates.ts';
import type { Arena } from '../matching/linkage-index/arena.ts';
import { openIndexReader } from '../matching/linkage-index/index.ts';
import type { RuleSet } from '../matching/model.ts';
import { rangePairs } from '../matching/serial.ts';

/** How the thread is started. */
export interface RetrievalSetup {
  readonly rules: RuleSet;
  readonly arenas: readonly Arena[];
}

export type ToRetrieval =
  | { readonly kind: 'many'; readonly queries: readonly Query[] }
  | { readonly kind: 'range'; readonly first: number; readonly last: number };

export type FromRetrieval =
  { readonly kind: 'many'; readonly retrievals: readonly Retrieval[] } | { readonly kind: 'range'; readonly found: RangePairs };

const port = parentPort;
if (!port) throw new Error('retrieval-thread.ts runs as a worker thread');
const { rules, arenas } = workerData as RetrievalSetup;
const reader = openIndexReader(rules, arenas);

port.on('message', (asked: ToRetrieval) => {
  reader.refresh();
  const answer: FromRetrieval =
    asked.kind === 'many'
      ? {
          kind: 'many',
          retrievals: asked.queries.map(({ record, values }) => reader.retrieve(values, { skip: new Set([record]), above: 0 })),
        }
      : { kind: 'range', found: rangePairs(reader, asked.first, asked.last) };
  port.postMessage(answer);
});
