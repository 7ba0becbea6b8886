/** An issuer of tokens for tests: a real HTTPS server on loopback, with discovery and keys, and tokens of every kind. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { makeCertificate } from '../http/certificates.ts';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

let made = 0;

export async function signingKey(alg = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `key-${(made += 1)}`;
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } };
}

export interface Wanted {
  /** Over those of a good token; undefined takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: SigningKey;
  readonly alg?: string;
}

/** Seconds since 1970, `seconds` from now. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

const without = (claims: Readonly<Record<string, unknown>>): JWTPayload =>
  Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));

const listening = async (server: Server, port: number): Promise<number> => {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

export type TokenIssuer = Awaited<ReturnType<typeof startIssuer>>;

/** `stop` at the end. */
export async function startIssuer(audience = 'opencr') {
  const folder = mkdtempSync(join(tmpdir(), 'opencr-issuer-'));
  const { cert, key } = await makeCertificate({ names: ['localhost'], kind: 'server' });
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, cert);
  let keys = [await signingKey()];
  const newest = (): SigningKey => {
    const [last] = keys.slice(-1);
    if (!last) throw new Error('the issuer has no key');
    return last;
  };
  /** Paths that were asked for. */
  const asked: string[] = [];
  const answers = new Map<string, () => unknown>();
  const open = (): Server =>
    createServer({ cert, key }, ({ url = '' }, response) => {
      asked.push(url);
      const body = answers.get(url)?.();
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body ?? null));
    });
  let server = open();
  const port = await listening(server, 0);
  const url = `https://localhost:${port}/realms/care`;
  const jwksUri = `${url}/keys`;
  answers.set('/realms/care/keys', () => ({ keys: keys.map(({ jwk }) => jwk) }));
  answers.set('/realms/care/.well-known/openid-configuration', () => ({ issuer: url, jwks_uri: jwksUri }));

  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    url,
    jwksUri,
    caFile,
    ca: cert,
    asked,
    /** Answers another document (a text as it is) at a path below the issuer's. */
    answer: (path: string, document: unknown): void => void answers.set(`/realms/care/${path}`, () => document),
    get key(): SigningKey {
      return newest();
    },
    /** From now on it signs with these keys and gives no others. */
    rotate: (...next: readonly SigningKey[]): void => {
      keys = [...next];
    },
    /** A good token for openmrs that may do everything, but for what is wanted otherwise. */
    token: ({ claims = {}, header = {}, key: with_ = newest(), alg = with_.alg }: Wanted = {}): Promise<string> =>
      new SignJWT(
        without({
          iss: url,
          aud: audience,
          sub: 'service-account-openmrs',
          azp: 'openmrs',
          exp: inSeconds(300),
          iat: inSeconds(-1),
          jti: `jti-${(made += 1)}`,
          scope: 'ITI-78 ITI-83 ITI-104 ITI-119',
          ...claims,
        }),
      )
        .setProtectedHeader({ alg, kid: with_.kid, typ: 'at+jwt', ...header })
        .sign(with_.privateKey),
    down: close,
    async up(): Promise<void> {
      server = open();
      await listening(server, port);
    },
    async stop(): Promise<void> {
      if (server.listening) await close();
      rmSync(folder, { recursive: true });
    },
  };
}
