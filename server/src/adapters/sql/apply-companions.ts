import { termsOf } from '../../fhir/companions.ts';
import type { Connection } from './connection.ts';
import type { CompanionPayload, CompanionSkeleton, Placed } from './skeleton.ts';

const openTermWriter = (db: Connection) => {
  const forget = db.prepare<[number]>('DELETE FROM companion_term WHERE companion = ?');
  const add = db.prepare<[string, string, number]>('INSERT INTO companion_term (parameter, value, companion) VALUES (?, ?, ?)');
  return (key: number, { id }: CompanionSkeleton, resource: string | null): void => {
    forget.run(key);
    if (resource === null) return;
    for (const { parameter, value } of termsOf({ id }, resource)) add.run(parameter, value, key);
  };
};

/** Organizations and RelatedPersons: their versions, and the terms of the version in force. */
export const openCompanionWriter = (db: Connection): ((placed: Placed) => void) => {
  const put = db
    .prepare<[string, string, string, string | null, number], number>(
      `INSERT INTO companion (type, id, source, given_id, version) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (type, id) DO UPDATE SET version = excluded.version RETURNING key`,
    )
    .pluck();
  const addVersion = db.prepare<[number, number, number, number, string, Buffer | null, string | null]>(
    'INSERT INTO companion_version (companion, version, deleted, since, at, salt, resource) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const writeTerms = openTermWriter(db);
  const write = ({ sequence, skeleton }: Placed, entry: CompanionSkeleton, payload: CompanionPayload | null): void => {
    const { type, id, source, givenId, version, deleted = false } = entry;
    const key = put.get(type, id, source, givenId, version);
    if (key === undefined) throw new Error(`${type} ${id} has no key`);
    const { salt, resource } = payload ?? { salt: null, resource: null };
    addVersion.run(key, version, deleted ? 1 : 0, sequence, skeleton.at, salt, resource);
    writeTerms(key, entry, resource);
  };
  return (placed) => {
    placed.skeleton.companions.forEach((entry, index) => {
      write(placed, entry, placed.companions[index] ?? null);
    });
  };
};
