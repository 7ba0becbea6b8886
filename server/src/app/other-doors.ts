import { readFileSync } from 'node:fs';
import { createAttempts } from '../adapters/identity/attempts.ts';
import type { OtherDoors } from '../adapters/identity/caller.ts';
import { fetchJson } from '../adapters/identity/fetch-json.ts';
import { createIssuerKeys } from '../adapters/identity/issuer-keys.ts';
import { createPasswordCheck } from '../adapters/identity/password.ts';
import { createTokenJudge } from '../adapters/identity/token.ts';
import type { Config, IssuerSettings } from '../config/config.ts';
import { isLoopback } from '../config/loopback.ts';
import { systemClock } from './clock.ts';

/** The keys of an issuer, fetched when they are first needed: a registry starts without its issuers. */
export const keysOf = (settings: IssuerSettings, warn: (words: string) => void) => {
  const ca = settings.caFile === null ? null : readFileSync(settings.caFile, 'utf8');
  return createIssuerKeys(settings, {
    fetchJson: (url) => fetchJson(url, ca),
    mayFetch: (url) => url.startsWith('https://') || (isLoopback(settings.issuer) && isLoopback(url)),
    monotonic: systemClock.monotonic,
    warn,
  });
};

/** What the configuration opens beside mutual TLS. */
export const openOtherDoors = (
  { tokens: { issuers }, basic }: Pick<Config, 'tokens' | 'basic'>,
  warn: (words: string) => void,
): OtherDoors => ({
  tokens: issuers.length === 0 ? null : createTokenJudge(issuers.map((settings) => ({ settings, keys: keysOf(settings, warn) }))),
  passwords: basic.enabled
    ? { check: createPasswordCheck(systemClock.monotonic), attempts: createAttempts(systemClock.monotonic) }
    : null,
});
