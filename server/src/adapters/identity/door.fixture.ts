/** For tests: an HTTPS server that does nothing but say whom it takes its caller for. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import { judgePeer, peerFacts } from './peer.ts';
import type { KnownPeers } from './peer.ts';
import { tlsOptions } from './tls.ts';
import type { TlsMaterial } from './tls.ts';

export interface Door {
  readonly server: Server;
  readonly port: number;
}

const STATUS: Partial<Record<string, number>> = { 'no-certificate': 401, 'certificate-refused': 403, 'no-common-name': 400 };

export const portOf = (server: TlsServer): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return address.port;
};

/** Answers with the client's name, or with the refusal's words; `known` is asked at each request. */
export const openDoor = async (material: TlsMaterial, known: () => KnownPeers): Promise<Door> => {
  const server = createServer(tlsOptions(material, known().trust.mode), (incoming, response) => {
    if (!(incoming.socket instanceof TLSSocket)) throw new Error('not TLS');
    const verdict = judgePeer(peerFacts(incoming.socket), known(), new Date());
    const refusal = verdict.kind === 'refused' ? verdict.refusal : undefined;
    response.writeHead(refusal ? (STATUS[refusal.code] ?? 500) : 200);
    response.end(verdict.kind === 'client' ? verdict.client.name : refusal?.issues[0]?.diagnostics);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: portOf(server) };
};
