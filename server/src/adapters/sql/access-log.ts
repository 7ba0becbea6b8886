import { Worker } from 'node:worker_threads';
import type { Instant } from '../../domain/identity.ts';
import { type ErrorCode, RegistryError } from '../../domain/errors.ts';
import type { AccessEntry, AccessLog } from '../../registry/ports.ts';
import { openAccessFile, type StoredEntry } from './access-file.ts';

/** What the thread is asked, and what it answers, in the order asked. */
export type Question =
  | { readonly kind: 'append'; readonly entry: AccessEntry }
  | { readonly kind: 'entries'; readonly before: number; readonly limit: number }
  | { readonly kind: 'after'; readonly id: number; readonly limit: number; readonly now: Instant }
  | { readonly kind: 'close' };

export type Answer =
  | { readonly kind: 'appended' }
  | { readonly kind: 'entries'; readonly entries: readonly StoredEntry[] }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly text: string };

export interface OpenAccessLog extends AccessLog {
  close(): Promise<void>;
}

export interface AccessLogThread extends OpenAccessLog {
  /** Resolves when the thread has ended: nothing that must be logged can be answered any more. */
  readonly died: Promise<Error>;
}

interface Waiting {
  readonly resolve: (entries: readonly StoredEntry[]) => void;
  readonly reject: (error: Error) => void;
}

const settle = ({ resolve, reject }: Waiting, answer: Answer): void => {
  if (answer.kind === 'failed') reject(new RegistryError(answer.code, answer.text));
  else resolve(answer.kind === 'entries' ? answer.entries : []);
};

/** Asks the thread; answers come in the order of the questions. When the thread ends, whoever waits is refused. */
const conversation = (worker: Worker) => {
  const died = Promise.withResolvers<Error>();
  const waiting: Waiting[] = [];
  let ended: Error | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    for (const one of waiting.splice(0)) one.reject(ended);
    died.resolve(ended);
  };
  worker.on('message', (answers: readonly Answer[]) => {
    for (const answer of answers) {
      const asker = waiting.shift();
      if (asker) settle(asker, answer);
    }
  });
  worker.on('error', (error) => {
    const why = error instanceof Error ? error.message : 'its thread failed';
    end(new RegistryError('not-ready', `The access log cannot go on: ${why}.`, { cause: error }));
  });
  worker.on('exit', () => {
    end(new RegistryError('not-ready', 'The access log is closed.'));
  });
  const ask = (question: Question): Promise<readonly StoredEntry[]> =>
    new Promise((resolve, reject) => {
      if (ended) reject(ended);
      else {
        waiting.push({ resolve, reject });
        worker.postMessage(question);
      }
    });
  return { ask, died: died.promise };
};

const systemTime = (): Instant => new Date().toISOString();

/**
 * The access log in `DIR/access.sqlite`, in a thread of its own with its own group commit: `append` resolves once the
 * entry is durable. One process at a time (see lock.ts).
 * @throws RegistryError `no-space` from `append`, `not-ready` after `close`.
 */
export const openAccessLog = (dir: string, now: () => Instant = systemTime): AccessLogThread => {
  const worker = new Worker(new URL('./access-log-thread.ts', import.meta.url), { workerData: dir });
  const { ask, died } = conversation(worker);
  const exited = new Promise<void>((resolve) =>
    worker.once('exit', () => {
      resolve();
    }),
  );
  return {
    died,
    append: async (entry) => {
      await ask({ kind: 'append', entry });
    },
    entries: (before, limit) => ask({ kind: 'entries', before, limit }),
    after: (id, limit) => ask({ kind: 'after', id, limit, now: now() }),
    close: async () => {
      // One that has ended by itself is closed.
      await ask({ kind: 'close' }).catch(() => undefined);
      await exited;
    },
  };
};

/** The same in the caller's thread, a commit an entry: for commands and tests. */
export const openAccessLogHere = (dir: string, now: () => Instant = systemTime): OpenAccessLog => {
  const file = openAccessFile(dir);
  const promise = <T>(act: () => T): Promise<T> =>
    new Promise((resolve) => {
      resolve(act());
    });
  return {
    append: (entry) =>
      promise(() => {
        file.append([entry]);
      }),
    entries: (before, limit) => promise(() => file.entries(before, limit)),
    after: (id, limit) => promise(() => file.after(id, limit, now())),
    close: () =>
      promise(() => {
        file.close();
      }),
  };
};
