/** What Patients link to, and what links to them (`_include`, `_revinclude`, survivors of merges), as the asker may see it. */
import type { GoldenKey, RecordKey } from '../domain/identity.ts';
import type { Patient, PatientLink } from '../fhir/r4.ts';
import type { PatientSearch } from '../fhir/search.ts';
import { type Lookup, presentRecord, showGolden, showRecord } from './lookup.ts';
import type { Named } from './ports.ts';

/** A Patient of an answer, and what it is. */
export interface Shown {
  readonly named: Named;
  readonly patient: Patient;
}

export async function showNamed(lookup: Lookup, named: Named): Promise<Shown | undefined> {
  if (named.kind === 'golden') {
    const golden = await lookup.reader.storedGolden(named.key);
    return golden && { named, patient: await showGolden(lookup, golden) };
  }
  const stored = await presentRecord(lookup, named.key);
  return stored && { named, patient: await showRecord(lookup, stored) };
}

export const goldenNamed = (key: GoldenKey): Named => ({ kind: 'golden', key });
export const recordNamed = (key: RecordKey): Named => ({ kind: 'record', key });

/** Everything that a Patient may link to or be linked from: its person, the person's records, and what a retired CRUID forwards to. */
async function* around({ reader }: Lookup, named: Named): AsyncGenerator<Named> {
  const person = named.kind === 'golden' ? named.key : (await reader.storedRecord(named.key))?.record.golden;
  const stored = person === undefined ? undefined : await reader.storedGolden(person);
  if (!stored) return;
  if (named.kind === 'record') yield goldenNamed(stored.golden.key);
  for (const key of stored.members) if (named.kind === 'golden' || key !== named.key) yield recordNamed(key);
  if (stored.golden.replacedBy !== null) yield goldenNamed(stored.golden.replacedBy);
}

const idOf = async ({ reader }: Lookup, { kind, key }: Named): Promise<string | undefined> =>
  kind === 'golden' ? (await reader.storedGolden(key))?.golden.id : (await reader.storedRecord(key))?.record.id;

const targetsOf = ({ link = [] }: Patient, types?: readonly PatientLink['type'][]): Set<string> =>
  new Set(link.filter(({ type }) => types?.includes(type) ?? true).map(({ other }) => other.reference ?? ''));

/** What a Patient links to, by links of these types or of all. */
async function forwards(
  lookup: Lookup,
  { named, patient }: Shown,
  types?: readonly PatientLink['type'][],
): Promise<readonly Named[]> {
  const targets = targetsOf(patient, types);
  const found: Named[] = [];
  if (targets.size === 0) return found;
  for await (const one of around(lookup, named)) {
    if (targets.delete(`Patient/${(await idOf(lookup, one)) ?? ''}`)) found.push(one);
    if (targets.size === 0) break;
  }
  return found;
}

/** What links to a Patient. */
async function backwards(lookup: Lookup, { named, patient }: Shown): Promise<readonly Named[]> {
  const found: Named[] = [];
  for await (const one of around(lookup, named)) {
    const shown = await showNamed(lookup, one);
    if (shown && targetsOf(shown.patient).has(`Patient/${patient.id ?? ''}`)) found.push(one);
  }
  return found;
}

const nameOf = ({ kind, key }: Named): string => `${kind} ${key}`;

/**
 * What is answered beside the matches, each once: what `_include` and `_revinclude` ask for, and always the Patient that has
 * replaced a matched one (PDQm ITI-78, case 6).
 */
export async function included(
  lookup: Lookup,
  matches: readonly Shown[],
  { include, revInclude }: Pick<PatientSearch, 'include' | 'revInclude'>,
): Promise<readonly Patient[]> {
  const seen = new Set(matches.map(({ named }) => nameOf(named)));
  const found: Shown[] = [];
  const add = async (all: readonly Named[]): Promise<void> => {
    for (const named of all) {
      if (seen.has(nameOf(named))) continue;
      seen.add(nameOf(named));
      const shown = await showNamed(lookup, named);
      if (shown) found.push(shown);
    }
  };
  for (const match of matches) {
    await add(await forwards(lookup, match, include === 'none' ? ['replaced-by'] : undefined));
    if (revInclude) await add(await backwards(lookup, match));
  }
  // The list grows while it is walked.
  if (include === 'iterate') for (const one of found) await add(await forwards(lookup, one));
  return found.map(({ patient }) => patient);
}
