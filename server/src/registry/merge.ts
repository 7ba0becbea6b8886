import type { RecordKey } from '../domain/identity.ts';
import { pairName } from '../domain/links.ts';
import type { SourceRecord } from '../domain/records.ts';
import { contradiction } from './adjudicate.ts';
import { type MergeTarget, type Refused, refused, type Submission } from './commands.ts';
import type { Case } from './decide.ts';
import type { Target } from './target.ts';
import { firstNamed } from './which-record.ts';

/** Where a submission leaves its record: by itself, or merged into another. */
export type Standing = Pick<SourceRecord, 'mergedInto'>;

const LINK = 'Patient.link';

async function named({ overlay, sender }: Case, target: MergeTarget): Promise<SourceRecord | undefined> {
  if (target.kind === 'identifier') {
    const key = await firstNamed(overlay, target.identifier);
    return key === undefined ? undefined : overlay.record(key);
  }
  const found = await overlay.resolveId(target.id, sender.agent);
  return found?.kind === 'record' ? overlay.record(found.key) : undefined;
}

/**
 * The record that stands for this one from now on (ITI-104, resolve duplicates): another of the same system, there, and not merged
 * itself, so that no merge leads round in a circle. What people decided on either must not contradict it.
 */
async function survivor(one: Case, into: MergeTarget, { key }: Target): Promise<RecordKey | Refused> {
  const record = await named(one, into);
  if (!record || record.deleted) return refused('business-rule', 'The record that replaces this one is not known here.', LINK);
  if (record.source !== one.sender.agent) {
    return refused('forbidden', 'The record that replaces this one is of another system: each system merges its own.', LINK);
  }
  if (record.key === key) return refused('business-rule', 'A record cannot be replaced by itself.', LINK);
  if (record.mergedInto !== undefined) {
    const end = await one.overlay.record(record.mergedInto);
    return refused('conflict', `Patient/${record.id} is itself replaced by Patient/${end?.id}: name that one.`, LINK);
  }
  const decision = { ...pairName(key, record.key), verdict: 'same' as const, by: one.sender.agent, golden: null };
  const said = (await one.overlay.adjudications(key)).find(({ a, b }) => a === decision.a && b === decision.b);
  if (said?.verdict === 'different')
    return refused('conflict', `A person decided that Patient/${record.id} is somebody else.`, LINK);
  const words = await contradiction(one.overlay, decision, one.rules.limits.maxComponent);
  return words === undefined ? record.key : refused('conflict', words, LINK);
}

/**
 * Whether the record is merged after this submission. A merged one comes back by itself only to a sender that knows of the merge (If-Match
 * names the version in force): an old message that is sent again does not undo it. Sent inactive it stays merged.
 */
export async function standing(one: Case, submission: Submission, to: Target): Promise<Standing | Refused> {
  const { mergeInto, active, ifMatch } = submission;
  if (mergeInto !== null) {
    const into = await survivor(one, mergeInto, to);
    return typeof into === 'number' ? { mergedInto: into } : into;
  }
  const before = to.before?.mergedInto;
  if (before === undefined || ifMatch !== null) return {};
  if (!active) return { mergedInto: before };
  const words =
    `Patient/${to.id} was merged into Patient/${(await one.overlay.record(before))?.id}. To take the merge back, send it without the ` +
    `replaced-by link and with If-Match: W/"${to.before?.version}".`;
  return refused('conflict', words);
}
