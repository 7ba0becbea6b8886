import { isIP } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import type { AuditRepository, AuditSession } from '../../registry/ports.ts';
import { frame, syslogMessage } from './syslog.ts';

/** Whom to trust, and what to show; PEM. Without `ca` the authorities that Node knows. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/** Milliseconds for a connection to be made, for a write to be taken by it, and for it to be closed. */
export interface Patience {
  readonly connect: number;
  readonly write: number;
  readonly close: number;
}

const PATIENCE: Patience = { connect: 10_000, write: 30_000, close: 10_000 };

export interface SyslogRepository {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: ClientTls;
}

/** Settles as the work does, or rejects with `why` when that takes too long. */
async function within<T>(milliseconds: number, why: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(why));
  }, milliseconds);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What becomes of a socket; `ended` is in order, and only when we ended it first. */
function watch(socket: TLSSocket) {
  const secure = Promise.withResolvers<undefined>();
  const broken = Promise.withResolvers<never>();
  const ended = Promise.withResolvers<undefined>();
  let isClosing = false;
  let hasEnded = false;
  const fail = (error: Error): void => {
    for (const one of [secure, broken, ended]) one.reject(error);
  };
  for (const one of [secure, broken, ended]) (one.promise as Promise<unknown>).catch(() => undefined);
  socket.on('secureConnect', () => {
    secure.resolve(undefined);
  });
  socket.on('end', () => {
    if (!isClosing) fail(new Error('it ended the connection'));
    hasEnded = true;
  });
  socket.on('error', fail);
  socket.on('close', () => {
    if (isClosing && hasEnded) ended.resolve(undefined);
    fail(new Error('the connection broke'));
  });
  const closing = (): void => {
    isClosing = true;
  };
  return { secure: secure.promise, broken: broken.promise, ended: ended.promise, closing };
}

const written = (socket: TLSSocket, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

/**
 * An audit repository by syslog over TLS (ATNA-03), with its host name checked, and our certificate shown where there is one.
 *
 * Syslog acknowledges nothing, and a socket takes bytes that nobody ever reads. So a connection is confirmed as a whole, by its end: RFC 5425 §4.4
 * has both sides close it in order, and a repository that reads the end of the stream has read what came before. One that resets the
 * connection, or ends it first, or does not end it, confirms nothing, and all of it is sent again.
 */
export const syslogRepository = (
  { name, host, port, tls }: SyslogRepository,
  patience: Patience = PATIENCE,
): AuditRepository => ({
  name,
  async open(): Promise<AuditSession> {
    const socket = connect({ host, port, ...tls, minVersion: 'TLSv1.2', ...(isIP(host) === 0 && { servername: host }) });
    const { secure, broken, ended, closing } = watch(socket);
    // A receiver has nothing to say; its tickets and its end are read all the same.
    socket.resume();
    try {
      await within(patience.connect, 'it did not answer in time', secure);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    socket.setKeepAlive(true, 30_000);
    return {
      confirmedBy: 'close',
      send: async (events) => {
        const bytes = Buffer.concat(events.map((event) => frame(syslogMessage(event))));
        await within(patience.write, 'it takes nothing any more', Promise.race([written(socket, bytes), broken]));
        return [];
      },
      close: async () => {
        // What has arrived is read first: an end that the repository made earlier is none that answers ours.
        await setImmediate();
        await setImmediate();
        await Promise.race([broken, Promise.resolve()]);
        closing();
        socket.end();
        await within(patience.close, 'it did not end the connection that was closed', ended);
      },
      abort: () => void socket.destroy(),
    };
  },
});
