/** Requests against a registry, several at once, and what must hold of it and of its answers. */
import fc from 'fast-check';
import type { LedgerHead } from '../../src/app/server.ts';
import type { Answer } from '../support/registry-server.ts';
import { complaint, keptOf } from './judge.ts';
import type { ClientName, Shot } from './requests.ts';

export interface Target {
  readonly send: (
    method: string,
    path: string,
    sending: { readonly client: ClientName; readonly headers: Shot['headers']; readonly body?: string | Buffer },
  ) => Promise<Answer>;
  /** Where the ledger stands. */
  readonly head: () => Promise<LedgerHead>;
}

const TOGETHER = 5;
/** Milliseconds in which every request is answered, on a busy machine too. */
const PATIENCE = 20_000;
/** Characters of what fast-check says: its seed stands first, and a URL may be long. */
const WORDS = 4_000;
/** Ids that are remembered, the newest in place of the oldest. */
const KNOWN = 300;

interface Ids {
  readonly patients: string[];
  readonly events: string[];
  seen: number;
}

function learn(ids: Ids, { headers, text }: Answer): void {
  for (const name of ['location', 'locationcruid'] as const) {
    const id = /^Patient\/([^/]+)/.exec(headers[name] ?? '')?.[1];
    if (id !== undefined) ids.patients[ids.seen++ % KNOWN] = id;
  }
  const event = /"resourceType":"AuditEvent","id":"([^"]+)"/.exec(text)?.[1];
  if (event !== undefined) ids.events[ids.seen++ % KNOWN] = event;
}

/** The text with ids that the registry gave in place of `@n@`. */
const named = (ids: Ids, text: string): string =>
  text.replaceAll(/@(A?)(\d+)@/g, (_, kind: string, n: string) => {
    const known = (kind === 'A' ? ids.events : ids.patients).filter((id) => id !== '');
    return known[Number(n) % Math.max(known.length, 1)] ?? 'none';
  });

const shotInWords = (ids: Ids, { method, path }: Shot): string => `${method} ${named(ids, path).slice(0, 500)}`;

async function fire(target: Target, ids: Ids, shot: Shot): Promise<Answer> {
  const { method, path, headers, content, client } = shot;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`no answer after ${PATIENCE} ms`));
  }, PATIENCE);
  const body = typeof content === 'string' ? named(ids, content) : content;
  try {
    const sending = { client, headers, ...(body !== null && { body }) };
    return await Promise.race([target.send(method, named(ids, path), sending), late.promise]);
  } catch (error) {
    throw new Error(`${shotInWords(ids, shot)} of ${client ?? 'nobody'} was not answered`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

interface Answered {
  readonly shot: Shot;
  readonly answer: Answer;
}

/** What was refused leaves nothing: the ledger moved by what the answers say was kept. */
function requireKept(answered: readonly Answered[], before: LedgerHead, after: LedgerHead): void {
  const kept = answered.map(({ shot, answer }) => keptOf(shot, answer));
  const [least, most] = [kept.reduce((sum, one) => sum + one.least, 0), kept.reduce((sum, one) => sum + one.most, 0)];
  const moved = after.sequence - before.sequence;
  if (moved >= least && moved <= most && (moved > 0 || after.hash === before.hash)) return;
  const said = answered.map(({ shot, answer }) => `${shot.method} ${shot.path.slice(0, 500)} ${answer.status}`).join('\n');
  throw new Error(`the ledger moved by ${moved}, the answers say ${least} to ${most}:\n${said}`);
}

async function volley(target: Target, ids: Ids, shots: readonly Shot[]): Promise<readonly Answered[]> {
  const before = await target.head();
  const settled = await Promise.allSettled(shots.map(async (shot) => ({ shot, answer: await fire(target, ids, shot) })));
  // Only once all are through: what is still under way would be counted to the next.
  const answered = settled.map((one) => {
    if (one.status === 'rejected') throw one.reason as Error;
    return one.value;
  });
  for (const { shot, answer } of answered) {
    const wrong = complaint(shot, answer);
    if (wrong !== null) {
      throw new Error(`${wrong}: ${shotInWords(ids, shot)} ${answer.status} ${answer.text.slice(0, 500)}`);
    }
    learn(ids, answer);
  }
  requireKept(answered, before, await target.head());
  return answered;
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ''}` : String(error);

/** How often each status was answered. */
export type Statuses = ReadonlyMap<number, number>;

/** Sends so many requests, a few at once; rejects with the least that shows what is wrong. A seed repeats a run. */
export async function fuzz(
  target: Target,
  shot: fc.Arbitrary<Shot>,
  { requests, seed }: { readonly requests: number; readonly seed?: number },
): Promise<Statuses> {
  const ids: Ids = { patients: [], events: [], seen: 0 };
  const statuses = new Map<number, number>();
  let first: unknown;
  const property = fc.asyncProperty(fc.array(shot, { minLength: TOGETHER, maxLength: TOGETHER }), async (shots) => {
    // What the registry holds has changed by the time it is tried with less, so the first complaint is told as well.
    const answered = await volley(target, ids, shots).catch((error: unknown) => {
      first ??= error;
      throw error;
    });
    for (const { answer } of answered) statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  });
  await fc
    .assert(property, {
      numRuns: Math.ceil(requests / TOGETHER),
      includeErrorInReport: true,
      ...(seed !== undefined && { seed }),
    })
    .catch((error: unknown) => {
      throw new Error(`at first: ${describe(first)}\n${describe(error).slice(0, WORDS)}`, { cause: first });
    });
  return statuses;
}

export const inWords = (statuses: Statuses): string =>
  [...statuses]
    .toSorted(([one], [other]) => one - other)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ');

/** Requests that are asked for by the environment: FUZZ_RUNS of them, FUZZ_SEED to repeat a run. */
export const asked = (requests: number): { readonly requests: number; readonly seed?: number } => {
  const { FUZZ_RUNS: runs = requests, FUZZ_SEED: seed } = process.env;
  return { requests: Number(runs), ...(seed !== undefined && { seed: Number(seed) }) };
};
