import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstOnly, memoryCursors, type MemoryTrail, memoryTrail, requestIdsIn } from '../../test/support/memory-trail.ts';
import { startSyslogReceiver, type SyslogReceiver, syslogTls } from '../../test/support/syslog-receiver.ts';
import { syslogRepository } from '../adapters/atna/syslog-repository.ts';
import { type AuditFeed, type FeedParts, type FeedTimes, startAuditFeed, trailEnd } from './audit-feed.ts';
import type { AuditRepository } from './ports.ts';

const TIMES: FeedTimes = { quiet: 40, session: 400, retry: 1, longestRetry: 20, look: 1_000, report: 60_000 };
const PATIENCE = { connect: 2_000, write: 2_000, close: 500 };
const MINUTE = 60_000;

const sleep: FeedParts['sleep'] = (milliseconds, signal) =>
  setTimeout(milliseconds, undefined, { signal }).catch(() => undefined);

const { client: tls } = await syslogTls();
const repositoryAt = (port: number, host = 'localhost'): AuditRepository =>
  syslogRepository({ name: 'r', host, port, tls }, PATIENCE);

/** What the feed reported, beside what a test asks for. */
function feedOf(trail: MemoryTrail, repository: AuditRepository, parts: Partial<FeedParts> = {}) {
  const cursors = memoryCursors();
  const reports: string[] = [];
  const feed: AuditFeed = startAuditFeed({
    ...{ repository, trail, cursors, sleep, times: TIMES, from: 'beginning' },
    clock: { monotonic: () => performance.now() },
    report: {
      away: (why) => void reports.push(why),
      back: () => void reports.push('back'),
      setAside: ({ event }) => void reports.push(`aside ${event}`),
    },
    ...parts,
  });
  return { feed, cursors: parts.cursors ? (parts.cursors as typeof cursors) : cursors, reports };
}

const numbered = (name: string, count: number): readonly string[] => Array.from({ length: count }, (_, n) => `${name}-${n + 1}`);
/** Each log's messages, first occurrences only: whole, and in order. */
const expectWhole = (
  messages: readonly string[],
  { queries, changes }: { readonly queries: number; readonly changes: number },
) => {
  const ids = firstOnly(requestIdsIn(messages));
  expect(ids.filter((id) => id.startsWith('query'))).toEqual(numbered('query', queries));
  expect(ids.filter((id) => id.startsWith('change'))).toEqual(numbered('change', changes));
};

