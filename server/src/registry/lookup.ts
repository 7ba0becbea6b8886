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

/** A source record as the asker may see it. */
export async function showRecord(lookup: Lookup, stored: StoredRecord): Promise<Patient> {
  const { record, resource } = stored;
  const golden = await lookup.reader.storedGolden(record.golden);
  if (!golden) throw new Error(`record ${record.key} has no golden record`);
  const brokenWith = await lookup.reader.brokenWith(record.key, record.since);
  const clientDisplay = lookup.displayName(record.source);
  const whole = renderSource({ record, resource, goldenId: golden.golden.id, brokenWith, clientDisplay }, lookup.ours);
  const shows = await visibleIdentifiers(lookup, stored);
  return shows === null ? whole : stripped(whole, { shows, ours: lookup.ours });
}

/** A golden record: ids and links only, so alike for everyone. */
export async function showGolden({ reader, ours }: Lookup, { golden, members }: StoredGolden): Promise<Patient> {
  const ids = await Promise.all(members.map(async (key) => (await reader.storedRecord(key))?.record.id));
  const target = golden.replacedBy === null ? undefined : await reader.storedGolden(golden.replacedBy);
  return renderGolden({ golden, members: ids.filter((id) => id !== undefined), replacedBy: target?.golden.id ?? null }, ours);
}

/** A Patient that was found, and whether it was asked for under another id. */
export interface Found {
  readonly patient: Patient;
  readonly alias: boolean;
}

export async function readPatient(lookup: Lookup, id: string): Promise<Found | undefined> {
  const named = await lookup.reader.resolveId(id, lookup.principal.name);
  if (named === undefined) return undefined;
  const patient = await showNamed(lookup, named);
  return patient && { patient, alias: patient.id !== id };
}

async function showNamed(lookup: Lookup, named: { kind: 'record' | 'golden'; key: RecordKey }): Promise<Patient | undefined> {
  if (named.kind === 'golden') {
    const golden = await lookup.reader.storedGolden(named.key);
    return golden && showGolden(lookup, golden);
  }
  const stored = await lookup.reader.storedRecord(named.key);
  return stored && showRecord(lookup, stored);
}

export async function readVersion(lookup: Lookup, id: string, version: number): Promise<Patient | undefined> {
  const named = await lookup.reader.resolveId(id, lookup.principal.name);
  if (named?.kind === 'golden') {
    const golden = await lookup.reader.goldenVersion(named.key, version);
    return golden && showGolden(lookup, golden);
  }
  const stored = named && (await lookup.reader.recordVersion(named.key, version));
  return stored && showRecord(lookup, stored);
}

export interface History {
  /** The record's own id. */
  readonly id: string;
  readonly total: number;
  /** Newest first. */
  readonly versions: readonly Patient[];
}

/** Versions before `before`, newest first; undefined when nothing bears the id. */
export async function readHistory(
  lookup: Lookup,
  id: string,
  page: { readonly before: number; readonly limit: number },
): Promise<History | undefined> {
  const named = await lookup.reader.resolveId(id, lookup.principal.name);
  if (named?.kind === 'golden') {
    const now = await lookup.reader.storedGolden(named.key);
    const versions = await lookup.reader.goldenVersions(named.key, page.before, page.limit);
    return (
      now && {
        id: now.golden.id,
        total: now.golden.version,
        versions: await Promise.all(versions.map((one) => showGolden(lookup, one))),
      }
    );
  }
  const now = named && (await lookup.reader.storedRecord(named.key));
  if (!now) return undefined;
  const versions = await lookup.reader.recordVersions(now.record.key, page.before, page.limit);
  return {
    id: now.record.id,
    total: now.record.version,
    versions: await Promise.all(versions.map((one) => showRecord(lookup, one))),
  };
}
