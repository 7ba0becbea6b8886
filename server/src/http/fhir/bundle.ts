import { randomUUID } from 'node:crypto';
import type { Refusal } from '../../domain/errors.ts';
import {
  type AnsweredEntry,
  atEntry,
  type BundleEntryAsked,
  bundleResponse,
  nameEntries,
  type ReadingEntry,
  readBundle,
  type SubmittedBundle,
} from '../../fhir/bundle.ts';
import { operationOutcome, statusOf } from '../../fhir/outcome.ts';
import { isRefusal } from '../../fhir/refusal.ts';
import type { Accepted, CommandResult, KeptCompanion, Removed, Step } from '../../registry/commands.ts';
import { takeInCompanion, takeOutCompanion } from '../../registry/companion-intake.ts';
import { takeIn, type Taken, takeOut } from '../../registry/intake.ts';
import type { Issue } from '../../domain/errors.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { preferred } from '../negotiation.ts';
import { failure } from '../failure.ts';
import { keptLocation, keptStatus, shownKept } from './companions.ts';
import type { FhirDependencies } from './dependencies.ts';
import { locationOf, remarks, senderOf, type Sent, shownAccepted, statusFor } from './submit.ts';

/** Entries of a batch that wait for the registrar together: enough for one commit, few enough to leave room for others. */
const TOGETHER = 32;

/** How the answer is written: 200 on `/fhir`, 201 on the aliases of 1.x. */
export interface BundleStyle {
  readonly status: 200 | 201;
  readonly location: 'versioned' | 'opencr';
}

/** What GET answers at a URL within the base. */
export type ReadWithin = (dependencies: FhirDependencies, exchange: Exchange, entry: ReadingEntry) => Promise<Answer>;

interface Door {
  readonly dependencies: FhirDependencies;
  readonly exchange: Exchange;
  readonly readWithin: ReadWithin;
}

/** What was kept beside Patients, with what its sender should know. */
interface Kept {
  readonly kept: KeptCompanion;
  readonly warnings: readonly Issue[];
}

/** What was read, with the line that the access log has of it. */
interface Found {
  readonly found: Answer;
  readonly line: string;
}

/** What became of an entry. */
type Outcome = Sent | Kept | Found | Pick<Removed, 'removed'>;
type EntryOutcome = Outcome | Refusal;
type Asked = Exclude<BundleEntryAsked, ReadingEntry>;

/** What an entry asks of the registrar, and what is needed to answer it. */
interface Prepared {
  readonly index: number;
  readonly step: Step;
  readonly taken: Taken | null;
  readonly warnings: readonly Issue[];
}

function prepare({ dependencies, exchange }: Door, entry: Asked, name?: string): Prepared | Refusal {
  if ('refusal' in entry) return entry.refusal;
  const { index, type } = entry;
  const policy = dependencies.policy();
  const refusedAt = (refusal: Refusal): Refusal => atEntry(index, refusal);
  const named = name === undefined ? {} : { name };
  if (entry.method === 'DELETE') {
    const whose = { client: exchange.client.name, authorities: policy.authorities };
    if (type === 'Patient') {
      const removal = takeOut(entry.target, entry.ifMatch, whose);
      return isRefusal(removal) ? refusedAt(removal) : { index, step: { removal }, taken: null, warnings: [] };
    }
    const companionRemoval = takeOutCompanion(type, entry.target, entry.ifMatch);
    return isRefusal(companionRemoval)
      ? refusedAt(companionRemoval)
      : { index, step: { companionRemoval }, taken: null, warnings: [] };
  }
  if (type === 'Patient') {
    const taken = takeIn(entry.resource, entry, exchange.client.name, policy);
    if (isRefusal(taken)) return refusedAt(taken);
    return { index, step: { submission: taken.submission, ...named }, taken, warnings: taken.warnings };
  }
  const taken = takeInCompanion(type, entry.resource, entry, policy.authorities);
  if (isRefusal(taken)) return refusedAt(taken);
  return { index, step: { companion: taken.companion, ...named }, taken: null, warnings: taken.warnings };
}

const outcomeOf = ({ taken, warnings }: Prepared, result: Accepted | Removed | KeptCompanion): Outcome => {
  if (result.kind === 'removed') return result;
  if (result.kind === 'kept') return { kept: result, warnings };
  if (taken === null) throw new Error('an entry without a Patient was answered as a submission');
  return { taken, accepted: result };
};

