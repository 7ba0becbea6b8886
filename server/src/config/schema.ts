import { z } from 'zod';
import { GRANTS, SCOPES } from '../domain/principals.ts';
import { isLoopback } from './loopback.ts';
import { CHECK_DIGITS } from '../domain/authorities.ts';
import { isFormat } from '../fhir/identifier-values.ts';

/**
 * The one schema of the configuration: OpenCR 1.x's keys and ours (docs/configuration.md). Keys of 1.x that nothing
 * reads any more are `retired`: known, of any value, and warned about (retired.ts).
 */
const retired = z.unknown().optional();

const port = z.int().min(0).max(65_535);
const text = z.string().min(1);
const uri = z.string().regex(/^[^\s|]+$/, 'must be a URI, without blanks and "|"');
const uris = z.union([uri, z.array(uri)], 'must be a URI or a list of URIs');
/** TLS common name: at most 64 characters (RFC 5280, ub-common-name). */
const clientId = z.string().regex(/^[^\s\u0000-\u001f]{1,64}$/, 'must be a certificate CN: 1 to 64 characters without blanks');
const count = z.int().min(1);

/** Signatures with a key pair: `none` and shared secrets (HS*) cannot be chosen. */
const ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

const isWebAddress = (value: string): boolean => {
  const parsed = URL.parse(value);
  return parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.search === '' && parsed.hash === '';
};

const app = z.strictObject({
  port: port.default(3000),
  host: text.default('0.0.0.0'),
  publicBaseUrl: z.string().refine(isWebAddress, 'must be an http or https URL without query').optional(),
  location: z.enum(['versioned', 'opencr']).optional(),
  installed: retired,
});

const admin = z.strictObject({ port: port.optional(), host: text.default('127.0.0.1') });

const tlsClient = z
  .strictObject({
    client: clientId,
    fingerprint: z
      .string()
      .regex(/^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i, 'must be a SHA-256 fingerprint: 64 hexadecimal digits, colons allowed')
      .optional(),
    file: text.optional(),
  })
  .refine((entry) => (entry.fingerprint === undefined) !== (entry.file === undefined), 'must have either fingerprint or file');

const tls = z.strictObject({
  mode: z.enum(['ca', 'list']).default('ca'),
  caFile: text.optional(),
  certFile: text.optional(),
  keyFile: text.optional(),
  clients: z.array(tlsClient).default([]),
});

const limits = z.strictObject({
  bodyBytes: count.default(10 * 1024 * 1024),
  nesting: count.default(32),
  elements: count.default(200_000),
  stringLength: count.default(1024 * 1024),
  bundleEntries: count.default(1000),
  queueLength: count.default(1000),
  queueAgeMs: count.default(10_000),
  requestTimeoutMs: count.default(30_000),
  matchesPerMinute: count.default(60),
});

/** ITU-T X.660: the first arc is 0, 1 or 2, the second below 40 but for 2. */
const OID = /^(?:[01]\.[1-3]?\d|2\.(?:0|[1-9]\d*))(?:\.(?:0|[1-9]\d*))*$/;
const oid = z.string().refine((value) => OID.test(value.replace(/^urn:oid:/, '')), 'must be an OID: numbers joined by dots');
const domain = uri.refine(
  (value) => !/^urn:oid:/i.test(value) || OID.test(value.replace(/^urn:oid:/, '')),
  'must be an OID after "urn:oid:"',
);

const authority = z.strictObject({
  uri: domain,
  oid: z.union([oid, z.array(oid)], 'must be an OID or a list of OIDs').optional(),
  aliases: z.array(domain).default([]),
  kind: z.enum(['source', 'shared']),
  owner: clientId.optional(),
  name: text.optional(),
  format: z.string().refine(isFormat, 'must be a regular expression of RE2, of at most 256 characters').optional(),
  checkDigit: z.enum(CHECK_DIGITS).optional(),
  enforce: z.boolean().optional(),
  active: z.boolean().default(true),
});

const client = z.strictObject({
  id: clientId,
  displayName: z.string().optional(),
  systems: z.array(uri).default([]),
  scopes: z.array(z.enum(SCOPES)).default([]),
});

/** Which of the fields belong to which kind: checks.ts. */
const auditRepository = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, 'must be a name: 1 to 64 letters, digits, dots, dashes or underscores'),
  kind: z.enum(['syslog', 'fhir']),
  host: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,253}$/, 'must be a host name or an address')
    .optional(),
  port: z.int().min(1).max(65_535).optional(),
  url: z.string().refine(isWebAddress, 'must be an http or https URL without query').optional(),
  bundle: z.int().min(1).max(500).optional(),
  caFile: text.optional(),
  certFile: text.optional(),
  keyFile: text.optional(),
  keyPassphrase: text.optional(),
  from: z.enum(['beginning', 'now']).default('beginning'),
});

