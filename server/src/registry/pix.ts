import type { GoldenKey, Identifier, RecordKey } from '../domain/identity.ts';
import type { Refusal } from '../domain/errors.ts';
import { type PixQuery, type PixRecord, pixRefusals } from '../fhir/pix.ts';
import { type Lookup, presentRecord, standingRecords, visibleIdentifiers } from './lookup.ts';
import { canonicalIdentifier } from './policy/authorities.ts';
import type { StoredRecord } from './ports.ts';

export interface PixOptions {
  /** FHIR base of this server: a domain of its own, of logical ids (PIX-83-15, PIX-83-16). */
  readonly base: string;
  /** Answer with the identifier that was asked about, too (D1). */
  readonly includeSource: boolean;
}

/**
 * In open mode a system that nobody configured is known to whoever sees an identifier of it (standards.md §11): that others
 * hold one is not told.
 */
const isKnown = ({ authorities }: Lookup, system: string, seen: boolean): boolean =>
  authorities.find(system) !== undefined || (seen && authorities.mode === 'open');

const logicalId = (value: string): string => value.replace(/^Patient\//, '');

/** Records of the person of a golden record, also of one that was retired since. */
async function membersOf({ reader }: Lookup, key: GoldenKey): Promise<readonly RecordKey[]> {
  const stored = await reader.storedGolden(key);
  const forward = stored?.golden.replacedBy ?? null;
  return (forward === null ? stored : await reader.storedGolden(forward))?.members ?? [];
}

async function sourceRecords(lookup: Lookup, source: Identifier, base: string): Promise<readonly RecordKey[] | Refusal> {
  if (source.system === base) {
    const named = await lookup.reader.resolveId(logicalId(source.value), lookup.principal.name);
    if (named?.kind === 'golden') return membersOf(lookup, named.key);
    const there = named && (await presentRecord(lookup, named.key));
    return there ? [named.key] : pixRefusals.unknownIdentifier;
  }
  const visible: RecordKey[] = [];
  for (const key of await lookup.reader.byIdentifier([source], 0, 100)) {
    const stored = await lookup.reader.storedRecord(key);
    const shows = stored && (await visibleIdentifiers(lookup, stored));
    if (stored && (shows === null || shows?.(source))) visible.push(key);
  }
  if (!isKnown(lookup, source.system, visible.length > 0)) return pixRefusals.unknownAuthority;
  return visible.length > 0 ? visible : pixRefusals.unknownIdentifier;
}

async function personsRecords(lookup: Lookup, sources: readonly RecordKey[]): Promise<readonly StoredRecord[]> {
  const keys = new Set<RecordKey>();
  for (const source of sources) {
    const stored = await lookup.reader.storedRecord(source);
    const golden = stored && (await lookup.reader.storedGolden(stored.record.golden));
    for (const member of golden?.members ?? []) keys.add(member);
  }
  return standingRecords(
    lookup,
    [...keys].sort((a, b) => a - b),
  );
}

/**
 * ITI-83: the identifiers of a person elsewhere. The one asked about, and the record that bears it, are left out
 * (PIX-83-02), unless configured; so is what the asker may not see (PIX-83-11).
 */
export async function crossReference(
  lookup: Lookup,
  query: PixQuery,
  options: PixOptions,
): Promise<readonly PixRecord[] | Refusal> {
  const { canonical } = lookup.authorities;
  const targets = query.targets.map(canonical);
  const source = canonicalIdentifier(lookup.authorities, query.source);
  const sources = await sourceRecords(lookup, source, options.base);
  if ('code' in sources) return sources;
  const persons: { readonly stored: StoredRecord; readonly identifiers: PixRecord['identifiers'] }[] = [];
  for (const stored of await personsRecords(lookup, sources)) {
    persons.push({ stored, identifiers: await shownIdentifiers(lookup, stored) });
  }
  const sees = (system: string): boolean => persons.some(({ identifiers }) => identifiers.some((one) => one.system === system));
  const unknown = targets.some((target) => target !== options.base && !isKnown(lookup, target, sees(target)));
  if (unknown) return pixRefusals.unknownTarget;
  const asked = (identifier: Identifier): boolean => identifier.system === source.system && identifier.value === source.value;
  return persons.flatMap(({ stored: { record }, identifiers }): readonly PixRecord[] => {
    const told = identifiers.filter((one) => (options.includeSource || !asked(one)) && wanted(targets, one.system));
    const named = options.includeSource || !sources.includes(record.key);
    const byId = named && (targets.length === 0 || targets.includes(options.base));
    return told.length > 0 || byId ? [{ id: named ? record.id : null, identifiers: told }] : [];
  });
}

const wanted = (targets: readonly string[], system: string): boolean => targets.length === 0 || targets.includes(system);

async function shownIdentifiers(lookup: Lookup, stored: StoredRecord): Promise<PixRecord['identifiers']> {
  const shows = await visibleIdentifiers(lookup, stored);
  return stored.identifiers
    .filter((identifier) => identifier.system !== '' && (shows === null || shows(identifier)))
    .map(({ system, value }) => ({ system, value, assigner: lookup.authorities.find(system)?.name ?? '' }));
}

/** D2: OpenMRS joins several target systems by commas into one value; a value that is itself a domain stays whole. */
export const targetsIn =
  ({ authorities }: Pick<Lookup, 'authorities'>) =>
  (value: string): readonly string[] =>
    authorities.find(value)
      ? [value]
      : value
          .replaceAll('\\,', ',')
          .split(',')
          .filter((part) => part !== '');
