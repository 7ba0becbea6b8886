import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { RegistryError } from '../domain/errors.ts';

interface Place {
  readonly host: string;
  readonly port: number;
  /** The flag that chooses another port. */
  readonly flag: string;
}

/** The port listened on. @throws RegistryError with a sentence when it is taken or may not be bound. */
export async function listen(app: Pick<FastifyInstance, 'listen' | 'server'>, { host, port, flag }: Place): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EADDRINUSE')
      throw new RegistryError('conflict', `Port ${port} on ${host} is taken: choose another with ${flag}.`);
    if (code === 'EACCES')
      throw new RegistryError('conflict', `This account may not listen on port ${port}: choose another with ${flag}.`);
    if (code === 'EADDRNOTAVAIL') throw new RegistryError('conflict', `This machine has no address ${host}.`);
    throw error;
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
