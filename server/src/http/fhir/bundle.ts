import type { Refusal } from '../../domain/errors.ts';
import {
  type AnsweredEntry,
  atEntry,
  bundleResponse,
  readBundle,
  type SubmittedBundle,
  type SubmittedEntry,
} from '../../fhir/bundle.ts';
import { operationOutcome, statusOf } from '../../fhir/outcome.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import type { Accepted } from '../../registry/commands.ts';
import { takeIn, type Taken } from '../../registry/intake.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { preferred } from '../negotiation.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';
import { locationOf, remarks, renderAccepted, senderOf } from './submit.ts';

/** Entries of a batch that wait for the registrar together: enough for one commit, few enough to leave room for others. */
const TOGETHER = 32;

/** How the answer is written: 200 on `/fhir`, 201 on the aliases of 1.x. */
export interface BundleStyle {
  readonly status: 200 | 201;
  readonly location: 'versioned' | 'opencr';
}

interface Outcome {
  readonly taken: Taken;
  readonly accepted: Accepted;
}

type EntryOutcome = Outcome | Refusal;

const notYet = (entry: SubmittedEntry): Refusal | undefined =>
  entry.ifNoneExist !== null
    ? refuse('business-rule', 'Conditional create is not served yet; nothing was done.', 'request.ifNoneExist')
    : undefined;

const take = (dependencies: FhirDependencies, exchange: Exchange, entry: SubmittedEntry): Taken | Refusal =>
  notYet(entry) ?? takeIn(entry.resource, entry, exchange.client.name, dependencies.policy());

async function submitEntry(
  dependencies: FhirDependencies,
  exchange: Exchange,
  entry: SubmittedBundle['entries'][number],
): Promise<EntryOutcome> {
  if ('refusal' in entry) return entry.refusal;
  const taken = take(dependencies, exchange, entry);
  if (isRefusal(taken)) return atEntry(entry.index, taken);
  const result = await dependencies.execute({ kind: 'submit', sender: senderOf(exchange), submission: taken.submission });
  if (result.kind === 'refused') return atEntry(entry.index, result.refusal);
  if (result.kind !== 'accepted') throw new Error(`a submission was answered with ${result.kind}`);
  return { taken, accepted: result };
}

/** TX-01: every entry stands or falls alone; the registrar takes them in their order. */
async function submitBatch(
  dependencies: FhirDependencies,
  exchange: Exchange,
  bundle: SubmittedBundle,
): Promise<readonly EntryOutcome[]> {
  const outcomes: EntryOutcome[] = [];
  for (let from = 0; from < bundle.entries.length; from += TOGETHER) {
    const part = bundle.entries.slice(from, from + TOGETHER);
    outcomes.push(...(await Promise.all(part.map((entry) => submitEntry(dependencies, exchange, entry)))));
  }
  return outcomes;
}

/** TX-02: all of them or none. */
async function submitTransaction(
  dependencies: FhirDependencies,
  exchange: Exchange,
  bundle: SubmittedBundle,
): Promise<readonly EntryOutcome[] | Refusal> {
  const all: Taken[] = [];
  for (const entry of bundle.entries) {
    const taken = 'refusal' in entry ? entry.refusal : take(dependencies, exchange, entry);
    if (isRefusal(taken)) return 'refusal' in entry ? taken : atEntry(entry.index, taken);
    all.push(taken);
  }
  if (all.length === 0) return [];
  const submissions = all.map((taken) => taken.submission);
  const result = await dependencies.execute({ kind: 'submit-all', sender: senderOf(exchange), submissions });
  if (result.kind === 'refused') return result.refusal;
  if (result.kind === 'refused-entry') return atEntry(result.index, result.refusal);
  if (result.kind !== 'all-accepted') throw new Error(`a transaction was answered with ${result.kind}`);
  return result.accepted.map((accepted, index) => ({ taken: all[index] as Taken, accepted }));
}

const answerEntry = (dependencies: FhirDependencies, exchange: Exchange, outcome: EntryOutcome): AnsweredEntry => {
  if (isRefusal(outcome)) return { status: String(statusOf(outcome.code)), outcome: operationOutcome(outcome) };
  const { taken, accepted } = outcome;
  const warnings = remarks(taken, accepted);
  return {
    status: accepted.status === 'created' || taken.submission.method === 'POST' ? '201' : '200',
    location: locationOf(accepted, 'versioned'),
    etag: `W/"${accepted.version}"`,
    lastModified: accepted.lastUpdated,
    ...(warnings.length > 0 && { outcome: operationOutcome(warnings) }),
    ...(preferred(exchange.request.headers.prefer) === 'representation' && {
      resource: renderAccepted(dependencies, taken, accepted, exchange.client.name),
    }),
  };
};

/** Past this many characters clients and proxies refuse an answer for its headers (nginx and Tomcat at 8 KB in all). */
const HEADER_ROOM = 6_000;

/** 1.x's headers name the accepted ones, in order, as JSON lists; left out where they would be too long, since the body says it all. */
const headersOf = (accepted: readonly Accepted[], style: BundleStyle['location']): Record<string, string> => {
  const location = JSON.stringify(accepted.map((one) => locationOf(one, style)));
  const locationcruid = JSON.stringify(accepted.map((one) => `Patient/${one.cruid}`));
  return location.length + locationcruid.length > HEADER_ROOM ? {} : { location, locationcruid };
};

/** The refused entries of a batch as one row of the access log: the batch itself is answered with success. */
const refusalsIn = (outcomes: readonly EntryOutcome[]): Pick<Answer, 'log'> => {
  const [first, ...more] = outcomes.filter(isRefusal);
  if (!first) return {};
  return { log: { event: 'refusal', patients: [], status: statusOf(first.code), code: first.code, count: more.length + 1 } };
};

/** A batch or transaction Bundle of Patients. */
export async function submitBundle(
  dependencies: FhirDependencies,
  exchange: Exchange,
  body: unknown,
  style: BundleStyle,
): Promise<Answer> {
  const bundle = readBundle(body, dependencies.limits);
  if (isRefusal(bundle)) return failure(bundle);
  const outcomes = await (bundle.type === 'batch' ? submitBatch : submitTransaction)(dependencies, exchange, bundle);
  if ('code' in outcomes) return failure(outcomes);
  const accepted = outcomes.flatMap((outcome) => (isRefusal(outcome) ? [] : [outcome.accepted]));
  const entries = outcomes.map((outcome) => answerEntry(dependencies, exchange, outcome));
  return {
    status: style.status,
    headers: headersOf(accepted, style.location),
    body: bundleResponse(bundle.type, entries),
    ...refusalsIn(outcomes),
  };
}
