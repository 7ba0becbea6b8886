import { pixAnswer, readPix, readPixBody } from '../../fhir/pix.ts';
import { isRefusal } from '../../fhir/refusal.ts';
import { defaultSearchOptions, parseSearch, type PatientSearch, searchset } from '../../fhir/search.ts';
import { shaped } from '../../fhir/shape.ts';
import { crossReference, targetsIn } from '../../registry/pix.ts';
import { type SearchPage, searchPatients } from '../../registry/search.ts';
import { readBody } from '../body.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';
import { lookupOf } from './read.ts';

const idsOf = (patients: readonly { readonly id?: string }[]): readonly string[] => patients.flatMap(({ id }) => id ?? []);

/** `_summary=count` answers no entries; the other shapes as much of each match as was asked for. */
const shapedPage = ({ shape }: PatientSearch, { matches, included, next }: SearchPage) =>
  shape.summary === 'count'
    ? { matches: [], included: [], next: null }
    : { matches: matches.map((match) => shaped(match, shape)), included, next };

/** `GET Patient?…` by `_id`, `identifier` and demographics (SRCH-*). */
export async function search(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const strict = /handling=strict/.test(String(exchange.request.headers.prefer ?? ''));
  const parsed = parseSearch(queryOf(exchange.request), { ...defaultSearchOptions, strict });
  if (isRefusal(parsed)) return failure(parsed);
  const page = await searchPatients(lookupOf(dependencies, exchange), parsed, dependencies.demographic);
  if (isRefusal(page)) return failure(page);
  return {
    status: 200,
    body: searchset({ base: exchange.base, search: parsed, ...page, ...shapedPage(parsed, page) }),
    log: { event: 'search', patients: idsOf(page.matches) },
  };
}

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
