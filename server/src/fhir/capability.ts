import type { CompanionType } from '../domain/companions.ts';
import { AUDIT_PARAMETERS } from './audit-search.ts';
import { COMPANION_INCLUDES, COMPANION_PARAMETERS } from './companions.ts';
import { DATES, PHONETIC, REFERENCES, STRINGS, TOKENS, URIS } from './conditions.ts';
import { defaultOurs } from './ours.ts';

export interface ResourceCapability {
  readonly type: string;
  readonly interactions: readonly (
    'read' | 'vread' | 'update' | 'delete' | 'history-instance' | 'history-type' | 'create' | 'search-type'
  )[];
  readonly searchParams: readonly {
    readonly name: string;
    readonly type: 'token' | 'string' | 'date' | 'reference' | 'uri';
    readonly documentation?: string;
  }[];
  readonly searchIncludes: readonly string[];
  readonly searchRevIncludes: readonly string[];
  readonly operations: readonly { readonly name: string; readonly definition: string }[];
  readonly profiles: readonly string[];
  readonly updateCreate: boolean;
  readonly conditionalCreate: boolean;
  readonly conditionalUpdate: boolean;
  readonly conditionalDelete: 'not-supported' | 'single';
  /** Whether If-None-Match and If-Modified-Since are answered with 304. */
  readonly conditionalRead: 'not-supported' | 'full-support';
  readonly documentation: string;
}

export interface Capability {
  /** Base url of the FHIR door, without a slash at the end. */
  readonly base: string;
  /** Version of the software. */
  readonly version: string;
  /** When the statement last changed: FHIR date or dateTime. */
  readonly date: string;
  readonly resources: readonly ResourceCapability[];
  /** Ways to log in beside mutual TLS that are open. */
  readonly doors: { readonly tokens: boolean; readonly passwords: boolean };
  readonly system: readonly ('batch' | 'transaction' | 'search-system' | 'history-system')[];
}

const TOKEN_WORDS: Partial<Record<(typeof TOKENS)[number], string>> = {
  _tag: 'The client whose records are wanted, and other tags; :not.',
  active: 'true also of a record that does not say; :not.',
  deceased: 'false also of a record that does not say; :not.',
};

