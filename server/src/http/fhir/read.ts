import { RegistryError, type Refusal } from '../../domain/errors.ts';
import { historyBundle, type HistoryVersion } from '../../fhir/history.ts';
import { isLogicalId } from '../../fhir/logical-id.ts';
import type { KeptResource } from '../../fhir/r4.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import { defaultSearchOptions, parseSearch, type Shape } from '../../fhir/search.ts';
import { shaped } from '../../fhir/shape.ts';
import { canonicalReader } from '../../registry/canonical-reader.ts';
import { LEDGER_END, type LedgerPlace, readHistory, readTypeHistory } from '../../registry/history.ts';
import { type Lookup, readPatient, readVersion } from '../../registry/lookup.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';

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

const headersOf = ({ meta }: KeptResource): Record<string, string> => ({
  etag: `W/"${meta?.versionId ?? ''}"`,
  'last-modified': new Date(meta?.lastUpdated ?? 0).toUTCString(),
});

const gone = (id: string): Answer => failure(refuse('deleted', `Patient/${id} was deleted.`));

/** How much of a resource is asked for (`_summary`, `_elements`); `_summary=count` is for searches. */
function shapeOf(exchange: Exchange): Shape | Refusal {
  const asked = [...queryOf(exchange.request)].filter(([name]) => name === '_summary' || name === '_elements');
  const parsed = parseSearch(new URLSearchParams(asked), { ...defaultSearchOptions, strict: true });
  if (isRefusal(parsed)) return parsed;
  return parsed.shape.summary === 'count' ? refuse('invalid-request', '_summary=count is for searches.') : parsed.shape;
}

/** R4 http.html#cread (REST-21): whether the version that the reader has is the one in force; If-None-Match beats If-Modified-Since. */
function isKnown(exchange: Exchange, { meta }: KeptResource): boolean {
  const { 'if-none-match': etags, 'if-modified-since': since } = exchange.request.headers;
  if (etags !== undefined) {
    return etags.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === `"${meta?.versionId ?? ''}"`);
  }
  const known = since === undefined ? NaN : Date.parse(since);
  // The header has whole seconds.
  return Math.floor(Date.parse(meta?.lastUpdated ?? '') / 1000) * 1000 <= known;
}

interface Told {
  readonly event: string;
  readonly headers?: Record<string, string>;
  /** Ids of the Patients that it is about; by default its own. */
  readonly patients?: readonly string[];
}

/** The resource as it was asked for, or 304 where the reader has it already. */
export function answerWith(exchange: Exchange, resource: KeptResource, told: Told): Answer {
  const { event, headers = {}, patients = [resource.id ?? ''] } = told;
  const shape = shapeOf(exchange);
  if (isRefusal(shape)) return failure(shape);
  const known = isKnown(exchange, resource);
  return {
    status: known ? 304 : 200,
    headers: { ...headersOf(resource), ...headers },
    body: known ? null : shaped(resource, shape),
    log: { event, patients },
  };
}

/** REST-20, and design §7: reading an alias answers with the record's own id, and `Content-Location`. */
export async function read(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const id = idOf(exchange);
  const found = isLogicalId(id) ? await readPatient(lookupOf(dependencies, exchange), id) : undefined;
  if (!found) return missing(id);
  if ('deleted' in found) return gone(id);
  const { patient, alias } = found;
  const headers = alias ? { 'content-location': `${exchange.base}/Patient/${patient.id ?? id}` } : {};
  return answerWith(exchange, patient, { event: 'read', headers });
}

/** The version in the URL; undefined where it is none that there may be. */
export const versionIdOf = (exchange: Exchange): number | undefined => {
  const version = param(exchange, 'vid');
  return /^[1-9]\d{0,8}$/.test(version) ? Number(version) : undefined;
};

/** REST-22. */
export async function vread(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const [id, version] = [idOf(exchange), versionIdOf(exchange)];
  const known = isLogicalId(id) && version !== undefined;
  const patient = known ? await readVersion(lookupOf(dependencies, exchange), id, version) : undefined;
  if (!patient) return failure(refuse('not-found', `There is no such version of Patient/${isLogicalId(id) ? id : ''}.`));
  if ('deleted' in patient) return gone(id);
  return answerWith(exchange, patient, { event: 'vread' });
}

