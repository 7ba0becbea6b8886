import type { Io } from '../io.ts';
import type { LoadOutcome } from './outcome.ts';

type Count = Record<LoadOutcome['status'], number>;

export interface ImportProgress {
  /** Rows that are done; `unreadable` of them never came as far as the registry. */
  add(outcomes: readonly LoadOutcome[], unreadable: number): void;
  finish(): void;
}

/** Milliseconds between two lines. */
const EVERY = 5000;

const duration = (seconds: number): string => {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
};

const number = (n: number): string => Math.round(n).toLocaleString('en');

/** A line every few seconds: rows, rate and time left, by the share of the file that was read. */
export function createProgress({
  io,
  now,
  total,
  read,
}: {
  readonly io: Io;
  readonly now: () => number;
  readonly total: number;
  readonly read: () => number;
}): ImportProgress {
  const began = now();
  const begunAt = read();
  const count: Count = { created: 0, updated: 0, unchanged: 0, refused: 0 };
  let said = began;
  const rows = (): number => count.created + count.updated + count.unchanged + count.refused;
  const tell = (end: string): void => {
    const seconds = Math.max(0.001, (now() - began) / 1000);
    const { created, updated, unchanged, refused } = count;
    const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
    io.err(
      `${number(rows())} rows, ${number(rows() / seconds)} a second, ${end}: ${number(created)} created, ${number(updated)} updated, ` +
        `${number(unchanged)} unchanged, ${number(refused)} refused (${megabytes} MB)`,
    );
  };
  return {
    add(outcomes, unreadable) {
      for (const { status } of outcomes) count[status] += 1;
      count.refused += unreadable;
      if (now() - said < EVERY) return;
      said = now();
      const share = Math.max(1e-9, (read() - begunAt) / Math.max(1, total - begunAt));
      const left = ((now() - began) / 1000) * (1 / share - 1);
      tell(`${Math.floor((100 * read()) / Math.max(1, total))} % read, ${duration(left)} left`);
    },
    finish() {
      tell(`done in ${duration((now() - began) / 1000)}`);
    },
  };
}
