/** Who is at the other end (ITI-19 Authenticate Node): decided for each request from the certificate and the registry's lists. */
import type { TLSSocket } from 'node:tls';
import type { ErrorCode, Refusal } from '../../domain/errors.ts';
import type { Client, IssuedCertificate, Revocation } from '../../domain/principals.ts';
import { fingerprintOf } from './certificate.ts';

/** What a connection showed: it does not change while the connection lives. */
export interface PeerCertificate {
  /** Signed by an authority of ours and fit for a client, as OpenSSL found at the handshake. */
  readonly authorized: boolean;
  /** OpenSSL's reason, e.g. `DEPTH_ZERO_SELF_SIGNED_CERT`; '' when authorized. */
  readonly authorizationError: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** Every Common Name of the subject. */
  readonly commonNames: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly serial: string;
}

/** TLS-02: a chain to our authorities, or an explicit list (fingerprint → client name). */
export type Trust = { readonly mode: 'ca' } | { readonly mode: 'list'; readonly entries: ReadonlyMap<string, string> };

/** What is known of peers, as it stands at the request. */
export interface KnownPeers {
  readonly trust: Trust;
  /** By name. */
  readonly clients: ReadonlyMap<string, Client>;
  /** By fingerprint. */
  readonly issued: ReadonlyMap<string, IssuedCertificate>;
  /** By client name. */
  readonly revocations: ReadonlyMap<string, readonly Revocation[]>;
}

export type PeerVerdict =
  | { readonly kind: 'client'; readonly client: Client }
  /** `name`: whose certificate it is, where the certificate itself is trusted: the audit names the client that was refused. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly name?: string };

export interface RegisteredPeers {
  readonly clients: readonly Client[];
  readonly certificates: readonly IssuedCertificate[];
  readonly revocations: readonly Revocation[];
}

/** The ledger's lists, arranged for `judgePeer`. */
export const knownPeers = (trust: Trust, { clients, certificates, revocations }: RegisteredPeers): KnownPeers => ({
  trust,
  clients: new Map(clients.map((client) => [client.name, client])),
  issued: new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])),
  revocations: Map.groupBy(revocations, (revocation) => revocation.client),
});

const refused = (code: ErrorCode, diagnostics: string): Extract<PeerVerdict, { kind: 'refused' }> => ({
  kind: 'refused',
  refusal: { code, issues: [{ severity: 'error', diagnostics }] },
});

const INVALID = 'Sorry, you have submitted an invalid certificate';

/** Why the certificate is not in force; undefined where it is. */
const outOfTime = (peer: PeerCertificate, now: Date): string | undefined => {
  if (now > peer.notAfter) return `${INVALID}: it expired on ${peer.notAfter.toISOString()}.`;
  return now < peer.notBefore ? `${INVALID}: it is not valid before ${peer.notBefore.toISOString()}.` : undefined;
};

/** Why the certificate itself is not trusted; undefined where it is. */
const distrust = (peer: PeerCertificate, trust: Trust, now: Date): string | undefined => {
  const late = outOfTime(peer, now);
  if (late !== undefined) return late;
  if (trust.mode === 'list') {
    return trust.entries.has(peer.fingerprint) ? undefined : `${INVALID}: it is not in the list of trusted certificates.`;
  }
  if (peer.authorized) return undefined;
  return `${INVALID}, make sure that your certificate is signed by client registry (${peer.authorizationError}).`;
};

/** See `Revocation`: an issued certificate that a revocation does not name was issued after it. */
const isRevoked = (peer: PeerCertificate, client: string, { issued, revocations }: KnownPeers): boolean => {
  const isIssued = issued.get(peer.fingerprint)?.client === client;
  return (revocations.get(client) ?? []).some(
    ({ at, fingerprints }) =>
      fingerprints.includes(peer.fingerprint) || (!isIssued && peer.notBefore.getTime() <= Date.parse(at)),
  );
};

/** Why the client of that name may not call with this certificate; undefined when it may. */
const objection = (peer: PeerCertificate, name: string, known: KnownPeers): string | undefined => {
  const client = known.clients.get(name);
  if (!client) return `${JSON.stringify(name)} is not a registered client.`;
  if (isRevoked(peer, name, known)) return `${INVALID}: it has been revoked.`;
  return client.disabled ? `The client ${name} is disabled.` : undefined;
};

const admit = (peer: PeerCertificate, name: string, known: KnownPeers): PeerVerdict => {
  const client = known.clients.get(name);
  const words = objection(peer, name, known);
  if (client && words === undefined) return { kind: 'client', client };
  return { ...refused('certificate-refused', words ?? INVALID), name };
};

const namesOf = (peer: PeerCertificate, { trust }: KnownPeers): readonly (string | undefined)[] =>
  trust.mode === 'list' ? [trust.entries.get(peer.fingerprint)] : peer.commonNames;

/**
 * A certificate that a token is bound to (RFC 8705): the token's issuer vouches for it, so that any authority may have
 * signed it. It has to be in force, and where it is one of ours neither revoked nor of a disabled client.
 */
export const vouchedPeer = (peer: PeerCertificate, known: KnownPeers, now: Date): { readonly kind: 'vouched' } | PeerVerdict => {
  const late = outOfTime(peer, now);
  if (late !== undefined) return refused('certificate-refused', late);
  const [name] = distrust(peer, known.trust, now) === undefined ? namesOf(peer, known) : [];
  const words = name !== undefined && known.clients.has(name) ? objection(peer, name, known) : undefined;
  return words === undefined ? { kind: 'vouched' } : { ...refused('certificate-refused', words), ...(name && { name }) };
};

/** The client behind the certificate (null: none was shown), or why there is none. */
export const judgePeer = (peer: PeerCertificate | null, known: KnownPeers, now: Date): PeerVerdict => {
  if (!peer) return refused('no-certificate', 'Sorry, you need to provide a client certificate to continue.');
  const distrusted = distrust(peer, known.trust, now);
  if (distrusted) return refused('certificate-refused', distrusted);
  const names = namesOf(peer, known);
  const [name] = names;
  if (!name) return refused('no-common-name', 'You have submitted a valid certificate but missing Common Name (CN).');
  if (names.length > 1) return refused('certificate-refused', `${INVALID}: it has more than one Common Name (CN).`);
  return admit(peer, name, known);
};

const seen = new WeakMap<TLSSocket, PeerCertificate | null>();

const readPeer = (socket: TLSSocket): PeerCertificate | null => {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return null;
  return {
    authorized: socket.authorized,
    authorizationError: socket.authorized ? '' : String(socket.authorizationError),
    fingerprint: fingerprintOf(certificate),
    commonNames: [certificate.toLegacyObject().subject.CN ?? []].flat(),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    serial: certificate.serialNumber,
  };
};

/**
 * The facts of a connection after its handshake, a resumed one too; null where no certificate was shown. They are kept
 * for each connection; the verdict never is, so that a revocation counts on an open connection.
 */
export const peerFacts = (socket: TLSSocket): PeerCertificate | null => {
  const known = seen.get(socket);
  if (known !== undefined) return known;
  const facts = readPeer(socket);
  seen.set(socket, facts);
  return facts;
};