async function carryOut({ dependencies, exchange }: Door, step: Step): Promise<CommandResult | KeptCompanion> {
  const sender = senderOf(exchange);
  if ('removal' in step) return dependencies.execute({ kind: 'remove', sender, removal: step.removal });
  if ('submission' in step) return dependencies.execute({ kind: 'submit', sender, submission: step.submission });
  const result = await dependencies.execute({ kind: 'submit-all', sender, steps: [step] });
  const [only] = result.kind === 'all-accepted' ? result.results : [];
  return only ?? result;
}

async function submitEntry(door: Door, entry: Asked): Promise<EntryOutcome> {
  const prepared = prepare(door, entry);
  if (isRefusal(prepared)) return prepared;
  const result = await carryOut(door, prepared.step);
  if (result.kind === 'refused' || result.kind === 'refused-entry') return atEntry(entry.index, result.refusal);
  if (result.kind !== 'accepted' && result.kind !== 'removed' && result.kind !== 'kept')
    throw new Error(`an entry was answered with ${result.kind}`);
  return outcomeOf(prepared, result);
}

async function readEntry({ dependencies, exchange, readWithin }: Door, entry: ReadingEntry): Promise<EntryOutcome> {
  const found = await readWithin(dependencies, exchange, entry);
  return found.refusal ? atEntry(entry.index, found.refusal) : { found, line: `GET /fhir/${entry.url}` };
}

const takeEntry = (door: Door, entry: BundleEntryAsked): Promise<EntryOutcome> =>
  'method' in entry && entry.method === 'GET' ? readEntry(door, entry) : submitEntry(door, entry);

/** TX-03: what is deleted first, then what is created, what is updated, what is read; entries of one kind in their order. */
const RANK = { DELETE: 0, POST: 1, PUT: 2, GET: 3 } as const;
const rankOf = (entry: BundleEntryAsked): number => ('refusal' in entry ? -1 : RANK[entry.method]);
const inOrder = (entries: SubmittedBundle['entries']): SubmittedBundle['entries'] =>
  entries.toSorted((x, y) => rankOf(x) - rankOf(y) || x.index - y.index);

/** Entries that may be carried out together: as many as make one commit, all to be read or all to be written. */
function* partsOf(entries: SubmittedBundle['entries'], most: number): Generator<SubmittedBundle['entries']> {
  const isRead = (entry: BundleEntryAsked | undefined): boolean => entry !== undefined && rankOf(entry) === RANK.GET;
  for (let from = 0; from < entries.length;) {
    const kind = isRead(entries[from]);
    const other = entries.findIndex((entry, place) => place > from && isRead(entry) !== kind);
    const end = Math.min(from + most, other < 0 ? entries.length : other);
    yield entries.slice(from, end);
    from = end;
  }
}

/** TX-01: every entry stands or falls alone; the registrar takes them in order. */
async function submitBatch(door: Door, { type, entries }: SubmittedBundle): Promise<readonly EntryOutcome[]> {
  const outcomes: EntryOutcome[] = [];
  const ordered = type === 'history' ? entries.toReversed() : inOrder(entries);
  for (const part of partsOf(ordered, TOGETHER)) {
    const answered = await Promise.all(part.map((entry) => takeEntry(door, entry)));
    answered.forEach((outcome, place) => (outcomes[part[place]?.index ?? 0] = outcome));
  }
  return outcomes;
}

/** TX-02: all of them or none; what is read is read once they are durable. */
async function submitTransaction(door: Door, bundle: SubmittedBundle): Promise<readonly EntryOutcome[] | Refusal> {
  const { entries, names } = nameEntries(bundle.entries, randomUUID);
  const all: Prepared[] = [];
  const reads: ReadingEntry[] = [];
  for (const entry of inOrder(entries)) {
    if ('method' in entry && entry.method === 'GET') {
      reads.push(entry);
      continue;
    }
    const prepared = prepare(door, entry, names.get(entry.index));
    if (isRefusal(prepared)) return prepared;
    all.push(prepared);
  }
  const outcomes = all.length === 0 ? [] : await executeAll(door, all);
  if ('code' in outcomes) return outcomes;
  for (const entry of reads) outcomes[entry.index] = await readEntry(door, entry);
  return outcomes;
}

