import type { Refusal } from '../../domain/errors.ts';
import { type AnsweredEntry, atEntry, bundleResponse, readBundle, type SubmittedBundle } from '../../fhir/bundle.ts';
import { operationOutcome, statusOf } from '../../fhir/outcome.ts';
import { isRefusal } from '../../fhir/refusal.ts';
import type { Accepted, Removed, Step } from '../../registry/commands.ts';
import { takeIn, type Taken, takeOut } from '../../registry/intake.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { preferred } from '../negotiation.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';
import { locationOf, remarks, senderOf, type Sent, shownAccepted, statusFor } from './submit.ts';

/** Entries of a batch that wait for the registrar together: enough for one commit, few enough to leave room for others. */
const TOGETHER = 32;

/** How the answer is written: 200 on `/fhir`, 201 on the aliases of 1.x. */
export interface BundleStyle {
  readonly status: 200 | 201;
  readonly location: 'versioned' | 'opencr';
}

/** A Patient that was taken in, or one that was deleted. */
type Outcome = Sent | Pick<Removed, 'removed'>;
type EntryOutcome = Outcome | Refusal;
type Entry = SubmittedBundle['entries'][number];

/** What an entry asks of the registrar, and what is needed to answer it. */
interface Prepared {
  readonly step: Step;
  readonly taken: Taken | null;
}

function prepare({ policy }: FhirDependencies, { client }: Exchange, entry: Entry): Prepared | Refusal {
  if ('refusal' in entry) return entry.refusal;
  if (entry.method === 'DELETE') {
    const removal = takeOut(entry.target, entry.ifMatch, { client: client.name, authorities: policy().authorities });
    return isRefusal(removal) ? atEntry(entry.index, removal) : { step: { removal }, taken: null };
  }
  const taken = takeIn(entry.resource, entry, client.name, policy());
  return isRefusal(taken) ? atEntry(entry.index, taken) : { step: { submission: taken.submission }, taken };
}

const outcomeOf = ({ taken }: Prepared, result: Accepted | Removed): Outcome => {
  if (result.kind === 'removed') return result;
  if (taken === null) throw new Error('a deletion was answered as a submission');
  return { taken, accepted: result };
};

async function submitEntry(dependencies: FhirDependencies, exchange: Exchange, entry: Entry): Promise<EntryOutcome> {
  const prepared = prepare(dependencies, exchange, entry);
  if (isRefusal(prepared)) return prepared;
  const { step } = prepared;
  const sender = senderOf(exchange);
  const result = await dependencies.execute(
    'removal' in step ? { kind: 'remove', sender, ...step } : { kind: 'submit', sender, ...step },
  );
  if (result.kind === 'refused') return atEntry(entry.index, result.refusal);
  if (result.kind !== 'accepted' && result.kind !== 'removed') throw new Error(`an entry was answered with ${result.kind}`);
  return outcomeOf(prepared, result);
}

/** TX-03: what is deleted first, then what is created, then what is updated; entries of one kind in their order. */
const RANK = { DELETE: 0, POST: 1, PUT: 2 } as const;
const rankOf = (entry: Entry): number => ('refusal' in entry ? -1 : RANK[entry.method]);
const inOrder = (entries: readonly Entry[]): readonly Entry[] =>
  entries.toSorted((x, y) => rankOf(x) - rankOf(y) || x.index - y.index);

/** TX-01: every entry stands or falls alone; the registrar takes them in order. */
async function submitBatch(
  dependencies: FhirDependencies,
  exchange: Exchange,
  bundle: SubmittedBundle,
): Promise<readonly EntryOutcome[]> {
  const outcomes: EntryOutcome[] = [];
  const entries = inOrder(bundle.entries);
  for (let from = 0; from < entries.length; from += TOGETHER) {
    const part = entries.slice(from, from + TOGETHER);
    const answered = await Promise.all(part.map((entry) => submitEntry(dependencies, exchange, entry)));
    answered.forEach((outcome, place) => (outcomes[part[place]?.index ?? 0] = outcome));
  }
  return outcomes;
}

/** TX-02: all of them or none. */
async function submitTransaction(
  dependencies: FhirDependencies,
  exchange: Exchange,
  bundle: SubmittedBundle,
): Promise<readonly EntryOutcome[] | Refusal> {
  const all: Prepared[] = [];
  const entries = inOrder(bundle.entries);
  for (const entry of entries) {
    const prepared = prepare(dependencies, exchange, entry);
    if (isRefusal(prepared)) return prepared;
    all.push(prepared);
  }
  if (all.length === 0) return [];
  const result = await dependencies.execute({
    kind: 'submit-all',
    sender: senderOf(exchange),
    steps: all.map(({ step }) => step),
  });
  if (result.kind === 'refused') return result.refusal;
  if (result.kind === 'refused-entry') return atEntry(entries[result.index]?.index ?? 0, result.refusal);
  if (result.kind !== 'all-accepted') throw new Error(`a transaction was answered with ${result.kind}`);
  const outcomes: EntryOutcome[] = [];
  for (const [place, prepared] of all.entries()) {
    const one = result.results[place];
    if (one) outcomes[entries[place]?.index ?? 0] = outcomeOf(prepared, one);
  }
  return outcomes;
}

async function answerEntry(dependencies: FhirDependencies, exchange: Exchange, outcome: EntryOutcome): Promise<AnsweredEntry> {
  if (isRefusal(outcome)) return { status: String(statusOf(outcome.code)), outcome: operationOutcome(outcome) };
  if ('removed' in outcome) return { status: '204', ...(outcome.removed && { etag: `W/"${outcome.removed.version}"` }) };
  const { taken, accepted } = outcome;
  const warnings = remarks(taken, accepted);
  return {
    status: String(statusFor(taken.submission.method, accepted)),
    location: locationOf(accepted, 'versioned'),
    etag: `W/"${accepted.version}"`,
    lastModified: accepted.lastUpdated,
    ...(warnings.length > 0 && { outcome: operationOutcome(warnings) }),
    ...(preferred(exchange.request.headers.prefer) === 'representation' && {
      resource: await shownAccepted(dependencies, exchange, outcome),
    }),
  };
}

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
  const accepted = outcomes.flatMap((outcome) => ('accepted' in outcome ? [outcome.accepted] : []));
  const entries = await Promise.all(outcomes.map((outcome) => answerEntry(dependencies, exchange, outcome)));
  return {
    status: style.status,
    headers: headersOf(accepted, style.location),
    body: bundleResponse(bundle.type, entries),
    ...refusalsIn(outcomes),
  };
}
