import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../domain/errors.ts';
import type { Client, Grant, Principal, Proof } from '../domain/principals.ts';
import { withFormatInLinks } from '../fhir/bundle.ts';
import { writeXml } from '../fhir/xml/write-xml.ts';
import type { AccessEntry } from '../registry/ports.ts';
import { type Format, negotiated } from './negotiation.ts';

/** What a handler sees of a request, or of an entry of a Bundle that asks for something. */
export type Asking = Pick<FastifyRequest, 'method' | 'params' | 'headers' | 'body'> & {
  readonly raw: Pick<FastifyRequest['raw'], 'url'>;
};

/** One request of an authenticated client, and what its answer will say in the access log. */
export interface Exchange {
  readonly request: Asking;
  /** Its scopes are those that it has here and now: a token may have narrowed them. */
  readonly client: Client;
  /** What a token allows of what the client may; null: all of it. */
  readonly grants: ReadonlySet<Grant> | null;
  readonly proof: Proof | null;
  readonly principal: Principal;
  readonly requestId: string;
  readonly address: string;
  /** Base of the FHIR service as this client calls it, without a slash at the end. */
  readonly base: string;
}

/** What was asked in a body, written as the query that would have asked it: the access log keeps it with the URL. */
export interface Asked {
  readonly asked?: string;
  /** The body as it was sent, where it is the question: kept below the request line, in place of `asked`. */
  readonly body?: string;
}

/**
 * What a route answers. `log` names what is written to the access log; absent for writes, which their change set audits.
 * Its status is the answer's unless it says another: a batch is answered with 200 and may hold refusals.
 */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object | null;
  readonly log?: Pick<AccessEntry, 'event' | 'patients'> & Partial<Pick<AccessEntry, 'status' | 'code' | 'count'>> & Asked;
  /** What was read for entries of a Bundle, beside `log`: `line` is the request line that each stands for. */
  readonly parts?: readonly (NonNullable<Answer['log']> & { readonly line: string })[];
  /** `_format` of a form, which beats that of the URL. */
  readonly format?: string;
  /** Why it was refused, where it was. */
  readonly refusal?: Refusal;
}

/** How an answer is written. */
interface Writing {
  readonly format: Format;
  /** `_format` as it was asked for: links go on asking for it. */
  readonly asked: string | undefined;
  readonly pretty: boolean;
}

/** `_format` as it is asked for: that of a form beats that of the URL. */
const askedFormat = (request: Asking, inForm: string | undefined): string | undefined =>
  inForm ?? queryOf(request).get('_format') ?? undefined;

/** REST-02, REST-03: the format that a request asks for; undefined: it cannot be had. */
export const formatFor = (request: Asking, inForm?: string): Format | undefined =>
  negotiated(request.headers.accept, askedFormat(request, inForm));

/** REST-11: as the request asks for it; in JSON where it asks for what cannot be had. */
const writingOf = (request: Asking, inForm: string | undefined): Writing => ({
  format: formatFor(request, inForm) ?? 'json',
  asked: askedFormat(request, inForm),
  pretty: queryOf(request).get('_pretty') === 'true',
});

/** Sends an answer. PHI is never kept by anybody on the way. */
export function send(reply: FastifyReply, answer: Answer): FastifyReply {
  void reply.code(answer.status).header('cache-control', 'no-store');
  for (const [name, value] of Object.entries(answer.headers ?? {})) void reply.header(name, value);
  if (answer.body === null) return reply.send();
  const { format, asked, pretty } = writingOf(reply.request, answer.format);
  const body = asked === undefined ? answer.body : withFormatInLinks(answer.body, asked);
  const type = answer.headers?.['content-type'];
  if (type === undefined && format === 'xml')
    return reply.type('application/fhir+xml; charset=utf-8').send(writeXml(body, pretty));
  return reply.type(type ?? 'application/fhir+json; charset=utf-8').send(JSON.stringify(body, undefined, pretty ? 2 : 0));
}

/** The parameters of a request's URL, decoded, in the order given. */
export const queryOf = ({ raw }: Pick<Asking, 'raw'>): URLSearchParams =>
  new URLSearchParams(raw.url?.split('?').slice(1).join('?') ?? '');

export const principalOf = (client: Client): Principal => ({ kind: 'client', name: client.name, scopes: client.scopes });
