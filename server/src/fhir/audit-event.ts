import type { Committed } from '../domain/change-set.ts';
import type { Identifier, Instant, RecordKey } from '../domain/identity.ts';
import type { SourceRecord } from '../domain/records.ts';
import type { OwnProof, Proof } from '../domain/principals.ts';
import * as codes from './audit-codes.ts';
import type { AuditEvent, AuditEventAgent, AuditEventEntity, CodeableConcept, Coding, Reference } from './r4.ts';
import { identifierToken, splitUnescaped } from './tokens.ts';

/** Who records: this server, and the namespace of its clients' names. */
export interface AuditSource {
  readonly name: string;
  /** Host name of this server. */
  readonly host: string;
  /** `<CRBaseURI>/clientid` of 1.x. */
  readonly clientSystem: string;
}

/** A row of the access log (registry/ports.ts, AccessEntry), with its number. */
export interface AccessRow {
  readonly id: number;
  readonly at: Instant;
  readonly event: string;
  readonly agent: string;
  readonly address: string;
  readonly requestId: string;
  readonly proof?: Proof;
  readonly status: number;
  readonly query: string;
  readonly patients: readonly string[];
  readonly code: string;
  readonly count: number;
}

/** A record as an event names it. */
export type NamedRecord = Pick<SourceRecord, 'id' | 'identity'>;

/** AUD-11: the Patient Identity Feed is the conditional update and delete, `PUT Patient?identifier=…`. */
const isIdentityFeed = (what: string): boolean => /^(PUT|DELETE) Patient\?/.test(what);

/** AUD-11: the fed Patient is named by its identifier, and by no reference. Its own reference where the identifier was erased. */
const fedPatient = ({ id, identity }: NamedRecord): AuditEventEntity =>
  patientEntity(
    identity.value === '' ? { reference: `Patient/${id}` } : { identifier: { system: identity.system, value: identity.value } },
  );

/** What became of a Patient that was written (AUD-01, AUD-03, AUD-04). */
const done = (one: {
  readonly version: number;
  readonly deleted?: true;
}): readonly [interaction: string, action: AuditEvent['action']] =>
  one.deleted ? ['delete', 'D'] : one.version === 1 ? ['create', 'C'] : ['update', 'U'];

/**
 * A change set as BALP events: one for each Patient that it wrote, a record or a golden one, created, updated or deleted (AUD-01,
 * AUD-03, AUD-04, AUD-11), or the one that was sent again unchanged, which `records` holds; a change of clients or certificates is one Security Alert. Ids are stable: `change-<sequence>-<n>`.
 */
export const changeEvents = (
  { sequence, change }: Committed,
  source: AuditSource,
  records: ReadonlyMap<RecordKey, NamedRecord> = new Map(),
): readonly AuditEvent[] => {
  const { audit, at } = change;
  if (audit.companion !== undefined) return [companionEvent({ sequence, change }, audit.companion, { source, records })];
  const written = [...change.records.map(({ record }) => record), ...change.goldens.map(({ golden }) => golden)];
  // Sent again without a change: nothing was written, yet somebody submitted it.
  const resubmitted = written.length === 0 && audit.record !== null ? records.get(audit.record) : undefined;
  const isFed = (one: object): one is NamedRecord =>
    isIdentityFeed(audit.what) && 'identity' in one && (!('key' in one) || one.key === audit.record);
  const subtypes = (one: object, interaction: string): readonly Coding[] => [
    codes.interaction(interaction),
    ...(isFed(one) ? [codes.iti104] : []),
  ];
  const patientOf = (one: { readonly id: string }): AuditEventEntity =>
    isFed(one) ? fedPatient(one) : patientEntity({ reference: `Patient/${one.id}` });
  const base = { recorded: at, outcome: '0' as const, source, audit };
  if (written.length === 0 && audit.action === 'administer')
    return [
      event(base, {
        id: `change-${sequence}-1`,
        type: codes.securityAlert,
        subtype: [codes.securityAttributesChanged],
        action: 'E',
        entities: [],
      }),
    ];
  if (resubmitted !== undefined)
    return [
      event(base, {
        id: `change-${sequence}-1`,
        type: codes.rest,
        subtype: subtypes(resubmitted, 'update'),
        action: 'U',
        entities: [dataEntity(`Patient/${resubmitted.id}`), patientOf(resubmitted)],
      }),
    ];
  return written.map((one, index) => {
    const { id, version } = one;
    const [interaction, action] = done(one);
    return event(base, {
      id: `change-${sequence}-${index + 1}`,
      type: codes.rest,
      subtype: subtypes(one, interaction),
      action,
      entities: [dataEntity(`Patient/${id}/_history/${version}`), patientOf(one)],
    });
  });
};

