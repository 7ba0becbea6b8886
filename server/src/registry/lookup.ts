import type { GoldenKey, Identifier, RecordKey } from '../domain/identity.ts';
import type { Principal } from '../domain/principals.ts';
import type { Ours } from '../fhir/ours.ts';
import type { Patient } from '../fhir/r4.ts';
import { renderGolden, renderSource, stripped } from '../fhir/render.ts';
import { seesIdentifier, seesWhole } from './policy/disclosure.ts';
import type { Authorities } from './policy/authorities.ts';
import type { Reader, StoredGolden, StoredRecord } from './ports.ts';

/** What looking things up needs; `principal` is whoever asks, and decides what is shown (design §8). */
export interface Lookup {
  readonly reader: Reader;
  readonly authorities: Authorities;
  readonly ours: Ours;
  readonly principal: Principal;
  /** A client's name for people, '' when it is not known. */
  readonly displayName: (client: string) => string;
}

/** Shared systems in which the asker itself has stated a value for the person: what it may see of others' records. */
async function statedSystems({ reader, principal }: Lookup, golden: GoldenKey): Promise<ReadonlySet<string>> {
  const members = (await reader.storedGolden(golden))?.members ?? [];
  const systems = new Set<string>();
  for (const key of members) {
    const stored = await reader.storedRecord(key);
    if (stored?.record.source === principal.name) for (const { system } of stored.identifiers) systems.add(system);
  }
  return systems;
}

/**
 * Which identifiers of a record the asker may see; null: the record whole. Of a former version those of the person that the
 * record is of now: a link that was wrong shows nothing afterwards.
 */
export async function visibleIdentifiers(
  lookup: Lookup,
  { record }: StoredRecord,
): Promise<((identifier: Identifier) => boolean) | null> {
  if (seesWhole(lookup.principal, record.source)) return null;
  const now = await lookup.reader.storedRecord(record.key);
  const stated = await statedSystems(lookup, (now?.record ?? record).golden);
  return ({ system }) => seesIdentifier(lookup.authorities, system, stated);
}

/** A record that something else named a moment ago, unless it was deleted since. */
export async function presentRecord({ reader }: Pick<Lookup, 'reader'>, key: RecordKey): Promise<StoredRecord | undefined> {
  const stored = await reader.storedRecord(key);
  return stored?.record.deleted ? undefined : stored;
}

/** A source record as the asker may see it; it is not a deleted one. */
export async function showRecord(lookup: Lookup, stored: StoredRecord): Promise<Patient> {
  const { record, resource } = stored;
  const golden = await lookup.reader.storedGolden(record.golden);
  if (!golden) throw new Error(`record ${record.key} has no golden record`);
  const survivor = record.mergedInto === undefined ? undefined : await lookup.reader.storedRecord(record.mergedInto);
  const brokenWith = await lookup.reader.brokenWith(record.key, record.since);
  const clientDisplay = lookup.displayName(record.source);
  const whole = renderSource(
    {
      record,
      resource,
      goldenId: golden.golden.id,
      replacedBy: survivor?.record.id ?? null,
      brokenWith,
      clientDisplay,
    },
    lookup.ours,
  );
  const shows = await visibleIdentifiers(lookup, stored);
  return shows === null ? whole : stripped(whole, { shows, ours: lookup.ours });
}

/** Those of a person's records that stand for themselves: one that was merged is reached through its survivor (PIX-104-11). */
export async function standingRecords(
  { reader }: Pick<Lookup, 'reader'>,
  keys: readonly RecordKey[],
): Promise<readonly StoredRecord[]> {
  const stored = await Promise.all(keys.map((key) => reader.storedRecord(key)));
  return stored.filter((one) => one !== undefined).filter(({ record }) => record.mergedInto === undefined);
}

/** A golden record: ids and links only, so alike for everyone. */
export async function showGolden({ reader, ours }: Lookup, { golden, members }: StoredGolden): Promise<Patient> {
  const ids = (await standingRecords({ reader }, members)).map(({ record }) => record.id);
  const target = golden.replacedBy === null ? undefined : await reader.storedGolden(golden.replacedBy);
  return renderGolden({ golden, members: ids, replacedBy: target?.golden.id ?? null }, ours);
}

/** A Patient that was found, and whether it was asked for under another id. */
export interface Found {
  readonly patient: Patient;
  readonly alias: boolean;
}

/** What stands where a record was deleted: that it was, in this version. */
export interface Deleted {
  readonly deleted: { readonly id: string; readonly version: number; readonly lastUpdated: string };
}

export async function readPatient(lookup: Lookup, id: string): Promise<Found | Deleted | undefined> {
  const named = await lookup.reader.resolveId(id, lookup.principal.name);
  if (named === undefined) return undefined;
  const patient = await showNamed(lookup, named);
  return patient === undefined || 'deleted' in patient ? patient : { patient, alias: patient.id !== id };
}

async function showNamed(
  lookup: Lookup,
  named: { kind: 'record' | 'golden'; key: RecordKey },
): Promise<Patient | Deleted | undefined> {
  if (named.kind === 'golden') {
    const golden = await lookup.reader.storedGolden(named.key);
    return golden && showGolden(lookup, golden);
  }
  const stored = await lookup.reader.storedRecord(named.key);
  return stored && showVersion(lookup, stored);
}

/** A version of a record: as the asker may see it, or that it was deleted then. */
export async function showVersion(lookup: Lookup, stored: StoredRecord): Promise<Patient | Deleted> {
  const { id, version, lastUpdated, deleted } = stored.record;
  return deleted ? { deleted: { id, version, lastUpdated } } : showRecord(lookup, stored);
}

export async function readVersion(lookup: Lookup, id: string, version: number): Promise<Patient | Deleted | undefined> {
  const named = await lookup.reader.resolveId(id, lookup.principal.name);
  if (named?.kind === 'golden') {
    const golden = await lookup.reader.goldenVersion(named.key, version);
    return golden && showGolden(lookup, golden);
  }
  const stored = named && (await lookup.reader.recordVersion(named.key, version));
  return stored && showVersion(lookup, stored);
}
