import { readFileSync } from 'node:fs';
import { ensureServerCertificate, openAuthority } from '../adapters/identity/authority.ts';
import type { Trust } from '../adapters/identity/peer.ts';
import type { TlsMaterial } from '../adapters/identity/tls.ts';
import { readTrustList } from '../adapters/identity/trust-list.ts';
import type { Config } from '../config/config.ts';

const LOCAL = /^(0\.0\.0\.0|::|127\.0\.0\.1|::1|localhost)$/;

/** Names that callers use, beside those that every server certificate has. */
const hostsOf = ({ app }: Config): readonly string[] => [
  ...(app.publicBaseUrl === null ? [] : [new URL(app.publicBaseUrl).hostname]),
  ...(LOCAL.test(app.host) ? [] : [app.host]),
];

const readFile = (path: string): string => readFileSync(path, 'utf8');

/** Whether the configuration brings the server's pair and its CA, so that the data folder needs no authority of its own. */
export const bringsOwnTls = ({ tls }: Config): boolean => tls.certFile !== null && tls.keyFile !== null && tls.caFile !== null;

/** The server's own pair and the CAs of its callers: configured files, else what the authority of the data folder keeps. */
export async function tlsMaterial(dataDir: string, config: Config): Promise<TlsMaterial> {
  const { certFile, keyFile, caFile } = config.tls;
  const pair = certFile !== null && keyFile !== null ? { cert: readFile(certFile), key: readFile(keyFile) } : null;
  const ca = caFile === null ? null : [readFile(caFile)];
  if (pair && ca) return { ...pair, ca };
  const own = await ensureServerCertificate(await openAuthority(dataDir), { hosts: hostsOf(config), now: new Date() });
  return { ...own, ...pair, ...(ca && { ca }) };
}

/** TLS-02: certificates of the CAs, or exactly those of the list. */
export async function trustOf({ tls }: Config): Promise<Trust> {
  if (tls.mode === 'ca') return { mode: 'ca' };
  const files = tls.clients.flatMap(({ client, file }) => (file === null ? [] : [{ client, file }]));
  const named = tls.clients.flatMap(({ client, fingerprint }) => (fingerprint === null ? [] : [[fingerprint, client] as const]));
  return { mode: 'list', entries: new Map([...(await readTrustList(files)), ...named]) };
}
