import type { Identifier, RecordKey } from '../domain/identity.ts';
import type { Refusal } from '../domain/errors.ts';
import { type PixQuery, type PixRecord, pixRefusals } from '../fhir/pix.ts';
import { type Lookup, visibleIdentifiers } from './lookup.ts';
import type { StoredRecord } from './ports.ts';

export interface PixOptions {
  /** FHIR base of this server: a domain of its own, of logical ids (PIX-83-15, PIX-83-16). */
  readonly base: string;
  /** Answer with the identifier that was asked about, too (D1). */
  readonly includeSource: boolean;
}

/** In open mode a system that stored data holds counts as known, configured or not (standards.md §11). */
async function isKnown(lookup: Lookup, system: string): Promise<boolean> {
  if (lookup.authorities.find(system)) return true;
  if (lookup.authorities.mode === 'strict') return false;
  return (await lookup.reader.byIdentifier([{ system, value: null }], 0, 1)).length > 0;
}

const logicalId = (value: string): string => value.replace(/^Patient\//, '');

async function sourceRecords(lookup: Lookup, { source }: PixQuery, base: string): Promise<readonly RecordKey[] | Refusal> {
  if (source.system === base) {
    const named = await lookup.reader.resolveId(logicalId(source.value), lookup.principal.name);
    if (named?.kind === 'golden') return (await lookup.reader.storedGolden(named.key))?.members ?? [];
    return named ? [named.key] : pixRefusals.unknownIdentifier;
  }
  if (!(await isKnown(lookup, source.system))) return pixRefusals.unknownAuthority;
  const visible: RecordKey[] = [];
  for (const key of await lookup.reader.byIdentifier([source], 0, 100)) {
    const stored = await lookup.reader.storedRecord(key);
    const shows = stored && (await visibleIdentifiers(lookup, stored));
    if (stored && (shows === null || shows?.(source))) visible.push(key);
  }
  return visible.length > 0 ? visible : pixRefusals.unknownIdentifier;
}

async function personsRecords(lookup: Lookup, sources: readonly RecordKey[]): Promise<readonly StoredRecord[]> {
  const keys = new Set<RecordKey>();
  for (const source of sources) {
    const stored = await lookup.reader.storedRecord(source);
    const golden = stored && (await lookup.reader.storedGolden(stored.record.golden));
    for (const member of golden?.members ?? []) keys.add(member);
  }
  const stored = await Promise.all([...keys].sort((a, b) => a - b).map((key) => lookup.reader.storedRecord(key)));
  return stored.filter((one) => one !== undefined);
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
  const { source, targets } = query;
  const sources = await sourceRecords(lookup, query, options.base);
  if ('code' in sources) return sources;
  for (const target of targets) {
    if (target !== options.base && !(await isKnown(lookup, target))) return pixRefusals.unknownTarget;
  }
  const asked = (identifier: Identifier): boolean => identifier.system === source.system && identifier.value === source.value;
  const records: PixRecord[] = [];
  for (const stored of await personsRecords(lookup, sources)) {
    const { key, id } = stored.record;
    const named = options.includeSource || !sources.includes(key);
    const identifiers = await identifiersFor(
      lookup,
      stored,
      (identifier) => (options.includeSource || !asked(identifier)) && wanted(targets, identifier.system),
    );
    const byId = named && (targets.length === 0 || targets.includes(options.base));
    if (identifiers.length > 0 || byId) records.push({ id: named ? id : null, identifiers });
  }
  return records;
}

const wanted = (targets: readonly string[], system: string): boolean => targets.length === 0 || targets.includes(system);

async function identifiersFor(
  lookup: Lookup,
  stored: StoredRecord,
  filter: (identifier: Identifier) => boolean,
): Promise<PixRecord['identifiers']> {
  const shows = await visibleIdentifiers(lookup, stored);
  return stored.identifiers
    .filter((identifier) => identifier.system !== '' && (shows === null || shows(identifier)) && filter(identifier))
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
