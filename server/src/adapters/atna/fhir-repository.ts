import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import { isFields } from '../../fhir/fields.ts';
import type { AuditEvent } from '../../fhir/r4.ts';
import type { AuditRepository, AuditSession, SetAside } from '../../registry/ports.ts';
import type { ClientTls } from './syslog-repository.ts';

export interface FhirRepository {
  readonly name: string;
  /** Base URL of the FHIR service, without a slash at the end. */
  readonly url: string;
  /** Events in a batch Bundle; 1: each by itself. */
  readonly bundle: number;
  readonly tls: ClientTls;
}

/** Milliseconds: for an answer, and before each further attempt at an event that alone was not taken. */
export interface FhirPatience {
  readonly answer: number;
  readonly again: readonly number[];
}

const FHIR_PATIENCE: FhirPatience = { answer: 30_000, again: [1_000, 5_000, 15_000] };

/** Of an answer; a repository says little. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The repository looked at the event and refuses it: it will do so again. Every other failure is the way, the rights or the service. */
const NEVER = new Set([400, 409, 410, 412, 413, 422]);

type Fate = { readonly kind: 'taken' } | { readonly kind: 'never' | 'later'; readonly why: string };
const TAKEN: Fate = { kind: 'taken' };

const fateOf = (status: number): Fate => {
  if (status >= 200 && status < 300) return TAKEN;
  return { kind: NEVER.has(status) ? 'never' : 'later', why: `it answered with ${status}` };
};

interface Answered {
  readonly status: number;
  readonly text: string;
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

type Post = (path: string, body: object) => Promise<Answered>;

/** Requests on one connection that is kept, each within its time. */
function poster({ url, tls }: FhirRepository, answerMs: number) {
  const secure = url.startsWith('https:');
  const agent = secure
    ? new Agent({ keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.2', ...tls })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const ended = new AbortController();
  const post: Post = (path, body) =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.from(JSON.stringify(body), 'utf8');
      const headers = {
        'content-type': 'application/fhir+json; charset=utf-8',
        accept: 'application/fhir+json',
        prefer: 'return=minimal',
        'content-length': bytes.length,
      };
      const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(answerMs)]);
      const outgoing = (secure ? httpsRequest : httpRequest)(
        `${url}${path}`,
        { method: 'POST', headers, agent, signal },
        (incoming) => {
          readAll(incoming).then((text) => {
            resolve({ status: incoming.statusCode ?? 0, text });
          }, reject);
        },
      );
      outgoing.on('error', (error) => {
        reject(signal.aborted ? new Error('it did not answer in time', { cause: error }) : error);
      });
      outgoing.end(bytes);
    });
  return {
    post,
    ended: ended.signal,
    destroy: (): void => {
      ended.abort();
      agent.destroy();
    },
  };
}

/** Statuses of the entries of a batch-response; undefined for any other answer. */
function entryStatuses(text: string, count: number): readonly number[] | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (!isFields(body) || body['resourceType'] !== 'Bundle' || !Array.isArray(body['entry'])) return undefined;
    const entries: readonly unknown[] = body['entry'];
    if (entries.length !== count) return undefined;
    return entries.map((entry) => {
      const response = isFields(entry) ? entry['response'] : undefined;
      return Number.parseInt(isFields(response) ? String(response['status']) : '', 10) || 0;
    });
  } catch {
    return undefined;
  }
}

const batchOf = (events: readonly AuditEvent[]): object => ({
  resourceType: 'Bundle',
  type: 'batch',
  entry: events.map((resource) => ({ resource, request: { method: 'POST', url: 'AuditEvent' } })),
});

/** One after the other; the rest stays for later once three in a row were. */
async function oneByOne(post: Post, events: readonly AuditEvent[]): Promise<readonly Fate[]> {
  const fates: Fate[] = [];
  let late = 0;
  for (const event of events) {
    const before = fates.at(-1);
    const fate = late >= 3 && before ? before : fateOf((await post('/AuditEvent', event)).status);
    late = fate.kind === 'later' ? late + 1 : 0;
    fates.push(fate);
  }
  return fates;
}

async function together(post: Post, events: readonly AuditEvent[]): Promise<readonly Fate[]> {
  const { status, text } = await post('', batchOf(events));
  const whole = fateOf(status);
  // Perhaps one of them spoils it.
  if (whole.kind === 'never') return oneByOne(post, events);
  if (whole.kind === 'later') return events.map(() => whole);
  const statuses = entryStatuses(text, events.length);
  return statuses?.map(fateOf) ?? events.map(() => ({ kind: 'later', why: `it answered with ${status}, and no batch-response` }));
}

interface Sent {
  readonly event: AuditEvent;
  readonly fate: Fate;
}

const inChunks = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));

/** Sends all; @throws when the repository takes none of a chunk, and refuses none for good. */
async function sendOnce(post: Post, events: readonly AuditEvent[], bundle: number): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  for (const chunk of inChunks(events, bundle === 1 ? events.length : bundle)) {
    const fates = await (bundle === 1 ? oneByOne(post, chunk) : together(post, chunk));
    const [first] = fates;
    if (first?.kind === 'later' && fates.every(({ kind }) => kind === 'later')) throw new Error(first.why);
    sent.push(...chunk.flatMap((event, n) => (fates[n] ? [{ event, fate: fates[n] }] : [])));
  }
  return sent;
}

const asideOf = ({ event, fate }: Sent): readonly SetAside[] =>
  fate.kind === 'taken' ? [] : [{ event: event.id, why: fate.why }];

/**
 * An audit repository by FHIR (ITI-20, ATX: FHIR Feed). An event that it refuses is set aside, so is one that it fails on again and again
 * while it takes others; where it takes none, or cannot be reached, everything waits.
 */
export const fhirRepository = (repository: FhirRepository, patience: FhirPatience = FHIR_PATIENCE): AuditRepository => ({
  name: repository.name,
  async open(): Promise<AuditSession> {
    const { post, ended, destroy } = poster(repository, patience.answer);
    return {
      confirmedBy: 'send',
      send: async (events) => {
        const sent = await sendOnce(post, events, repository.bundle);
        const aside = sent.filter(({ fate }) => fate.kind === 'never').flatMap(asideOf);
        let late = sent.filter(({ fate }) => fate.kind === 'later');
        for (const wait of patience.again) {
          if (late.length === 0) break;
          await setTimeout(wait, undefined, { signal: ended });
          const again: Sent[] = [];
          for (const { event } of late) again.push({ event, fate: fateOf((await post('/AuditEvent', event)).status) });
          late = again.filter(({ fate }) => fate.kind !== 'taken');
        }
        return [...aside, ...late.flatMap(asideOf)];
      },
      close: async () => {
        destroy();
      },
      abort: destroy,
    };
  },
});