/** What the point-of-service door does with Patients. */
export const patientCapability: ResourceCapability = {
  type: 'Patient',
  interactions: ['read', 'vread', 'history-instance', 'history-type', 'create', 'update', 'delete', 'search-type'],
  searchParams: [
    { name: '_id', type: 'token', documentation: 'Several by comma; Patient/[id] is understood too.' },
    {
      name: 'identifier',
      type: 'token',
      documentation: 'system|value, |value, system| or value; several by comma; :not, :of-type, :missing.',
    },
    { name: 'link', type: 'reference', documentation: 'Also chained: link._id, link.identifier.' },
    ...STRINGS.map((name) => ({ name, type: 'string' as const, documentation: 'Begins with; :exact, :contains, :missing.' })),
    { name: PHONETIC, type: 'string', documentation: 'Sounds like a name, by Double Metaphone: Latin letters only; :missing.' },
    ...TOKENS.map((name) => ({ name, type: 'token' as const, documentation: TOKEN_WORDS[name] ?? ':not, :missing.' })),
    ...DATES.map((name) => ({ name, type: 'date' as const, documentation: 'With the prefixes of R4; :missing.' })),
    ...REFERENCES.map((name) => ({
      name,
      type: 'reference' as const,
      documentation: 'By id, Type/id or url; :identifier, a type, :missing.',
    })),
    ...URIS.map((name) => ({ name, type: 'uri' as const, documentation: ':below, :missing.' })),
  ],
  searchIncludes: ['Patient:link', 'Patient:organization', 'Patient:general-practitioner'],
  searchRevIncludes: ['Patient:link', 'RelatedPerson:patient'],
  operations: [
    { name: 'ihe-pix', definition: 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix' },
    { name: 'match', definition: 'https://profiles.ihe.net/ITI/PDQm/OperationDefinition/PDQmMatch' },
  ],
  profiles: [
    'https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm.Patient',
    'https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm.Patient',
  ],
  updateCreate: true,
  conditionalCreate: true,
  conditionalRead: 'full-support',
  conditionalUpdate: true,
  conditionalDelete: 'single',
  documentation:
    `A Patient as a system submitted it links by "refer" to its golden record (tag code ${defaultOurs.goldenCode} unless configured otherwise), whose id is the person's CRUID. ` +
    'Without the scope "demographics" a client sees of the records of others their ids, links and the identifiers it may see, tagged SUBSETTED.',
};

const COMPANION_WORDS: Readonly<Record<CompanionType, string>> = {
  Organization: 'A directory that every client reads; written by whoever submitted it, and no other.',
  RelatedPerson: 'Who is related to a patient: seen by the client that submitted it, and by those with the scope "demographics".',
};

/** What the door does with Organizations and RelatedPersons. */
export const companionCapability = (type: CompanionType): ResourceCapability => ({
  type,
  profiles: [],
  interactions: ['read', 'vread', 'history-instance', 'create', 'update', 'delete', 'search-type'],
  searchParams: Object.entries(COMPANION_PARAMETERS[type]).map(([name, kind]) => ({ name, type: kind })),
  searchIncludes: [`${type}:${COMPANION_INCLUDES[type]}`],
  searchRevIncludes: [],
  operations: [],
  updateCreate: true,
  conditionalCreate: true,
  conditionalRead: 'full-support',
  conditionalUpdate: true,
  conditionalDelete: 'single',
  documentation: COMPANION_WORDS[type],
});

/** What clients with the scope `audit` may read. */
export const auditCapability: ResourceCapability = {
  type: 'AuditEvent',
  interactions: ['read', 'search-type'],
  searchParams: AUDIT_PARAMETERS,
  searchIncludes: [],
  searchRevIncludes: [],
  operations: [],
  profiles: [],
  updateCreate: false,
  conditionalCreate: false,
  conditionalRead: 'not-supported',
  conditionalUpdate: false,
  conditionalDelete: 'not-supported',
  documentation: 'For clients with the scope "audit": changes, queries and refusals, newest first.',
};

/** Actors whose requirements are met (PIX-CS-08); what keeps PDQm's supplier from standing here: docs/conformance.md. */
const INSTANTIATES = ['https://profiles.ihe.net/ITI/PIXm/CapabilityStatement/IHE.PIXm.Manager'];

/** `GET [base]/metadata`. It claims what the description lists and nothing else. */
export const capabilityStatement = ({ base, version, date, resources, system, doors }: Capability): CapabilityStatement => ({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date,
  kind: 'instance',
  instantiates: INSTANTIATES,
  software: { name: 'OpenCR', version },
  implementation: { description: 'OpenCR client registry', url: base },
  fhirVersion: '4.0.1',
  format: ['application/fhir+json', 'json', 'application/fhir+xml', 'xml'],
  rest: [
    {
      mode: 'server',
      security: securityOf(doors),
      resource: resources.map(describeResource),
      ...(system.length > 0 && { interaction: system.map((code) => ({ code })) }),
    },
  ],
});

const securityOf = ({ tokens, passwords }: Capability['doors']) => {
  const open = [
    {
      code: 'Certificates',
      words: 'Mutual TLS (IHE ITI-19): the common name of the client certificate names a registered client.',
    },
    ...(tokens ? [{ code: 'OAuth', words: 'Or a bearer token (IHE IUA) of an issuer that this registry trusts.' }] : []),
    ...(passwords ? [{ code: 'Basic', words: 'Or the name and the password of a registered client.' }] : []),
  ];
  const system = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
  return {
    service: open.map(({ code }) => ({ coding: [{ system, code }] })),
    description: open.map(({ words }) => words).join(' '),
  };
};

const describeResource = (resource: ResourceCapability): CapabilityResource => ({
  type: resource.type,
  ...(resource.profiles.length > 0 && { supportedProfile: resource.profiles }),
  documentation: resource.documentation,
  interaction: resource.interactions.map((code) => ({ code })),
  versioning: resource.interactions.includes('vread') ? 'versioned' : 'no-version',
  readHistory: resource.interactions.includes('vread'),
  updateCreate: resource.updateCreate,
  conditionalCreate: resource.conditionalCreate,
  conditionalRead: resource.conditionalRead,
  conditionalUpdate: resource.conditionalUpdate,
  conditionalDelete: resource.conditionalDelete,
  ...(resource.searchIncludes.length > 0 && { searchInclude: resource.searchIncludes }),
  ...(resource.searchRevIncludes.length > 0 && { searchRevInclude: resource.searchRevIncludes }),
  ...(resource.searchParams.length > 0 && { searchParam: resource.searchParams }),
  ...(resource.operations.length > 0 && { operation: resource.operations }),
});

export interface CapabilityResource {
  readonly type: string;
  readonly supportedProfile?: readonly string[];
  readonly documentation: string;
  readonly interaction: readonly { readonly code: string }[];
  readonly versioning: 'versioned' | 'no-version';
  readonly readHistory: boolean;
  readonly updateCreate: boolean;
  readonly conditionalCreate: boolean;
  readonly conditionalRead: string;
  readonly conditionalUpdate: boolean;
  readonly conditionalDelete: string;
  readonly searchInclude?: readonly string[];
  readonly searchRevInclude?: readonly string[];
  readonly searchParam?: ResourceCapability['searchParams'];
  readonly operation?: ResourceCapability['operations'];
}

export interface CapabilityStatement {
  readonly resourceType: 'CapabilityStatement';
  readonly status: 'active';
  readonly date: string;
  readonly kind: 'instance';
  readonly instantiates: readonly string[];
  readonly software: { readonly name: string; readonly version: string };
  readonly implementation: { readonly description: string; readonly url: string };
  readonly fhirVersion: '4.0.1';
  readonly format: readonly string[];
  readonly rest: readonly {
    readonly mode: 'server';
    readonly security: { readonly service: readonly object[]; readonly description: string };
    readonly resource: readonly CapabilityResource[];
    readonly interaction?: readonly { readonly code: string }[];
  }[];
}