/** A web address that nobody on the way can change; on this machine plain HTTP will do. */
const isSafeAddress = (value: string): boolean =>
  isWebAddress(value) && (value.startsWith('https:') || isLoopback(value)) && URL.parse(value)?.username === '';
const safeAddress = z
  .string()
  .refine(isSafeAddress, 'must be an https URL without query and user, or an http URL of this machine');

/** As browsers write it (RFC 6454 §6.2), so that it can be compared as a text. */
const origin = z
  .string()
  .refine(
    (value) => isSafeAddress(value) && URL.parse(value)?.origin === value,
    'must be an origin as browsers send it, such as "https://app.example.org"; http only of this machine',
  );

const issuer = z.strictObject({
  issuer: safeAddress,
  audience: z.union([text, z.array(text).min(1)], 'must be a text or a list of texts, not empty'),
  jwksUri: safeAddress.optional(),
  caFile: text.optional(),
  clientClaim: text.optional(),
  scopes: z.record(z.string(), z.array(z.enum(GRANTS))).default({}),
  requireCertificateBinding: z.boolean().default(false),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
});

/** Under any name: `internalid`, `nationalid`, or a client's (seed-era files). */
const system = z.strictObject({ uri: uris, displayName: z.string().optional() });

const systems = z
  .object({
    CRBaseURI: uri.default('http://openclientregistry.org/fhir'),
    brokenMatch: z
      .strictObject({ uri: uri.default('http://clientregistry.org/brokenMatch'), displayName: z.string().optional() })
      .prefault({}),
  })
  .catchall(system);

export const configSchema = z.strictObject({
  app: app.prefault({}),
  admin: admin.prefault({}),
  tls: tls.prefault({}),
  store: z
    .strictObject({ type: z.enum(['embedded', 'postgresql', 'fhir']).optional(), minFreeMb: z.int().min(0).default(512) })
    .prefault({}),
  limits: limits.prefault({}),
  authorities: z
    .strictObject({ mode: z.enum(['open', 'strict']).default('open'), list: z.array(authority).default([]) })
    .prefault({}),
  clients: z.array(client).optional(),
  tokens: z.strictObject({ issuers: z.array(issuer).default([]) }).prefault({}),
  basic: z.strictObject({ enabled: z.boolean().default(false) }).prefault({}),
  cors: z.strictObject({ origins: z.array(origin).default([]) }).prefault({}),
  systems: systems.prefault({}),
  codes: z.strictObject({ goldenRecord: text.default('5c827da5-4858-4f3d-a50c-62ece001efea') }).prefault({}),
  search: z.strictObject({ threads: count.default(2), queue: count.default(50), milliseconds: count.default(5000) }).prefault({}),
  pix: z.strictObject({ includeSource: z.boolean().default(false) }).prefault({}),
  audit: z.strictObject({ repositories: z.array(auditRepository).default([]) }).prefault({}),
  log: z
    .strictObject({ level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info') })
    .prefault({}),
  /** Decision rules inside the configuration file; rules/ reads them. */
  rules: z.unknown().optional(),

  mediator: z
    .strictObject({
      register: z.boolean().default(false),
      api: z
        .strictObject({
          username: z.string().optional(),
          password: z.string().optional(),
          apiURL: z.string().optional(),
          trustSelfSigned: z.boolean().optional(),
          urn: z.string().optional(),
        })
        .optional(),
    })
    .prefault({}),
  fhirServer: z
    .strictObject({ baseURL: z.string().optional(), username: z.string().optional(), password: z.string().optional() })
    .prefault({}),
  elastic: z
    .strictObject({
      server: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
      max_compilations_rate: retired,
      index: retired,
    })
    .prefault({}),
  matching: z
    .strictObject({
      tool: z.enum(['mediator', 'elasticsearch']).optional(),
      autoMatchPatientWithHumanAdjudTag: retired,
      resolvePotentialOfPotentials: retired,
    })
    .prefault({}),
  auth: z.strictObject({ secret: z.string().optional(), tokenDuration: retired }).prefault({}),
  cronJobs: z.strictObject({ patientReprocessing: retired }).prefault({}),
  structureDefinition: z
    .strictObject({ uri: retired, reportRelationship: retired, autoModifyRelationshipBasedOnDecisionRules: retired })
    .prefault({}),
  sync: z.strictObject({ lastFHIR2ESSync: retired }).prefault({}),
});

/** A configuration document that the schema accepts, defaults filled in. */
export type ConfigDocument = z.infer<typeof configSchema>;
export type Section = keyof ConfigDocument;
