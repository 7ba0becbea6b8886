import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Client, IssuedCertificate, Revocation } from '../../domain/principals.ts';
import { judgePeer, knownPeers } from './peer.ts';
import type { KnownPeers, PeerCertificate, PeerVerdict, Trust } from './peer.ts';

const now = new Date('2026-03-01T12:00:00Z');
const client = (name: string, disabled = false): Client => ({ name, displayName: name, systems: [], scopes: [], disabled });
const openmrs = client('openmrs');

const peer: PeerCertificate = {
  authorized: true,
  authorizationError: '',
  fingerprint: 'f1',
  commonNames: ['openmrs'],
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2027-01-01T00:00:00Z'),
  serial: '01',
};

const issuedTo = (name: string, fingerprint: string): IssuedCertificate => ({
  fingerprint,
  client: name,
  serial: '01',
  notAfter: '2027-01-01T00:00:00.000Z',
});

const revoked = (at: string, ...fingerprints: string[]): Revocation => ({ client: 'openmrs', at, fingerprints });

const known = (changes: { trust?: Trust; certificates?: IssuedCertificate[]; revocations?: Revocation[] } = {}): KnownPeers =>
  knownPeers(changes.trust ?? { mode: 'ca' }, {
    clients: [openmrs, client('lims', true)],
    certificates: changes.certificates ?? [],
    revocations: changes.revocations ?? [],
  });

const listed: Trust = { mode: 'list', entries: new Map([['f1', 'openmrs']]) };

/** `openmrs`, or `code: words`. */
const said = (verdict: PeerVerdict): string =>
  verdict.kind === 'client'
    ? verdict.client.name
    : `${verdict.refusal.code}: ${verdict.refusal.issues.map((issue) => issue.diagnostics).join(' ')}`;
const judged = (changes: Partial<PeerCertificate>, peers = known(), at = now): string =>
  said(judgePeer({ ...peer, ...changes }, peers, at));