describe('the audit feed, to a syslog repository over TLS,', () => {
  let receiver: SyslogReceiver;
  beforeAll(async () => {
    receiver = await startSyslogReceiver();
  });
  afterAll(() => receiver.stop());

  it('ATNA-03: sends the whole trail, each log in its order, then what comes, and shows our certificate', async () => {
    const trail = memoryTrail();
    for (let n = 0; n < 100; n += 1) trail[n % 3 === 0 ? 'change' : 'query']();
    const from = receiver.messages.length;
    const { feed, cursors } = feedOf(trail, repositoryAt(receiver.port));
    await cursors.reached({ sequence: 34, access: 66 });
    trail.query(['S1', 'S2']);
    feed.moved();
    await cursors.reached({ sequence: 34, access: 67 });
    expect(await feed.behind()).toEqual({ ledger: 0, access: 0 });
    await feed.stop(MINUTE);
    const messages = receiver.messages.slice(from);
    expectWhole(messages, { queries: 67, changes: 34 });
    // Nothing broke, so nothing came twice: 34 + 66 rows, and two messages of the last.
    expect(messages).toHaveLength(102);
    expect(receiver.callers.at(-1)).toBe('openmrs');
  });

  it('ATNA-04: keeps what a repository misses while it is away, says so once, and sends it when it is back', async () => {
    const trail = memoryTrail();
    trail.query();
    const from = receiver.messages.length;
    const { feed, cursors, reports } = feedOf(trail, repositoryAt(receiver.port));
    await cursors.reached({ sequence: 0, access: 1 });
    await receiver.stop();
    for (let n = 0; n < 200; n += 1) trail[n % 2 === 0 ? 'change' : 'query']();
    feed.moved();
    await expect.poll(() => reports.length).toBe(1);
    expect(await feed.behind()).toEqual({ ledger: 100, access: 100 });
    await receiver.start();
    await cursors.reached({ sequence: 100, access: 101 });
    await feed.stop(MINUTE);
    expectWhole(receiver.messages.slice(from), { queries: 101, changes: 100 });
    expect(reports).toEqual([expect.stringContaining('ECONNREFUSED'), 'back']);
  });

  it('ATNA-04: goes on after a restart of ours where the repository stands', async () => {
    const trail = memoryTrail();
    for (let n = 0; n < 50; n += 1) trail.query();
    const from = receiver.messages.length;
    const first = feedOf(trail, repositoryAt(receiver.port));
    await first.cursors.reached({ sequence: 0, access: 50 });
    await first.feed.stop(MINUTE);
    trail.query();
    const second = feedOf(trail, repositoryAt(receiver.port), { cursors: first.cursors });
    await first.cursors.reached({ sequence: 0, access: 51 });
    await second.feed.stop(MINUTE);
    expect(requestIdsIn(receiver.messages.slice(from))).toEqual(numbered('query', 51));
  });

  it('ATNA-04: sends at the end of the process what it can', async () => {
    const trail = memoryTrail();
    const from = receiver.messages.length;
    const { feed, cursors } = feedOf(trail, repositoryAt(receiver.port), { times: { ...TIMES, look: MINUTE } });
    for (let n = 0; n < 30; n += 1) trail.change();
    await feed.stop(MINUTE);
    expect(cursors.read('r')).toEqual({ sequence: 30, access: 0 });
    expectWhole(receiver.messages.slice(from), { queries: 0, changes: 30 });
  });

  it('ends in its bound at the end of the process, whatever the repository does', async () => {
    const trail = memoryTrail();
    trail.query();
    const silent: AuditRepository = { name: 'r', open: () => new Promise(() => undefined) };
    const { feed, cursors } = feedOf(trail, silent);
    await feed.stop(10);
    expect(cursors.read('r')).toEqual({ sequence: 0, access: 0 });
  });

  it('begins where the trail ends when it is told to', async () => {
    const trail = memoryTrail();
    for (let n = 0; n < 5; n += 1) trail.query();
    const from = receiver.messages.length;
    const { feed, cursors } = feedOf(trail, repositoryAt(receiver.port), { from: 'now' });
    await cursors.reached({ sequence: 0, access: 5 });
    trail.query();
    feed.moved();
    await cursors.reached({ sequence: 0, access: 6 });
    await feed.stop(MINUTE);
    expect(requestIdsIn(receiver.messages.slice(from))).toEqual(['query-6']);
  });

  // Elsewhere 127.0.0.2 is no address of the machine.
  it.runIf(process.platform === 'linux')('ATNA-03: sends nothing to a host whose certificate is another’s', async () => {
    const elsewhere = await startSyslogReceiver('127.0.0.2');
    const trail = memoryTrail();
    trail.query();
    const { feed, reports } = feedOf(trail, repositoryAt(elsewhere.port, '127.0.0.2'));
    await expect.poll(() => reports).toEqual([expect.stringMatching(/127\.0\.0\.2 is not in the cert's list/)]);
    await feed.stop(MINUTE);
    expect(elsewhere.messages).toEqual([]);
    await elsewhere.stop();
  });

  it('ATNA-03: sends nothing to a host that none of the trusted authorities vouches for', async () => {
    const trail = memoryTrail();
    trail.query();
    const from = receiver.messages.length;
    const { ca: _, ...unaware } = tls;
    const repository = syslogRepository({ name: 'r', host: 'localhost', port: receiver.port, tls: unaware }, PATIENCE);
    const { feed, reports } = feedOf(trail, repository);
    await expect.poll(() => reports).toEqual([expect.stringMatching(/certificate/)]);
    await feed.stop(MINUTE);
    expect(receiver.messages).toHaveLength(from);
  });

  it('ATNA-03: is not confirmed by a repository that refuses our certificate', async () => {
    const trail = memoryTrail();
    trail.query();
    const from = receiver.messages.length;
    const repository = syslogRepository({ name: 'r', host: 'localhost', port: receiver.port, tls: { ca: tls.ca } }, PATIENCE);
    const { feed, cursors, reports } = feedOf(trail, repository);
    await expect.poll(() => reports.length).toBe(1);
    await feed.stop(MINUTE);
    expect(cursors.read('r')).toEqual({ sequence: 0, access: 0 });
    expect(receiver.messages).toHaveLength(from);
  });

  it('ATNA-04: however connections are cut, nothing is lost, and each log keeps its order', async () => {
    const cut = fc.record({ after: fc.integer({ min: 0, max: 60_000 }), how: fc.constantFrom('reset', 'end', 'stall') });
    const growth = fc.array(fc.constantFrom('query', 'change'), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { maxLength: 5 }), growth, growth, async (cuts, before, after) => {
        const trail = memoryTrail();
        for (const kind of before) trail[kind]();
        const from = receiver.messages.length;
        receiver.cut(cuts);
        const { feed, cursors } = feedOf(trail, repositoryAt(receiver.port), { times: { ...TIMES, quiet: 10 } });
        for (const kind of after) {
          trail[kind]();
          feed.moved();
        }
        const end = await trailEnd(trail);
        await cursors.reached(end);
        await feed.stop(MINUTE);
        receiver.cut([]);
        expectWhole(receiver.messages.slice(from), { queries: end.access, changes: end.sequence });
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

/** A repository in memory that confirms what it takes, refuses some for good, and breaks when it is told to. */
function memoryRepository(breaks: readonly number[], refused: (id: string) => boolean) {
  const taken: string[] = [];
  let sends = 0;
  let opens = 0;
  const repository: AuditRepository = {
    name: 'r',
    open: async () => {
      opens += 1;
      return {
        confirmedBy: 'send',
        send: async (events) => {
          sends += 1;
          if (breaks.includes(sends)) throw new Error(`it broke at ${sends}`);
          taken.push(...events.filter(({ id }) => !refused(id)).map(({ id }) => id));
          return events.filter(({ id }) => refused(id)).map(({ id }) => ({ event: id, why: 'refused' }));
        },
        close: async () => undefined,
        abort: () => undefined,
      };
    },
  };
  return { repository, taken, opened: () => opens };
}

describe('the audit feed, to a repository that confirms what it takes,', () => {
  it('ATNA-04: loses nothing and sends nothing twice when sendings fail, whichever', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 })), fc.integer({ min: 1, max: 200 }), async (breaks, count) => {
        const trail = memoryTrail();
        for (let n = 0; n < count; n += 1) trail.query();
        const { repository, taken } = memoryRepository(breaks, () => false);
        const { feed, cursors } = feedOf(trail, repository, { times: { ...TIMES, quiet: 1 } });
        await cursors.reached({ sequence: 0, access: count });
        await feed.stop(MINUTE);
        expect(taken).toEqual(Array.from({ length: count }, (_, n) => `access-${n + 1}-1`));
      }),
      { numRuns: 50 },
    );
  });

  it('goes past what is refused, keeps its id, and reports it', async () => {
    const trail = memoryTrail();
    for (let n = 0; n < 70; n += 1) trail.query();
    const { repository, taken } = memoryRepository([2], (id) => id === 'access-3-1' || id === 'access-65-1');
    const { feed, cursors, reports } = feedOf(trail, repository);
    await cursors.reached({ sequence: 0, access: 70 });
    await feed.stop(MINUTE);
    expect(taken).toHaveLength(68);
    expect(cursors.setAside.map(({ event }) => event)).toEqual(['access-3-1', 'access-65-1']);
    expect(reports).toEqual(['aside access-3-1', 'it broke at 2', 'aside access-65-1', 'back']);
  });

  it('says that it is away once a minute at most, and connects ever more rarely', async () => {
    const trail = memoryTrail();
    trail.query();
    const times = { ...TIMES, retry: 10, longestRetry: 40, report: 1_000 };
    const waits: number[] = [];
    let now = 0;
    const patient: FeedParts['sleep'] = async (milliseconds, signal) => {
      if (signal.aborted || waits.length >= 100) return sleep(milliseconds, signal);
      waits.push(milliseconds);
      now += milliseconds;
    };
    const away: AuditRepository = { name: 'r', open: () => Promise.reject(new Error('nobody is there')) };
    const { feed, reports } = feedOf(trail, away, { times, sleep: patient, clock: { monotonic: () => now } });
    await expect.poll(() => waits.length).toBe(100);
    await feed.stop(MINUTE);
    expect(waits.slice(0, 5)).toEqual([10, 20, 40, 40, 40]);
    expect(reports).toHaveLength(1 + Math.floor(now / 1_000));
  });
});
