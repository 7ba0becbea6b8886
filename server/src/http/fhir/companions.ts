/** Organization and RelatedPerson at the door: what Patient has, but matching. */
import type { CompanionType } from '../../domain/companions.ts';
import type { Refusal } from '../../domain/errors.ts';
import { parseCompanionSearch } from '../../fhir/companion-search.ts';
import { patientIdIn, renderCompanion } from '../../fhir/companions.ts';
import { type PatientTarget, targetById, targetByIdentifier } from '../../fhir/conditional.ts';
import { historyBundle } from '../../fhir/history.ts';
import { isLogicalId } from '../../fhir/logical-id.ts';
import { operationOutcome } from '../../fhir/outcome.ts';
import type { CompanionResource } from '../../fhir/r4.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import { defaultSearchOptions, remarksOn } from '../../fhir/search.ts';
import { searchset } from '../../fhir/searchset.ts';
import { shaped } from '../../fhir/shape.ts';
import type { KeptCompanion, Step } from '../../registry/commands.ts';
import { takeInCompanion, takeOutCompanion } from '../../registry/companion-intake.ts';
import {
  findCompanion,
  readCompanionHistory,
  readCompanionVersion,
  searchCompanions,
  showCompanion,
} from '../../registry/companion-lookup.ts';
import type { Address } from '../../registry/intake.ts';
import { readBody } from '../body.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import { handling, preferred } from '../negotiation.ts';
import type { FhirDependencies } from './dependencies.ts';
import { answerWith, historyPage, idOf, lookupOf, versionIdOf } from './read.ts';
import { byForm } from './search.ts';
import { senderOf } from './submit.ts';

type Handler = (dependencies: FhirDependencies, exchange: Exchange) => Promise<Answer>;

/** As it now stands. */
export const shownKept = ({ companion, resource }: KeptCompanion): CompanionResource => renderCompanion(companion, resource);

export const keptLocation = ({ companion: { type, id, version } }: KeptCompanion): string => `${type}/${id}/_history/${version}`;

/** 201 only for what was begun; a POST begins one unless If-None-Exist held. */
export const keptStatus = ({ status }: KeptCompanion): 200 | 201 => (status === 'created' ? 201 : 200);

/** One step as a transaction of its own. */
async function execute(dependencies: FhirDependencies, exchange: Exchange, step: Step) {
  const result = await dependencies.execute({ kind: 'submit-all', sender: senderOf(exchange), steps: [step] });
  if (result.kind === 'refused' || result.kind === 'refused-entry') return result.refusal;
  const [only] = result.kind === 'all-accepted' ? result.results : [];
  if (!only) throw new Error(`a submission was answered with ${result.kind}`);
  return only;
}

async function submit(
  dependencies: FhirDependencies,
  exchange: Exchange,
  {
    type,
    method,
    target,
  }: Pick<Address, 'method'> & { readonly type: CompanionType; readonly target: Address['target'] | Refusal },
): Promise<Answer> {
  if (isRefusal(target)) return failure(target);
  const { headers } = exchange.request;
  const condition = method === 'POST' ? headers['if-none-exist'] : undefined;
  const address = {
    method,
    target,
    ifMatch: headers['if-match'] ?? null,
    ifNoneExist: condition === undefined ? null : String(condition),
  };
  const taken = takeInCompanion(
    type,
    await readBody(exchange.request, dependencies.limits),
    address,
    dependencies.policy().authorities,
  );
  if (isRefusal(taken)) return failure(taken);
  const done = await execute(dependencies, exchange, taken);
  if (isRefusal(done)) return failure(done);
  if (done.kind !== 'kept') throw new Error(`a submission was answered with ${done.kind}`);
  const body = {
    representation: shownKept(done),
    minimal: null,
    OperationOutcome: operationOutcome(taken.warnings),
  }[preferred(headers.prefer)];
  return {
    status: keptStatus(done),
    headers: {
      location: keptLocation(done),
      etag: `W/"${done.companion.version}"`,
      'last-modified': new Date(done.companion.lastUpdated).toUTCString(),
    },
    body,
  };
}

async function removeAt(
  dependencies: FhirDependencies,
  exchange: Exchange,
  { type, target }: { readonly type: CompanionType; readonly target: PatientTarget | Refusal },
): Promise<Answer> {
  if (isRefusal(target)) return failure(target);
  const companionRemoval = takeOutCompanion(type, target, exchange.request.headers['if-match'] ?? null);
  if (isRefusal(companionRemoval)) return failure(companionRemoval);
  const done = await execute(dependencies, exchange, { companionRemoval });
  if (isRefusal(done)) return failure(done);
  if (done.kind !== 'removed') throw new Error(`a removal was answered with ${done.kind}`);
  const withOutcome = preferred(exchange.request.headers.prefer) === 'OperationOutcome';
  return {
    status: withOutcome ? 200 : 204,
    body: withOutcome ? operationOutcome([]) : null,
    ...(done.removed ? { headers: { etag: `W/"${done.removed.version}"` } } : { log: { event: 'delete', patients: [] } }),
  };
}