/** An Organization or a RelatedPerson, with the Patient that it is of: written, or sent again unchanged. */
const companionEvent = (
  { sequence, change }: Committed,
  name: string,
  { source, records }: { readonly source: AuditSource; readonly records: ReadonlyMap<RecordKey, NamedRecord> },
): AuditEvent => {
  const { audit, at, companions } = change;
  const [written] = companions;
  const [interaction, action] = written ? done(written.companion) : (['update', 'U'] as const);
  const patient = audit.record === null ? undefined : records.get(audit.record);
  return event(
    { recorded: at, outcome: '0', source, audit },
    {
      id: `change-${sequence}-1`,
      type: codes.rest,
      subtype: [codes.interaction(interaction)],
      action,
      entities: [
        dataEntity(written ? `${name}/_history/${written.companion.version}` : name),
        ...(patient ? [patientEntity({ reference: `Patient/${patient.id}` })] : []),
      ],
    },
  );
};

interface AccessKind {
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: AuditEvent['action'];
  /** A query is recorded as it was asked; a read names what was read. */
  readonly isQuery: boolean;
}

const kindOf = (codesOf: readonly Coding[], action: AuditEvent['action'], isQuery = false): AccessKind => ({
  type: codes.rest,
  subtype: codesOf,
  action,
  isQuery,
});

/** By AccessEntry.event. */
const accessKinds = new Map<string, AccessKind>(
  Object.entries({
    read: kindOf([codes.interaction('read')], 'R'),
    vread: kindOf([codes.interaction('vread')], 'R'),
    history: kindOf([codes.interaction('history-instance')], 'R'),
    'history-type': kindOf([codes.interaction('history-type')], 'R'),
    // There was nothing to delete.
    delete: kindOf([codes.interaction('delete')], 'D', true),
    search: kindOf([codes.interaction('search'), codes.interaction('search-type'), codes.iti78], 'E', true),
    'search-other': kindOf([codes.interaction('search'), codes.interaction('search-type')], 'E', true),
    pix: kindOf([codes.interaction('search'), codes.iti83], 'E', true),
    match: kindOf([codes.interaction('search'), codes.iti119], 'E', true),
    capabilities: kindOf([codes.interaction('capabilities')], 'R', true),
    'audit-read': { type: codes.auditLogUsed, subtype: [codes.interaction('search')], action: 'R', isQuery: true },
    'application-start': { type: codes.applicationActivity, subtype: [codes.applicationStart], action: 'E', isQuery: false },
    'application-stop': { type: codes.applicationActivity, subtype: [codes.applicationStop], action: 'E', isQuery: false },
  }),
);

/** TLS-05: a node that was not let in. */
const nodeRefused: AccessKind = { type: codes.securityAlert, subtype: [codes.nodeAuthentication], action: 'E', isQuery: true };
const nodeRefusals = new Set([
  'no-certificate',
  'certificate-refused',
  'no-common-name',
  'token-refused',
  'password-refused',
  'client-refused',
]);

const interactionOfMethod = new Map<string, readonly [string, AuditEvent['action']]>([
  ['POST', ['create', 'C']],
  ['PUT', ['update', 'U']],
  ['DELETE', ['delete', 'D']],
]);

