/** What each route is for, takes and answers. A route without an entry here does not compile (`fhir/routes.ts`). */
import type { CompanionType } from '../../domain/companions.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import * as parameters from './parameters.ts';
import type { Parameter } from './parameters.ts';

/** A name of `schemas`. */
type SchemaName = string;

export interface Success {
  readonly description: string;
  /** Any of these; null: without a body. */
  readonly schema: SchemaName | readonly SchemaName[] | null;
  /** Of what is no FHIR. */
  readonly type?: 'application/json';
}

export interface Operation {
  readonly summary: string;
  readonly tag: 'Patient' | CompanionType | 'AuditEvent' | 'System' | 'OpenCR 1.x';
  readonly parameters?: readonly Parameter[];
  /** The parameters may come in a form, too. */
  readonly form?: boolean;
  /** Any of these. */
  readonly body?: readonly SchemaName[];
  readonly success: Readonly<Record<number, Success>>;
  /** What may go wrong besides what may with every request, or with every body. */
  readonly refused?: readonly ErrorCode[];
  /** Whether anybody may ask, without a certificate. */
  readonly isOpen?: boolean;
}

const WRITE: readonly ErrorCode[] = [
  'forbidden',
  'not-found',
  'conflict',
  'deleted',
  'version-conflict',
  'business-rule',
  'busy',
  'no-space',
];
const ASK: readonly ErrorCode[] = ['business-rule', 'too-many-requests', 'busy'];

const patient = (description: string): Success => ({ description, schema: 'Patient' });
/** Of what was written; an OperationOutcome where Prefer asks for one. */
const written = (description: string): Success => ({ description, schema: ['Patient', 'OperationOutcome'] });
const bundle = (description: string): Success => ({ description, schema: 'Bundle' });
const none = (description: string): Success => ({ description, schema: null });

const submit = {
  parameters: [parameters.preferred, parameters.ifMatch, parameters.ifNoneExist],
  success: {
    201: written('Created, or updated.'),
    200: written('There is one already that If-None-Exist names: nothing was done.'),
  },
  refused: WRITE,
} as const;

const submitAlias = (body: readonly SchemaName[]): Operation => ({
  ...submit,
  summary: `Submits a ${body.join(' or a ').replace('SubmittedBundle', 'Bundle')}`,
  tag: 'OpenCR 1.x',
  body,
  success: { 201: { description: 'Created, or updated; of a Bundle its answer.', schema: 'Resource' }, 200: submit.success[200] },
});

const update = {
  tag: 'Patient',
  body: ['Patient'],
  success: { 201: written('Created.'), 200: written('Updated.') },
  refused: WRITE,
} as const;

const remove = {
  tag: 'Patient',
  success: {
    204: none('Deleted, or there was nothing.'),
    200: { description: 'The same, where Prefer asks for an OperationOutcome.', schema: 'OperationOutcome' },
  },
  refused: WRITE,
} as const;

const known = { 304: none('As it is known.') } as const;
const health = (summary: string): Operation => ({
  summary,
  tag: 'System',
  isOpen: true,
  success: { 200: { description: 'Yes.', schema: 'Health', type: 'application/json' } },
});

type CompanionRow<T extends CompanionType> =
  | `${'GET' | 'POST' | 'PUT' | 'DELETE'} /fhir/${T}`
  | `POST /fhir/${T}/_search`
  | `${'GET' | 'PUT' | 'DELETE'} /fhir/${T}/:id`
  | `GET /fhir/${T}/:id/_history`
  | `GET /fhir/${T}/:id/_history/:vid`;

