import { audit } from './profiles/audit.ts';
import { bundles } from './profiles/bundles.ts';
import { match } from './profiles/match.ts';
import { openhie } from './profiles/openhie.ts';
import { feed, pix } from './profiles/pix.ts';
import { rest } from './profiles/rest.ts';
import { search } from './profiles/search.ts';
import type { Profile } from './probe.ts';

export const PROFILES: readonly Profile[] = [rest, search, bundles, pix, feed, match, openhie, audit];

/** Rows that no probe tries, and why: what has to be true of them is shown by the tests that docs/conformance.md names. */
export const UNTRIED: Readonly<Record<string, string>> = {
  'PDQ-78-19': 'needs an issuer of tokens',
  'PDQ-119-05': 'needs decision rules that find two persons',
  'PDQ-119-16': 'needs an issuer of tokens',
  'PIX-104-03': 'one identifier names one record here',
  'PIX-104-07': 'needs an authority whose system is the base of a FHIR server',
  'PIX-104-10': 'needs decision rules that part the two',
  'PIX-104-18': 'one identifier names one record here',
  'TLS-02': 'the self-test has a CA of its own',
  'TLS-03': 'the self-test makes its own certificates',
  'TLS-04': 'the self-test makes its own certificates',
  'TLS-06': 'needs a client that offers what is retired',
  'TLS-07': 'needs an issuer of tokens',
  'ATNA-01': 'needs an audit repository',
  'ATNA-02': 'needs an audit repository',
  'ATNA-03': 'needs an audit repository',
  'ATNA-04': 'needs an audit repository',
  'ATNA-05': 'needs an audit repository',
  'ATNA-06': 'needs an audit repository',
  'ATNA-07': 'needs an audit repository',
  'HIM-20': 'needs a client that is a proxy',
  'HIM-21': 'needs a client that is a proxy',
  'HIM-22': 'needs a client that is a proxy',
};
