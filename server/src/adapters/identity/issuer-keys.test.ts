/** The keys of an issuer, fetched from a real HTTPS server by a clock that the test moves. */
import { errors, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SigningKey, signingKey, startIssuer, type TokenIssuer } from '../../../test/support/token-issuer.ts';
import { fetchJson } from './fetch-json.ts';
import { createIssuerKeys, type IssuerKeys, IssuerUnreachable } from './issuer-keys.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

let issuer: TokenIssuer;
let now: number;
let keys: IssuerKeys;
let warned: string[];
beforeEach(async () => {
  issuer = await startIssuer();
  now = 0;
  warned = [];
  keys = open();
});
afterEach(() => issuer.stop());

const open = (jwksUri: string | null = null): IssuerKeys =>
  createIssuerKeys(
    { issuer: issuer.url, jwksUri },
    {
      fetchJson: (url) => fetchJson(url, issuer.ca),
      mayFetch: (url) => url.startsWith('https://'),
      monotonic: () => now,
      warn: (words) => warned.push(words),
    },
  );
const verify = async (key?: SigningKey): Promise<string> => {
  try {
    await jwtVerify(await issuer.token(key && { key }), keys.find);
    return 'good';
  } catch (error) {
    if (error instanceof IssuerUnreachable) return 'unreachable';
    return error instanceof errors.JOSEError ? error.code : String(error);
  }
};
const NO_KEY = 'ERR_JWKS_NO_MATCHING_KEY';
const fetched = (): number => issuer.asked.filter((path) => path.endsWith('/keys')).length;

describe('the keys of an issuer', () => {
  it('are found by discovery, once for however many ask at a time', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => verify()))).toEqual(Array(20).fill('good'));
    expect(issuer.asked).toEqual(['/realms/care/.well-known/openid-configuration', '/realms/care/keys']);
  });

  it('are fetched where the configuration says, without discovery', async () => {
    keys = open(issuer.jwksUri);
    expect(await verify()).toBe('good');
    expect(issuer.asked).toEqual(['/realms/care/keys']);
  });

  it('are fetched again for a key that is not known, at most once in half a minute', async () => {
    const old = issuer.key;
    expect(await verify()).toBe('good');
    const next = await signingKey('RS256');
    issuer.rotate(old, next);
    now += 10 * SECOND;
    expect(await verify()).toBe(NO_KEY);
    expect(fetched()).toBe(1);
    now += 20 * SECOND;
    expect(await verify()).toBe('good');
    expect(fetched()).toBe(2);
    const stranger = await signingKey();
    for (let n = 0; n < 20; n += 1) expect(await verify(stranger)).toBe(NO_KEY);
    expect(fetched()).toBe(2);
    now += 30 * SECOND;
    for (let n = 0; n < 20; n += 1) expect(await verify(stranger)).toBe(NO_KEY);
    expect(fetched()).toBe(3);
  });

  it('that were withdrawn end ten minutes later, without a request that waits for it', async () => {
    const old = issuer.key;
    expect(await verify()).toBe('good');
    issuer.rotate(await signingKey());
    now += 10 * MINUTE - 1;
    expect(await verify(old)).toBe('good');
    expect(fetched()).toBe(1);
    now += 1;
    await verify(old);
    await keys.refresh();
    expect(fetched()).toBe(2);
    now += 30 * SECOND;
    expect(await verify(old)).toBe(NO_KEY);
  });

  it('count for a day while the issuer does not answer, and one that is not known cannot be told from a new one', async () => {
    expect(await verify()).toBe('good');
    const old = issuer.key;
    await issuer.down();
    now += 12 * HOUR;
    expect(await verify(old)).toBe('good');
    expect(await verify(await signingKey())).toBe('unreachable');
    now += 12 * HOUR;
    expect(await verify(old)).toBe('unreachable');
    await issuer.up();
    now += MINUTE;
    expect(await verify(old)).toBe('good');
  });

  it('that cannot be had are not asked for again at once', async () => {
    await issuer.down();
    expect(await verify()).toBe('unreachable');
    await issuer.up();
    expect(await verify()).toBe('unreachable');
    expect(issuer.asked).toEqual([]);
    expect(warned).toEqual([expect.stringMatching(/^The keys of .* cannot be had: connect ECONNREFUSED/)]);
    now += 30 * SECOND;
    expect(await verify()).toBe('good');
  });

  it('are no shared secrets, nor keys for encryption', async () => {
    const { jwk } = issuer.key;
    for (const key of [
      { kty: 'oct', k: 'c2VjcmV0', kid: jwk.kid },
      { ...jwk, use: 'enc' },
    ]) {
      issuer.answer('keys', { keys: [key] });
      keys = open();
      expect(await verify()).toBe(NO_KEY);
    }
  });

  it.each([
    ['no JSON', 'keys', '<html>'],
    ['no set of keys', 'keys', { key: [] }],
    ['a list', 'keys', []],
    ['too long an answer', 'keys', 'x'.repeat(1024 * 1024 + 1)],
    ['no discovery document', '.well-known/openid-configuration', 5],
    [
      'a discovery document of another issuer',
      '.well-known/openid-configuration',
      { issuer: 'https://x.org', jwks_uri: 'https://x.org/k' },
    ],
    ['keys on an open line', '.well-known/openid-configuration', null],
  ])('%s is no answer of an issuer', async (_what, path, document) => {
    issuer.answer(path, document ?? { issuer: issuer.url, jwks_uri: issuer.jwksUri.replace('https', 'http') });
    expect(await verify()).toBe('unreachable');
  });

  it('are not taken from a server that the configured authorities do not vouch for', async () => {
    keys = createIssuerKeys(
      { issuer: issuer.url, jwksUri: null },
      { fetchJson: (url) => fetchJson(url, null), mayFetch: () => true, monotonic: () => now, warn: () => undefined },
    );
    expect(await verify()).toBe('unreachable');
  });
});
