import { emptyChange } from '../domain/change-set.ts';
import type { AuditFacts, ChangeSet } from '../domain/change-set.ts';
import type { Instant, RecordIdentity, RecordKey } from '../domain/identity.ts';
import type { SourceRecord } from '../domain/records.ts';
import { identityOf } from '../fhir/identifiers.ts';
import { refuse } from '../fhir/refusal.ts';
import type { Accepted, CommandResult, Sender, Submission, SubmissionResult } from './commands.ts';
import { type Case, consequences, type Draft, pairChanges, retrieve, type SubmittedRecord } from './decide.ts';
import type { Overlay } from './overlay.ts';
import { otherOf } from '../domain/links.ts';
import { UNLINKED } from './pool.ts';
import { type Which, whichRecord } from './which-record.ts';

const named = (submission: Submission, client: string): RecordIdentity => {
  const identity = identityOf(submission.identifiers, client);
  if (!identity) throw new Error('a submission without an identifier that names it passed whichRecord');
  return identity;
};

const facts = (sender: Sender, submission: Submission, which: { record: RecordKey; created: boolean }): AuditFacts => ({
  action: which.created ? 'create' : 'update',
  agent: sender.agent,
  address: sender.address,
  requestId: sender.requestId,
  ...(sender.proof && { proof: sender.proof }),
  record: which.record,
  what: `${submission.method} Patient`,
});

export interface Target {
  readonly key: RecordKey;
  readonly before: SourceRecord | undefined;
  readonly id: string;
  readonly aliases: ChangeSet['aliases'];
}

export async function target({ overlay, newId, sender }: Case, which: Exclude<Which, { kind: 'refused' }>): Promise<Target> {
  const before = which.kind === 'update' ? await overlay.record(which.record) : undefined;
  const key = before?.key ?? overlay.next.nextRecord;
  const id = before?.id ?? (which.kind === 'create' ? which.id : null) ?? newId();
  return { key, before, id, aliases: which.alias === null ? [] : [{ id: which.alias, client: sender.agent, record: key }] };
}

/** The same body again, decided under the rules in force: nothing changes but the audit (design §7). */
export async function isUnchanged({ overlay, rules }: Case, submission: Submission, { before }: Target): Promise<boolean> {
  if (!before || before.active !== submission.active) return false;
  if ((await overlay.resource(before.key)) !== submission.resource) return false;
  const links = await overlay.linksOf(before.key);
  return links.some((link) => link.until === null && link.ruleVersion === rules.version);
}

async function accepted(overlay: Overlay, key: RecordKey, rest: Pick<Accepted, 'status' | 'truncated'>): Promise<Accepted> {
  const record = await overlay.record(key);
  const golden = record && (await overlay.golden(record.golden));
  if (!record || !golden) throw new Error(`record ${key} has no golden record after its own submission`);
  const broken = (await overlay.adjudications(key)).filter((said) => said.verdict === 'different');
  const others = await Promise.all(broken.map((said) => overlay.record(otherOf(said, key))));
  return {
    kind: 'accepted',
    ...rest,
    id: record.id,
    version: record.version,
    lastUpdated: record.lastUpdated,
    cruid: golden.id,
    flags: record.flags,
    brokenWith: others.flatMap((other) => (other ? [other.id] : [])),
  };
}

/** The record's next version, as it was submitted. */
export const submittedRecord = (
  { overlay, sender }: Case,
  submission: Submission,
  { to, at, truncated }: { readonly to: Target; readonly at: Instant; readonly truncated: boolean },
): SubmittedRecord => ({
  record: {
    key: to.key,
    id: to.id,
    version: (to.before?.version ?? 0) + 1,
    source: sender.agent,
    identity: named(submission, sender.agent),
    active: submission.active,
    golden: to.before?.golden ?? UNLINKED,
    flags: to.before?.flags ?? [],
    since: overlay.sequence,
    lastUpdated: at,
  },
  content: { resource: submission.resource, identifiers: submission.identifiers },
  features: submission.features,
  created: !to.before,
  truncated,
});

async function draft(
  one: Case,
  submission: Submission,
  { to, at }: { readonly to: Target; readonly at: Instant },
): Promise<Draft> {
  const { overlay, sender } = one;
  const { key, before } = to;
  const found = submission.active ? await retrieve(one, key, submission.features) : { candidates: [], truncated: false };
  const old = before ? await overlay.pairs(key) : [];
  const { begun, ended } = pairChanges(key, old, found.candidates);
  const neighbours = old.filter((pair) => pair.class === 'auto').map((pair) => otherOf(pair, key));
  return {
    at,
    audit: facts(sender, submission, { record: key, created: !before }),
    submitted: [submittedRecord(one, submission, { to, at, truncated: found.truncated })],
    change: { aliases: to.aliases, pairsBegun: begun, pairsEnded: ended },
    seeds: [key, ...neighbours],
    shown: [],
  };
}

/**
 * One submission: which record, who resembles it, who is one person, what changes (design §6). Applies the change to
 * the overlay; a refusal applies nothing.
 */
export async function submit(one: Case, submission: Submission): Promise<SubmissionResult> {
  const { overlay, sender } = one;
  const which = await whichRecord(overlay, { ...submission, client: sender.agent });
  if (which.kind === 'refused') return which;
  const at = one.clock.now();
  const to = await target(one, which);
  if (submission.ifMatch !== null && submission.ifMatch !== to.before?.version) {
    const words = to.before
      ? `Patient/${to.id} is at version ${to.before.version}, not ${submission.ifMatch}.`
      : 'There is no such version: the record is new.';
    return { kind: 'refused', refusal: refuse('version-conflict', words) };
  }
  if (await isUnchanged(one, submission, to)) {
    const audit = facts(sender, submission, { record: to.key, created: false });
    await overlay.apply({ ...emptyChange(at, audit), aliases: to.aliases });
    return accepted(overlay, to.key, { status: 'unchanged', truncated: false });
  }
  const drafted = await draft(one, submission, { to, at });
  await overlay.apply(await consequences(one, drafted));
  const truncated = drafted.submitted.some((record) => record.truncated);
  return accepted(overlay, to.key, { status: to.before ? 'updated' : 'created', truncated });
}

/** A transaction Bundle: in order, each seeing the ones before. The caller drops the overlay when one is refused. */
export async function submitAll(one: Case, submissions: readonly Submission[]): Promise<CommandResult> {
  const all: Accepted[] = [];
  const seen = new Set<string>();
  for (const [index, submission] of submissions.entries()) {
    const result = await submit(one, submission);
    if (result.kind === 'refused') return { kind: 'refused-entry', index, refusal: result.refusal };
    if (seen.has(result.id)) return { kind: 'refused-entry', index, refusal: TWICE };
    seen.add(result.id);
    all.push(result);
  }
  return { kind: 'all-accepted', accepted: all };
}

// FHIR R4 http.html#trules: a transaction in which two entries have one identity fails.
const TWICE = refuse('invalid-request', 'Two entries of the transaction are the same record.');
