import { auditCapability, capabilityStatement, companionCapability, patientCapability } from '../../fhir/capability.ts';
import { COMPANION_TYPES } from '../../domain/companions.ts';
import { type Refusal, RegistryError } from '../../domain/errors.ts';
import { type PatientTarget, targetById, targetByIdentifier } from '../../fhir/conditional.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import { isFields } from '../../fhir/fields.ts';
import { isLogicalId } from '../../fhir/logical-id.ts';
import { readBody } from '../body.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure, refusalOf } from '../failure.ts';
import type { Handler, Method, Route } from '../server.ts';
import { auditEvent, auditEvents } from './audit-events.ts';
import { type ReadWithin, submitBundle } from './bundle.ts';
import { companionHandlers } from './companions.ts';
import { HEALTH_ROWS } from '../health.ts';
import { openApi } from '../openapi/document.ts';
import type { FhirDependencies } from './dependencies.ts';
import { grantFor } from './grants.ts';
import { match, matches } from './match.ts';
import { history, idOf, read, typeHistory, vread } from './read.ts';
import { remove, removeByIdentifier } from './remove.ts';
import { pix, search, searchByForm } from './search.ts';
import { submitBody, submitPatient } from './submit.ts';

const metadata = (dependencies: FhirDependencies, exchange: Exchange): Answer => ({
  status: 200,
  body: capabilityStatement({
    base: exchange.base,
    version: dependencies.version,
    date: dependencies.released,
    resources: [patientCapability, ...COMPANION_TYPES.map(companionCapability), auditCapability],
    system: ['batch', 'transaction'],
    doors: dependencies.doors,
  }),
  log: { event: 'capabilities', patients: [] },
});

const POST = { method: 'POST', target: { kind: 'none' } } as const;

const putAt = (dependencies: FhirDependencies, exchange: Exchange, target: PatientTarget | Refusal): Promise<Answer> | Answer =>
  isRefusal(target) ? failure(target) : submitPatient(dependencies, exchange, { method: 'PUT', target }, dependencies.location);

