import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { BulkRetrieval } from '../matching/candidates.ts';
import type { LinkageIndex } from '../matching/linkage-index/index.ts';
import type { RuleSet } from '../matching/model.ts';
import type { FromRetrieval, RetrievalSetup, ToRetrieval } from './retrieval-thread.ts';

export interface RetrievalThreads extends BulkRetrieval {
  close(): Promise<void>;
}

interface Job {
  readonly asked: ToRetrieval;
  readonly resolve: (answer: FromRetrieval) => void;
  readonly reject: (error: unknown) => void;
}

/** Queries that a thread is given at a time. */
const SHARE = 64;

/** Threads that share the index's arrays, one a core; the index is not written while one of them is asked. */
export function startRetrievalThreads(rules: RuleSet, index: LinkageIndex, threads = availableParallelism()): RetrievalThreads {
  const waiting: Job[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Job>();

  const give = (): void => {
    while (idle.length > 0 && waiting.length > 0) {
      const [worker, job] = [idle.pop(), waiting.shift()];
      if (!worker || !job) return;
      busy.set(worker, job);
      worker.postMessage(job.asked);
    }
  };

  const fail = (worker: Worker, error: unknown): void => {
    busy.get(worker)?.reject(error);
    busy.delete(worker);
    if (idle.length + busy.size === 0) for (const job of waiting.splice(0)) job.reject(error);
  };

  for (let n = 0; n < threads; n++) {
    const worker = new Worker(new URL('./retrieval-thread.ts', import.meta.url), {
      workerData: { rules, arenas: index.arenas } satisfies RetrievalSetup,
      name: `retrieval ${n + 1}`,
    });
    worker.on('message', (answer: FromRetrieval) => {
      const job = busy.get(worker);
      busy.delete(worker);
      idle.push(worker);
      job?.resolve(answer);
      give();
    });
    worker.on('error', (error) => {
      fail(worker, error);
    });
    idle.push(worker);
  }

  const ask = (asked: ToRetrieval): Promise<FromRetrieval> =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject });
      give();
    });

  return {
    async retrieveMany(queries) {
      const parts = Array.from({ length: Math.ceil(queries.length / SHARE) }, (_, n) =>
        queries.slice(n * SHARE, (n + 1) * SHARE),
      );
      const answers = await Promise.all(parts.map((part) => ask({ kind: 'many', queries: part })));
      return answers.flatMap((answer) => (answer.kind === 'many' ? answer.retrievals : []));
    },
    async pairsWithin(first, last) {
      const answer = await ask({ kind: 'range', first, last });
      if (answer.kind !== 'range') throw new Error('a retrieval thread answered something else');
      return answer.found;
    },
    async close() {
      await Promise.all([...idle, ...busy.keys()].map((worker) => worker.terminate()));
    },
  };
}
