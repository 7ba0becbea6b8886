/**
 * Who calls, by what is shown: a certificate, a token of a known issuer, or a password. A certificate that is shown beside
 * a token or a password has to be good too, and to name the same client; or the token is bound to it (RFC 8705). A client
 * that is a proxy speaks for another, which it names.
 */
import type { ErrorCode, Refusal } from '../../domain/errors.ts';
import type { Client, Grant, OwnProof, Proof } from '../../domain/principals.ts';
import type { Attempts } from './attempts.ts';
import type { PasswordCheck } from './password.ts';
import { judgePeer, type KnownPeers, type PeerCertificate, type PeerVerdict, vouchedPeer } from './peer.ts';
import type { TokenJudge, TokenVerdict } from './token.ts';

/** What a request shows of its sender. */
export interface Shown {
  readonly peer: PeerCertificate | null;
  readonly authorization: string | undefined;
  /** `X-OpenHIM-ClientID`: for whom a proxy calls (HIM-21). */
  readonly onBehalfOf: string | undefined;
  readonly address: string;
}

/** `grants`: what a token allows of what the client may; null: all of it. */
interface Admitted<P extends Proof = Proof> {
  readonly kind: 'client';
  readonly client: Client;
  readonly grants: ReadonlySet<Grant> | null;
  readonly proof: P | null;
}

export type CallerVerdict =
  | Admitted
  | {
      readonly kind: 'refused';
      readonly refusal: Refusal;
      /** Whose certificate, token or password it is, where that itself is good. */
      readonly name?: string;
      readonly proof?: Proof;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** The doors beside mutual TLS; null: closed, and what is shown there is not looked at. */
export interface OtherDoors {
  readonly tokens: TokenJudge | null;
  readonly passwords: { readonly check: PasswordCheck; readonly attempts: Attempts } | null;
}

export interface KnownCallers {
  readonly peers: KnownPeers;
  /** PHC strings by client. */
  readonly passwords: ReadonlyMap<string, string>;
}

const REALM = 'realm="OpenCR"';
const BASIC = `Basic ${REALM}, charset="UTF-8"`;

type Refused = Extract<CallerVerdict, { kind: 'refused' }>;
type SenderVerdict = Admitted<OwnProof> | Refused;

const refused = (code: ErrorCode, diagnostics: string, more: Omit<Refused, 'kind' | 'refusal'> = {}): Refused => ({
  kind: 'refused',
  refusal: { code, issues: [{ severity: 'error', diagnostics }] },
  ...more,
});

const challenged = (challenge: string) => ({ headers: { 'www-authenticate': challenge } });

const tokenRefused = (words: string): Refused =>
  refused('token-refused', words, challenged(`Bearer ${REALM}, error="invalid_token", error_description="${words}"`));

/** A certificate alone. Where other doors are open, who shows none is told of them. */
const byCertificate = (verdict: PeerVerdict, { tokens, passwords }: OtherDoors): SenderVerdict => {
  if (verdict.kind === 'client') return { ...verdict, grants: null, proof: null };
  const challenges = [...(passwords ? [BASIC] : []), ...(tokens ? [`Bearer ${REALM}`] : [])];
  if (verdict.refusal.code !== 'no-certificate' || challenges.length === 0) return verdict;
  const others = tokens && passwords ? ', a token or a password' : tokens ? ' or a token' : ' or a password';
  const words = `Sorry, you need to provide a client certificate${others} to continue.`;
  return refused('no-certificate', words, challenged(challenges.join(', ')));
};

/** The registered client of that name, if it may call. */
const registered = (name: string, { peers }: KnownCallers, proof: Proof): Client | Refused => {
  const client = peers.clients.get(name);
  if (!client) return refused('client-refused', `${JSON.stringify(name)} is not a registered client.`, { proof });
  if (client.disabled) return refused('client-refused', `The client ${name} is disabled.`, { name, proof });
  return client;
};

/** The certificate beside a token that is bound to it: its issuer vouches for it, whoever signed it. */
const objectionToBound = (token: Extract<TokenVerdict, { kind: 'token' }>, { peer }: Shown): Refused | undefined => {
  if (!peer) return tokenRefused('The token is bound to a certificate, and none was shown.');
  return peer.fingerprint === token.boundTo ? undefined : tokenRefused('The token is bound to another certificate.');
};

const narrowed = (client: Client, grants: ReadonlySet<Grant>): Client => ({
  ...client,
  scopes: client.scopes.filter((scope) => grants.has(scope)),
});

/** The reason is in the log: it tells of hosts that are no stranger's affair. */
const UNREACHABLE = 'The keys of the issuer of the token cannot be had now; try again later.';

/** Where a caller is judged; clients and time are asked for again once something was waited for. */
interface At<Door> {
  readonly door: Door;
  readonly known: () => KnownCallers;
  readonly now: () => Date;
}

async function byToken(token: string, shown: Shown, { door: judge, known, now }: At<TokenJudge>): Promise<SenderVerdict> {
  if (!/^[\w.~+/-]+=*$/.test(token)) return tokenRefused('This is no signed token.');
  const verdict = await judge(token, now);
  if (verdict.kind === 'refused') return tokenRefused(verdict.words);
  if (verdict.kind === 'unreachable') return refused('issuer-unreachable', UNREACHABLE);
  const { proof, grants } = verdict;
  if (verdict.boundTo !== null) {
    const objection = objectionToBound(verdict, shown);
    if (objection) return objection;
  }
  if (shown.peer) {
    const peer = (verdict.boundTo === null ? judgePeer : vouchedPeer)(shown.peer, known().peers, now());
    if (peer.kind === 'refused') return peer;
    if (peer.kind === 'client' && verdict.boundTo === null && peer.client.name !== verdict.client)
      return refused('client-refused', 'The certificate and the token are of two clients.', { name: peer.client.name, proof });
  }
  const client = registered(verdict.client, known(), proof);
  return 'kind' in client ? client : { kind: 'client', client: narrowed(client, grants), grants, proof };
}

interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** RFC 7617: base64 of `name:password` in UTF-8. */
export const readCredentials = (text: string): Credentials | undefined => {
  if (!/^[A-Za-z0-9+/]+=*$/.test(text)) return undefined;
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'base64'));
    const colon = decoded.indexOf(':');
    return colon < 0 ? undefined : { name: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  } catch {
    return undefined;
  }
};

