import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { uuidv7 } from 'uuidv7';
import { ensureServerCertificate, openAuthority } from '../../server/src/adapters/identity/authority.ts';
import { judgePeer, knownPeers, peerFacts } from '../../server/src/adapters/identity/peer.ts';
import { tlsOptions } from '../../server/src/adapters/identity/tls.ts';
import { systemClock } from '../../server/src/app/clock.ts';
import { createDoor } from '../../server/src/http/server.ts';
import { answerJobs } from './child.ts';
import { defaultSettings } from './settings.ts';

export interface EchoJob {
  readonly dataDir: string;
}

/** The registry's own door, with its TLS, its check of every certificate and its headers; behind it JSON is parsed and sent back. */
async function open({ dataDir }: EchoJob): Promise<number> {
  const { config } = defaultSettings();
  const material = await ensureServerCertificate(await openAuthority(dataDir), { hosts: [], now: new Date() });
  const known = knownPeers({ mode: 'ca' }, { clients: config.clients, certificates: [], revocations: [] });
  const door = await createDoor({
    tls: tlsOptions(material, 'ca'),
    authenticate: async ({ socket }) => {
      const verdict = judgePeer(peerFacts(socket), known, new Date());
      if (verdict.kind === 'client') return { client: verdict.client, grants: null, proof: null };
      return { ...verdict.refusal, agent: '', proof: null, headers: {} };
    },
    accessLog: { append: () => Promise.resolve(), entries: () => Promise.resolve([]), after: () => Promise.resolve([]) },
    clock: systemClock,
    newId: uuidv7,
    ready: () => true,
    publicBaseUrl: null,
    origins: [],
    bodyBytes: config.limits.bodyBytes,
    requestTimeoutMs: config.limits.requestTimeoutMs,
    log: pino({ level: 'silent' }),
    observe: () => undefined,
  });
  const handler = async ({ request }: { readonly request: { readonly body: unknown } }) => ({
    status: 201,
    body: JSON.parse(String(request.body)) as object,
  });
  door.add([{ method: 'POST', url: '/fhir/Patient', handler, needs: null }]);
  await door.app.listen({ host: '127.0.0.1', port: 0 });
  return (door.app.server.address() as AddressInfo).port;
}

export const answerEcho = (): void => answerJobs(open);