const putById = (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> | Answer =>
  putAt(dependencies, exchange, targetById(idOf(exchange)));

const putByIdentifier = (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> | Answer =>
  putAt(dependencies, exchange, targetByIdentifier(queryOf(exchange.request)));

/** `/` and `/addPatient` of 1.x: a Patient or a Bundle, 201, `Location: Patient/<id>`. */
const submitEither = async (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> => {
  const body = await readBody(exchange.request, dependencies.limits);
  const isBundle = isFields(body) && body['resourceType'] === 'Bundle';
  if (isBundle) return submitBundle({ dependencies, exchange, readWithin }, body, { status: 201, location: 'opencr' });
  return submitBody(dependencies, exchange, { body, address: POST, style: 'opencr' });
};

const submitTo = async (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> => {
  const body = await readBody(exchange.request, dependencies.limits);
  return submitBundle({ dependencies, exchange, readWithin }, body, { status: 200, location: dependencies.location });
};

type Unguarded = Omit<Route, 'needs'>;

/** IHE and FHIR refuse by method (405) what they know by URL. */
const notAllowed = (url: string, known: readonly Method[]): readonly Unguarded[] =>
  (['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const)
    .filter((method) => !known.includes(method))
    .map((method) => ({
      method,
      url,
      handler: async (): Promise<Answer> => ({
        ...failure(
          refuse(
            'method-not-allowed',
            `${method} is not served at this URL; ${known.join(', ')} ${known.length === 1 ? 'is' : 'are'}.`,
          ),
        ),
        headers: { allow: known.join(', ') },
      }),
    }));

const otherUrl: Handler = async ({ request }) =>
  failure(
    refuse(
      'not-found',
      /^\/fhir\/(?:Patient|Organization|RelatedPerson)\b/.test(request.raw.url ?? '')
        ? 'There is nothing at this URL.'
        : 'This registry keeps the identity of patients: Patient, Organization and RelatedPerson are the resources that it serves here.',
    ),
  );

type Served = (dependencies: FhirDependencies, exchange: Exchange) => Promise<Answer> | Answer;

const organization = companionHandlers('Organization');
const relatedPerson = companionHandlers('RelatedPerson');

/** By URL and method: whatever is served here, and nothing else. A row that `OPERATIONS` does not describe does not compile. */
const SERVED = {
  '/fhir/metadata': { GET: metadata },
  '/fhir/Patient': {
    GET: search,
    POST: (d, exchange) => submitPatient(d, exchange, POST, d.location),
    PUT: putByIdentifier,
    DELETE: removeByIdentifier,
  },
  '/fhir/Patient/_search': { POST: searchByForm },
  '/fhir/Patient/:id': { GET: read, PUT: putById, DELETE: remove },
  '/fhir/Patient/_history': { GET: typeHistory },
  '/fhir/Patient/:id/_history': { GET: history },
  '/fhir/Patient/:id/_history/:vid': { GET: vread },
  '/fhir/Patient/$ihe-pix': { GET: pix, POST: pix },
  '/fhir/Patient/$match': { POST: match },
  '/fhir/Organization': {
    GET: organization.search,
    POST: organization.create,
    PUT: organization.updateByIdentifier,
    DELETE: organization.removeByIdentifier,
  },
  '/fhir/Organization/_search': { POST: organization.searchByForm },
  '/fhir/Organization/:id': { GET: organization.read, PUT: organization.update, DELETE: organization.remove },
  '/fhir/Organization/:id/_history': { GET: organization.history },
  '/fhir/Organization/:id/_history/:vid': { GET: organization.vread },
  '/fhir/RelatedPerson': {
    GET: relatedPerson.search,
    POST: relatedPerson.create,
    PUT: relatedPerson.updateByIdentifier,
    DELETE: relatedPerson.removeByIdentifier,
  },
  '/fhir/RelatedPerson/_search': { POST: relatedPerson.searchByForm },
  '/fhir/RelatedPerson/:id': { GET: relatedPerson.read, PUT: relatedPerson.update, DELETE: relatedPerson.remove },
  '/fhir/RelatedPerson/:id/_history': { GET: relatedPerson.history },
  '/fhir/RelatedPerson/:id/_history/:vid': { GET: relatedPerson.vread },
  '/fhir/AuditEvent': { GET: auditEvents },
  '/fhir/AuditEvent/:id': { GET: auditEvent },
  '/fhir': { POST: submitTo },
  '/addPatient': { POST: submitEither },
  '/Patient': { POST: (d, exchange) => submitPatient(d, exchange, POST, 'opencr') },
  '/': { POST: submitEither },
  '/match/matches': { POST: matches },
  '/openapi.json': { GET: openapi },
} as const satisfies Readonly<Record<string, Partial<Record<Method, Served>>>>;

type Row = { [Url in keyof typeof SERVED]: `${keyof (typeof SERVED)[Url] & string} ${Url}` }[keyof typeof SERVED];

const ROWS = Object.entries(SERVED).flatMap(([url, handlers]) =>
  Object.keys(handlers).map((method) => `${method} ${url}` as Row),
);

/** The GET that a URL within the base stands for, with the parameters of its path. */
function getAt(
  path: string,
): { readonly handle: Served; readonly url: string; readonly params: Readonly<Record<string, string>> } | undefined {
  const segments = path.split('/');
  for (const [url, handlers] of Object.entries<Partial<Record<Method, Served>>>(SERVED)) {
    const wanted = url.split('/').slice(2);
    const fits =
      url.startsWith('/fhir/') &&
      wanted.length === segments.length &&
      wanted.every((one, place) => (one.startsWith(':') ? isLogicalId(segments[place] ?? '') : one === segments[place]));
    if (!fits || !handlers.GET) continue;
    const params = wanted.flatMap((one, place) => (one.startsWith(':') ? [[one.slice(1), segments[place]]] : []));
    return { handle: handlers.GET, url, params: Object.fromEntries(params) as Record<string, string> };
  }
  return undefined;
}

/** An entry of a Bundle that reads or searches: as the same request by itself, under the same token. */
const readWithin: ReadWithin = async (dependencies, exchange, { url, ifNoneMatch }) => {
  const [path = ''] = url.split('?', 1);
  const at = getAt(path);
  if (!at) return failure(refuse('not-found', 'There is nothing to read at this URL.', 'request.url'));
  const needs = grantFor('GET', at.url);
  if (needs !== null && exchange.grants?.has(needs) === false)
    return failure(refuse('insufficient-scope', `The token lacks the scope ${needs}.`));
  const { prefer } = exchange.request.headers;
  const headers = { ...(prefer !== undefined && { prefer }), ...(ifNoneMatch !== null && { 'if-none-match': ifNoneMatch }) };
  const request = { method: 'GET', params: at.params, headers, body: undefined, raw: { url: `/fhir/${url}` } };
  try {
    return await at.handle(dependencies, { ...exchange, request });
  } catch (error) {
    if (error instanceof RegistryError) return failure(refusalOf(error));
    throw error;
  }
};

/** The door described for machines: not FHIR, so plain JSON whatever is asked for. */
function openapi({ version }: FhirDependencies, { base }: Exchange): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: openApi([...ROWS, ...HEALTH_ROWS], { server: base.replace(/\/fhir$/, ''), version }),
    log: { event: 'capabilities', patients: [] },
  };
}

/** Every route of the FHIR door, and the aliases of OpenCR 1.x (opencr-1x.md §1.6, §1.9). */
export function fhirRoutes(dependencies: FhirDependencies): readonly Route[] {
  const routes = Object.entries<Partial<Record<Method, Served>>>(SERVED).flatMap(([url, handlers]): readonly Unguarded[] => {
    const methods = Object.keys(handlers) as Method[];
    const own = methods.flatMap((method): readonly Unguarded[] => {
      const handle = handlers[method];
      return handle ? [{ method, url, handler: async (exchange) => handle(dependencies, exchange) }] : [];
    });
    return [...own, ...notAllowed(url, methods)];
  });
  const others = (['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const).map((method) => ({
    method,
    url: '/fhir/:type/*',
    handler: otherUrl,
  }));
  const othersRoot = others.map((route) => ({ ...route, url: '/fhir/:type' }));
  return [...routes, ...others, ...othersRoot].map((route) => ({ ...route, needs: grantFor(route.method, route.url) }));
}
