import type { CompanionType } from '../../domain/companions.ts';
import type { AskedTerm } from '../../fhir/companion-search.ts';
import { pairTerm } from '../../fhir/companions.ts';
import type { Reader, RegistryView, StoredCompanion } from '../../registry/ports.ts';
import type { Connection } from './connection.ts';
import type { Sync } from './promised.ts';

type CompanionReads = Pick<Sync<RegistryView>, 'companion' | 'companionsBy'> &
  Pick<Sync<Reader>, 'companionVersions' | 'companions'>;

interface CompanionRow {
  readonly key: number;
  readonly type: string;
  readonly id: string;
  readonly source: string;
  readonly given_id: string | null;
  readonly version: number;
  readonly deleted: number;
  readonly since: number;
  readonly at: string;
  readonly resource: string | null;
}

const SELECT = `SELECT c.key, c.type, c.id, c.source, c.given_id, v.version, v.deleted, v.since, v.at, v.resource
  FROM companion c JOIN companion_version v ON v.companion = c.key`;
const CURRENT = 'AND v.version = c.version';

const toCompanion = ({
  type,
  id,
  source,
  given_id: givenId,
  version,
  deleted,
  since,
  at,
  resource,
}: CompanionRow): StoredCompanion => ({
  companion: {
    // Written from a Companion.
    type: type as CompanionType,
    id,
    version,
    source,
    givenId,
    ...(deleted !== 0 && { deleted: true as const }),
    since,
    lastUpdated: at,
  },
  resource,
});

interface Sql {
  readonly text: string;
  readonly parameters: readonly (string | number)[];
}

/** Past every text that begins alike. */
const beyond = (text: string): string => `${text}\u{10ffff}`;

const termSql = ({ parameter, value, match }: AskedTerm): Sql => {
  switch (match) {
    case 'is':
      return { text: 'parameter = ? AND value = ?', parameters: [parameter, value] };
    case 'starts':
      return { text: 'parameter = ? AND value >= ? AND value < ?', parameters: [parameter, value, beyond(value)] };
    case 'contains':
      return { text: 'parameter = ? AND instr(value, ?) > 0', parameters: [parameter, value] };
  }
};

const listSql = (terms: readonly AskedTerm[]): Sql => {
  const all = terms.map(termSql);
  const alternatives = all.map(({ text }) => `SELECT companion FROM companion_term WHERE ${text}`).join(' UNION ');
  return { text: `AND c.key IN (${alternatives})`, parameters: all.flatMap(({ parameters }) => parameters) };
};

/** Every one in force has terms: the type and the owner alone find also those that are deleted. */
const IN_FORCE = 'AND v.deleted = 0 AND v.resource IS NOT NULL';

/** Organizations and RelatedPersons, for the registrar and for the HTTP door. */
export const openCompanionReads = (db: Connection): CompanionReads => {
  const given = db.prepare<[string, string, string], CompanionRow>(
    `${SELECT} ${CURRENT} WHERE c.type = ? AND c.source = ? AND c.given_id = ?`,
  );
  const own = db.prepare<[string, string], CompanionRow>(`${SELECT} ${CURRENT} WHERE c.type = ? AND c.id = ?`);
  const versions = db.prepare<[string, string, number, number], CompanionRow>(
    `${SELECT} WHERE c.type = ? AND c.id = ? AND v.version < ? ORDER BY v.version DESC LIMIT ?`,
  );
  const find = ({ text, parameters }: Sql, rest: string): CompanionRow[] =>
    db.prepare<(string | number)[], CompanionRow>(`${SELECT} ${CURRENT} ${text} ${rest}`).all(...parameters);
  const count = ({ text, parameters }: Sql): number =>
    db
      .prepare<(string | number)[], number>(
        `SELECT count(*) FROM companion c JOIN companion_version v ON v.companion = c.key ${CURRENT} ${text}`,
      )
      .pluck()
      .get(...parameters) ?? 0;
  const whereSql = (type: CompanionType, source: string | null, lists: readonly (readonly AskedTerm[])[]): Sql => {
    const all = lists.map(listSql);
    return {
      text: ['WHERE c.type = ?', ...(source === null ? [] : ['AND c.source = ?']), IN_FORCE, ...all.map(({ text }) => text)].join(
        ' ',
      ),
      parameters: [type, ...(source === null ? [] : [source]), ...all.flatMap(({ parameters }) => parameters)],
    };
  };
  return {
    companion(type, id, client) {
      const row = given.get(type, client, id) ?? own.get(type, id);
      return row && toCompanion(row);
    },
    companionsBy(type, { system, value }, source) {
      const where = whereSql(type, source, [[{ parameter: 'identifier', value: pairTerm(system, value), match: 'is' }]]);
      return find(where, 'ORDER BY c.key LIMIT 100').map(toCompanion);
    },
    companionVersions: (type, id, before, limit) => versions.all(type, id, before, limit).map(toCompanion),
    companions({ type, source, terms }, after, limit) {
      const where = whereSql(type, source, terms);
      const page = { text: `${where.text} AND c.key > ?`, parameters: [...where.parameters, after] };
      const rows = find(page, `ORDER BY c.key LIMIT ${limit + 1}`);
      const shown = rows.slice(0, limit);
      return {
        found: shown.map(toCompanion),
        total: count(where),
        next: rows.length > limit && limit > 0 ? (shown.at(-1)?.key ?? null) : null,
      };
    },
  };
};