const missing = (type: CompanionType, id: string): Answer =>
  failure(refuse('not-found', isLogicalId(id) ? `There is no ${type}/${id}.` : 'This is no id.'));
const gone = (type: CompanionType, id: string): Answer => failure(refuse('deleted', `${type}/${id} was deleted.`));

/** The Patients that some RelatedPersons are of, for the audit. */
const patientsOf = (resources: readonly CompanionResource[]): readonly string[] => [
  ...new Set(resources.flatMap((one) => patientIdIn(JSON.stringify(one)) ?? [])),
];

async function search(
  type: CompanionType,
  dependencies: FhirDependencies,
  exchange: Exchange,
  params: URLSearchParams,
): Promise<Answer> {
  const said = handling(exchange.request.headers.prefer);
  const asked = parseCompanionSearch(type, params, { ...defaultSearchOptions, strict: said === 'strict', base: exchange.base });
  if (isRefusal(asked)) return failure(asked);
  const found = await searchCompanions(lookupOf(dependencies, exchange), type, asked);
  if (isRefusal(found)) return failure(found);
  const counted = asked.shape.summary === 'count';
  const shown = counted ? { matches: [], included: [], next: null } : found;
  return {
    status: 200,
    body: searchset({
      base: exchange.base,
      type,
      search: asked,
      ...found,
      ...shown,
      matches: shown.matches.map((match) => shaped(match, asked.shape)),
      remarks: said === 'lenient' ? remarksOn(asked) : [],
    }),
    log: { event: 'search-other', patients: patientsOf(found.matches) },
  };
}

const read =
  (type: CompanionType): Handler =>
  async (dependencies, exchange) => {
    const id = idOf(exchange);
    const stored = isLogicalId(id) ? await findCompanion(lookupOf(dependencies, exchange), type, id) : undefined;
    if (!stored) return missing(type, id);
    const shown = showCompanion(stored);
    if ('deleted' in shown) return gone(type, id);
    const headers = shown.id === id ? {} : { 'content-location': `${exchange.base}/${type}/${shown.id ?? id}` };
    return answerWith(exchange, shown, { event: 'read', headers, patients: patientsOf([shown]) });
  };

const vread =
  (type: CompanionType): Handler =>
  async (dependencies, exchange) => {
    const [id, version] = [idOf(exchange), versionIdOf(exchange)];
    const shown =
      isLogicalId(id) && version !== undefined
        ? await readCompanionVersion(lookupOf(dependencies, exchange), { type, id }, version)
        : undefined;
    if (!shown) return failure(refuse('not-found', `There is no such version of ${type}/${isLogicalId(id) ? id : ''}.`));
    if ('deleted' in shown) return gone(type, id);
    return answerWith(exchange, shown, { event: 'vread', patients: patientsOf([shown]) });
  };

const history =
  (type: CompanionType): Handler =>
  async (dependencies, exchange) => {
    const id = idOf(exchange);
    const page = historyPage(exchange);
    const lookup = lookupOf(dependencies, exchange);
    const found = isLogicalId(id) ? await readCompanionHistory(lookup, { type, id }, page) : undefined;
    if (!found) return missing(type, id);
    const shown = found.versions.flatMap((version) =>
      'deleted' in version || version.resourceType === 'Patient' ? [] : [version],
    );
    return {
      status: 200,
      body: historyBundle({ base: exchange.base, type, ...page.linksOf(found, `${exchange.base}/${type}/${found.id}`) }),
      log: { event: 'history', patients: patientsOf(shown) },
    };
  };

/** The handlers of one type, by what they are for. */
export const companionHandlers = (type: CompanionType) =>
  ({
    search: (dependencies, exchange) => search(type, dependencies, exchange, queryOf(exchange.request)),
    searchByForm: (dependencies, exchange) =>
      byForm(dependencies, exchange, (params) => search(type, dependencies, exchange, params)),
    create: (dependencies, exchange) => submit(dependencies, exchange, { type, method: 'POST', target: { kind: 'none' } }),
    update: (dependencies, exchange) =>
      submit(dependencies, exchange, { type, method: 'PUT', target: targetById(idOf(exchange)) }),
    updateByIdentifier: (dependencies, exchange) =>
      submit(dependencies, exchange, { type, method: 'PUT', target: targetByIdentifier(queryOf(exchange.request)) }),
    remove: (dependencies, exchange) => removeAt(dependencies, exchange, { type, target: targetById(idOf(exchange)) }),
    removeByIdentifier: (dependencies, exchange) =>
      removeAt(dependencies, exchange, { type, target: targetByIdentifier(queryOf(exchange.request)) }),
    read: read(type),
    vread: vread(type),
    history: history(type),
  }) as const satisfies Readonly<Record<string, Handler>>;
