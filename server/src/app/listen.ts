import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { RegistryError } from '../domain/errors.ts';

interface Place {
  readonly host: string;
  readonly port: number;
  /** The flag that chooses another port. */
  readonly flag: string;
}

/** Why a place cannot be listened at, in a sentence where the reason is a known one. */
function explained(error: unknown, { host, port, flag }: Place): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'EADDRINUSE')
    return new RegistryError('conflict', `Port ${port} on ${host} is taken: choose another with ${flag}.`);
  if (code === 'EACCES')
    return new RegistryError('conflict', `This account may not listen on port ${port}: choose another with ${flag}.`);
  return code === 'EADDRNOTAVAIL' ? new RegistryError('conflict', `This machine has no address ${host}.`) : error;
}

/** @throws RegistryError with a sentence when the port is taken or may not be bound. */
export async function requireFree(place: Place): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host: place.host, port: place.port });
    await once(server, 'listening');
  } catch (error) {
    throw explained(error, place);
  }
  server.close();
  await once(server, 'close');
}

/** The port listened on. @throws RegistryError with a sentence when it is taken or may not be bound. */
export async function listen(app: Pick<FastifyInstance, 'listen' | 'server'>, place: Place): Promise<number> {
  const { host, port } = place;
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw explained(error, place);
  }
  const address = app.server.address() as AddressInfo;
  return address.port;
}

/** Milliseconds that a request may still take when the server is asked to end. */
const GRACE = 20_000;

/**
 * Takes no new connection, answers what has arrived, and closes each connection as it falls idle: a client that keeps its
 * connections open must not hold the shutdown up.
 */
export async function closeDoor(app: Pick<FastifyInstance, 'close'> & { readonly server: Server }): Promise<void> {
  const idle = setInterval(() => {
    app.server.closeIdleConnections();
  }, 20);
  const patience = setTimeout(() => {
    app.server.closeAllConnections();
  }, GRACE);
  try {
    await app.close();
  } finally {
    clearInterval(idle);
    clearTimeout(patience);
  }
}
