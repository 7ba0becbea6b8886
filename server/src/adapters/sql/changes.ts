import type { Committed, RecordWrite } from '../../domain/change-set.ts';
import type { CompanionWrite } from '../../domain/companions.ts';
import type { Sequence } from '../../domain/identity.ts';
import type { Connection } from './connection.ts';
import { type CompanionSkeleton, decodeSkeleton, namingOf, type RecordSkeleton } from './skeleton.ts';

interface ChangeRow {
  readonly seq: number;
  readonly skeleton: string;
}

interface ContentRow {
  readonly naming: string | null;
  readonly resource: string | null;
}

/** Puts change sets together again from skeleton and payload; erased content reads as none. */
const openAssembler = (db: Connection): ((row: ChangeRow) => Committed) => {
  const content = db.prepare<[number, number], ContentRow>(
    'SELECT p.naming, p.resource FROM record_version v JOIN payload p ON p.key = v.payload WHERE v.record = ? AND v.version = ?',
  );
  const assemble = ({ payload, ...record }: RecordSkeleton): RecordWrite => {
    const { naming = null, resource = null } = content.get(record.key, record.version) ?? {};
    const { identity, identifiers } = namingOf(naming);
    const own = payload !== null && resource !== null ? { resource, identifiers } : null;
    return { record: { ...record, identity }, content: own, features: null };
  };
  const companionContent = db
    .prepare<[string, string, number], string | null>(
      `SELECT v.resource FROM companion c JOIN companion_version v ON v.companion = c.key
       WHERE c.type = ? AND c.id = ? AND v.version = ?`,
    )
    .pluck();
  const assembleCompanion = ({ payload, ...companion }: CompanionSkeleton): CompanionWrite => ({
    companion,
    resource: payload === null ? null : (companionContent.get(companion.type, companion.id, companion.version) ?? null),
  });
  return ({ seq, skeleton }) => {
    const { batch: _, ...change } = decodeSkeleton(skeleton);
    const passwords = change.passwords.map(({ client }) => ({ client, hash: null }));
    const companions = change.companions.map(assembleCompanion);
    return { sequence: seq, change: { ...change, records: change.records.map(assemble), passwords, companions } };
  };
};

export interface ChangeFeed {
  after(sequence: Sequence, limit: number): readonly Committed[];
  before(sequence: Sequence, limit: number): readonly Committed[];
}

export const openChangeFeed = (db: Connection): ChangeFeed => {
  const assemble = openAssembler(db);
  const after = db.prepare<[number, number], ChangeRow>(
    'SELECT seq, skeleton FROM change_set WHERE seq > ? ORDER BY seq LIMIT ?',
  );
  const before = db.prepare<[number, number], ChangeRow>(
    'SELECT seq, skeleton FROM change_set WHERE seq < ? ORDER BY seq DESC LIMIT ?',
  );
  return {
    after: (sequence, limit) => after.all(sequence, limit).map(assemble),
    before: (sequence, limit) => before.all(sequence, limit).map(assemble),
  };
};
