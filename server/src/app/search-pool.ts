import { Worker } from 'node:worker_threads';
import type { DemographicPage, DemographicQuery, DemographicSearch } from '../registry/ports.ts';
import type { SearchAnswer } from '../adapters/search/search-file.ts';
import type { FromSearch, SearchSetup, ToSearch } from './search-thread.ts';

export interface SearchPool extends DemographicSearch {
  /** The ledger has moved: it is followed. */
  moved(): void;
  /** Resolves with what ended one of its threads. */
  readonly died: Promise<Error>;
  close(): Promise<void>;
}

export interface SearchPoolOptions {
  readonly threads: number;
  /** Searches that may wait for a thread. */
  readonly queue: number;
  /** That a search may take, waiting for the ledger to be followed and reading each. */
  readonly milliseconds: number;
  /** Called now and then while the ledger is followed from far behind, with the sequence that it is followed to. */
  readonly progress?: (sequence: number) => void;
}

/** Change sets between two words on how far the ledger is followed. */
const PROGRESS = 10_000;

/** Milliseconds that moves are gathered: following many at once costs a fraction, and a search that cannot wait says so itself. */
const GATHER = 200;

interface Job {
  readonly asked: Extract<ToSearch, { kind: 'search' }>;
  readonly resolve: (answer: SearchAnswer | 'late') => void;
  readonly reject: (error: Error) => void;
}

/** Starts the threads of demographic search over a data folder (design §3: long reads are in a pool of their own). */
export function openSearchPool(dataDir: string, { threads, queue, milliseconds, progress }: SearchPoolOptions): SearchPool {
  const died = Promise.withResolvers<Error>();
  const start = (role: SearchSetup['role'], name: string): Worker => {
    const worker = new Worker(new URL('./search-thread.ts', import.meta.url), {
      workerData: { dataDir, role } satisfies SearchSetup,
      name,
    });
    worker.on('error', (error) => {
      died.resolve(error instanceof Error ? error : new Error(String(error)));
    });
    return worker;
  };
  let follows = -1;
  const waitingFor: { readonly upTo: number; readonly done: () => void }[] = [];
  const waiting: Job[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Job>();
  const readers: Worker[] = [];

  const give = (): void => {
    while (idle.length > 0 && waiting.length > 0) {
      const [worker, job] = [idle.pop(), waiting.shift()];
      if (!worker || !job) return;
      busy.set(worker, job);
      worker.postMessage(job.asked);
    }
  };

  /** The readers come once the file is there. */
  const startReaders = (): void => {
    for (let n = 1; n <= threads; n++) {
      const worker = start('reader', `search ${n}`);
      worker.on('message', (message: FromSearch) => {
        const job = busy.get(worker);
        busy.delete(worker);
        idle.push(worker);
        if (message.kind === 'answer') job?.resolve(message.answer);
        if (message.kind === 'failed') job?.reject(new Error(message.words));
        give();
      });
      readers.push(worker);
      idle.push(worker);
    }
  };

  const follower = start('follower', 'search follower');
  follower.on('message', (message: FromSearch) => {
    if (message.kind !== 'follows') return;
    if (follows < 0) startReaders();
    const before = Math.max(0, follows);
    follows = message.sequence;
    if (Math.floor(follows / PROGRESS) > Math.floor(before / PROGRESS)) progress?.(follows);
    give();
    for (const one of waitingFor.splice(0)) {
      if (one.upTo <= follows) one.done();
      else waitingFor.push(one);
    }
  });
  const tellFollower = (message: ToSearch): void => {
    follower.postMessage(message);
  };

  /** Whether the ledger is followed so far within the time. */
  const caughtUp = (upTo: number): Promise<boolean> => {
    if (follows >= upTo) return Promise.resolve(true);
    tellFollower({ kind: 'moved' });
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve(false);
      }, milliseconds);
      waitingFor.push({
        upTo,
        done: () => {
          clearTimeout(timer);
          resolve(true);
        },
      });
    });
  };

  const ask = (query: DemographicQuery): Promise<SearchAnswer | 'late'> =>
    new Promise((resolve, reject) => {
      waiting.push({ asked: { kind: 'search', query, milliseconds }, resolve, reject });
      give();
    });

  let gathering: NodeJS.Timeout | undefined;
  return {
    died: died.promise,
    moved: () => {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        tellFollower({ kind: 'moved' });
      }, GATHER);
    },
    async search(query, upTo): Promise<DemographicPage> {
      if (waiting.length >= queue) return { kind: 'busy' };
      if (!(await caughtUp(upTo))) return { kind: 'behind', behind: upTo - Math.max(0, follows) };
      const answer = await ask(query);
      if (answer === 'late') return { kind: 'late' };
      return { kind: 'page', records: answer.records, next: answer.last, total: answer.total };
    },
    async close() {
      clearTimeout(gathering);
      const all = [follower, ...readers];
      const ended = all.map((worker) => new Promise((done) => worker.once('exit', done)));
      for (const worker of all) worker.postMessage({ kind: 'close' } satisfies ToSearch);
      await Promise.all(ended);
    },
  };
}
