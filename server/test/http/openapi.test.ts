/** The door's own description: valid, of every route and of no other. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, describe, expect, it } from 'vitest';
import { AUDIT_PARAMETERS } from '../../src/fhir/audit-search.ts';
import { patientCapability } from '../../src/fhir/capability.ts';
import { errorCodes, statusOf } from '../../src/fhir/outcome.ts';
import { fhirRoutes } from '../../src/http/fhir/routes.ts';
import { OPERATIONS } from '../../src/http/openapi/operations.ts';
import { startRegistry } from '../support/registry-server.ts';
import { idOf, patient } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;
await registry.register({ name: 'auditor', scopes: ['audit', 'demographics'] });
const known = idOf(await send('POST', '/fhir/Patient', { body: patient('openmrs', 'described') }));

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly enum?: readonly string[]; readonly type: string; readonly pattern?: string };
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const answer = await send('GET', '/openapi.json');
const document = answer.body() as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

it('is OpenAPI 3.1, also in the eyes of a validator, for clients only', async () => {
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
  expect([valid, errors]).toEqual([true, undefined]);
  expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: expect.stringMatching(/^https:.*\d$/) as string }] });
  expect((await send('GET', '/openapi.json', { client: null })).status).toBe(401);
});

it('has the paths that the door routes, and no others', () => {
  // The routes need nothing to be listed.
  const urls = fhirRoutes({} as Parameters<typeof fhirRoutes>[0]).map(({ url }) => url);
  const routed = [...new Set(urls)].filter((url) => !url.startsWith('/fhir/:type'));
  const templated = [...routed, '/health/live', '/health/ready'].map((url) => url.replaceAll(/:(\w+)/g, '{$1}'));
  expect(Object.keys(document.paths).toSorted()).toEqual(templated.toSorted());
  expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
    Object.keys(OPERATIONS)
      .map((row) => row.replaceAll(/:(\w+)/g, '{$1}'))
      .toSorted(),
  );
});

it.each(operations.map(({ method, path }) => [method, path] as const))(
  '%s %s is served, and of its path nothing else',
  async (method, path) => {
    const url = path.replace('{id}', known).replace('{vid}', '1');
    const served = await send(method, url, { client: 'auditor' });
    expect(served.status).not.toBe(405);
    if (path.startsWith('/health/')) return;
    const allowed = operations.filter((one) => one.path === path).map((one) => one.method);
    for (const other of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'].filter((one) => !allowed.includes(one))) {
      const refused = await send(other, url);
      expect(refused.status).toBe(405);
      expect(refused.headers['allow']?.split(', ').toSorted()).toEqual(allowed.toSorted());
    }
  },
);

describe('parameters', () => {
  const parametersOf = (path: string): readonly Parameter[] =>
    (document.paths[path]?.['get']?.parameters ?? []).filter((one) => one.in === 'query');
  const sample = ({ name, schema }: Parameter): string => {
    if (schema.enum) return schema.enum[0] ?? '';
    if (schema.type === 'integer') return '5';
    const isDate = schema.pattern?.includes('ge|le') ?? false;
    return isDate ? 'ge1990' : name === '_page' ? '' : name === '_sort' ? 'family' : 'Patient';
  };
  it.each([
    ['/fhir/Patient', patientCapability.searchParams],
    ['/fhir/AuditEvent', AUDIT_PARAMETERS],
  ] as const)(
    'those of %s are all that it takes when it is strict, and all that it claims in its CapabilityStatement',
    async (path, claimed) => {
      const described = parametersOf(path);
      expect(described.map(({ name }) => name)).toEqual(expect.arrayContaining(claimed.map(({ name }) => name)));
      for (const parameter of described) {
        const query = `${encodeURIComponent(parameter.name)}=${encodeURIComponent(sample(parameter))}`;
        const { text } = await send('GET', `${path}?${query}`, { client: 'auditor', headers: { prefer: 'handling=strict' } });
        expect(text, parameter.name).not.toMatch(/Unknown search parameter|is not supported/);
      }
      const odd = await send('GET', `${path}?odd=1`, { client: 'auditor', headers: { prefer: 'handling=strict' } });
      expect(odd.status).toBe(400);
    },
  );
});

it('every status that a refusal has is there somewhere, with an OperationOutcome', () => {
  const refused = operations.flatMap(({ operation }) =>
    Object.entries(operation.responses).filter(([, { content }]) =>
      JSON.stringify(content?.['application/fhir+json']?.schema ?? '').includes('OperationOutcome'),
    ),
  );
  const statuses = new Set(refused.map(([status]) => Number(status)));
  // An identifier of its own names one record: docs/api.md says when it may come. Of another method the path is told by Allow.
  const unsaid = ['several-matches', 'method-not-allowed'];
  expect(errorCodes.filter((code) => !unsaid.includes(code) && !statuses.has(statusOf(code)))).toEqual([]);
});

it.each(['representation', 'OperationOutcome'])('what a write answers to Prefer: return=%s is described', async (wished) => {
  const body = patient('openmrs', `prefers-${wished}`);
  const { status, text } = await send('POST', '/fhir/Patient', { body, headers: { prefer: `return=${wished}` } });
  const { resourceType } = JSON.parse(text) as { readonly resourceType: string };
  const { content } = document.paths['/fhir/Patient']?.['post']?.responses[String(status)] ?? {};
  expect(JSON.stringify(content?.['application/fhir+json'])).toContain(`/schemas/${resourceType}"`);
});
