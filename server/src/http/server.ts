import type { Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { ServerOptions } from 'node:https';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { RegistryError, type Refusal } from '../domain/errors.ts';
import type { Client } from '../domain/principals.ts';
import { operationOutcome, statusOf } from '../fhir/outcome.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import type { AccessEntry, AccessLog, Clock, NewId } from '../registry/ports.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { type Answer, type Exchange, principalOf, send } from './exchange.ts';
import { checkAcceptable } from './negotiation.ts';

/** What the door itself needs, whatever is behind it. */
export interface DoorDependencies {
  readonly tls: ServerOptions;
  /** Decides on the certificate of a socket, at every request. */
  readonly authenticate: (socket: TLSSocket) => Client | Refusal;
  readonly accessLog: AccessLog;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly ready: () => boolean;
  readonly publicBaseUrl: string | null;
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
}

const refusalOf = (error: unknown): Refusal => {
  if (error instanceof RegistryError) return { code: error.code, issues: error.issues };
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse('too-large', 'The body is too large.');
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') return refuse('invalid-request', 'Content-Length does not fit the body.');
  if (code === 'FST_ERR_BAD_URL') return refuse('invalid-request', 'The URL cannot be decoded.');
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return refuse('invalid-request', 'A part of the URL is too long.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return refuse('unsupported-media-type', 'The Content-Type is none.');
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') return refuse('invalid-request', 'The body ended early.');
  return refuse('internal', 'The registry failed on this request; nothing was kept. Its log has the request id.');
};

const addressOf = (request: FastifyRequest): string => (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,64}$/;

/** REST-10: the caller's X-Request-Id where it is a plain one, else ours. */
const requestIdOf = (dependencies: DoorDependencies, request: FastifyRequest): string => {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : dependencies.newId();
};

const HSTS = 'max-age=31536000';
/** Codes that may pass if the request is sent again later. */
const RETRY: readonly string[] = ['busy', 'not-ready', 'no-space', 'too-many-requests'];

export const failure = (refusal: Refusal): Answer => ({
  status: statusOf(refusal.code),
  ...(RETRY.includes(refusal.code) && { headers: { 'retry-after': '5' } }),
  body: operationOutcome(refusal),
  refusal,
});

/**
 * The point-of-service door: mutual TLS, one authentication decision a request, one error handler, and an access log
 * entry that is durable before a read or a refusal is answered (design §2.1).
 */
export function createDoor(dependencies: DoorDependencies): {
  readonly app: FastifyInstance<Server>;
  readonly add: (routes: readonly Route[]) => void;
} {
  const app = Fastify({
    // Node looks for slow senders at the interval only, and times bodies by the larger of the two timeouts.
    https: {
      ...dependencies.tls,
      headersTimeout: dependencies.requestTimeoutMs,
      requestTimeout: dependencies.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, dependencies.requestTimeoutMs),
    },
    loggerInstance: dependencies.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: dependencies.bodyBytes,
    requestTimeout: dependencies.requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 8_192, ignoreTrailingSlash: true, querystringParser: () => ({}) },
    // Before routing there are no hooks.
    frameworkErrors(error, request, reply) {
      void refuseRequest(request, reply, { agent: '', requestId: dependencies.newId(), answer: failure(refusalOf(error)) });
    },
    clientErrorHandler: answerBrokenRequest,
  }) as unknown as FastifyInstance<Server>;

  const entry = (
    request: FastifyRequest,
    facts: Omit<AccessEntry, 'at' | 'address' | 'query' | 'count'> & Partial<Pick<AccessEntry, 'count'>>,
  ): AccessEntry => ({
    count: 1,
    ...facts,
    at: dependencies.clock.now(),
    address: addressOf(request),
    query: `${request.method} ${request.raw.url ?? ''}`,
  });

  const refuseRequest = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { answer, ...who }: { readonly agent: string; readonly requestId: string; readonly answer: Answer },
  ): Promise<FastifyReply> => {
    await dependencies.accessLog.append(
      entry(request, { event: 'refusal', ...who, status: answer.status, patients: [], code: answer.refusal?.code ?? '' }),
    );
    return send(reply, answer);
  };

  const clients = new WeakMap<FastifyRequest, { client: Client | null; requestId: string }>();

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });

  app.addHook('onRequest', async (request, reply) => {
    const requestId = requestIdOf(dependencies, request);
    void reply.header('x-request-id', requestId).header('strict-transport-security', HSTS);
    const correlation = request.headers['x-correlation-id'];
    if (typeof correlation === 'string' && REQUEST_ID.test(correlation)) void reply.header('x-correlation-id', correlation);
    clients.set(request, { client: null, requestId });
    if (request.routeOptions.url?.startsWith('/health/')) return;
    const { socket } = request.raw;
    if (!(socket instanceof TLSSocket)) throw new Error('a request came without TLS');
    const judged = dependencies.authenticate(socket);
    if (isRefusal(judged)) return refuseRequest(request, reply, { agent: '', requestId, answer: failure(judged) });
    clients.set(request, { client: judged, requestId });
    if (!dependencies.ready()) {
      return refuseRequest(request, reply, {
        agent: judged.name,
        requestId,
        answer: failure(refuse('not-ready', 'The registry is not ready yet; try again later.')),
      });
    }
  });

  const whoOf = (request: FastifyRequest): { agent: string; requestId: string } => {
    const known = clients.get(request);
    return { agent: known?.client?.name ?? '', requestId: known?.requestId ?? '' };
  };

  app.setErrorHandler(async (error, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.code === 'internal')
      dependencies.log.error({ requestId: whoOf(request).requestId, error: describe(error) }, 'request failed');
    return refuseRequest(request, reply, { ...whoOf(request), answer: failure(refusal) });
  });

  app.setNotFoundHandler(async (request, reply) =>
    refuseRequest(request, reply, {
      ...whoOf(request),
      answer: failure(refuse('not-found', `There is nothing at this URL for ${request.method}.`)),
    }),
  );

  app.addHook('onResponse', async (request, reply) => {
    dependencies.observe({
      route: request.routeOptions.url ?? 'none',
      method: request.method,
      status: reply.statusCode,
      milliseconds: reply.elapsedTime,
    });
  });

  const exchangeOf = (request: FastifyRequest): Exchange => {
    const known = clients.get(request);
    if (!known?.client) throw new Error('a route was reached without a client');
    return {
      request,
      client: known.client,
      principal: principalOf(known.client),
      requestId: known.requestId,
      address: addressOf(request),
      base: dependencies.publicBaseUrl ?? `https://${request.host}/fhir`,
    };
  };

  const add = (routes: readonly Route[]): void => {
    for (const { method, url, handler } of routes) {
      app.route({
        method,
        url,
        handler: async (request, reply) => {
          const exchange = exchangeOf(request);
          checkAcceptable(
            request.headers.accept,
            new URLSearchParams(request.raw.url?.split('?')[1] ?? '').get('_format') ?? undefined,
          );
          const answer = await handler(exchange);
          if (answer.refusal) return refuseRequest(request, reply, { ...whoOf(request), answer });
          if (answer.log) {
            await dependencies.accessLog.append(
              entry(request, {
                agent: exchange.client.name,
                requestId: exchange.requestId,
                status: answer.status,
                code: '',
                ...answer.log,
              }),
            );
          }
          return send(reply, answer);
        },
      });
    }
  };
  return { app, add };
}

/** What of an unexpected error may go to a log: its class and where it was thrown. Its message may hold personal data. */
const describe = (error: unknown): { readonly name: string; readonly frames: readonly string[] } =>
  error instanceof Error
    ? { name: error.name, frames: error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [] }
    : { name: 'unknown', frames: [] };
