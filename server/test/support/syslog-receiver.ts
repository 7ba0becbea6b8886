/** An audit repository for tests: syslog over mutual TLS on a free loopback port, which can be cut, stopped and started. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { authorityFolder, certificateOf } from './registry-server.ts';

/** What becomes of a connection once it has read so many bytes: `stall` leaves what comes unread first. */
export interface Cut {
  readonly after: number;
  readonly how: 'reset' | 'end' | 'stall';
}

/** RFC 5425 frames at the beginning of `bytes`, whole ones only. */
function frames(bytes: Buffer): { readonly messages: readonly string[]; readonly rest: Buffer } {
  const messages: string[] = [];
  let at = 0;
  for (;;) {
    const blank = bytes.indexOf(0x20, at);
    if (blank < 0) return { messages, rest: bytes.subarray(at) };
    const count = bytes.toString('latin1', at, blank);
    if (!/^[1-9]\d*$/.test(count)) throw new Error(`no frame begins with ${count}`);
    const end = blank + 1 + Number(count);
    if (bytes.length < end) return { messages, rest: bytes.subarray(at) };
    messages.push(bytes.toString('utf8', blank + 1, end));
    at = end;
  }
}

export interface SyslogReceiver {
  readonly port: number;
  /** Messages in the order read. */
  readonly messages: readonly string[];
  /** CN of the certificate that each connection showed. */
  readonly callers: readonly string[];
  /** For the connections to come, one after the other; those after are not cut. */
  cut(cuts: readonly Cut[]): void;
  /** Cuts every connection, and listens no more. */
  stop(): Promise<void>;
  /** Listens again at the same port. */
  start(): Promise<void>;
  /** Resolves once a message came for which it holds. */
  until(holds: (messages: readonly string[]) => boolean): Promise<void>;
}

const STALL_MS = 20;

/** Material of the tests' own authority: its server certificate is good for localhost and 127.0.0.1. */
export async function syslogTls() {
  const tls = join(await authorityFolder(), 'tls');
  const read = (name: string): string => readFileSync(join(tls, name), 'utf8');
  return {
    server: { ca: read('ca.cert.pem'), cert: read('server.cert.pem'), key: read('server.key.pem') },
    client: { ca: read('ca.cert.pem'), ...(await certificateOf('openmrs')) },
  };
}

export async function startSyslogReceiver(host = '127.0.0.1'): Promise<SyslogReceiver> {
  const { server: material } = await syslogTls();
  const messages: string[] = [];
  const callers: string[] = [];
  const cuts: Cut[] = [];
  const open = new Set<Socket>();
  const secureContext = createSecureContext(material);
  const waiting: { readonly holds: (all: readonly string[]) => boolean; readonly done: () => void }[] = [];
  const tell = (): void => {
    for (const one of waiting.splice(0)) {
      if (one.holds(messages)) one.done();
      else waiting.push(one);
    }
  };

  const breakOff = (raw: Socket, socket: TLSSocket, { how }: Cut): void => {
    if (how === 'reset') raw.resetAndDestroy();
    else if (how === 'end') raw.destroy();
    else {
      socket.pause();
      setTimeout(() => raw.resetAndDestroy(), STALL_MS);
    }
  };
  const accept = (raw: Socket): void => {
    open.add(raw);
    raw.on('error', () => undefined);
    raw.on('close', () => open.delete(raw));
    // Not by tls.createServer: its sockets cannot be reset.
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext,
      requestCert: true,
      rejectUnauthorized: true,
    });
    socket.once('secure', () => {
      receive(raw, socket);
    });
    socket.on('error', () => undefined);
  };
  const receive = (raw: Socket, socket: TLSSocket): void => {
    callers.push(String(socket.getPeerCertificate().subject.CN));
    const cut = cuts.shift();
    let held: Buffer = Buffer.alloc(0);
    let seen = 0;
    let broken = false;
    socket.on('end', () => {
      if (!broken) socket.end();
    });
    socket.on('data', (chunk: Buffer) => {
      if (broken) return;
      const taken = cut === undefined ? chunk : chunk.subarray(0, Math.max(0, cut.after - seen));
      seen += chunk.length;
      const found = frames(Buffer.concat([held, taken]));
      held = Buffer.from(found.rest);
      messages.push(...found.messages);
      if (cut !== undefined && seen >= cut.after) {
        broken = true;
        breakOff(raw, socket, cut);
      }
      tell();
    });
  };

  let server: Server;
  let port = 0;
  const start = async (): Promise<void> => {
    // The end of a stream is answered by whoever has read it, and not before.
    server = createServer({ allowHalfOpen: true }, accept);
    server.listen({ port, host });
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.resetAndDestroy();
    await closed;
  };
  await start();
  return {
    port,
    messages,
    callers,
    cut: (next) => {
      cuts.splice(0, cuts.length, ...next);
    },
    stop,
    start,
    until: (holds) =>
      new Promise((resolve) => {
        waiting.push({ holds, done: resolve });
        tell();
      }),
  };
}
