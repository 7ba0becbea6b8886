import { isPublishedSecret, secretsOf } from './known-secrets.ts';
import { isLoopback } from './loopback.ts';
import type { ConfigDocument, Section } from './schema.ts';

interface Check {
  /** Sections that must be sound for the check to mean anything. */
  readonly needs: readonly Section[];
  readonly complain: (document: ConfigDocument) => readonly (string | false)[];
}

const USE_EMBEDDED = 'set store.type to "embedded" to serve from the embedded store, which begins empty';

type Repository = ConfigDocument['audit']['repositories'][number];

const hasCredentials = (url: string): boolean => {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
};

/** Which fields a kind of audit repository has, and what they need. */
function repositoryComplaints(all: readonly Repository[], repository: Repository, index: number): readonly (string | false)[] {
  const field = `audit.repositories[${index}]`;
  const { name, kind, host, port, url, bundle, certFile, keyFile, keyPassphrase } = repository;
  const isSyslog = kind === 'syslog';
  return [
    all.findIndex((one) => one.name === name) < index && `${field}.name: ${name} is listed twice`,
    isSyslog && host === undefined && `${field}.host: is missing`,
    isSyslog && url !== undefined && `${field}.url: is for kind "fhir"; "syslog" has host and port`,
    isSyslog && bundle !== undefined && `${field}.bundle: is for kind "fhir"`,
    !isSyslog && url === undefined && `${field}.url: is missing`,
    !isSyslog && host !== undefined && `${field}.host: is for kind "syslog"; "fhir" has url`,
    !isSyslog && port !== undefined && `${field}.port: is for kind "syslog"; "fhir" has url`,
    url !== undefined &&
      url.startsWith('http:') &&
      !isLoopback(url) &&
      `${field}.url: must be https, unless it is on this machine`,
    url !== undefined &&
      hasCredentials(url) &&
      `${field}.url: must hold no user and password; certFile and keyFile show who we are`,
    certFile !== undefined && keyFile === undefined && `${field}.keyFile: is missing beside certFile`,
    keyFile !== undefined && certFile === undefined && `${field}.certFile: is missing beside keyFile`,
    keyPassphrase !== undefined && keyFile === undefined && `${field}.keyFile: is missing beside keyPassphrase`,
  ];
}

/** What the schema cannot see: several fields together, and what is asked for that is not there yet. */
const CHECKS: readonly Check[] = [
  {
    needs: ['mediator'],
    complain: ({ mediator }) => [
      mediator.register &&
        'mediator.register: registering with OpenHIM is not there yet; set it to false to serve clients over mutual TLS',
    ],
  },
  {
    needs: ['store', 'fhirServer', 'matching'],
    complain: ({ store, fhirServer, matching }) => [
      store.type !== undefined && store.type !== 'embedded' && `store.type: "${store.type}" is not there yet; "embedded" is`,
      store.type === undefined &&
        Boolean(fhirServer.baseURL) &&
        `fhirServer.baseURL: keeping records on a FHIR server is not there yet; ${USE_EMBEDDED} and does not read that server`,
      store.type === undefined &&
        matching.tool === 'elasticsearch' &&
        `matching.tool: matching by Elasticsearch is not there yet; ${USE_EMBEDDED} and finds candidates in process`,
    ],
  },
  {
    needs: ['app', 'admin'],
    complain: ({ app, admin }) => [
      admin.port === undefined && app.port === 65_535 && 'admin.port: is missing, and app.port + 1 is no port',
      admin.port !== undefined && admin.port !== 0 && admin.port === app.port && 'admin.port: must differ from app.port',
    ],
  },
  {
    needs: ['tls'],
    complain: ({ tls }) => [
      tls.mode === 'list' && tls.clients.length === 0 && 'tls.clients: must not be empty when tls.mode is "list"',
      tls.certFile !== undefined && tls.keyFile === undefined && 'tls.keyFile: is missing beside tls.certFile',
      tls.keyFile !== undefined && tls.certFile === undefined && 'tls.certFile: is missing beside tls.keyFile',
    ],
  },
  {
    needs: ['audit'],
    complain: ({ audit }) =>
      audit.repositories.flatMap((repository, index) => repositoryComplaints(audit.repositories, repository, index)),
  },
  {
    needs: ['tokens'],
    complain: ({ tokens: { issuers } }) =>
      issuers.map(
        ({ issuer }, index) =>
          issuers.findIndex((other) => other.issuer === issuer) < index &&
          `tokens.issuers[${index}].issuer: stands in the list already`,
      ),
  },
  {
    needs: ['auth', 'mediator', 'fhirServer', 'elastic'],
    complain: (document) =>
      secretsOf(document).map(
        ({ field, secret, url }) =>
          isPublishedSecret(secret) &&
          !isLoopback(url) &&
          `${field}: is published with OpenCR 1.x and its server is another host; change it`,
      ),
  },
];

const said = (sentences: readonly (string | false)[]): readonly string[] => sentences.filter((sentence) => sentence !== false);

export const crossComplaints = (document: ConfigDocument, unsound: ReadonlySet<string>): readonly string[] =>
  CHECKS.filter((check) => !check.needs.some((section) => unsound.has(section))).flatMap((check) =>
    said(check.complain(document)),
  );

export const crossWarnings = (document: ConfigDocument): readonly string[] =>
  said([
    ...secretsOf(document).map(
      ({ field, secret }) => isPublishedSecret(secret) && `${field}: is published with OpenCR 1.x, and never used`,
    ),
    ...document.audit.repositories.map(
      ({ kind, certFile }, index) =>
        kind === 'syslog' &&
        certFile === undefined &&
        `audit.repositories[${index}].certFile: is missing; IHE's ITI-19 has audit sources show a certificate`,
    ),
    document.tls.mode === 'ca' && document.tls.clients.length > 0 && 'tls.clients: is read only when tls.mode is "list"',
  ]);
