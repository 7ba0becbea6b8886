import { RegistryError } from '../../domain/errors.ts';
import { historyBundle } from '../../fhir/history.ts';
import { isLogicalId } from '../../fhir/logical-id.ts';
import type { Patient } from '../../fhir/r4.ts';
import { canonicalReader } from '../../registry/canonical-reader.ts';
import { type Lookup, readHistory, readPatient, readVersion } from '../../registry/lookup.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';
import { refuse } from '../../fhir/refusal.ts';

export const lookupOf = (dependencies: FhirDependencies, exchange: Exchange): Lookup => ({
  reader: canonicalReader(dependencies.reader, dependencies.policy().authorities),
  authorities: dependencies.policy().authorities,
  ours: dependencies.ours,
  principal: exchange.principal,
  displayName: dependencies.displayName,
});

const param = (exchange: Exchange, name: string): string => {
  const { params } = exchange.request;
  const value: unknown = params !== null && typeof params === 'object' && name in params ? Reflect.get(params, name) : '';
  return typeof value === 'string' ? value : '';
};

export const idOf = (exchange: Exchange): string => param(exchange, 'id');

const missing = (id: string): Answer =>
  failure(refuse('not-found', isLogicalId(id) ? `There is no Patient/${id}.` : 'This is no id.'));

const headersOf = (patient: Patient): Record<string, string> => ({
  etag: `W/"${patient.meta?.versionId ?? ''}"`,
  'last-modified': new Date(patient.meta?.lastUpdated ?? 0).toUTCString(),
});

/** REST-20, and design §7: reading an alias answers with the record's own id, and `Content-Location`. */
export async function read(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const id = idOf(exchange);
  const found = isLogicalId(id) ? await readPatient(lookupOf(dependencies, exchange), id) : undefined;
  if (!found) return missing(id);
  const own = found.patient.id ?? id;
  return {
    status: 200,
    headers: { ...headersOf(found.patient), ...(found.alias && { 'content-location': `${exchange.base}/Patient/${own}` }) },
    body: found.patient,
    log: { event: 'read', patients: [own] },
  };
}

/** REST-22. */
export async function vread(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const [id, version] = [idOf(exchange), param(exchange, 'vid')];
  const known = isLogicalId(id) && /^[1-9]\d{0,8}$/.test(version);
  const patient = known ? await readVersion(lookupOf(dependencies, exchange), id, Number(version)) : undefined;
  if (!patient) return failure(refuse('not-found', `There is no such version of Patient/${isLogicalId(id) ? id : ''}.`));
  return { status: 200, headers: headersOf(patient), body: patient, log: { event: 'vread', patients: [patient.id ?? id] } };
}

const PAGE = 50;
const MAX_PAGE = 200;

const wholeNumber = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new RegistryError('invalid-request', `${name} is a whole number.`);
  return Number(text);
};

/** R4 http.html#history on one Patient: newest first, paged. */
export async function history(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const id = idOf(exchange);
  const query = queryOf(exchange.request);
  const limit = Math.min(wholeNumber(query, '_count') ?? PAGE, MAX_PAGE);
  const before = wholeNumber(query, '_page') ?? Number.MAX_SAFE_INTEGER;
  const found = isLogicalId(id) ? await readHistory(lookupOf(dependencies, exchange), id, { before, limit }) : undefined;
  if (!found) return missing(id);
  const { versions, total } = found;
  const oldest = Number(versions.at(-1)?.meta?.versionId ?? 1);
  const url = `${exchange.base}/Patient/${found.id}/_history`;
  const bundle = historyBundle({
    base: exchange.base,
    id: found.id,
    total,
    versions,
    self: `${url}?_count=${limit}`,
    next: limit > 0 && oldest > 1 ? `${url}?_count=${limit}&_page=${oldest}` : null,
  });
  return { status: 200, body: bundle, log: { event: 'history', patients: [found.id] } };
}
