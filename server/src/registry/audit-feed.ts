import { beyond, trailAfter, type TrailSources } from './audit-trail.ts';
import type { AuditCursors, AuditRepository, AuditSession, Clock, SetAside, TrailCursor } from './ports.ts';

/** Milliseconds. */
export interface FeedTimes {
  /** Without anything to send before a connection is closed; what a close confirms was sent at least so long before. */
  readonly quiet: number;
  /** That a connection is used for before it is closed, so that what it took is confirmed. */
  readonly session: number;
  /** Between attempts: the first, doubled each time, and the longest. */
  readonly retry: number;
  readonly longestRetry: number;
  /** Between two looks at a trail of which nobody said that it moved. */
  readonly look: number;
  /** Between two reports that a repository cannot be reached. */
  readonly report: number;
}

export const FEED_TIMES: FeedTimes = {
  quiet: 2_000,
  session: 15_000,
  retry: 500,
  longestRetry: 60_000,
  look: 5_000,
  report: 60_000,
};

/** How far behind a repository is: change sets, and rows of the access log, that it is not known to have. */
export interface Behind {
  readonly ledger: number;
  readonly access: number;
}

export interface FeedParts {
  readonly repository: AuditRepository;
  readonly trail: TrailSources;
  readonly cursors: AuditCursors;
  /** Where a repository begins that was never sent anything. */
  readonly from: 'beginning' | 'now';
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Resolves after so many milliseconds, or at once when the signal is given. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly times: FeedTimes;
  readonly report: {
    /** At most once in `times.report`. */
    away(why: string, behind: Behind | null): void;
    back(): void;
    setAside(aside: SetAside): void;
  };
}

export interface AuditFeed {
  /** The trail has moved. */
  moved(): void;
  behind(): Promise<Behind>;
  /** Sends what is left, for so many milliseconds at most. Whatever then is unconfirmed is sent after the next start. */
  stop(within: number): Promise<void>;
}

/** Rows of each log that are read and sent at once: this bounds memory, whatever is behind. */
const ROWS = 32;
/** Of silence before a connection is closed when the process ends. */
const LAST_QUIET = 200;

export const trailEnd = async ({ reader, accessLog }: TrailSources): Promise<TrailCursor> => {
  const [newest] = await accessLog.entries(Number.MAX_SAFE_INTEGER, 1);
  return { sequence: (await reader.head()).sequence, access: newest?.id ?? 0 };
};

