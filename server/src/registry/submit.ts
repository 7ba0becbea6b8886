import { emptyChange } from '../domain/change-set.ts';
import type { AuditFacts } from '../domain/change-set.ts';
import type { Instant, RecordIdentity, RecordKey } from '../domain/identity.ts';
import { UNLINKED } from '../domain/records.ts';
import { identityOf } from '../fhir/identifiers.ts';
import { isRefusal } from '../fhir/refusal.ts';
import { type Accepted, type Refused, refused, type Sender, type Submission, type SubmissionResult } from './commands.ts';
import { type Case, consequences, type Draft, pairChanges, retrieve, type SubmittedRecord } from './decide.ts';
import { type Standing, standing } from './merge.ts';
import type { Overlay } from './overlay.ts';
import { type Names, NO_NAMES, resolveReferences } from './references.ts';
import { type Target, target } from './target.ts';
import { otherOf } from '../domain/links.ts';
import { firstNamed, whichRecord } from './which-record.ts';

const named = (submission: Submission, client: string): RecordIdentity => {
  const identity = identityOf(submission.identifiers, client);
  if (!identity) throw new Error('a submission without an identifier that names it passed whichRecord');
  return identity;
};

/** As `GET metadata` speaks of it: a conditional request is ITI-104's feed (AUD-11). */
const wordsFor = ({ method, target: { kind } }: Submission): string =>
  `${method} Patient${kind === 'identifier' ? '?identifier' : ''}`;

const facts = (sender: Sender, submission: Submission, which: { record: RecordKey; created: boolean }): AuditFacts => ({
  action: which.created ? 'create' : 'update',
  agent: sender.agent,
  address: sender.address,
  requestId: sender.requestId,
  ...(sender.proof && { proof: sender.proof }),
  record: which.record,
  what: wordsFor(submission),
});

/** The same body again, decided under the rules in force: nothing changes but the audit (design §7). */
export async function isUnchanged(
  { overlay, rules }: Case,
  submission: Submission,
  { to: { before }, stands }: { readonly to: Target; readonly stands: Standing },
): Promise<boolean> {
  if (!before || before.active !== submission.active || before.mergedInto !== stands.mergedInto) return false;
  if ((await overlay.resource(before.key)) !== submission.resource) return false;
  const links = await overlay.linksOf(before.key);
  return links.some((link) => link.until === null && link.ruleVersion === rules.version);
}

async function accepted(
  overlay: Overlay,
  key: RecordKey,
  rest: Pick<Accepted, 'status' | 'truncated' | 'resource'>,
): Promise<Accepted> {
  const record = await overlay.record(key);
  const golden = record && (await overlay.golden(record.golden));
  if (!record || !golden) throw new Error(`record ${key} has no golden record after its own submission`);
  const broken = (await overlay.adjudications(key)).filter((said) => said.verdict === 'different');
  const others = await Promise.all(broken.map((said) => overlay.record(otherOf(said, key))));
  const survivor = record.mergedInto === undefined ? undefined : await overlay.record(record.mergedInto);
  return {
    kind: 'accepted',
    ...rest,
    id: record.id,
    version: record.version,
    lastUpdated: record.lastUpdated,
    cruid: golden.id,
    replacedBy: survivor?.id ?? null,
    flags: record.flags,
    brokenWith: others.flatMap((other) => (other ? [other.id] : [])),
  };
}

/** Which record, where it is left, and when. */
export interface Placed {
  readonly to: Target;
  readonly stands: Standing;
  readonly at: Instant;
}

/** Whether the submission begins a record, or brings a deleted one back. */
export const isCreated = ({ before }: Target): boolean => before?.deleted ?? !before;

