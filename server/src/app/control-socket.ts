import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { AdministrativeChange } from '../cli/administration.ts';
import type { LoadOutcome } from '../cli/import/outcome.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Loading } from './loading.ts';

/*
 * How a command reaches a running server: one JSON line each way over a Unix socket that only the server's own account can
 * open.
 */

/** What a running server does for a command of its own account. */
export interface Controlled {
  administer(change: AdministrativeChange): Promise<void>;
  load(loading: Loading): Promise<readonly LoadOutcome[]>;
}

type Request = { readonly administer: AdministrativeChange } | { readonly load: Loading };

/** Longest path that every platform takes for a Unix socket. */
const LONGEST = 100;

/** In the data folder, or where that path would be too long in a private folder of this account under the temporary one. */
function socketPath(dataDir: string): string {
  const inside = join(resolve(dataDir), 'control.sock');
  if (inside.length <= LONGEST) return inside;
  const folder = join(tmpdir(), `opencr-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== userInfo().uid || (mode & 0o077) !== 0) {
    throw new RegistryError(
      'conflict',
      `${folder} is open to another account: remove it, or use a data folder with a shorter path.`,
    );
  }
  return join(folder, `${createHash('sha256').update(inside).digest('hex').slice(0, 24)}.sock`);
}

type Reply = { readonly done: true } | { readonly loaded: readonly LoadOutcome[] } | { readonly refused: string };

export interface ControlSocket {
  close(): void;
}

const serve = async (line: string, controlled: Controlled): Promise<Reply> => {
  try {
    // Written by `ask` below, in a process of the same account.
    const request = JSON.parse(line) as Request;
    if ('load' in request) return { loaded: await controlled.load(request.load) };
    await controlled.administer(request.administer);
    return { done: true };
  } catch (error) {
    return { refused: error instanceof RegistryError ? error.message : 'The server failed on this command.' };
  }
};

const converse = (socket: Socket, silent: Set<Socket>, controlled: Controlled): void => {
  silent.add(socket);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => silent.delete(socket));
  createInterface({ input: socket }).once('line', (line) => {
    silent.delete(socket);
    void serve(line, controlled).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
  });
};

export async function openControlSocket(dataDir: string, controlled: Controlled): Promise<ControlSocket> {
  const path = socketPath(dataDir);
  // The data folder's lock is ours: a socket file left here is of a process that is gone.
  rmSync(path, { force: true });
  // Callers that have asked nothing yet: they must not hold the end of the process up.
  const silent = new Set<Socket>();
  const server: Server = createServer((socket) => {
    converse(socket, silent, controlled);
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(path, done);
  });
  chmodSync(path, 0o600);
  return {
    close: () => {
      server.close();
      for (const socket of silent) socket.destroy();
    },
  };
}

export const serverListens = (dataDir: string): boolean => existsSync(socketPath(dataDir));

async function ask(dataDir: string, request: Request): Promise<Exclude<Reply, { refused: string }>> {
  const socket = createConnection(socketPath(dataDir));
  try {
    await new Promise<void>((done, fail) => {
      socket.once('error', (cause) => {
        fail(new RegistryError('not-ready', 'The server on this data folder does not answer yet; try again.', { cause }));
      });
      socket.once('connect', done);
    });
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const reply = JSON.parse(line) as Reply;
      if ('refused' in reply) throw new RegistryError('business-rule', reply.refused);
      return reply;
    }
    throw new RegistryError('not-ready', 'The server ended before it answered.');
  } finally {
    socket.destroy();
  }
}

/** Asks the server that runs on the data folder. @throws RegistryError with the server's words, or that nobody answers. */
export async function askServer(dataDir: string, change: AdministrativeChange): Promise<void> {
  await ask(dataDir, { administer: change });
}

/** Has the server take Patients in; errors as of `askServer`. */
export async function askServerToLoad(dataDir: string, loading: Loading): Promise<readonly LoadOutcome[]> {
  const reply = await ask(dataDir, { load: loading });
  return 'loaded' in reply ? reply.loaded : [];
}
