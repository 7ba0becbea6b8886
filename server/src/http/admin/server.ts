import Fastify, { type FastifyInstance } from 'fastify';

export interface AdminDependencies {
  readonly ready: () => boolean;
  /** What the registry says of itself, without personal data. */
  readonly detail: () => Promise<object>;
  readonly metrics: () => Promise<string>;
  readonly metricsType: string;
}

/** The operators' door (design §3): plain HTTP on loopback, health in detail and metrics. The stewards' pages come later. */
export function createAdminDoor(dependencies: AdminDependencies): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: 1024 });
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) =>
    reply.code(dependencies.ready() ? 200 : 503).send({ status: dependencies.ready() ? 'ready' : 'starting' }),
  );
  app.get('/health', async () => dependencies.detail());
  app.get('/metrics', async (_request, reply) => reply.type(dependencies.metricsType).send(await dependencies.metrics()));
  return app;
}
