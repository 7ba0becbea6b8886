/** What `_id`, `identifier` and `link` name: the Patients that a search looks at one by one. */
import type { Refusal } from '../domain/errors.ts';
import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import { isAsked } from '../fhir/demographics.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import type { Linked, PatientSearch } from '../fhir/search.ts';
import type { IdentifierToken } from '../fhir/tokens.ts';
import { goldenNamed, recordNamed } from './linked.ts';
import { type Lookup, standingRecords, visibleIdentifiers } from './lookup.ts';
import type { Named, StoredRecord } from './ports.ts';

/** What one search looks at before it says that it asks for too much. */
export const EXAMINED = 2_000;

export const tooMany = (): Refusal =>
  refuse('invalid-request', `More than ${EXAMINED} records may match: ask for a value, not for a whole system.`);

const holds = (seen: StoredRecord['identifiers'], alternatives: readonly IdentifierToken[]): boolean =>
  seen.some((identifier) => alternatives.some((asked) => isAsked(asked, identifier)));

/** A record is found by the identifiers that the asker may see, and no others: a search tells no more than a read (design §8). */
export async function matchesVisibly(
  lookup: Lookup,
  stored: StoredRecord,
  lists: readonly (readonly IdentifierToken[])[],
): Promise<boolean> {
  if (lists.length === 0) return true;
  const shows = await visibleIdentifiers(lookup, stored);
  const seen = shows === null ? stored.identifiers : stored.identifiers.filter(shows);
  return lists.every((alternatives) => holds(seen, alternatives));
}

export interface Keys {
  readonly records: ReadonlySet<RecordKey>;
  readonly goldens: ReadonlySet<GoldenKey>;
}

const keysOf = (all: readonly Named[]): Keys => ({
  records: new Set(all.flatMap(({ kind, key }) => (kind === 'record' ? [key] : []))),
  goldens: new Set(all.flatMap(({ kind, key }) => (kind === 'golden' ? [key] : []))),
});

const resolved = async (lookup: Lookup, id: string): Promise<readonly Named[]> => {
  const named = await lookup.reader.resolveId(id, lookup.principal.name);
  return named ? [named] : [];
};

/** The persons of the records that hold an identifier which the asker may see. */
async function personsBy(lookup: Lookup, token: IdentifierToken): Promise<readonly Named[] | Refusal> {
  const keys = await lookup.reader.byIdentifier([token], 0, EXAMINED + 1);
  if (keys.length > EXAMINED) return tooMany();
  const persons: Named[] = [];
  for (const key of keys) {
    const stored = await lookup.reader.storedRecord(key);
    if (stored && (await matchesVisibly(lookup, stored, [[token]]))) persons.push(goldenNamed(stored.record.golden));
  }
  return persons;
}

/** Records that link to a golden record, and the golden record that links to a record. */
async function linkedTo({ reader }: Lookup, { kind, key }: Named): Promise<readonly Named[]> {
  if (kind === 'golden') {
    const members = (await reader.storedGolden(key))?.members ?? [];
    return (await standingRecords({ reader }, members)).map(({ record }) => recordNamed(record.key));
  }
  const stored = await reader.storedRecord(key);
  return stored ? [goldenNamed(stored.record.golden)] : [];
}

/** A golden record links to records with an identifier; no record links to a Patient that has one, since golden records have none. */
async function linking(lookup: Lookup, linked: Linked): Promise<readonly Named[] | Refusal> {
  if (linked.kind === 'identifier') return personsBy(lookup, linked.token);
  const [target] = await resolved(lookup, linked.id);
  return target ? linkedTo(lookup, target) : [];
}

/** What `_id` and `link` name: every parameter narrows. undefined without any. */
export async function namedBy(lookup: Lookup, { ids, links }: PatientSearch): Promise<Keys | undefined | Refusal> {
  const sets: Keys[] = [];
  for (const list of ids) sets.push(keysOf((await Promise.all(list.map((id) => resolved(lookup, id)))).flat()));
  for (const list of links) {
    const all: Named[] = [];
    for (const linked of list) {
      const found = await linking(lookup, linked);
      if (isRefusal(found)) return found;
      all.push(...found);
    }
    sets.push(keysOf(all));
  }
  const [first, ...rest] = sets;
  if (!first) return undefined;
  return {
    records: new Set([...first.records].filter((key) => rest.every((set) => set.records.has(key)))),
    goldens: new Set([...first.goldens].filter((key) => rest.every((set) => set.goldens.has(key)))),
  };
}

/**
 * Deployed clients of iSantéPlus send `value|system`: where only what stands for the value is a known system, it is meant so.
 * The list then has that alternative, too.
 */
export const alsoTurned = ({ authorities }: Lookup, list: readonly IdentifierToken[]): readonly IdentifierToken[] =>
  list.flatMap((token) => {
    const { system, value } = token;
    const isTurned =
      system !== null && value !== null && authorities.find(system) === undefined && authorities.find(value) !== undefined;
    return isTurned ? [token, { system: value, value: system }] : [token];
  });
