import { once } from 'node:events';
import { connect } from 'node:tls';
import type { Credentials } from './server-process.ts';

export interface Response {
  readonly status: number;
  /** The status line and header fields as they came. */
  readonly head: string;
  readonly body: string;
}

/** One keep-alive connection for one request at a time: HTTP/1.1 by hand, since a client library costs more than the server. */
export interface Connection {
  /** Rejects when the connection ends before the answer is whole. */
  send(request: Buffer): Promise<Response>;
  close(): void;
}

/** A POST of FHIR JSON, as bytes to send again and again. */
export function post(path: string, body: string): Buffer {
  const content = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/fhir+json\r\ncontent-length: ${content.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}

export const header = ({ head }: Response, name: string): string =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';

/** The answer at the beginning of `bytes`; undefined while it is not all there. The registry gives every answer a length. */
function responseIn(bytes: Buffer): Response | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  const from = end + 4;
  if (bytes.length < from + length) return undefined;
  return { status: Number(head.slice(9, 12)), head, body: bytes.toString('utf8', from, from + length) };
}

export async function openConnection(port: number, credentials: Credentials): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...credentials });
  await once(socket, 'secureConnect');
  socket.setNoDelay(true);
  let received: Buffer = Buffer.alloc(0);
  let waiting: PromiseWithResolvers<Response> | null = null;
  let ended = false;
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const response = responseIn(received);
    if (!response) return;
    received = Buffer.alloc(0);
    waiting?.resolve(response);
    waiting = null;
  });
  // 'close' follows, and tells whoever waits.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
    waiting?.reject(new Error('the connection ended'));
  });
  return {
    send(request) {
      if (ended) return Promise.reject(new Error('the connection ended'));
      if (waiting) return Promise.reject(new Error('the connection waits for an answer already'));
      const { promise } = (waiting = Promise.withResolvers<Response>());
      socket.write(request);
      return promise;
    },
    close: () => void socket.destroy(),
  };
}