/** Waits that end early when something happens. */
function alarm(sleep: FeedParts['sleep']) {
  let ring = new AbortController();
  let rung = false;
  return {
    ring: (): void => {
      rung = true;
      ring.abort();
    },
    /** True when it rang before or while it waited. */
    wait: async (milliseconds: number): Promise<boolean> => {
      if (!rung) await sleep(milliseconds, ring.signal);
      const early = rung;
      rung = false;
      ring = new AbortController();
      return early;
    },
  };
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What a running feed is about just now. */
interface Running {
  readonly news: ReturnType<typeof alarm>;
  readonly end: ReturnType<typeof alarm>;
  stopping: boolean;
  /** Its time is up, too. */
  over: boolean;
  session: AuditSession | null;
  /** Attempts since the last that was confirmed in part at least. */
  failures: number;
  /** When it was last said that the repository is away; null while it is not. */
  said: number | null;
}

/** Where the repository stands; the first time, where it begins. */
async function cursorOf({ cursors, repository: { name }, from, trail }: FeedParts): Promise<TrailCursor> {
  const known = cursors.read(name);
  if (known) return known;
  const first = from === 'now' ? await trailEnd(trail) : { sequence: 0, access: 0 };
  cursors.save(name, first, []);
  return first;
}

function save(
  parts: FeedParts,
  running: Running,
  confirmed: { readonly cursor: TrailCursor; readonly aside: readonly SetAside[] },
) {
  parts.cursors.save(parts.repository.name, confirmed.cursor, confirmed.aside);
  running.failures = 0;
  confirmed.aside.forEach(parts.report.setAside);
}

/** A connection that broke before it could be confirmed is followed by one that is used for half the time. */
const ageOf = ({ times }: FeedParts, { failures }: Running): number => times.session / 2 ** Math.min(failures, 6);

/** Sends until the trail has been quiet for a while, or the connection is old; then has it confirmed. */
async function sendAll(parts: FeedParts, running: Running, session: AuditSession): Promise<void> {
  const { trail, clock, times } = parts;
  const [began, age] = [clock.monotonic(), ageOf(parts, running)];
  let cursor = await cursorOf(parts);
  let last = began;
  for (let first = true; first || clock.monotonic() - began < age; first = false) {
    const rows = await trailAfter(trail, cursor, ROWS);
    if (rows.length === 0) {
      if (running.stopping || !(await running.news.wait(times.quiet))) break;
      continue;
    }
    const aside = await session.send(rows.flatMap(({ events }) => events));
    cursor = beyond(cursor, rows);
    last = clock.monotonic();
    if (session.confirmedBy === 'send') save(parts, running, { cursor, aside });
  }
  if (session.confirmedBy === 'close') await silence(parts, running, last);
  await session.close();
  if (session.confirmedBy === 'close') save(parts, running, { cursor, aside: [] });
}

/** Until the connection has been silent for `quiet`: less when the process ends. */
async function silence({ sleep, clock, times }: FeedParts, running: Running, since: number): Promise<void> {
  const left = times.quiet - (clock.monotonic() - since);
  if (left <= 0) return;
  if (running.stopping || (await running.end.wait(left))) await sleep(Math.min(left, LAST_QUIET), new AbortController().signal);
}

async function connectAndSend(parts: FeedParts, running: Running): Promise<void> {
  const session = await parts.repository.open();
  running.session = session;
  try {
    if (!running.over) await sendAll(parts, running, session);
  } finally {
    session.abort();
    running.session = null;
  }
}

async function behindOf({ cursors, repository: { name }, trail }: FeedParts): Promise<Behind> {
  const [at, last] = [cursors.read(name) ?? { sequence: 0, access: 0 }, await trailEnd(trail)];
  return { ledger: last.sequence - at.sequence, access: last.access - at.access };
}

/** Sends what there is to send; false when there is nothing. */
async function step(parts: FeedParts, running: Running): Promise<boolean> {
  const { report, clock, times } = parts;
  try {
    if ((await trailAfter(parts.trail, await cursorOf(parts), 1)).length === 0) return false;
    await connectAndSend(parts, running);
    if (running.said !== null) report.back();
    running.said = null;
  } catch (error) {
    running.failures += 1;
    const now = clock.monotonic();
    if (!running.over && (running.said === null || now - running.said >= times.report)) {
      running.said = now;
      report.away(words(error), await behindOf(parts).catch(() => null));
    }
  }
  return true;
}

async function run(parts: FeedParts, running: Running): Promise<void> {
  const { times } = parts;
  for (;;) {
    const sent = await step(parts, running);
    if (running.stopping && (!sent || running.failures > 0)) return;
    if (!sent) await running.news.wait(times.look);
    else if (running.failures > 0)
      await running.end.wait(Math.min(times.retry * 2 ** Math.min(running.failures - 1, 20), times.longestRetry));
  }
}

/**
 * Sends the trail to a repository, each log in its order, for ever. The trail is the spool: only a cursor is kept, moved once the
 * repository has confirmed, so that whatever breaks, nothing is lost, and some of it may be sent twice.
 */
export function startAuditFeed(parts: FeedParts): AuditFeed {
  const [news, end] = [alarm(parts.sleep), alarm(parts.sleep)];
  const running: Running = { news, end, stopping: false, over: false, session: null, failures: 0, said: null };
  const ended = run(parts, running);
  return {
    moved: news.ring,
    behind: () => behindOf(parts),
    async stop(within) {
      running.stopping = true;
      news.ring();
      end.ring();
      const done = new AbortController();
      const bound = parts.sleep(within, done.signal).then(() => {
        running.over = true;
        running.session?.abort();
      });
      await Promise.race([ended, bound]);
      done.abort();
      await bound;
    },
  };
}
