import { pixAnswer, readPix, readPixBody } from '../../fhir/pix.ts';
import { isRefusal } from '../../fhir/refusal.ts';
import { defaultSearchOptions, parseSearch, searchset } from '../../fhir/search.ts';
import { crossReference, targetsIn } from '../../registry/pix.ts';
import { searchPatients } from '../../registry/search.ts';
import { readBody } from '../body.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';
import { lookupOf } from './read.ts';

const idsOf = (patients: readonly { readonly id?: string }[]): readonly string[] => patients.flatMap(({ id }) => id ?? []);

/** `GET Patient?…` by `_id` and `identifier` (SRCH-*). */
export async function search(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const strict = /handling=strict/.test(String(exchange.request.headers.prefer ?? ''));
  const parsed = parseSearch(queryOf(exchange.request), { ...defaultSearchOptions, strict });
  if (isRefusal(parsed)) return failure(parsed);
  const page = await searchPatients(lookupOf(dependencies, exchange), parsed);
  if (isRefusal(page)) return failure(page);
  return {
    status: 200,
    body: searchset({ base: exchange.base, search: parsed, ...page }),
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
