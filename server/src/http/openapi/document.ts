/** The OpenAPI 3.1 document of the point-of-service door, made from its routes. */
import type { ErrorCode } from '../../domain/errors.ts';
import { issueTypeOf, statusOf } from '../../fhir/outcome.ts';
import { type Described, type Operation, OPERATIONS, type Success } from './operations.ts';
import { everywhere, idOf } from './parameters.ts';
import { ref, type Schema, schemas } from './schemas.ts';

/** What may go wrong with every request of somebody who must show a certificate. */
const ALWAYS: readonly ErrorCode[] = [
  ...(['invalid-request', 'no-common-name', 'no-certificate', 'certificate-refused', 'not-acceptable', 'too-slow'] as const),
  ...(['not-ready', 'internal'] as const),
];
/** What may go wrong with every body. */
const BODY: readonly ErrorCode[] = ['invalid-json', 'invalid-structure', 'too-large', 'unsupported-media-type'];
/** What anybody may be answered. */
const OPEN: readonly ErrorCode[] = ['invalid-request', 'too-slow', 'internal'];

const fhir = (schema: Schema): Schema => ({
  'application/fhir+json': { schema },
  'application/fhir+xml': { schema: { type: 'string', description: 'The same as FHIR XML.' } },
});

const anyOf = (names: string | readonly string[]): Schema =>
  typeof names === 'string' ? ref(names) : names.length === 1 && names[0] ? ref(names[0]) : { anyOf: names.map(ref) };

const contentOf = ({ schema, type }: Success): Schema => {
  if (schema === null) return {};
  if (type === undefined) return { content: fhir(anyOf(schema)) };
  return { content: { [type]: { schema: schema === 'OpenApi' ? { type: 'object' } : anyOf(schema) } } };
};

/** By status: the codes of docs/api.md that it may stand for. */
function refusals(codes: readonly ErrorCode[]): Readonly<Record<string, Schema>> {
  const statuses = new Map<number, readonly ErrorCode[]>();
  for (const code of new Set(codes)) statuses.set(statusOf(code), [...(statuses.get(statusOf(code)) ?? []), code]);
  const described = [...statuses].map(([status, all]) => {
    const description = `${all.map((code) => `${code} (issue ${issueTypeOf(code)})`).join(', ')}.`;
    return [String(status), { description, content: fhir(ref('OperationOutcome')) }] as const;
  });
  return Object.fromEntries([
    ...described,
    ['431', { description: 'URL and headers over 15 KiB.', content: fhir(ref('OperationOutcome')) }],
  ]);
}

const codesOf = ({ isOpen = false, body, refused = [] }: Operation): readonly ErrorCode[] => [
  ...(isOpen ? OPEN : ALWAYS),
  ...(body ? BODY : []),
  ...refused,
];

const successes = (success: Operation['success']): Readonly<Record<string, Schema>> =>
  Object.fromEntries(
    Object.entries(success).map(([status, one]) => [status, { description: one.description, ...contentOf(one) }]),
  );

const FORM = {
  required: false,
  content: { 'application/x-www-form-urlencoded': { schema: { type: 'object', additionalProperties: { type: 'string' } } } },
};

const isOfPath = (url: string) => (name: string) => url.includes(`:${name}`);

function described(row: Described): Schema {
  const [method = '', url = ''] = row.split(' ');
  const operation: Operation = OPERATIONS[row];
  const own = Object.keys(idOf).filter(isOfPath(url));
  const parameters = [...own.map((name) => idOf[name]), ...(operation.parameters ?? []), ...(operation.isOpen ? [] : everywhere)];
  return {
    operationId: `${method.toLowerCase()}${url.replaceAll(/[^A-Za-z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    summary: operation.summary,
    tags: [operation.tag],
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && { requestBody: { required: true, content: fhir(anyOf(operation.body)) } }),
    ...(operation.form && { requestBody: FORM }),
    responses: { ...refusals(codesOf(operation)), ...successes(operation.success), ...(row === 'GET /health/ready' && STARTING) },
    ...(operation.isOpen && { security: [] }),
  };
}

const STARTING = { 503: { description: 'Not yet.', content: { 'application/json': { schema: ref('Health') } } } };

/** `/fhir/Patient/:id` as OpenAPI writes it. */
const templated = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}');

/** `server`: where this door is called, without a slash at the end. */
export function openApi(
  rows: readonly Described[],
  { server, version }: { readonly server: string; readonly version: string },
): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const row of rows) {
    const [method = '', url = ''] = row.split(' ');
    (paths[templated(url)] ??= {})[method.toLowerCase()] = described(row);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'OpenCR',
      version,
      summary: 'A client registry: FHIR R4 patients in, one stable id per person out.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: server }],
    tags: ['Patient', 'Organization', 'RelatedPerson', 'AuditEvent', 'System', 'OpenCR 1.x'].map((name) => ({ name })),
    security: [{ certificate: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        certificate: {
          type: 'mutualTLS',
          description: 'IHE ITI-19: the common name of the certificate names a registered client.',
        },
      },
    },
  };
}