/** Whoever has no password, is not registered or gave a wrong one reads the same, after the same time. */
const passwordRefused = (claimed: string | undefined): Refused =>
  refused('password-refused', 'The name or the password of the client is wrong.', {
    ...challenged(BASIC),
    proof: { way: 'password', ...(claimed !== undefined && { claimed }) },
  });

const LOCKED = 'Too many logins failed; try again later.';
type PasswordDoor = NonNullable<OtherDoors['passwords']>;

/** Looks at the password, unless too many wrong ones came before; undefined where it is right. */
async function objectionToPassword(
  { name, password }: Credentials,
  address: string,
  { door: { attempts, check }, known }: At<PasswordDoor>,
): Promise<Refused | undefined> {
  const phcNow = (): string | null => (known().peers.clients.has(name) ? (known().passwords.get(name) ?? null) : null);
  const claimed = known().peers.clients.has(name) ? name : undefined;
  const seconds = attempts.heldUp(name, address);
  if (seconds > 0) {
    const { proof } = passwordRefused(claimed);
    return refused('too-many-requests', LOCKED, { headers: { 'retry-after': String(seconds) }, ...(proof && { proof }) });
  }
  const phc = phcNow();
  const attempt: { counted: boolean } = { counted: false };
  const checked = await check.check(password, phc, () => {
    attempt.counted = true;
    attempts.begin(name, address);
  });
  if (checked === 'busy') {
    if (attempt.counted) attempts.takeBack(name, address);
    return refused('busy', 'Too many logins are being checked; try again later.');
  }
  // It may have been changed meanwhile.
  if (checked === 'wrong' || phcNow() !== phc) return passwordRefused(claimed);
  if (attempt.counted) attempts.succeed(name, address);
  return undefined;
}