/** What the door does with Organizations or RelatedPersons. */
function companionOperations<T extends CompanionType>(type: T): Readonly<Record<CompanionRow<T>, Operation>> {
  const tag = type;
  const one = (description: string): Success => ({ description, schema: type });
  const search = {
    tag,
    parameters: [...parameters.companionSearch(type), parameters.strictly],
    success: { 200: bundle('A page of matches.') },
  };
  const read = { tag, parameters: [...parameters.shape, ...parameters.ifKnown], refused: ['not-found', 'deleted'] } as const;
  const submitted = { tag, body: [type], refused: WRITE, success: { 201: one('Created.'), 200: one('Updated.') } };
  const addressed = { parameters: [parameters.preferred, parameters.ifMatch] };
  const conditional = { parameters: [parameters.condition, ...addressed.parameters] };
  const own = `one of your own ${type}s`;
  const operations: Record<string, Operation> = {
    [`GET /fhir/${type}`]: { ...search, summary: `Searches ${type}s` },
    [`POST /fhir/${type}/_search`]: {
      ...search,
      summary: `Searches ${type}s by a form: its parameters and those of the URL together`,
      form: true,
      refused: ['unsupported-media-type', 'too-large'],
    },
    [`POST /fhir/${type}`]: {
      ...submitted,
      summary: `Submits a ${type}`,
      parameters: [parameters.preferred, parameters.ifNoneExist],
      success: { 201: one('Created.'), 200: one('There is one already that If-None-Exist names: nothing was done.') },
    },
    [`PUT /fhir/${type}`]: { ...submitted, ...conditional, summary: `Submits ${own} by an identifier (conditional update)` },
    [`DELETE /fhir/${type}`]: { ...remove, ...conditional, tag, summary: `Deletes ${own} by an identifier` },
    [`GET /fhir/${type}/:id`]: { ...read, summary: `Reads a ${type}`, success: { 200: one('The version in force.'), ...known } },
    [`PUT /fhir/${type}/:id`]: { ...submitted, ...addressed, summary: `Submits ${own} by its id` },
    [`DELETE /fhir/${type}/:id`]: { ...remove, ...addressed, tag, summary: `Deletes ${own}` },
    [`GET /fhir/${type}/:id/_history`]: {
      summary: `Versions of a ${type}, newest first`,
      tag,
      parameters: parameters.history,
      success: { 200: bundle('A page of versions.') },
      refused: ['not-found'],
    },
    [`GET /fhir/${type}/:id/_history/:vid`]: {
      ...read,
      summary: `One version of a ${type}`,
      success: { 200: one('This version.'), ...known },
    },
  };
  return operations as Record<CompanionRow<T>, Operation>;
}