const PAGE = 50;
const MAX_PAGE = 200;

/** The only value of a parameter (R4 http.html#history: each at most once). */
function once<T>(query: URLSearchParams, name: string, read: (text: string) => T | undefined): T | undefined {
  const [text, second] = query.getAll(name);
  const value = text === undefined ? undefined : read(text);
  if (second !== undefined || (text !== undefined && value === undefined)) {
    throw new RegistryError('invalid-request', `${name} is given twice, or has no value that it may have.`);
  }
  return value;
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

/** An instant as the ledger writes it, for comparison as text. A `+` in a raw query arrives as a blank. */
const instant = (text: string): string | undefined => {
  const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text) ? Date.parse(text.replace(' ', '+')) : NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
};

/** What a history is asked for: `_count`, `_since`; the link's parameters besides the page. */
function historyQuery(query: URLSearchParams): { readonly limit: number; readonly since: string | null; readonly link: string } {
  const limit = Math.min(once(query, '_count', wholeNumber) ?? PAGE, MAX_PAGE);
  const since = once(query, '_since', instant) ?? null;
  return { limit, since, link: `_count=${limit}${since === null ? '' : `&_since=${encodeURIComponent(since)}`}` };
}

const lastUpdatedOf = (version: HistoryVersion): string =>
  ('deleted' in version ? version.deleted.lastUpdated : version.meta?.lastUpdated) ?? '';
const versionOf = (version: HistoryVersion): number =>
  'deleted' in version ? version.deleted.version : Number(version.meta?.versionId ?? 1);

/** What a history of one resource is asked for, and how its answer links to what is older. */
export function historyPage(exchange: Exchange) {
  const query = queryOf(exchange.request);
  const { limit, since, link } = historyQuery(query);
  const before = once(query, '_page', wholeNumber) ?? Number.MAX_SAFE_INTEGER;
  return {
    before,
    limit,
    /** The versions since then, with the links of the page at the URL of the resource. */
    linksOf(found: { readonly total: number; readonly versions: readonly HistoryVersion[] }, resourceUrl: string) {
      const versions = found.versions.filter((version) => since === null || lastUpdatedOf(version) >= since);
      const oldest = versions.at(-1);
      const goesOn = limit > 0 && oldest && versions.length === found.versions.length && versionOf(oldest) > 1;
      const self = `${resourceUrl}/_history?${link}`;
      const next = goesOn ? `${self}&_page=${versionOf(oldest)}` : null;
      return { total: since === null ? found.total : null, versions, self, next };
    },
  };
}

/** R4 http.html#history on one Patient: newest first, paged. */
export async function history(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const id = idOf(exchange);
  const page = historyPage(exchange);
  const found = isLogicalId(id) ? await readHistory(lookupOf(dependencies, exchange), id, page) : undefined;
  if (!found) return missing(id);
  const links = page.linksOf(found, `${exchange.base}/Patient/${found.id}`);
  const bundle = historyBundle({ base: exchange.base, type: 'Patient', ...links });
  return { status: 200, body: bundle, log: { event: 'history', patients: [found.id] } };
}

const placeOf = (text: string): LedgerPlace | undefined => {
  const [, sequence, index] = /^(\d{1,15})-(\d{1,9})$/.exec(text) ?? [];
  return sequence === undefined ? undefined : { sequence: Number(sequence), index: Number(index) };
};

/** R4 http.html#history on all Patients. */
export async function typeHistory(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const query = queryOf(exchange.request);
  const { limit, since, link } = historyQuery(query);
  const from = once(query, '_page', placeOf) ?? LEDGER_END;
  const { versions, next } = await readTypeHistory(lookupOf(dependencies, exchange), from, { limit, since });
  const url = `${exchange.base}/Patient/_history?${link}`;
  const bundle = historyBundle({
    type: 'Patient',
    base: exchange.base,
    total: null,
    versions,
    self: url,
    next: next !== null && limit > 0 ? `${url}&_page=${next.sequence}-${next.index}` : null,
  });
  const patients = versions.map((version) => ('deleted' in version ? version.deleted.id : (version.id ?? '')));
  return { status: 200, body: bundle, log: { event: 'history-type', patients: [...new Set(patients)] } };
}