async function byPassword(text: string, { peer, address }: Shown, at: At<PasswordDoor>): Promise<SenderVerdict> {
  const credentials = readCredentials(text);
  if (!credentials) return passwordRefused(undefined);
  const certificate = peer ? judgePeer(peer, at.known().peers, at.now()) : null;
  if (certificate?.kind === 'refused') return certificate;
  const objection = await objectionToPassword(credentials, address, at);
  if (objection) return objection;
  const client = registered(credentials.name, at.known(), { way: 'password' });
  if ('kind' in client) return client;
  if (certificate && certificate.client.name !== client.name)
    return refused('client-refused', 'The certificate and the password are of two clients.', { name: certificate.client.name });
  return { kind: 'client', client, grants: null, proof: { way: 'password' } };
}

interface Judging {
  readonly doors: OtherDoors;
  readonly known: () => KnownCallers;
  readonly now: () => Date;
}

/** Who sent a request; a scheme of `Authorization` whose door is closed is not looked at, as if it were not there. */
async function judgeSender(shown: Shown, { doors, known, now }: Judging): Promise<SenderVerdict> {
  const { tokens, passwords } = doors;
  const [, scheme = '', credentials = ''] = /^(\S+) *(.*)$/.exec(shown.authorization?.trim() ?? '') ?? [];
  const asked = scheme.toLowerCase();
  if (tokens && asked === 'bearer') return byToken(credentials, shown, { door: tokens, known, now });
  if (passwords && asked === 'basic') return byPassword(credentials, shown, { door: passwords, known, now });
  return byCertificate(judgePeer(shown.peer, known().peers, now()), doors);
}

/**
 * D17: a proxy has nothing of its own here. Each of its requests is that of the client which it names, with the scopes of that
 * client and, where the proxy came with a token, no more than the token allows. Of anybody else the header is not looked at.
 */
function spokenFor(sender: Admitted<OwnProof>, named: string | undefined, { peers: { clients } }: KnownCallers): CallerVerdict {
  const { client: proxy, grants, proof } = sender;
  const isProxy = clients.get(proxy.name)?.scopes.includes('proxy') === true;
  if (!isProxy) return sender;
  const own = { name: proxy.name, ...(proof && { proof }) };
  if (!proxy.scopes.includes('proxy'))
    return refused('insufficient-scope', 'The token lacks the scope proxy.', {
      ...own,
      ...challenged(`Bearer ${REALM}, error="insufficient_scope", scope="proxy"`),
    });
  if (!named)
    return refused('client-refused', `${proxy.name} is a proxy, and X-OpenHIM-ClientID does not say for which client.`, own);
  const client = clients.get(named);
  if (!client) {
    const words = `${JSON.stringify(named.slice(0, 64))}, for which ${proxy.name} calls, is not a registered client.`;
    return refused('client-refused', words, own);
  }
  const through: Proof = { way: 'proxy', proxy: proxy.name, ...(proof && { shown: proof }) };
  const objection = client.disabled ? 'is disabled' : client.scopes.includes('proxy') ? 'is a proxy itself' : null;
  if (objection !== null)
    return refused('client-refused', `The client ${named}, for which ${proxy.name} calls, ${objection}.`, {
      name: named,
      proof: through,
    });
  return { kind: 'client', client: grants === null ? client : narrowed(client, grants), grants, proof: through };
}

/** Judges a request: who sent it, and for whom. */
export async function judgeCaller(shown: Shown, judging: Judging): Promise<CallerVerdict> {
  const sender = await judgeSender(shown, judging);
  return sender.kind === 'client' ? spokenFor(sender, shown.onBehalfOf, judging.known()) : sender;
}
