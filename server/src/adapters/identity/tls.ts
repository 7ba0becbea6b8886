/** TLS as ITI-19 asks: "STX: TLS 1.2 Floor using BCP195" (standards.md TLS-06) and TLS 1.3. */
import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';

/** PEM all: the server's pair, and the authorities whose clients may call. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  readonly ca: readonly string[];
}

/** `ca`: who holds a certificate of one of the authorities; `list`: who holds a certificate on an explicit list (TLS-02). */
export type TrustMode = 'ca' | 'list';

/** TLS 1.3's own suites, then the four that the floor names; ephemeral elliptic curves first, being cheaper for the server. */
const SUITES = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-AES128-GCM-SHA256',
].join(':');

/**
 * Options for `https.createServer`. Every certificate is let through the handshake, and `judgePeer` decides at each
 * request: a refused caller reads why, health needs no certificate, and a revocation counts on an open connection.
 * In list mode no authority is named to callers, since many clients keep a certificate back that none of those signed.
 */
export const tlsOptions = ({ key, cert, ca }: TlsMaterial, mode: TrustMode): TlsOptions => ({
  key,
  cert,
  ca: mode === 'ca' ? [...ca] : [],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: SUITES,
  honorCipherOrder: true,
  // Without it Node offers no DHE suite; OpenSSL then picks a group as strong as the key.
  dhparam: 'auto',
  // Else a TLS 1.2 caller could change its certificate within a connection.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  requestCert: true,
  rejectUnauthorized: false,
});
