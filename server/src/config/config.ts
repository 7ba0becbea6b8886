import type { AssigningAuthority, AuthorityMode } from '../domain/authorities.ts';
import type { Client, Grant } from '../domain/principals.ts';

export interface ListedCertificate {
  /** The client that the certificate authenticates. */
  readonly client: string;
  /** SHA-256 of the DER, lower-case hex; null where `file` is given. */
  readonly fingerprint: string | null;
  /** Absolute path of a PEM certificate. */
  readonly file: string | null;
}

/** An issuer whose tokens are taken. */
export interface IssuerSettings {
  /** Exactly as its tokens say it. */
  readonly issuer: string;
  /** A token has to be for one of these. */
  readonly audience: readonly string[];
  /** Where its keys are; null: as OpenID Connect discovery says. */
  readonly jwksUri: string | null;
  /** Absolute path of PEM certificates: the authorities of the issuer's own server; null: those that Node trusts. */
  readonly caFile: string | null;
  /** Claim that names the client; null: `azp`, else `client_id`. */
  readonly clientClaim: string | null;
  /** What its scopes stand for, besides those of our own names. */
  readonly scopes: Readonly<Record<string, readonly Grant[]>>;
  /** Whether only tokens bound to the caller's certificate are taken (RFC 8705). */
  readonly requireCertificateBinding: boolean;
  /** Of signatures (JWS). */
  readonly algorithms: readonly string[];
}

/** Bounds on what a caller may send and how long it may wait. */
export interface Limits {
  /** Of a request's body, after decompression. */
  readonly bodyBytes: number;
  /** Depth of JSON. */
  readonly nesting: number;
  /** JSON values in a body. */
  readonly elements: number;
  /** UTF-16 units in one JSON string. */
  readonly stringLength: number;
  readonly bundleEntries: number;
  /** Submissions that may wait for a decision; beyond, and past `queueAgeMs`, 503. */
  readonly queueLength: number;
  readonly queueAgeMs: number;
  /** For a request to arrive whole. */
  readonly requestTimeoutMs: number;
  /** `$match` of a client without the scope `demographics`. */
  readonly matchesPerMinute: number;
}

/** An audit repository, to which the trail is sent (ITI-20). */
export type AuditRepositoryConfig = {
  /** Under which its cursor is kept. */
  readonly name: string;
  /** What it is sent when it is new: the whole trail, or what comes. */
  readonly from: 'beginning' | 'now';
  /** Absolute paths of PEM files; null: the authorities that Node knows, and no certificate of ours. */
  readonly tls: {
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
    readonly keyPassphrase: string | null;
  };
} & (
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number }
  /** `url` without a slash at the end; `bundle`: events in a batch, 1: each by itself. */
  | { readonly kind: 'fhir'; readonly url: string; readonly bundle: number }
);

/** The effective configuration: plain data, nothing left to default. */
export interface Config {
  readonly app: {
    /** The point-of-service door; 0 takes any free port. */
    readonly port: number;
    readonly host: string;
    /** What clients call the server, without trailing slash; null: as each request names it. */
    readonly publicBaseUrl: string | null;
    /** `Location` as `Patient/<id>/_history/<v>`, or as OpenCR 1.x's `Patient/<id>` (standards.md D3). */
    readonly location: 'versioned' | 'opencr';
  };
  /** Health in detail and metrics. */
  readonly admin: { readonly port: number; readonly host: string };
  readonly tls: {
    /** Trust certificates of the CA, or exactly those listed. */
    readonly mode: 'ca' | 'list';
    /** Absolute paths of PEM files; null: those that the registry made itself. */
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
    readonly clients: readonly ListedCertificate[];
  };
  readonly store: {
    readonly type: 'embedded';
    /** Writes are refused while the disk has less than this free. */
    readonly minFreeMb: number;
  };
  readonly limits: Limits;
  /** Identifiers of unknown systems: accepted with a warning, or refused. */
  readonly authorityMode: AuthorityMode;
  readonly authorities: readonly AssigningAuthority[];
  /** Clients registered by the configuration; `systems` are the source authorities that each owns. */
  readonly clients: readonly Client[];
  readonly tokens: { readonly issuers: readonly IssuerSettings[] };
  /** Whether clients may log in with a password (HTTP Basic). */
  readonly basic: { readonly enabled: boolean };
  /** Web origins whose pages may call from a browser. */
  readonly cors: { readonly origins: readonly string[] };
  readonly codes: {
    /** Code of the tag that marks a golden record. */
    readonly goldenRecord: string;
  };
  readonly systems: {
    /** Base of the tag systems, without trailing slash: `<base>/clientid`. */
    readonly CRBaseURI: string;
    /** URL of the extension that names a broken match. */
    readonly brokenMatch: string;
  };
  /** Demographic search: threads that answer, searches that may wait for one, and what each may take. */
  readonly search: { readonly threads: number; readonly queue: number; readonly milliseconds: number };
  readonly pix: {
    /** Whether `$ihe-pix` also answers with the identifier it was asked about (standards.md D1). */
    readonly includeSource: boolean;
  };
  readonly audit: { readonly repositories: readonly AuditRepositoryConfig[] };
  readonly log: { readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent' };
}
