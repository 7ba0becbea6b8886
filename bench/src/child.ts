import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';

/** A process that does one kind of work, job by job, away from the one that prints. */
export interface Child<Job, Result> {
  do(job: Job): Promise<Result>;
  end(): Promise<void>;
}

type Answer<Result> = { readonly result: Result } | { readonly error: string };

/** Starts `node bench/src/main.ts NAME`, which must call `answerJobs`. */
export function startChild<Job extends object, Result>(name: string): Child<Job, Result> {
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), [name]);
  const ended = once(child, 'exit');
  const died = ended.then(() => Promise.reject(new Error(`the process ${name} ended`)));
  died.catch(() => undefined);
  return {
    async do(job) {
      const told = once(child, 'message');
      child.send(job);
      // Its other end is `answerJobs`, below.
      const [answer] = (await Promise.race([told, died])) as [Answer<Result>];
      if ('error' in answer) throw new Error(`${name}: ${answer.error}`);
      return answer.result;
    },
    async end() {
      child.kill();
      await ended;
    },
  };
}

/** The child's side: answers one job after the other until its parent ends it. What a job is, `startChild` says. */
export function answerJobs(work: (job: never) => Promise<unknown>): void {
  process.on('message', (job) => {
    void work(job as never)
      .then((result): Answer<unknown> => ({ result }))
      .catch((error: unknown): Answer<unknown> => ({
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }))
      .then((answer) => process.send?.(answer));
  });
}
