import type { Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { ServerOptions } from 'node:https';
import cors from '@fastify/cors';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Refusal } from '../domain/errors.ts';
import type { Client, Grant, Proof } from '../domain/principals.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import type { AccessEntry, AccessLog, Clock, NewId } from '../registry/ports.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { corsOf } from './cors.ts';
import { type Answer, type Asked, type Exchange, formatFor, principalOf, send } from './exchange.ts';
import { describeError, failure, refusalOf } from './failure.ts';
import { checkAcceptable } from './negotiation.ts';

/** Why somebody is not let in; `agent` is the name in a certificate, a token or a login that is good all the same, else ''. */
export type RefusedCaller = Refusal & {
  readonly agent: string;
  readonly proof: Proof | null;
  /** Of the answer: a challenge, when to try again. */
  readonly headers: Readonly<Record<string, string>>;
};

/** Somebody who is let in, and what a token of theirs allows (null: all that the client may). */
export interface AdmittedCaller {
  readonly client: Client;
  readonly grants: ReadonlySet<Grant> | null;
  readonly proof: Proof | null;
}

/** What a request shows of its sender. */
export interface ShownCredentials {
  readonly socket: TLSSocket;
  readonly authorization: string | undefined;
  readonly onBehalfOf: string | undefined;
  readonly address: string;
}

/** What the door itself needs, whatever is behind it. */
export interface DoorDependencies {
  readonly tls: ServerOptions;
  /** Decides on what is shown, at every request. */
  readonly authenticate: (shown: ShownCredentials) => Promise<AdmittedCaller | RefusedCaller>;
  readonly accessLog: AccessLog;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly ready: () => boolean;
  readonly publicBaseUrl: string | null;
  /** Web origins whose pages may call. */
  readonly origins: readonly string[];
  readonly bodyBytes: number;
  readonly requestTimeoutMs: number;
  readonly log: FastifyBaseLogger;
  /** Called once an answer is on its way. */
  readonly observe: (request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly milliseconds: number;
  }) => void;
}

export type Handler = (exchange: Exchange) => Promise<Answer>;
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';

export interface Route {
  readonly method: Method;
  readonly url: string;
  readonly handler: Handler;
  /** What a token has to allow for it; null: nothing in particular. */
  readonly needs: Grant | null;
}

const addressOf = (request: FastifyRequest): string => (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,64}$/;

const headerOf = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** REST-10: the caller's X-Request-Id, else the transaction of the OpenHIM that it came through (HIM-22), where plain; else ours. */
const requestIdOf = (dependencies: DoorDependencies, request: FastifyRequest): string =>
  ['x-request-id', 'x-openhim-transactionid']
    .map((name) => headerOf(request, name))
    .find((sent) => sent !== undefined && REQUEST_ID.test(sent)) ?? dependencies.newId();

/** Characters kept of what somebody unknown asked: strangers must not fill the disk (design §2.1). */
const STRANGERS_QUERY = 512;

const HSTS = 'max-age=31536000';
/** Of URL and headers; less than a TLS record holds, so that what is too large is known by its first packet, with its method. */
const HEAD_BYTES = 15 * 1024;
const KEEP_ALIVE_MS = 72_000;
/** At most this long after its time is up a slow sender is found out. */
const SLOW_CHECK_MS = 5_000;

/** Who is behind a request, as far as it is known. */
interface Caller {
  readonly admitted: AdmittedCaller | null;
  /** The client's name, also that of one who is refused but whose certificate is trusted; '' when nobody knows. */
  readonly agent: string;
  readonly proof: Proof | null;
  readonly requestId: string;
}

const unknown = (requestId: string): Caller => ({ admitted: null, agent: '', proof: null, requestId });

/** RFC 6750, section 3.1: the token is good, but not for this. */
const outOfScope = (needs: Grant): Answer => {
  const answer = failure(refuse('insufficient-scope', `The token lacks the scope ${needs}.`));
  const challenge = `Bearer realm="OpenCR", error="insufficient_scope", scope="${needs}"`;
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } };
};

function createApp({ tls, log, bodyBytes, requestTimeoutMs }: DoorDependencies, refuseUnrouted: Refuse) {
  return Fastify({
    // Node looks for slow senders at the interval only, and times bodies by the larger of the two timeouts.
    https: {
      ...tls,
      maxHeaderSize: HEAD_BYTES,
      handshakeTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(SLOW_CHECK_MS, requestTimeoutMs),
    },
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 8_192, ignoreTrailingSlash: true, querystringParser: () => ({}) },
    // Before routing there are no hooks.
    frameworkErrors(error, request, reply) {
      void refuseUnrouted(request, reply, failure(refusalOf(error)));
    },
    clientErrorHandler: answerBrokenRequest,
  }) as unknown as FastifyInstance<Server>;
}

type Refuse = (request: FastifyRequest, reply: FastifyReply, answer: Answer) => Promise<FastifyReply>;

/**
 * The point-of-service door: mutual TLS, one authentication decision a request, one error handler, and an access log
 * entry that is durable before a read or a refusal is answered (design §2.1).
 */
class Door {
  readonly app: FastifyInstance<Server>;
  private readonly dependencies: DoorDependencies;
  private readonly callers = new WeakMap<FastifyRequest, Caller>();

