/** Bytes that are no request, or never become one: each is answered or hung up on, nothing is kept, the server goes on. */
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import type { OperationOutcome } from '../../src/fhir/r4.ts';
import { certificateOf, startRegistry } from '../support/registry-server.ts';
import { idOf, patient } from './people.ts';

const BODY_LIMIT = 100_000;
const registry = await startRegistry({ config: { limits: { requestTimeoutMs: 300, bodyBytes: BODY_LIMIT } } });
afterAll(() => registry.stop());
const shown = await certificateOf('openmrs');
const kept = idOf(await registry.send('POST', '/fhir/Patient', { body: patient('openmrs', 'kept') }));

const open = async (): Promise<TLSSocket> => {
  const socket = connect({
    host: '127.0.0.1',
    port: registry.server.port,
    servername: 'localhost',
    rejectUnauthorized: false,
    ...shown,
  });
  await once(socket, 'secureConnect');
  return socket;
};

interface Wired {
  readonly status: number;
  readonly outcome: OperationOutcome | null;
}

/** What came until the server hung up; more than one answer is one text after the other. */
async function until(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString('utf8');
}

const readAnswer = (text: string): Wired => {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    outcome: body.startsWith('{') ? (JSON.parse(body) as OperationOutcome) : null,
  };
};

async function unchanged<T>(act: () => Promise<T>): Promise<T> {
  const before = await registry.head();
  const result = await act();
  expect(await registry.head()).toEqual(before);
  expect((await registry.send('GET', `/fhir/Patient/${kept}`)).status).toBe(200);
  return result;
}

const says = (bytes: string | Buffer): Promise<Wired> =>
  unchanged(async () => {
    const socket = await open();
    const text = until(socket);
    socket.write(bytes);
    return readAnswer(await text);
  });

const head = (line: string, ...headers: readonly string[]): string =>
  [line, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n');
const JSON_TYPE = 'Content-Type: application/fhir+json';
const body = JSON.stringify(patient('openmrs', 'wire'));
const posted = (...headers: readonly string[]): string => head('POST /fhir/Patient HTTP/1.1', JSON_TYPE, ...headers);

describe('senders that stop (408), without the server waiting for them', () => {
  it.each([
    ['after no byte at all', ''],
    ['after one byte', 'P'],
    ['within the headers', 'POST /fhir/Patient HTTP/1.1\r\nHost: lo'],
    ['after one byte of the body', `${posted(`Content-Length: ${body.length}`)}{`],
    ['one byte before the end', posted(`Content-Length: ${body.length + 1}`) + body],
    ['within a chunk', `${posted('Transfer-Encoding: chunked')}1000\r\n{"resource`],
    ['before the last chunk', `${posted('Transfer-Encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n`],
  ])('%s', async (_what, bytes) => {
    const { status, outcome } = await says(bytes);
    expect(status).toBe(408);
    expect(outcome?.issue).toMatchObject([{ severity: 'error', code: 'timeout' }]);
  });

  it('a sender that drips a byte now and then is cut off all the same', async () => {
    const { status } = await unchanged(async () => {
      const socket = await open();
      const text = until(socket);
      socket.write(posted(`Content-Length: ${body.length}`));
      const drip = setInterval(() => socket.write(' '), 50);
      try {
        return readAnswer(await text);
      } finally {
        clearInterval(drip);
      }
    });
    expect(status).toBe(408);
  });

  it('a sender that hangs up in the middle leaves nothing', async () => {
    await unchanged(async () => {
      const socket = await open();
      socket.write(`${posted(`Content-Length: ${body.length}`)}{`, () => socket.destroy());
      await once(socket, 'close');
    });
  });
});

it.each([
  ['nothing', []],
  ['half of a TLS record', [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]],
])('a connection that sends %s is hung up on, and does not keep the server from stopping', async (_what, bytes) => {
  await unchanged(async () => {
    const socket = connectPlain({ host: '127.0.0.1', port: registry.server.port });
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.from(bytes));
    await once(socket, 'close');
  });
});

it('chunks without end are cut off at the limit of a body (413)', async () => {
  const { status, outcome } = await unchanged(async () => {
    const socket = await open();
    const text = until(socket);
    socket.write(posted('Transfer-Encoding: chunked'));
    const chunk = `2000\r\n${' '.repeat(0x2000)}\r\n`;
    for (let sent = 0; sent < 20 * BODY_LIMIT && socket.writable; sent += chunk.length) {
      socket.write(chunk);
      await setImmediate();
    }
    return readAnswer(await text);
  });
  expect(status).toBe(413);
  expect(outcome?.issue[0]?.code).toBe('too-long');
});

