import { Worker } from 'node:worker_threads';
import { RegistryError } from '../domain/errors.ts';
import type { Command, CommandResult } from '../registry/commands.ts';
import type { Progress } from '../registry/prepare.ts';
import type { FromRegistrar, RegistrarSetup, ToRegistrar } from './registrar-protocol.ts';

export type BatchNews = Omit<Extract<FromRegistrar, { kind: 'batch' }>, 'kind'>;

export interface RegistrarEvents {
  readonly progress: (progress: Progress) => void;
  readonly batch: (news: BatchNews) => void;
  readonly warning: (words: string) => void;
  /** The thread ended by itself: nothing can be registered any more. */
  readonly died: (error: Error) => void;
}

/** The registrar as the main thread sees it. */
export interface RegistrarClient {
  /** Resolves when the thread has caught up and takes commands. */
  readonly ready: Promise<{ readonly records: number }>;
  execute(command: Command): Promise<CommandResult>;
  /** Finishes what was accepted; answers with the last head. Before it was ready it ends at once, and rejects. */
  close(): Promise<{ readonly sequence: number; readonly hash: string }>;
}

interface Pending {
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: Error) => void;
}

export function startRegistrar(setup: RegistrarSetup, events: RegistrarEvents): RegistrarClient {
  const worker = new Worker(new URL('./registrar-thread.ts', import.meta.url), { workerData: setup, name: 'registrar' });
  const pending = new Map<number, Pending>();
  const ready = Promise.withResolvers<{ records: number }>();
  const closed = Promise.withResolvers<{ sequence: number; hash: string }>();
  let next = 0;
  let isReady = false;
  let ended: Error | null = null;

  const settle = ({ id, result }: Extract<FromRegistrar, { kind: 'answers' }>['answers'][number]): void => {
    const waiting = pending.get(id);
    pending.delete(id);
    if (result.kind === 'failed') waiting?.reject(new RegistryError(result.code, result.issues));
    else waiting?.resolve(result);
  };

  /** Whoever still waits is answered: what came after the thread stopped listening was not taken. */
  const end = (error: Error): void => {
    ended = error;
    for (const { reject } of pending.values())
      reject(new RegistryError('not-ready', 'The registrar has stopped.', { cause: error }));
    pending.clear();
  };

  const receive = (message: FromRegistrar): void => {
    switch (message.kind) {
      case 'answers':
        message.answers.forEach(settle);
        break;
      case 'progress':
        events.progress(message.progress);
        break;
      case 'ready':
        isReady = true;
        ready.resolve({ records: message.records });
        break;
      case 'batch':
        events.batch(message);
        break;
      case 'warning':
        events.warning(message.words);
        break;
      case 'closed':
        end(new Error('the registrar is closed'));
        closed.resolve({ sequence: message.sequence, hash: message.hash });
        break;
    }
  };

  const die = (error: Error): void => {
    if (ended) return;
    end(error);
    ready.reject(error);
    closed.reject(error);
    events.died(error);
  };

  // A rejection is told to whoever waits; nobody may be waiting.
  closed.promise.catch(() => undefined);
  worker.on('message', receive);
  worker.on('error', (error) => {
    die(error instanceof Error ? error : new Error(String(error)));
  });
  worker.on('exit', (code) => {
    die(new Error(`the registrar's thread ended with code ${code}`));
  });
  const post = (message: ToRegistrar): void => {
    worker.postMessage(message);
  };

  return {
    ready: ready.promise,
    execute(command) {
      if (ended) return Promise.reject(new RegistryError('not-ready', 'The registrar has stopped.', { cause: ended }));
      const id = next++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        post({ kind: 'command', id, command });
      });
    },
    close() {
      // Preparing may take minutes, and goes on at the next start from what it finds.
      if (!ended && !isReady) void worker.terminate();
      else if (!ended) post({ kind: 'close' });
      return closed.promise;
    },
  };
}