  constructor(dependencies: DoorDependencies) {
    this.dependencies = dependencies;
    const app = createApp(dependencies, (request, reply, answer) => {
      this.identify(request, reply);
      return this.refuse(request, reply, answer);
    });
    this.app = app;
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body);
    });
    app.setErrorHandler(this.fail);
    app.setNotFoundHandler((request, reply) =>
      this.refuse(request, reply, failure(refuse('not-found', `There is nothing at this URL for ${request.method}.`))),
    );
    app.addHook('onResponse', async (request, reply) => {
      dependencies.observe({
        route: request.routeOptions.url ?? 'none',
        method: request.method,
        status: reply.statusCode,
        milliseconds: reply.elapsedTime,
      });
    });
  }

  /** In this order: a browser asks whether a page may call before it shows who calls, and reads refusals too. */
  async guard(): Promise<void> {
    const { origins } = this.dependencies;
    if (origins.length > 0) await this.app.register(cors, corsOf(origins));
    this.app.addHook('onRequest', this.admit);
  }

  readonly add = (routes: readonly Route[]): void => {
    for (const route of routes) {
      const { method, url } = route;
      this.app.route({ method, url, handler: (request, reply) => this.answer(request, reply, route) });
    }
  };

  private callerOf(request: FastifyRequest): Caller {
    return this.callers.get(request) ?? unknown(this.dependencies.newId());
  }

  private async log(
    request: FastifyRequest,
    facts: Pick<AccessEntry, 'event' | 'status' | 'patients' | 'code'> & Asked & { readonly line?: string },
  ): Promise<void> {
    const { agent, requestId, proof } = this.callerOf(request);
    const { asked, body, line, ...rest } = facts;
    const url = request.raw.url ?? '';
    const more = body !== undefined ? `\n${body}` : asked !== undefined ? `${url.includes('?') ? '&' : '?'}${asked}` : '';
    const query = line ?? `${request.method} ${url}${more}`;
    await this.dependencies.accessLog.append({
      count: 1,
      ...rest,
      agent,
      requestId,
      ...(proof && { proof }),
      at: this.dependencies.clock.now(),
      address: addressOf(request),
      query: agent === '' ? query.slice(0, STRANGERS_QUERY) : query,
    });
  }

  private readonly refuse: Refuse = async (request, reply, answer) => {
    const { asked } = answer.log ?? {};
    await this.log(request, {
      ...{ event: 'refusal', status: answer.status, patients: [], code: answer.refusal?.code ?? '' },
      ...(asked !== undefined && { asked }),
    });
    return send(reply, answer);
  };

  private readonly fail = async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const refusal = refusalOf(error);
    const { requestId } = this.callerOf(request);
    if (refusal.code === 'internal') this.dependencies.log.error({ requestId, error: describeError(error) }, 'request failed');
    return this.refuse(request, reply, failure(refusal));
  };

  /** Answers with the request's id, under which it is logged from here on. */
  private identify(request: FastifyRequest, reply: FastifyReply): string {
    const requestId = requestIdOf(this.dependencies, request);
    void reply.header('x-request-id', requestId).header('strict-transport-security', HSTS);
    const correlation = headerOf(request, 'x-correlation-id');
    if (correlation !== undefined && REQUEST_ID.test(correlation)) void reply.header('x-correlation-id', correlation);
    this.callers.set(request, unknown(requestId));
    return requestId;
  }

  /** Who is it, and may they in? Decided at every request. */
  private readonly admit = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const requestId = this.identify(request, reply);
    if (request.routeOptions.url?.startsWith('/health/')) return undefined;
    const { socket } = request.raw;
    if (!(socket instanceof TLSSocket)) throw new Error('a request came without TLS');
    const { authorization } = request.headers;
    const onBehalfOf = headerOf(request, 'x-openhim-clientid');
    const judged = await this.dependencies.authenticate({ socket, authorization, onBehalfOf, address: addressOf(request) });
    if (isRefusal(judged)) {
      const { agent, proof } = judged;
      this.callers.set(request, { admitted: null, agent, proof, requestId });
      const answer = failure(judged);
      return this.refuse(request, reply, { ...answer, headers: { ...answer.headers, ...judged.headers } });
    }
    this.callers.set(request, { admitted: judged, agent: judged.client.name, proof: judged.proof, requestId });
    if (this.dependencies.ready()) return undefined;
    return this.refuse(request, reply, failure(refuse('not-ready', 'The registry is not ready yet; try again later.')));
  };

  private exchangeOf(request: FastifyRequest): Exchange {
    const { admitted, requestId } = this.callerOf(request);
    if (!admitted) throw new Error('a route was reached without a client');
    const { client, grants, proof } = admitted;
    const base = this.dependencies.publicBaseUrl ?? `https://${request.host}/fhir`;
    return { request, client, grants, proof, principal: principalOf(client), requestId, address: addressOf(request), base };
  }

  private async answer(request: FastifyRequest, reply: FastifyReply, { handler, needs }: Route): Promise<FastifyReply> {
    const exchange = this.exchangeOf(request);
    if (needs !== null && exchange.grants?.has(needs) === false) return this.refuse(request, reply, outOfScope(needs));
    checkAcceptable(formatFor(request));
    const answer = await handler(exchange);
    if (answer.refusal) return this.refuse(request, reply, answer);
    for (const part of answer.parts ?? []) await this.log(request, { status: answer.status, code: '', ...part });
    if (answer.log) await this.log(request, { status: answer.status, code: '', ...answer.log });
    return send(reply, answer);
  }
}

export async function createDoor(dependencies: DoorDependencies): Promise<Pick<Door, 'app' | 'add'>> {
  const door = new Door(dependencies);
  await door.guard();
  return door;
}