export const OPERATIONS = {
  'GET /fhir/metadata': {
    summary: 'CapabilityStatement',
    tag: 'System',
    success: { 200: { description: 'What this server does.', schema: 'CapabilityStatement' } },
  },
  'GET /openapi.json': {
    summary: 'This document',
    tag: 'System',
    success: { 200: { description: 'OpenAPI 3.1.', schema: 'OpenApi', type: 'application/json' } },
  },
  'GET /health/live': health('Whether the process answers'),
  'GET /health/ready': { ...health('Whether the registry takes submissions') },
  'GET /fhir/Patient': {
    summary: 'Searches by id, identifier and demographics; what a client sees of whom depends on its scopes',
    tag: 'Patient',
    parameters: [...parameters.patientSearch, parameters.strictly],
    success: { 200: bundle('A page of matches.') },
    refused: ['forbidden'],
  },
  'POST /fhir/Patient/_search': {
    summary: 'Searches by a form: its parameters and those of the URL together',
    tag: 'Patient',
    parameters: [...parameters.patientSearch, parameters.strictly],
    form: true,
    success: { 200: bundle('A page of matches.') },
    refused: ['forbidden', 'unsupported-media-type', 'too-large'],
  },
  'POST /fhir/Patient': { ...submit, summary: 'Submits a Patient', tag: 'Patient', body: ['Patient'] },
  'PUT /fhir/Patient': {
    ...update,
    summary: 'Submits a Patient by an identifier (conditional update)',
    parameters: [parameters.condition, parameters.preferred, parameters.ifMatch],
  },
  'DELETE /fhir/Patient': {
    ...remove,
    summary: 'Deletes a record of your own by an identifier (conditional delete)',
    parameters: [parameters.condition, parameters.preferred, parameters.ifMatch],
  },
  'GET /fhir/Patient/:id': {
    summary: 'Reads a record or a golden record',
    tag: 'Patient',
    parameters: [...parameters.shape, ...parameters.ifKnown],
    success: { 200: patient('The version in force.'), ...known },
    refused: ['not-found', 'deleted'],
  },
  'PUT /fhir/Patient/:id': {
    ...update,
    summary: 'Submits a Patient by its id',
    parameters: [parameters.preferred, parameters.ifMatch],
  },
  'DELETE /fhir/Patient/:id': {
    ...remove,
    summary: 'Deletes a record of your own',
    parameters: [parameters.preferred, parameters.ifMatch],
  },
  'GET /fhir/Patient/_history': {
    summary: 'Versions of every Patient that you see whole, newest first',
    tag: 'Patient',
    parameters: parameters.history,
    success: { 200: bundle('A page of versions.') },
  },
  'GET /fhir/Patient/:id/_history': {
    summary: 'Versions of a Patient, newest first',
    tag: 'Patient',
    parameters: parameters.history,
    success: { 200: bundle('A page of versions.') },
    refused: ['not-found'],
  },
  'GET /fhir/Patient/:id/_history/:vid': {
    summary: 'One version of a Patient',
    tag: 'Patient',
    parameters: [...parameters.shape, ...parameters.ifKnown],
    success: { 200: patient('This version.'), ...known },
    refused: ['not-found', 'deleted'],
  },
  'GET /fhir/Patient/$ihe-pix': {
    summary: 'Identifiers and ids of the same person elsewhere (IHE ITI-83)',
    tag: 'Patient',
    parameters: parameters.pix,
    success: { 200: { description: 'The cross-references.', schema: 'Parameters' } },
    refused: ['not-found', 'unknown-authority', 'unknown-target-authority'],
  },
  'POST /fhir/Patient/$ihe-pix': {
    summary: 'The same by a body',
    tag: 'Patient',
    body: ['PixParameters'],
    success: { 200: { description: 'The cross-references.', schema: 'Parameters' } },
    refused: ['not-found', 'unknown-authority', 'unknown-target-authority'],
  },
  'POST /fhir/Patient/$match': {
    summary: 'Who resembles this Patient (IHE ITI-119); nothing is written',
    tag: 'Patient',
    parameters: [parameters.strictly],
    body: ['MatchParameters', 'Patient'],
    success: { 200: bundle('Whoever does, the strongest first.') },
    refused: ASK,
  },
  'POST /fhir': {
    summary: 'A Bundle, batch or transaction, or the history of another server',
    tag: 'Patient',
    parameters: [parameters.preferred],
    body: ['SubmittedBundle'],
    success: { 200: bundle('What became of each entry.') },
    refused: WRITE,
  },
  ...companionOperations('Organization'),
  ...companionOperations('RelatedPerson'),
  'GET /fhir/AuditEvent': {
    summary: 'Searches the audit trail, for clients with the scope audit',
    tag: 'AuditEvent',
    parameters: [...parameters.auditSearch, parameters.strictly],
    success: { 200: bundle('A page of events, newest first.') },
    refused: ['forbidden'],
  },
  'GET /fhir/AuditEvent/:id': {
    summary: 'One event',
    tag: 'AuditEvent',
    success: { 200: { description: 'The event.', schema: 'AuditEvent' } },
    refused: ['forbidden', 'not-found'],
  },
  'POST /addPatient': submitAlias(['Patient', 'SubmittedBundle']),
  'POST /Patient': submitAlias(['Patient']),
  'POST /': submitAlias(['Patient', 'SubmittedBundle']),
  'POST /match/matches': {
    summary: 'The dry run: who resembles this Patient, in rows; nothing is written',
    tag: 'OpenCR 1.x',
    body: ['Patient'],
    success: { 200: { description: 'Rows of the score matrix.', schema: 'DryRun', type: 'application/json' } },
    refused: ASK,
  },
} as const satisfies Readonly<Record<string, Operation>>;

/** `METHOD /url` of a route that is described. */
export type Described = keyof typeof OPERATIONS;
