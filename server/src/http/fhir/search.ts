import { pixAnswer, readPix, readPixBody } from '../../fhir/pix.ts';
import { isRefusal } from '../../fhir/refusal.ts';
import { defaultSearchOptions, domainsOf, parseSearch, type PatientSearch, remarksOn } from '../../fhir/search.ts';
import { searchset } from '../../fhir/searchset.ts';
import { shaped, withinDomains } from '../../fhir/shape.ts';
import type { KeptResource, Patient } from '../../fhir/r4.ts';
import { crossReference, targetsIn } from '../../registry/pix.ts';
import { type SearchPage, searchPatients } from '../../registry/search.ts';
import { readBody, readForm } from '../body.ts';
import { type Answer, type Exchange, formatFor, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import { checkAcceptable, handling } from '../negotiation.ts';
import type { FhirDependencies } from './dependencies.ts';
import { lookupOf } from './read.ts';

const idsOf = (patients: readonly { readonly id?: string }[]): readonly string[] => patients.flatMap(({ id }) => id ?? []);

/** `_summary=count` answers no entries; the other shapes as much of each match as was asked for. */
function shapedPage(search: PatientSearch, { matches, included, next }: SearchPage) {
  if (search.shape.summary === 'count') return { matches: [], included: [], next: null };
  const domains = domainsOf(search);
  const within = (patient: Patient): Patient => (domains === null ? patient : withinDomains(patient, domains));
  const beside = (one: KeptResource): KeptResource => (one.resourceType === 'Patient' ? within(one) : one);
  return {
    matches: matches.map((match) => shaped(within(match), search.shape)),
    included: included.map(beside),
    next,
  };
}

async function answerSearch(dependencies: FhirDependencies, exchange: Exchange, params: URLSearchParams): Promise<Answer> {
  const said = handling(exchange.request.headers.prefer);
  const parsed = parseSearch(params, { ...defaultSearchOptions, strict: said === 'strict', base: exchange.base });
  if (isRefusal(parsed)) return failure(parsed);
  const page = await searchPatients(lookupOf(dependencies, exchange), parsed, dependencies.demographic);
  if (isRefusal(page)) return failure(page);
  // Nobody else is told what was ignored: the self link says it, and deployed clients count entries.
  const remarks = [...page.remarks, ...(said === 'lenient' ? remarksOn(parsed) : [])];
  return {
    status: 200,
    body: searchset({ type: 'Patient', base: exchange.base, search: parsed, ...page, ...shapedPage(parsed, page), remarks }),
    log: { event: 'search', patients: idsOf(page.matches) },
  };
}

/** `GET Patient?…` (SRCH-*). */
export const search = (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> =>
  answerSearch(dependencies, exchange, queryOf(exchange.request));

/** SRCH-17: a search by the parameters of the URL and of the form together. The access log keeps the form, too. */
export async function byForm(
  dependencies: FhirDependencies,
  exchange: Exchange,
  searched: (params: URLSearchParams) => Promise<Answer>,
): Promise<Answer> {
  const form = await readForm(exchange.request, dependencies.limits);
  const format = form.get('_format') ?? undefined;
  checkAcceptable(formatFor(exchange.request, format));
  const answer = await searched(new URLSearchParams([...queryOf(exchange.request), ...form]));
  const log = { event: 'refusal', patients: [], ...answer.log, asked: form.toString() };
  return { ...answer, log, ...(format !== undefined && { format }) };
}

/** `POST Patient/_search`. */
export const searchByForm = (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> =>
  byForm(dependencies, exchange, (params) => answerSearch(dependencies, exchange, params));

/** ITI-83 `$ihe-pix`, by GET and by POST of a Parameters (PIX-83-19). */
export async function pix(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const lookup = lookupOf(dependencies, exchange);
  const targets = targetsIn(lookup);
  const isPost = exchange.request.method === 'POST';
  const query = isPost
    ? readPixBody(await readBody(exchange.request, dependencies.limits), targets)
    : readPix(queryOf(exchange.request), targets);
  if (isRefusal(query)) return failure(query);
  const records = await crossReference(lookup, query, { base: exchange.base, includeSource: dependencies.pixIncludesSource });
  if ('code' in records) return failure(records);
  const { system, value } = query.source;
  const patients = records.flatMap(({ id }) => id ?? []);
  const asked = isPost ? { asked: new URLSearchParams({ sourceIdentifier: `${system}|${value}` }).toString() } : {};
  return { status: 200, body: pixAnswer(records), log: { event: 'pix', patients, ...asked } };
}
