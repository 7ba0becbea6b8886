import { resolve } from 'node:path';
import type { Config } from './config.ts';
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

const tlsOf = ({ tls }: ConfigDocument, folder: string): Config['tls'] => {
  const absolute = (path: string | undefined): string | null => (path === undefined ? null : resolve(folder, path));
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
    codes: document.codes,
    systems: { CRBaseURI: withoutSlash(systems.CRBaseURI), brokenMatch: systems.brokenMatch.uri },
    search: document.search,
    pix: document.pix,
    log: document.log,
  };
}
