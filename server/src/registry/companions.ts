import { type AuditFacts, type ChangeSet, emptyChange } from '../domain/change-set.ts';
import type { Companion } from '../domain/companions.ts';
import type { RecordKey } from '../domain/identity.ts';
import { patientIdIn } from '../fhir/companions.ts';
import { isRefusal } from '../fhir/refusal.ts';
import type { CompanionRemoval, CompanionSubmission, KeptCompanion, Refused, Removed } from './commands.ts';
import { refused } from './commands.ts';
import type { Case } from './decide.ts';
import type { StoredCompanion } from './ports.ts';
import { type Names, resolveReferences } from './references.ts';

/** The Organization or RelatedPerson that a submission is about. */
export interface CompanionTarget {
  readonly id: string;
  readonly givenId: string | null;
  /** The version in force, also of one that was deleted; undefined of a new one. */
  readonly before: StoredCompanion | undefined;
  /** If-None-Exist held: nothing is to be done. */
  readonly exists: boolean;
}

const several = (type: string): Refused => refused('several-matches', `Several ${type}s of yours have this identifier.`);

const existing = (before: StoredCompanion, exists = false): CompanionTarget => {
  const { id, givenId } = before.companion;
  return { id, givenId, before, exists };
};

/** Which one is meant. Only the sender's own are written: an id that another has begun becomes the sender's name for one of its own. */
export async function companionTarget(
  { overlay, sender, newId }: Case,
  { type, target, ifNoneExist }: CompanionSubmission,
): Promise<CompanionTarget | Refused> {
  const fresh = (id: string | null, givenId: string | null): CompanionTarget => ({
    id: id ?? newId(),
    givenId,
    before: undefined,
    exists: false,
  });
  if (target.kind === 'id') {
    const found = await overlay.companion(type, target.id, sender.agent);
    if (found === undefined) return fresh(target.id, null);
    return found.companion.source === sender.agent ? existing(found) : fresh(null, target.id);
  }
  const named = target.kind === 'identifier' ? target : ifNoneExist;
  if (named === null) return fresh(null, null);
  const [first, second] = await overlay.companionsBy(type, named, sender.agent);
  if (second) return several(type);
  return first ? existing(first, target.kind === 'none') : fresh(null, null);
}

const facts = (
  { sender }: Case,
  what: { readonly action: AuditFacts['action']; readonly companion: Pick<Companion, 'type' | 'id'>; readonly words: string },
  record: RecordKey | null,
): AuditFacts => ({
  action: what.action,
  agent: sender.agent,
  address: sender.address,
  requestId: sender.requestId,
  ...(sender.proof && { proof: sender.proof }),
  record,
  companion: `${what.companion.type}/${what.companion.id}`,
  what: what.words,
});

/** The Patient that a RelatedPerson is of, for the audit. */
async function patientOf(
  { overlay, sender }: Case,
  { type }: Pick<Companion, 'type'>,
  resource: string | null,
): Promise<RecordKey | null> {
  const id = type === 'RelatedPerson' && resource !== null ? patientIdIn(resource) : undefined;
  const named = id === undefined ? undefined : await overlay.resolveId(id, sender.agent);
  return named?.kind === 'record' ? named.key : null;
}

async function kept(
  { overlay, sender }: Case,
  { type }: CompanionSubmission,
  id: string,
  status: KeptCompanion['status'],
): Promise<KeptCompanion> {
  const stored = await overlay.companion(type, id, sender.agent);
  if (!stored || stored.resource === null) throw new Error(`${type}/${id} is not there after its own submission`);
  return { kind: 'kept', status, companion: stored.companion, resource: stored.resource };
}

/** One Organization or RelatedPerson: what changes. Applies the change to the overlay; a refusal applies nothing. */
export async function keep(
  one: Case,
  submission: CompanionSubmission,
  { to, names }: { readonly to: CompanionTarget; readonly names: Names },
): Promise<KeptCompanion | Refused> {
  const { overlay, sender } = one;
  const { type, method, ifMatch, demand } = submission;
  const { id, givenId, before } = to;
  const version = before?.companion.version;
  if (ifMatch !== null && ifMatch !== version) {
    const words =
      version === undefined ? 'There is no such version: it is new.' : `${type}/${id} is at version ${version}, not ${ifMatch}.`;
    return refused('version-conflict', words);
  }
  const resource = to.exists ? (before?.resource ?? '') : await resolveReferences(one, submission.resource, { names, demand });
  if (isRefusal(resource)) return { kind: 'refused', refusal: resource };
  const at = one.clock.now();
  const lives = before && !before.companion.deleted;
  const status = to.exists ? 'existing' : !lives ? 'created' : before.resource === resource ? 'unchanged' : 'updated';
  const action = status === 'created' ? 'create' : 'update';
  const record = await patientOf(one, { type }, resource);
  const audit = facts(one, { action, companion: { type, id }, words: `${method} ${type}` }, record);
  const written: ChangeSet['companions'] =
    status === 'created' || status === 'updated'
      ? [{ companion: { type, id, version: (version ?? 0) + 1, source: sender.agent, givenId }, resource }]
      : [];
  await overlay.apply({ ...emptyChange(at, audit), companions: written });
  return kept(one, submission, id, status);
}

/** Deletes one of the sender's own (R4 http.html#delete): its history keeps what was. */
export async function removeCompanion(one: Case, { type, target, ifMatch }: CompanionRemoval): Promise<Removed | Refused> {
  const { overlay, sender } = one;
  const nothing: Removed = { kind: 'removed', removed: null };
  const own = target.kind === 'identifier' ? await overlay.companionsBy(type, target, sender.agent) : [];
  if (own.length > 1) return several(type);
  const stored = target.kind === 'id' ? await overlay.companion(type, target.id, sender.agent) : own[0];
  if (!stored || stored.companion.deleted) return nothing;
  const { id, version, source, givenId } = stored.companion;
  if (source !== sender.agent) {
    // Others' RelatedPersons are nobody's business: that there is one is not told.
    return type === 'RelatedPerson'
      ? nothing
      : refused('forbidden', `An ${type} is deleted by the system that submitted it, and no other.`);
  }
  if (ifMatch !== null && ifMatch !== version)
    return refused('version-conflict', `${type}/${id} is at version ${version}, not ${ifMatch}.`);
  const record = await patientOf(one, { type }, stored.resource);
  const audit = facts(one, { action: 'delete', companion: { type, id }, words: `DELETE ${type}` }, record);
  const companion = { type, id, version: version + 1, source, givenId, deleted: true as const };
  await overlay.apply({ ...emptyChange(one.clock.now(), audit), companions: [{ companion, resource: null }] });
  return { kind: 'removed', removed: { id, version: version + 1 } };
}