const accessKind = ({ event: name, code, query }: AccessRow): AccessKind => {
  if (nodeRefusals.has(code)) return nodeRefused;
  const known = accessKinds.get(name);
  if (known) return known;
  const [interaction, action] = interactionOfMethod.get(query.split(' ', 1)[0] ?? '') ?? ['read', 'R'];
  return kindOf([codes.interaction(interaction)], action, true);
};

/**
 * A row of the access log as BALP events (AUD-02, AUD-05, AUD-10, AUD-12, AUD-13, TLS-05): one for each Patient that the answer named, or one
 * without when it named none. How many there were, and what they held, is in none of them.
 */
export const accessEvents = (row: AccessRow, source: AuditSource): readonly AuditEvent[] => {
  const kind = accessKind(row);
  const asked = askedAbout(row);
  const subjects: readonly (string | undefined)[] = row.patients.length > 0 ? row.patients : [asked.id];
  const base = { recorded: row.at, outcome: outcomeOf(row.status), source, audit: row };
  return subjects.map((patient, index) =>
    event(base, {
      id: `access-${row.id}-${index + 1}`,
      ...kind,
      entities: accessEntities(row, kind, subjectOf(patient, asked.identifier)),
      ...described(row),
    }),
  );
};

const outcomeOf = (status: number): AuditEvent['outcome'] => (status < 400 ? '0' : status < 500 ? '4' : '8');

const described = ({ code, count }: AccessRow): { readonly outcomeDesc?: string } =>
  code === '' ? {} : { outcomeDesc: count > 1 ? `${code} (stands for ${count} alike)` : code };

const accessEntities = (
  { query }: AccessRow,
  { isQuery }: AccessKind,
  subject: Reference | undefined,
): readonly AuditEventEntity[] => [
  ...(isQuery && query !== ''
    ? [{ type: codes.systemObject, role: codes.queryRole, query: Buffer.from(askedIn(query), 'utf8').toString('base64') }]
    : []),
  ...(isQuery ? [] : [otherIn(query) ?? subject?.reference].flatMap((what) => (what === undefined ? [] : [dataEntity(what)]))),
  ...(subject ? [patientEntity(subject)] : []),
];

/** The Organization or RelatedPerson that was read. */
const otherIn = (query: string): string | undefined =>
  /\/fhir\/((?:Organization|RelatedPerson)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/\d+)?)/.exec(query)?.[1];

/** AUD-13: what was asked in a body is the body, which the access log keeps below the request line. */
const askedIn = (query: string): string => {
  const end = query.indexOf('\n');
  return end < 0 ? query : query.slice(end + 1);
};

/** AUD-10: `what.identifier` of the patient entity is the identifier that was asked about. */
const subjectOf = (patient: string | undefined, asked: Identifier | undefined): Reference | undefined =>
  patient === undefined && asked === undefined
    ? undefined
    : { ...(patient !== undefined && { reference: `Patient/${patient}` }), ...(asked && { identifier: asked }) };

/** The one patient that a query names, found or not: by identifier (AUD-10, AUD-12) or by id (AUD-12). */
const askedAbout = ({ event: name, query }: AccessRow): { readonly identifier?: Identifier; readonly id?: string } => {
  if (name !== 'pix' && name !== 'search') return {};
  const parameters = new URLSearchParams(query.split(' ')[1]?.split('?')[1] ?? '');
  const only = (parameter: string): string | undefined => {
    const [value, ...more] = parameters.getAll(parameter);
    return more.length === 0 ? value : undefined;
  };
  const asked = only(name === 'pix' ? 'sourceIdentifier' : 'identifier');
  const token = asked === undefined || splitUnescaped(asked, ',').length > 1 ? undefined : identifierToken(asked);
  const id = name === 'search' ? /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(only('_id') ?? '')?.[1] : undefined;
  return {
    ...(token?.system && token.value !== null && { identifier: { system: token.system, value: token.value } }),
    ...(id !== undefined && { id }),
  };
};

const dataEntity = (reference: string): AuditEventEntity => ({
  what: { reference },
  type: codes.systemObject,
  role: codes.domainResource,
});

const patientEntity = (what: Reference): AuditEventEntity => ({ what, type: codes.person, role: codes.patientRole });