/** The record's next version, as it was submitted. */
export const submittedRecord = (
  { overlay, sender }: Case,
  submission: Submission,
  { to, stands, at, truncated }: Placed & { readonly truncated: boolean },
): SubmittedRecord => ({
  record: {
    key: to.key,
    id: to.id,
    version: (to.before?.version ?? 0) + 1,
    source: sender.agent,
    identity: named(submission, sender.agent),
    active: submission.active && stands.mergedInto === undefined,
    ...stands,
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

async function draft(one: Case, submission: Submission, { to, stands, at }: Placed): Promise<Draft> {
  const { overlay, sender } = one;
  const { key, before } = to;
  const compared = submission.active && stands.mergedInto === undefined;
  const found = compared ? await retrieve(one, key, submission.features) : { candidates: [], truncated: false };
  const old = before ? await overlay.pairs(key) : [];
  const { begun, ended } = pairChanges(key, old, found.candidates);
  const neighbours = old.filter((pair) => pair.class === 'auto').map((pair) => otherOf(pair, key));
  return {
    at,
    audit: facts(sender, submission, { record: key, created: isCreated(to) }),
    submitted: [submittedRecord(one, submission, { to, stands, at, truncated: found.truncated })],
    change: { aliases: to.aliases, pairsBegun: begun, pairsEnded: ended },
    seeds: [key, ...neighbours],
    shown: [],
  };
}

/** REST-24: the condition names a record of the sender already: nothing is done, but the audit says that it was asked. */
async function alreadyThere(one: Case, submission: Submission): Promise<Accepted | undefined> {
  const { overlay, sender } = one;
  if (submission.ifNoneExist === null) return undefined;
  const record = await firstNamed(overlay, submission.ifNoneExist);
  if (record === undefined) return undefined;
  await overlay.apply(emptyChange(one.clock.now(), facts(sender, submission, { record, created: false })));
  return accepted(overlay, record, { status: 'existing', truncated: false });
}

/** The submission with its references in the registry's own ids. */
export async function withReferences(one: Case, submission: Submission, names: Names = NO_NAMES): Promise<Submission | Refused> {
  const { resource: sent, mergeInto, demand } = submission;
  const resource = await resolveReferences(one, sent, { names, demand });
  if (isRefusal(resource)) return { kind: 'refused', refusal: resource };
  const id = mergeInto?.kind === 'id' ? names.get(`Patient/${mergeInto.id}`)?.slice('Patient/'.length) : undefined;
  return {
    ...submission,
    ...(resource !== sent && { resource, features: one.extract(resource) }),
    ...(id !== undefined && { mergeInto: { kind: 'id', id } }),
  };
}

/**
 * One submission: which record, who resembles it, who is one person, what changes (design §6). Applies the change to
 * the overlay; a refusal applies nothing.
 */
export async function submit(one: Case, sent: Submission, names: Names = NO_NAMES): Promise<SubmissionResult> {
  const { overlay, sender } = one;
  const existing = await alreadyThere(one, sent);
  if (existing) return existing;
  const submission = await withReferences(one, sent, names);
  if ('kind' in submission) return submission;
  const which = await whichRecord(overlay, { ...submission, client: sender.agent });
  if (which.kind === 'refused') return which;
  const rewritten = submission.resource === sent.resource ? {} : { resource: submission.resource };
  const at = one.clock.now();
  const to = await target(one, which);
  if (submission.ifMatch !== null && submission.ifMatch !== to.before?.version) {
    const words = to.before
      ? `Patient/${to.id} is at version ${to.before.version}, not ${submission.ifMatch}.`
      : 'There is no such version: the record is new.';
    return refused('version-conflict', words);
  }
  const stands = await standing(one, submission, to);
  if ('refusal' in stands) return stands;
  if (await isUnchanged(one, submission, { to, stands })) {
    const audit = facts(sender, submission, { record: to.key, created: false });
    await overlay.apply({ ...emptyChange(at, audit), aliases: to.aliases });
    return accepted(overlay, to.key, { status: 'unchanged', truncated: false, ...rewritten });
  }
  const drafted = await draft(one, submission, { to, stands, at });
  await overlay.apply(await consequences(one, drafted));
  const truncated = drafted.submitted.some((record) => record.truncated);
  return accepted(overlay, to.key, { status: isCreated(to) ? 'created' : 'updated', truncated, ...rewritten });
}
