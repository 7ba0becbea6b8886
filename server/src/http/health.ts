import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:https';

/** What `addHealth` serves, for those who list the door's routes. */
export const HEALTH_ROWS = ['GET /health/live', 'GET /health/ready'] as const;

/** `/health/*` at the point-of-service door: the status only, and no certificate is asked for (design §3). */
export function addHealth(app: FastifyInstance<Server>, ready: () => boolean): void {
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) =>
    reply.code(ready() ? 200 : 503).send({ status: ready() ? 'ready' : 'starting' }),
  );
}