interface Common {
  readonly recorded: Instant;
  readonly outcome: AuditEvent['outcome'];
  readonly source: AuditSource;
  readonly audit: { readonly agent: string; readonly address: string; readonly requestId: string; readonly proof?: Proof };
}

interface Particulars {
  readonly id: string;
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: AuditEvent['action'];
  readonly entities: readonly AuditEventEntity[];
  readonly outcomeDesc?: string;
}

const event = ({ recorded, outcome, source, audit }: Common, particulars: Particulars): AuditEvent => {
  const { id, type, subtype, action, outcomeDesc } = particulars;
  const entity = [...particulars.entities, ...requestIdEntity(audit.requestId)];
  return {
    resourceType: 'AuditEvent',
    id,
    type,
    subtype,
    action,
    recorded,
    outcome,
    ...(outcomeDesc !== undefined && { outcomeDesc }),
    agent: agentsOf(rolesOf(particulars), audit, source),
    source: { observer: serverOf(source), type: [codes.applicationServer] },
    ...(entity.length > 0 && { entity }),
  };
};

const requestIdEntity = (requestId: string): readonly AuditEventEntity[] =>
  requestId === '' ? [] : [{ what: { identifier: { value: requestId } }, type: codes.requestIdType }];

/** What the client's side and this server are in an event. */
interface Roles {
  readonly client: CodeableConcept;
  readonly server: CodeableConcept;
}

/** Data flow from the source to the destination, on a read from this server to the client; a deletion has none (BALP, table of §5.1). */
function rolesOf({ type, action }: Pick<Particulars, 'type' | 'action'>): Roles {
  if (type === codes.applicationActivity) return { client: codes.applicationLauncher, server: codes.application };
  if (action === 'D') return { client: codes.application, server: codes.custodian };
  if (action === 'R') return { client: codes.destinationRole, server: codes.sourceRole };
  return { client: codes.sourceRole, server: codes.destinationRole };
}

/** By its name here, and where a token says who it is by what that calls it. */
const clientOf = (agent: string, proof: OwnProof | undefined, { clientSystem }: AuditSource): Reference => {
  if (proof?.way === 'token')
    return { identifier: { system: proof.issuer, value: proof.client }, display: agent || proof.client };
  return agent === '' ? { display: 'unauthenticated' } : { identifier: { system: clientSystem, value: agent }, display: agent };
};

/** How the client showed who it is, where not by its certificate: BALP's name of a JWT, or RFC 7617 for a password. */
const policyOf = (proof: OwnProof | undefined): Pick<AuditEventAgent, 'policy'> => {
  if (proof?.way === 'password') return { policy: ['urn:ietf:rfc:7617'] };
  return proof?.way === 'token' && proof.jti !== null
    ? { policy: [`urn:ietf:params:oauth:jti:${encodeURIComponent(proof.jti)}`] }
    : {};
};

/** The client, from where its request came; this server; and the proxy that called for the client, where there was one. */
const agentsOf = (roles: Roles, { agent, address, proof }: Common['audit'], source: AuditSource): readonly AuditEventAgent[] => {
  const own = proof?.way === 'proxy' ? undefined : proof;
  const network = address === '' ? ({ address: 'localhost', type: '1' } as const) : ({ address, type: '2' } as const);
  const client = {
    type: roles.client,
    who: clientOf(agent, own, source),
    ...(own?.way === 'password' && own.claimed !== undefined && { altId: own.claimed }),
    requestor: true,
    ...policyOf(own),
    network,
  };
  const server = {
    type: roles.server,
    who: serverOf(source),
    requestor: false,
    network: { address: source.host, type: '1' },
  } as const;
  if (proof?.way !== 'proxy') return [client, server];
  const { proxy, shown } = proof;
  const who = clientOf(proxy, shown, source);
  return [client, server, { type: codes.proxy, who, requestor: false, ...policyOf(shown), network }];
};

/** val-audit-source (AUD-14): the observer is the server agent, in the same words. */
const serverOf = ({ name, host }: AuditSource): Reference => ({ identifier: { value: host }, display: name });
