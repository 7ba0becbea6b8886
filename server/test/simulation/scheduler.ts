import type { Chance } from './chance.ts';

/** Who a task belongs to: with a crash all tasks of a process are dropped, and whatever awaits them hangs for ever. */
export type Owner = object;

/**
 * Simulated time. Everything that the real system waits for (the disk, the network, a timer) is a task here that is due
 * after a drawn delay; one runs at a time, then all promises settle, then the next. So a seed fixes every interleaving.
 */
export interface Scheduler {
  /** Milliseconds since the history began. */
  readonly now: number;
  after(owner: Owner, milliseconds: number, act: () => void): void;
  /** A promise that a task fulfils. */
  sleep(owner: Owner, milliseconds: number): Promise<void>;
  /** Drops its tasks, and whatever it still asks for. */
  drop(owner: Owner): void;
  /** Runs until nothing is due any more, or `until` says so; false when neither happened within `steps`. */
  run(steps: number, until?: () => boolean): Promise<boolean>;
}

interface Task {
  readonly owner: Owner;
  readonly due: number;
  readonly act: () => void;
}

/** All promises that can settle have settled when the event loop comes round. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createScheduler(chance: Chance): Scheduler {
  let tasks: Task[] = [];
  const dropped = new WeakSet<Owner>();
  let now = 0;

  const takeNext = (): Task | undefined => {
    let first = 0;
    for (let i = 1; i < tasks.length; i++) if (tasks[i]!.due < tasks[first]!.due) first = i;
    return tasks.splice(first, 1)[0];
  };

  const after = (owner: Owner, milliseconds: number, act: () => void): void => {
    if (dropped.has(owner)) return;
    // A fraction more, so that what is due together comes in a drawn order.
    tasks.push({ owner, due: now + milliseconds + chance.next() / 100, act });
  };

  return {
    get now() {
      return now;
    },
    after,
    sleep: (owner, milliseconds) => new Promise((resolve) => after(owner, milliseconds, resolve)),
    drop(owner) {
      dropped.add(owner);
      tasks = tasks.filter((task) => task.owner !== owner);
    },
    async run(steps, until) {
      await settle();
      for (let step = 0; step < steps; step++) {
        if (until?.()) return true;
        const task = takeNext();
        if (!task) return true;
        now = task.due;
        task.act();
        await settle();
      }
      return false;
    },
  };
}
