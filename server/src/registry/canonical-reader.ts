import type { RecordKey } from '../domain/identity.ts';
import { type Authorities, canonicalContent, canonicalIdentifier } from './policy/authorities.ts';
import type { IdentifierQuery, Reader, StoredRecord } from './ports.ts';

/** Alternatives in one query of a store. */
const AT_ONCE = 400;

/**
 * The store as answers show it: an identifier is found under every name of its domain and shown under the one in answers,
 * whichever it was stated under, also before the domain had several names.
 */
export function canonicalReader(reader: Reader, authorities: Authorities): Reader {
  if (authorities.aliases.length === 0) return reader;
  const shown = (stored: StoredRecord): StoredRecord => ({
    ...stored,
    resource: canonicalContent(authorities, stored.resource),
    identifiers: stored.identifiers.map((identifier) => canonicalIdentifier(authorities, identifier)),
  });
  const inAllNames = (queries: readonly IdentifierQuery[]): readonly IdentifierQuery[] =>
    queries.flatMap((query): readonly IdentifierQuery[] =>
      query.system === null ? [query] : authorities.namesOf(query.system).map((system) => ({ ...query, system })),
    );
  const maybe = (stored: StoredRecord | undefined): StoredRecord | undefined => stored && shown(stored);
  return {
    ...reader,
    storedRecord: async (key) => maybe(await reader.storedRecord(key)),
    recordVersion: async (key, version) => maybe(await reader.recordVersion(key, version)),
    recordVersions: async (key, before, limit) => (await reader.recordVersions(key, before, limit)).map(shown),
    countByIdentifier: (queries) => reader.countByIdentifier(inAllNames(queries)),
    async byIdentifier(queries, after, limit) {
      const all = inAllNames(queries);
      const found = new Set<RecordKey>();
      for (let first = 0; first < all.length; first += AT_ONCE) {
        for (const key of await reader.byIdentifier(all.slice(first, first + AT_ONCE), after, limit)) found.add(key);
      }
      return [...found].sort((a, b) => a - b).slice(0, limit);
    },
  };
}