async function executeAll({ dependencies, exchange }: Door, all: readonly Prepared[]): Promise<EntryOutcome[] | Refusal> {
  const result = await dependencies.execute({
    kind: 'submit-all',
    sender: senderOf(exchange),
    steps: all.map(({ step }) => step),
  });
  if (result.kind === 'refused') return result.refusal;
  if (result.kind === 'refused-entry') return atEntry(all[result.index]?.index ?? 0, result.refusal);
  if (result.kind !== 'all-accepted') throw new Error(`a transaction was answered with ${result.kind}`);
  const outcomes: EntryOutcome[] = [];
  for (const [place, prepared] of all.entries()) {
    const one = result.results[place];
    if (one) outcomes[prepared.index] = outcomeOf(prepared, one);
  }
  return outcomes;
}

const foundEntry = ({ status, headers = {}, body }: Answer): AnsweredEntry => {
  const { etag, 'last-modified': modified } = headers;
  return {
    status: String(status),
    ...(etag !== undefined && { etag }),
    ...(modified !== undefined && { lastModified: new Date(modified).toISOString() }),
    ...(body && { resource: body }),
  };
};

/** Given unless Prefer asks for less. */
const wanted = <T>({ request }: Exchange, resource: () => T): { readonly resource: T } | undefined =>
  preferred(request.headers.prefer) === 'representation' ? { resource: resource() } : undefined;

const keptEntry = (exchange: Exchange, { kept, warnings }: Kept): AnsweredEntry => ({
  status: String(keptStatus(kept)),
  location: keptLocation(kept),
  etag: `W/"${kept.companion.version}"`,
  lastModified: kept.companion.lastUpdated,
  ...(warnings.length > 0 && { outcome: operationOutcome(warnings) }),
  ...wanted(exchange, () => shownKept(kept)),
});

async function answerEntry({ dependencies, exchange }: Door, outcome: EntryOutcome): Promise<AnsweredEntry> {
  if (isRefusal(outcome)) return { status: String(statusOf(outcome.code)), outcome: operationOutcome(outcome) };
  if ('removed' in outcome) return { status: '204', ...(outcome.removed && { etag: `W/"${outcome.removed.version}"` }) };
  if ('found' in outcome) return foundEntry(outcome.found);
  if ('kept' in outcome) return keptEntry(exchange, outcome);
  const { taken, accepted } = outcome;
  const warnings = remarks(taken, accepted);
  const shown = wanted(exchange, () => shownAccepted(dependencies, exchange, outcome));
  return {
    status: String(statusFor(taken.submission.method, accepted)),
    location: locationOf(accepted, 'versioned'),
    etag: `W/"${accepted.version}"`,
    lastModified: accepted.lastUpdated,
    ...(warnings.length > 0 && { outcome: operationOutcome(warnings) }),
    ...(shown && { resource: await shown.resource }),
  };
}

/** Past this many characters clients and proxies refuse an answer for its headers (nginx and Tomcat at 8 KB in all). */
const HEADER_ROOM = 6_000;

/** 1.x's headers name the accepted Patients, in order, as JSON lists; left out where they would be too long, since the body says it all. */
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

/** Each entry that was read, as one row of the access log. */
const readsIn = (outcomes: readonly EntryOutcome[]): Pick<Answer, 'parts'> => {
  const parts = outcomes.flatMap((outcome) =>
    'found' in outcome && outcome.found.log ? [{ status: outcome.found.status, ...outcome.found.log, line: outcome.line }] : [],
  );
  return parts.length > 0 ? { parts } : {};
};

/** A batch, a transaction, or the history of another server. */
export async function submitBundle(door: Door, body: unknown, style: BundleStyle): Promise<Answer> {
  const bundle = readBundle(body, door.dependencies.limits);
  if (isRefusal(bundle)) return failure(bundle);
  const outcomes = await (bundle.type === 'transaction' ? submitTransaction : submitBatch)(door, bundle);
  if ('code' in outcomes) return failure(outcomes);
  const accepted = outcomes.flatMap((outcome) => ('accepted' in outcome ? [outcome.accepted] : []));
  const entries = await Promise.all(outcomes.map((outcome) => answerEntry(door, outcome)));
  return {
    status: style.status,
    headers: headersOf(accepted, style.location),
    body: bundleResponse(bundle.type, entries),
    ...refusalsIn(outcomes),
    ...readsIn(outcomes),
  };
}
