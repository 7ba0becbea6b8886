import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { syslogTls } from '../../../test/support/syslog-receiver.ts';
import { accessEvents } from '../../fhir/audit-event.ts';
import type { AuditEvent } from '../../fhir/r4.ts';
import { auditSource, row } from '../../fhir/sample-audit.ts';
import { fhirRepository } from './fhir-repository.ts';

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

interface Posted {
  readonly path: string;
  readonly ids: readonly string[];
}

type Answering = (posted: Posted, nth: number) => Answer;

const batchResponse = (statuses: readonly string[]): Answer => ({
  status: 200,
  body: { resourceType: 'Bundle', type: 'batch-response', entry: statuses.map((status) => ({ response: { status } })) },
});

const idsOf = (body: unknown): readonly string[] => {
  const { id, entry = [] } = body as {
    readonly id?: string;
    readonly entry?: readonly { readonly resource: { readonly id: string } }[];
  };
  return id === undefined ? entry.map(({ resource }) => resource.id) : [id];
};

/** A FHIR server on a free loopback port that answers as it is told. */
async function fhirServer(answering: Answering, tls?: object) {
  const posted: Posted[] = [];
  const callers: string[] = [];
  const handle = async (incoming: IncomingMessage): Promise<Answer> => {
    const { socket } = incoming;
    if (socket instanceof TLSSocket) callers.push(String(socket.getPeerCertificate().subject.CN));
    const one = { path: incoming.url ?? '', ids: idsOf(await json(incoming)) };
    posted.push(one);
    return answering(one, posted.length);
  };
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    void handle(incoming).then(({ status, body }) =>
      outgoing.writeHead(status).end(body === undefined ? '' : JSON.stringify(body)),
    );
  };
  const server = tls ? createTlsServer({ ...tls, requestCert: true }, serve) : createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { posted, callers, url: `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}/fhir` };
}

const events = (count: number): readonly AuditEvent[] =>
  Array.from({ length: count }, (_, n) => accessEvents({ ...row, id: n + 1 }, auditSource)).flat();
const id = (n: number): string => `access-${n}-1`;

async function sent(url: string, count: number, { bundle = 50, tls = {} } = {}) {
  const repository = fhirRepository({ name: 'r', url, bundle, tls }, { answer: 2_000, again: [1, 1] });
  const session = await repository.open();
  try {
    return await session.send(events(count));
  } finally {
    session.abort();
  }
}

describe('the audit feed to a FHIR repository', () => {
  it('ITI-20: posts batches, in order, and each event where that is configured', async () => {
    const { url, posted } = await fhirServer(({ path, ids }) =>
      path === '/fhir' ? batchResponse(ids.map(() => '201 Created')) : { status: 201 },
    );
    expect(await sent(url, 5, { bundle: 2 })).toEqual([]);
    expect(await sent(url, 2, { bundle: 1 })).toEqual([]);
    expect(posted).toEqual([
      { path: '/fhir', ids: [id(1), id(2)] },
      { path: '/fhir', ids: [id(3), id(4)] },
      { path: '/fhir', ids: [id(5)] },
      { path: '/fhir/AuditEvent', ids: [id(1)] },
      { path: '/fhir/AuditEvent', ids: [id(2)] },
    ]);
  });

  it('shows our certificate over https', async () => {
    const { server, client } = await syslogTls();
    const { url, callers } = await fhirServer(() => ({ status: 201 }), server);
    expect(await sent(url, 1, { bundle: 1, tls: client })).toEqual([]);
    expect(callers).toEqual(['openmrs']);
    await expect(sent(url.replace('localhost', '127.0.0.1'), 1, { tls: { ...client, ca: undefined } })).rejects.toThrow(
      /certificate/,
    );
  });

  it.each([[1], [50]])('sets aside what it refuses, and sends the rest: %i in a Bundle', async (bundle) => {
    const refusedOf = (ids: readonly string[]) => ids.map((one) => (one === id(2) ? '422 Unprocessable' : '201'));
    const { url } = await fhirServer(({ path, ids }) =>
      path === '/fhir' ? batchResponse(refusedOf(ids)) : { status: ids[0] === id(2) ? 422 : 201 },
    );
    expect(await sent(url, 3, { bundle })).toEqual([{ event: id(2), why: 'it answered with 422' }]);
  });

  it('finds the one that spoils a Bundle', async () => {
    const { url, posted } = await fhirServer(({ path, ids }) => ({
      status: path === '/fhir' ? 400 : ids[0] === id(3) ? 400 : 201,
    }));
    expect(await sent(url, 3)).toEqual([{ event: id(3), why: 'it answered with 400' }]);
    expect(posted).toHaveLength(4);
  });

  it('tries again what alone failed, and sets it aside when it goes on failing', async () => {
    const { url, posted } = await fhirServer(({ path, ids }, nth) => {
      if (path === '/fhir') return batchResponse(ids.map((one) => (one === id(1) ? '201' : '500')));
      return { status: ids[0] === id(2) && nth > 3 ? 201 : 503 };
    });
    expect(await sent(url, 3)).toEqual([{ event: id(3), why: 'it answered with 503' }]);
    expect(posted.map(({ ids }) => ids.length)).toEqual([3, 1, 1, 1, 1]);
  });

  it.each([401, 403, 404, 405, 408, 429, 500, 503])(
    'waits, and sets nothing aside, when all is answered with %i',
    async (status) => {
      for (const bundle of [1, 50]) {
        const { url } = await fhirServer(() => ({ status }));
        await expect(sent(url, 5, { bundle })).rejects.toThrow(`it answered with ${status}`);
      }
    },
  );

  it.each([
    ['a page of somebody else', { status: 200, body: 'welcome' }],
    ['fewer entries than were sent', batchResponse(['201'])],
  ])('does not take %s for an answer', async (_, answer) => {
    const { url } = await fhirServer(() => answer);
    await expect(sent(url, 2)).rejects.toThrow('no batch-response');
  });

  it('waits when nobody is there, and when nobody answers', async () => {
    await expect(sent('http://localhost:1/fhir', 1)).rejects.toThrow('ECONNREFUSED');
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const repository = fhirRepository(
      { name: 'r', url: `http://localhost:${(server.address() as AddressInfo).port}`, bundle: 1, tls: {} },
      { answer: 20, again: [] },
    );
    await expect((await repository.open()).send(events(1))).rejects.toThrow('it did not answer in time');
  });
});
