import Fastify, { type FastifyInstance } from 'fastify';

export interface AdminDependencies {
  /** It listens on loopback only, so nobody calls it by another name than that. */
  readonly loopback: boolean;
  readonly ready: () => boolean;
  /** What the registry says of itself, without personal data. */
  readonly detail: () => Promise<object>;
  readonly metrics: () => Promise<string>;
  readonly metricsType: string;
}

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1', '[::1]'];

/** The operators' door (design §3): plain HTTP on loopback, health in detail and metrics. The stewards' pages come later. */
export function createAdminDoor(dependencies: AdminDependencies): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: 1024 });
  // A page in somebody's browser may give a name of its own to this address (DNS rebinding): only our names are answered.
  app.addHook('onRequest', async (request, reply) => {
    if (dependencies.loopback && !LOOPBACK_NAMES.includes(request.hostname))
      return reply.code(421).send({ status: 'not a name of this door' });
    return undefined;
  });
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) =>
    reply.code(dependencies.ready() ? 200 : 503).send({ status: dependencies.ready() ? 'ready' : 'starting' }),
  );
  app.get('/health', async () => dependencies.detail());
  app.get('/metrics', async (_request, reply) => reply.type(dependencies.metricsType).send(await dependencies.metrics()));
  return app;
}
