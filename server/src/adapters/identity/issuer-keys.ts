/** The keys of an issuer of tokens: by OpenID Connect discovery or at a fixed URL, kept, and fetched again when they change. */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** Where the keys of an issuer are. */
export interface KeySource {
  readonly issuer: string;
  /** null: as the issuer's discovery document says. */
  readonly jwksUri: string | null;
}

/** An issuer cannot be asked, or does not answer what it should: nothing can be said of its tokens now. */
export class IssuerUnreachable extends Error {}

export interface IssuerKeys {
  /** The key that a token names. @throws IssuerUnreachable, or an error of jose where there is no such key. */
  readonly find: JWTVerifyGetKey;
  /** Fetches them now. @throws IssuerUnreachable. */
  refresh(): Promise<void>;
}

/** Milliseconds between two attempts to fetch keys, whatever is asked for: nobody can make us storm the issuer. */
const COOLDOWN_MS = 30_000;
/** Keys older than this are fetched anew while they go on counting, so that a withdrawn key ends within this time. */
const FRESH_MS = 10 * 60_000;
/** Keys of an issuer that does not answer count for so long. */
const STALE_MS = 24 * 3_600_000;

const textOf = (document: unknown, member: string): string | undefined => {
  const value: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, member) : undefined;
  return typeof value === 'string' ? value : undefined;
};

const isKeySet = (document: unknown): document is JSONWebKeySet =>
  typeof document === 'object' && document !== null && 'keys' in document && Array.isArray(document.keys);

/** Keys for signatures that anybody may see: a shared secret that was published among them is no key. */
const publicKeys = ({ keys }: JSONWebKeySet): JSONWebKeySet => ({
  keys: keys.filter(({ kty, use }) => kty !== 'oct' && (use === undefined || use === 'sig')),
});

interface Outside {
  /** JSON at a URL. */
  readonly fetchJson: (url: string) => Promise<unknown>;
  /** Whether keys may be fetched from this URL. */
  readonly mayFetch: (url: string) => boolean;
  readonly monotonic: () => number;
  /** Told of each attempt that failed. */
  readonly warn: (words: string) => void;
}

/** `<issuer>/.well-known/openid-configuration`, whose `issuer` must be the very one (OpenID Connect Discovery 1.0, section 4.3). */
async function discover(issuer: string, { fetchJson, mayFetch }: Outside): Promise<string> {
  const document = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const uri = textOf(document, 'jwks_uri');
  if (textOf(document, 'issuer') !== issuer || uri === undefined || !mayFetch(uri)) {
    throw new Error('its discovery document names another issuer, or no keys');
  }
  return uri;
}

export function createIssuerKeys({ issuer, jwksUri }: KeySource, outside: Outside): IssuerKeys {
  const { monotonic, fetchJson } = outside;
  let held: { readonly find: JWTVerifyGetKey; readonly at: number } | null = null;
  let triedAt = -Infinity;
  let failed: Error | null = null;
  let fetching: Promise<void> | null = null;

  const fetchKeys = async (): Promise<void> => {
    triedAt = monotonic();
    try {
      const document = await fetchJson(jwksUri ?? (await discover(issuer, outside)));
      if (!isKeySet(document)) throw new Error('what it gives for keys is no JSON Web Key Set');
      held = { find: createLocalJWKSet(publicKeys(document)), at: monotonic() };
      failed = null;
    } catch (error) {
      failed = error instanceof Error ? error : new Error('it cannot be asked');
      outside.warn(unreachable().message);
    }
  };
  /** One at a time, however many ask. */
  const fetchOnce = (): Promise<void> => {
    fetching ??= fetchKeys().finally(() => {
      fetching = null;
    });
    return fetching;
  };
  const isCool = (): boolean => monotonic() - triedAt >= COOLDOWN_MS;
  /** Unlike `isCool` also true while they are being fetched. */
  const mayWait = (): boolean => fetching !== null || isCool();
  const unreachable = (): IssuerUnreachable =>
    new IssuerUnreachable(`The keys of ${issuer} cannot be had: ${failed?.message ?? 'it does not answer'}.`);
  const usable = () => (held && monotonic() - held.at < STALE_MS ? held : null);

  const current = async () => {
    const before = usable();
    if (!before && mayWait()) await fetchOnce();
    else if (before && monotonic() - before.at >= FRESH_MS && isCool()) void fetchOnce();
    const now = usable();
    if (!now) throw unreachable();
    return now;
  };
  return {
    find: async (header, token) => {
      const before = await current();
      try {
        return await before.find(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // A key that we do not know: the issuer may have changed its keys.
        if (mayWait()) await fetchOnce();
        if (failed) throw unreachable();
        return (await current()).find(header, token);
      }
    },
    refresh: async () => {
      await fetchOnce();
      if (failed) throw unreachable();
    },
  };
}
