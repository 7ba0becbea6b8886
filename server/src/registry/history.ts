import type { Instant, Sequence } from '../domain/identity.ts';
import type { Committed } from '../domain/change-set.ts';
import type { Patient } from '../fhir/r4.ts';
import { type Deleted, type Lookup, showGolden, showVersion } from './lookup.ts';
import { seesWhole } from './policy/disclosure.ts';

/** A version of a Patient, or that it was deleted. */
export type PatientVersion = Patient | Deleted;

export interface History {
  /** The record's own id. */
  readonly id: string;
  readonly total: number;
  /** Newest first. */
  readonly versions: readonly PatientVersion[];
}

export interface VersionPage {
  readonly before: number;
  readonly limit: number;
}

/** Versions before `before`, newest first; undefined when nothing bears the id. */
export async function readHistory(lookup: Lookup, id: string, page: VersionPage): Promise<History | undefined> {
  const { reader } = lookup;
  const named = await reader.resolveId(id, lookup.principal.name);
  if (named?.kind === 'golden') {
    const now = await reader.storedGolden(named.key);
    const versions = await reader.goldenVersions(named.key, page.before, page.limit);
    return (
      now && {
        id: now.golden.id,
        total: now.golden.version,
        versions: await Promise.all(versions.map((one) => showGolden(lookup, one))),
      }
    );
  }
  const now = named && (await reader.storedRecord(named.key));
  if (!now) return undefined;
  const versions = await reader.recordVersions(now.record.key, page.before, page.limit);
  return {
    id: now.record.id,
    total: now.record.version,
    versions: await Promise.all(versions.map((one) => showVersion(lookup, one))),
  };
}

/** A place in the ledger: what lies before it is older. `index` counts what one change set wrote. */
export interface LedgerPlace {
  readonly sequence: Sequence;
  readonly index: number;
}

export const LEDGER_END: LedgerPlace = { sequence: Number.MAX_SAFE_INTEGER, index: 0 };

export interface TypeHistory {
  /** Newest first. */
  readonly versions: readonly PatientVersion[];
  /** Where the next page begins; null on the last. */
  readonly next: LedgerPlace | null;
}

/** Change sets that one page looks at: of a client that wrote few of them a page may hold nothing, and lead to the next. */
const EXAMINED = 500;

/** What a change set wrote that the asker may list: of source records those that it sees whole, golden records with the scope only. */
function written(lookup: Lookup, { change }: Committed): readonly (() => Promise<PatientVersion | undefined>)[] {
  const { reader, principal } = lookup;
  const records = change.records
    .filter(({ record }) => seesWhole(principal, record.source))
    .map(({ record: { key, version } }) => async () => {
      const stored = await reader.recordVersion(key, version);
      return stored && showVersion(lookup, stored);
    });
  const listed = principal.scopes.includes('demographics') ? change.goldens : [];
  const goldens = listed.map(({ golden: { key, version } }) => async () => {
    const stored = await reader.goldenVersion(key, version);
    return stored && showGolden(lookup, stored);
  });
  return [...records, ...goldens];
}

/**
 * `GET Patient/_history` (R4 http.html#history): every version that was ever written of the Patients that the asker sees whole, newest
 * first, from one place of the ledger on, back to `since`.
 */
export async function readTypeHistory(
  lookup: Lookup,
  from: LedgerPlace,
  { limit, since }: { readonly limit: number; readonly since: Instant | null },
): Promise<TypeHistory> {
  const versions: PatientVersion[] = [];
  const changes = await lookup.reader.changeSets(from.index > 0 ? from.sequence + 1 : from.sequence, EXAMINED);
  for (const committed of changes) {
    const { sequence, change } = committed;
    if (since !== null && change.at < since) return { versions, next: null };
    const all = written(lookup, committed);
    for (let index = sequence === from.sequence ? from.index : all.length; index > 0; index--) {
      if (versions.length === limit) return { versions, next: { sequence, index } };
      const version = await all[index - 1]?.();
      if (version) versions.push(version);
    }
  }
  const last = changes.at(-1);
  return { versions, next: changes.length < EXAMINED || !last ? null : { sequence: last.sequence, index: 0 } };
}