describe('what is not HTTP, or not quite (400)', () => {
  it.each<[string, string | Buffer]>([
    ['words', 'HELLO\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['zeros', Buffer.alloc(1024)],
    ['random bytes', Buffer.from(Array.from({ length: 512 }, (_, n) => (n * 73 + 129) % 256))],
    ['a handshake within the connection', Buffer.from('16030100c4010000c00303', 'hex')],
    ['a method that nobody knows', head('FROB /fhir/Patient HTTP/1.1')],
    ['a blank in the URL', head('GET /fhir/Patient?identifier=a b HTTP/1.1')],
    ['HTTP of the future', head('GET /fhir/metadata HTTP/9.9')],
    ['a header without a colon', head('GET /fhir/metadata HTTP/1.1', 'nonsense')],
    ['a NUL in a header', head('GET /fhir/metadata HTTP/1.1', 'X-A: a\0b')],
    ['a header folded', head('GET /fhir/metadata HTTP/1.1', 'X-A: a\r\n\r b')],
    ['two lengths', posted('Content-Length: 5', 'Content-Length: 6') + body],
    ['a length and chunks: which is it?', `${posted('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
    ['a negative length', posted('Content-Length: -1') + body],
    ['a length that is no number', posted('Content-Length: ten') + body],
    ['a chunk size that is no number', `${posted('Transfer-Encoding: chunked')}xyz\r\n{}\r\n0\r\n\r\n`],
    ['a chunk longer than it says', `${posted('Transfer-Encoding: chunked')}1\r\n{"resourceType":"Patient"}\r\n0\r\n\r\n`],
  ])('%s', async (_what, bytes) => {
    const { status, outcome } = await says(bytes);
    expect(status).toBe(400);
    expect(outcome?.issue).toMatchObject([{ severity: 'error', code: 'invalid' }]);
  });

  it('a length shorter than the body: the rest is not taken for a second request', async () => {
    expect((await says(posted('Content-Length: 20') + body)).status).toBe(0);
  });

  it('what follows a whole request does not answer it: it is hung up on, and may be sent again', async () => {
    const socket = await open();
    const text = until(socket);
    socket.write(`${posted(`Content-Length: ${Buffer.byteLength(body)}`).replace('close', 'keep-alive')}${body}HELLO\r\n\r\n`);
    expect(await text).toBe('');
    const again = await registry.send('POST', '/fhir/Patient', { body });
    expect([again.status, again.headers['etag']]).toEqual([201, 'W/"1"']);
  });

  it.each([
    ['URL', head(`GET /fhir/Patient?identifier=${'x'.repeat(20_000)} HTTP/1.1`)],
    ['header', head('GET /fhir/metadata HTTP/1.1', `X-A: ${'x'.repeat(20_000)}`)],
  ])('a %s of 20,000 characters: 431', async (_what, bytes) => {
    const { status, outcome } = await says(bytes);
    expect(status).toBe(431);
    expect(outcome?.issue[0]?.code).toBe('too-long');
  });
});

describe('what Node itself answers, without a body', () => {
  it.each([
    ['no Host', 400, 'GET /fhir/metadata HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['an expectation that nobody meets', 417, `${posted('Expect: a-miracle', 'Content-Length: 2')}{}`],
  ])('%s: %i', async (_what, status, bytes) => {
    expect((await says(bytes)).status).toBe(status);
  });

  it('CONNECT is hung up on', async () => {
    expect((await says('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n')).status).toBe(0);
  });
});

it.each([
  ['a URL that is none', 400, ['HEAD /fhir/Patient/\u00ff HTTP/1.1\r\nhost: localhost\r\n\r\n']],
  ['a URL of 20,000 characters', 431, [`HEAD /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`]],
  ['such a URL in two packets', 431, [`HEAD /${'x'.repeat(10_000)}`, 'x'.repeat(10_000)]],
])('HEAD at %s is refused without a body, which would be taken for the next answer: %i', async (_what, status, packets) => {
  const socket = await open();
  const answered = until(socket);
  for (const packet of packets) socket.write(Buffer.from(packet, 'latin1'));
  const text = await answered;
  expect(text.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('');
});

it('a method that HTTP knows and this URL does not is refused with an outcome', async () => {
  for (const [method, status] of [
    ['OPTIONS', 404],
    ['TRACE', 404],
    ['PROPFIND', 404],
    ['QUERY', 400],
  ] as const) {
    const answer = await says(head(`${method} /fhir/Patient HTTP/1.1`));
    expect([method, answer.status, answer.outcome?.resourceType]).toEqual([method, status, 'OperationOutcome']);
  }
});

it('plain HTTP at the TLS port is hung up on', async () => {
  await unchanged(async () => {
    const socket = connectPlain({ host: '127.0.0.1', port: registry.server.port });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString('latin1')).not.toMatch(/^HTTP/);
  });
});