describe('a peer', () => {
  it('TLS-01: is the client that its certificate names', () => {
    expect(judgePeer(peer, known(), now)).toEqual({ kind: 'client', client: openmrs });
  });

  it('TLS-01: without a certificate is asked for one', () => {
    expect(said(judgePeer(null, known(), now))).toBe(
      'no-certificate: Sorry, you need to provide a client certificate to continue.',
    );
  });

  it('TLS-05: with a certificate that is not ours is refused, with the reason', () => {
    expect(judged({ authorized: false, authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT' })).toBe(
      'certificate-refused: Sorry, you have submitted an invalid certificate, make sure that your certificate is signed ' +
        'by client registry (DEPTH_ZERO_SELF_SIGNED_CERT).',
    );
  });

  it('TLS-05: is refused outside the dates of its certificate, though the connection was opened within them', () => {
    expect(judged({}, known(), new Date('2027-01-01T00:00:01Z'))).toMatch(/^certificate-refused: .*expired on 2027-01-01T00:00/);
    expect(judged({}, known(), new Date('2025-12-31T23:59:59Z'))).toMatch(/^certificate-refused: .*not valid before 2026-01-01/);
  });

  it('is refused when its name is no registered client', () => {
    expect(judged({ commonNames: ['dhis2'] })).toBe('certificate-refused: "dhis2" is not a registered client.');
    expect(judged({ commonNames: ['__proto__'] })).toMatch(/^certificate-refused/);
    expect(judged({ commonNames: ['OpenMRS'] })).toMatch(/^certificate-refused/);
  });

  it('is refused when its client is disabled', () => {
    expect(judged({ commonNames: ['lims'] })).toBe('certificate-refused: The client lims is disabled.');
  });

  it('with a valid certificate but no Common Name made a bad request', () => {
    const words = 'no-common-name: You have submitted a valid certificate but missing Common Name (CN).';
    expect(judged({ commonNames: [] })).toBe(words);
    expect(judged({ commonNames: [''] })).toBe(words);
  });

  it('cannot be two clients at once', () => {
    expect(judged({ commonNames: ['openmrs', 'lims'] })).toMatch(/^certificate-refused: .*more than one Common Name/);
    expect(judged({ commonNames: ['openmrs', 'openmrs'] })).toMatch(/^certificate-refused/);
  });
});

describe('a peer in list mode', () => {
  it('TLS-02: is the client of its entry, whoever signed its certificate and whatever its subject is', () => {
    const selfSigned = { authorized: false, authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT' };
    for (const commonNames of [[], ['x'], ['x', 'y']]) {
      expect(judged({ ...selfSigned, commonNames }, known({ trust: listed }))).toBe('openmrs');
    }
  });

  it('TLS-02: is refused when it is not on the list, though our authority signed its certificate', () => {
    expect(judged({ fingerprint: 'f2' }, known({ trust: listed }))).toMatch(/^certificate-refused: .*not in the list/);
  });

  it('is refused when its certificate has expired, or its client was revoked', () => {
    expect(judged({ notAfter: new Date('2026-02-01') }, known({ trust: listed }))).toMatch(/expired on 2026-02-01/);
    const peers = known({ trust: listed, revocations: [revoked('2026-02-01T00:00:00.000Z')] });
    expect(judged({ authorized: false }, peers)).toMatch(/it has been revoked/);
  });
});

describe('a revocation', () => {
  const at = '2026-02-01T00:00:00.000Z';
  const before = new Date('2026-02-01T00:00:00.000Z');
  const after = new Date('2026-02-01T00:00:01.000Z');

  it('ends every certificate of the client that began before it, whoever made it', () => {
    const peers = known({ revocations: [revoked(at)] });
    expect(judged({ notBefore: before }, peers)).toMatch(/^certificate-refused: .*it has been revoked/);
    expect(judged({ notBefore: after }, peers)).toBe('openmrs');
  });

  it('spares a certificate that the registry issued after it, though dated back for slow clocks', () => {
    const certificates = [issuedTo('openmrs', 'f1'), issuedTo('openmrs', 'f2')];
    const peers = known({ certificates, revocations: [revoked(at, 'f2')] });
    expect(judged({ notBefore: before }, peers)).toBe('openmrs');
    expect(judged({ notBefore: before, fingerprint: 'f2' }, peers)).toMatch(/it has been revoked/);
  });

  it('ends the certificates it names, though they begin later', () => {
    const peers = known({ certificates: [issuedTo('openmrs', 'f1')], revocations: [revoked(at, 'f1')] });
    expect(judged({ notBefore: after }, peers)).toMatch(/it has been revoked/);
  });

  it('is not escaped with a certificate issued to somebody else', () => {
    const peers = known({ certificates: [issuedTo('lims', 'f1')], revocations: [revoked(at)] });
    expect(judged({ notBefore: before }, peers)).toMatch(/it has been revoked/);
  });

  it('leaves other clients alone', () => {
    expect(judged({}, known({ revocations: [{ ...revoked(at, 'f1'), client: 'lims' }] }))).toBe('openmrs');
  });

  it('is never undone by a later one', () => {
    const revocation = fc.record({
      client: fc.constant('openmrs'),
      at: fc.constantFrom('2025-12-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', at),
      fingerprints: fc.subarray(['f1', 'f2']),
    });
    const admitted = (certificates: IssuedCertificate[], revocations: Revocation[]): boolean =>
      judgePeer(peer, known({ certificates, revocations }), now).kind === 'client';
    fc.assert(
      fc.property(fc.array(revocation), revocation, fc.boolean(), (earlier, later, isIssued) => {
        const certificates = isIssued ? [issuedTo('openmrs', 'f1')] : [];
        return admitted(certificates, earlier) || !admitted(certificates, [...earlier, later]);
      }),
    );
  });
});
