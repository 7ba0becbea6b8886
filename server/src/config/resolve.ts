import { resolve } from 'node:path';
import type { AuditRepositoryConfig, Config } from './config.ts';
import type { ConfigDocument } from './schema.ts';
import type { Parties } from './authorities.ts';

/** What the document alone does not say. */
interface Surroundings {
  readonly parties: Parties;
  /** Folder that relative paths in the document start from. */
  readonly folder: string;
  readonly isOpencr1: boolean;
}

const withoutSlash = (uri: string): string => uri.replace(/\/+$/, '');

const absoluteFrom =
  (folder: string) =>
  (path: string | undefined): string | null =>
    path === undefined ? null : resolve(folder, path);

/** Port of syslog over TLS (RFC 5425 §4.1), and events in a Bundle. */
const SYSLOG_TLS = 6514;
const BUNDLE = 50;

const repositoryOf = (one: ConfigDocument['audit']['repositories'][number], folder: string): AuditRepositoryConfig => {
  const { name, kind, host = '', port = SYSLOG_TLS, url = '', bundle = BUNDLE, from, keyPassphrase = null } = one;
  const absolute = absoluteFrom(folder);
  const files = { caFile: absolute(one.caFile), certFile: absolute(one.certFile), keyFile: absolute(one.keyFile) };
  const common = { name, from, tls: { ...files, keyPassphrase } };
  return kind === 'syslog' ? { ...common, kind, host, port } : { ...common, kind, url: withoutSlash(url), bundle };
};

const tlsOf = ({ tls }: ConfigDocument, folder: string): Config['tls'] => {
  const absolute = absoluteFrom(folder);
  return {
    mode: tls.mode,
    caFile: absolute(tls.caFile),
    certFile: absolute(tls.certFile),
    keyFile: absolute(tls.keyFile),
    clients: tls.clients.map(({ client, fingerprint, file }) => ({
      client,
      fingerprint: fingerprint?.replaceAll(':', '').toLowerCase() ?? null,
      file: absolute(file),
    })),
  };
};

const issuersOf = ({ tokens }: ConfigDocument, folder: string): Config['tokens']['issuers'] =>
  tokens.issuers.map(({ audience, jwksUri, caFile, clientClaim, ...issuer }) => ({
    ...issuer,
    audience: [audience].flat(),
    jwksUri: jwksUri ?? null,
    caFile: caFile === undefined ? null : resolve(folder, caFile),
    clientClaim: clientClaim ?? null,
  }));

/** The effective configuration of a document without complaints. */
export function resolveConfig(document: ConfigDocument, { parties, folder, isOpencr1 }: Surroundings): Config {
  const { app, admin, systems } = document;
  return {
    app: {
      port: app.port,
      host: app.host,
      publicBaseUrl: app.publicBaseUrl === undefined ? null : withoutSlash(app.publicBaseUrl),
      location: app.location ?? (isOpencr1 ? 'opencr' : 'versioned'),
    },
    admin: { port: admin.port ?? (app.port === 0 ? 0 : app.port + 1), host: admin.host },
    tls: tlsOf(document, folder),
    store: { type: 'embedded', minFreeMb: document.store.minFreeMb },
    limits: document.limits,
    authorityMode: document.authorities.mode,
    authorities: parties.authorities,
    clients: parties.clients,
    tokens: { issuers: issuersOf(document, folder) },
    basic: document.basic,
    cors: document.cors,
    codes: document.codes,
    systems: { CRBaseURI: withoutSlash(systems.CRBaseURI), brokenMatch: systems.brokenMatch.uri },
    search: document.search,
    pix: document.pix,
    audit: { repositories: document.audit.repositories.map((repository) => repositoryOf(repository, folder)) },
    log: document.log,
  };
}
