import { isCompanionType } from '../domain/companions.ts';
import type { Refusal } from '../domain/errors.ts';
import { conditionalIdentifier } from '../fhir/conditional.ts';
import { type Fields, isFields } from '../fhir/fields.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import { referenceAt, referencesIn, relativeReference, renamed } from '../fhir/references.ts';
import { contentOf } from '../fhir/sanitise.ts';
import type { Demand } from './commands.ts';
import type { Case } from './decide.ts';

/** `Type/id` of resources of the same transaction, by the name that its entries call them by until they have an id. */
export type Names = ReadonlyMap<string, string>;

export const NO_NAMES: Names = new Map();

type Looking = Pick<Case, 'overlay' | 'sender'>;

async function idOf({ overlay, sender }: Looking, type: string, id: string): Promise<string | undefined> {
  if (isCompanionType(type)) {
    const found = await overlay.companion(type, id, sender.agent);
    return found?.companion.deleted ? undefined : found?.companion.id;
  }
  const named = type === 'Patient' ? await overlay.resolveId(id, sender.agent) : undefined;
  if (named?.kind === 'golden') return id;
  const record = named && (await overlay.record(named.key));
  return record?.deleted ? undefined : record?.id;
}

/** TX-07: `Type?identifier=system|value`; of Patients one of the sender's own records, of others any. */
async function found({ overlay, sender }: Looking, type: string, query: string): Promise<string | Refusal> {
  const identifier = conditionalIdentifier(new URLSearchParams(query));
  if (isRefusal(identifier)) return identifier;
  const { system, value } = identifier;
  if (isCompanionType(type)) {
    const seen = type === 'RelatedPerson' ? sender.agent : null;
    const [first, second] = await overlay.companionsBy(type, identifier, seen);
    if (second) return refuse('several-matches', `Several ${type}s have the identifier that a reference names.`);
    return first
      ? `${type}/${first.companion.id}`
      : refuse('business-rule', `No ${type} has the identifier that a reference names.`);
  }
  const key = (await overlay.named('', system, value)) ?? (await overlay.named(sender.agent, system, value));
  const record = key === undefined ? undefined : await overlay.record(key);
  return record?.source === sender.agent
    ? `Patient/${record.id}`
    : refuse('business-rule', 'No Patient of yours has the identifier that a reference names.');
}

/** What a reference says of the registry's own resources, in its own ids; undefined: it names none of them. */
async function target(one: Looking, reference: string, names: Names): Promise<string | undefined | Refusal> {
  const known = names.get(reference);
  if (known !== undefined) return known;
  const [, type = '', query = ''] = /^(Patient|Organization|RelatedPerson)\?(.*)$/s.exec(reference) ?? [];
  if (type !== '') return found(one, type, query);
  const named = relativeReference(reference);
  const id = named && (await idOf(one, named.type, named.id));
  return named && id !== undefined ? `${named.type}/${id}` : undefined;
}

async function unmet(
  { overlay, sender }: Looking,
  resource: Fields,
  demand: Demand,
  targets: Names,
): Promise<Refusal | undefined> {
  const { element, type } = demand;
  const { reference, identifier } = referenceAt(resource, element) ?? {};
  const refusal = refuse(
    'business-rule',
    `It names no ${type} that this registry keeps.`,
    `${String(resource['resourceType'])}.${element}`,
  );
  if (typeof reference === 'string') return targets.get(reference)?.startsWith(`${type}/`) ? undefined : refusal;
  if (!isFields(identifier) || !isCompanionType(type)) return undefined;
  const { system, value } = identifier;
  const seen = type === 'RelatedPerson' ? sender.agent : null;
  const known =
    typeof system === 'string' &&
    typeof value === 'string' &&
    (await overlay.companionsBy(type, { system, value }, seen)).length > 0;
  return known ? undefined : refusal;
}

/**
 * The text of a resource with its references in the registry's own ids: those of other entries of its transaction (TX-05), conditional ones
 * (TX-07), and ids that are the sender's own names for something. Refused where a reference that is demanded names nothing.
 */
export async function resolveReferences(
  one: Looking,
  text: string,
  { names, demand }: { readonly names: Names; readonly demand: Demand | undefined },
): Promise<string | Refusal> {
  if (names.size === 0 && !text.includes('"reference":') && demand === undefined) return text;
  const resource: unknown = JSON.parse(text);
  const targets = new Map(names);
  for (const reference of referencesIn(resource)) {
    const said = await target(one, reference, names);
    if (isRefusal(said)) return said;
    if (said !== undefined) targets.set(reference, said);
  }
  const refusal = demand && isFields(resource) ? await unmet(one, resource, demand, targets) : undefined;
  if (refusal) return refusal;
  const resolved = renamed(resource, (name) => targets.get(name));
  return resolved === resource || !isFields(resolved) ? text : contentOf(resolved);
}
