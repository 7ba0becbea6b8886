/** Conditions as SQL over the tables of the index of searches. */
import { type Code, type CodeName, type DateName, type MayMiss } from '../../fhir/conditions.ts';
import { isClientSystem, isFlag } from '../../fhir/demographics.ts';
import { folded } from '../../fhir/folding.ts';
import { FLAGS } from '../../fhir/ours.ts';
import type { IndexCondition } from '../../registry/ports.ts';
import type { Part } from './order.ts';

type Of<Kind extends IndexCondition['kind']> = Extract<IndexCondition, { readonly kind: Kind }>;

const PARAMETER = '(SELECT n FROM parameter WHERE name = ?)';

/** The first text past all that begin with this one. */
const past = (text: string): string => `${text}\u{10ffff}`;

/** A tree that is as flat as may be: SQLite takes none deeper than 1,000. */
const flat = (terms: readonly string[]): string => {
  if (terms.length <= 2) return terms.join(' OR ');
  const half = terms.length >> 1;
  return `(${flat(terms.slice(0, half))}) OR (${flat(terms.slice(half))})`;
};

/** Any of them; nothing meets none at all. */
const anyOf = (parts: readonly Part[]): Part => ({
  sql: parts.length === 0 ? '0' : `(${flat(parts.map(({ sql }) => `(${sql})`))})`,
  values: parts.flatMap(({ values }) => values),
});

const noneOf = (parts: readonly Part[]): Part => {
  const { sql, values } = anyOf(parts);
  return { sql: `NOT ${sql}`, values };
};

/** Records with such a term: found by the term where it selects, looked up from the record where it leaves out. */
const withTerm = (name: string, { sql, values }: Part): Part => ({
  sql: `record IN (SELECT record FROM term WHERE parameter = ${PARAMETER} AND ${sql})`,
  values: [name, ...values],
});
/** Of texts so many may be looked at that the time has to be. */
const withText = (name: string, { sql, values }: Part): Part => withTerm(name, { sql: `in_time() AND ${sql}`, values });
const hasTerm = (name: string, { sql, values }: Part): Part => ({
  sql: `EXISTS (SELECT 1 FROM term WHERE term.record = patient.record AND parameter = ${PARAMETER} AND ${sql})`,
  values: [name, ...values],
});

const STRING_SQL = {
  starts: 'value >= ? AND value < ?',
  exact: 'value = ? AND raw = ?',
  // A term that does not begin with it may hold it: every distinct value of the parameter is looked at.
  contains: 'instr(value, ?) > 0',
} as const;

const stringValues = (how: keyof typeof STRING_SQL, value: string): readonly string[] =>
  ({ starts: [value, past(value)], exact: [folded(value), value], contains: [value] })[how];

const stringPart = ({ name, how, values }: Of<'string'>): Part =>
  withText(name, anyOf(values.map((value) => ({ sql: `(${STRING_SQL[how]})`, values: stringValues(how, value) }))));

const belowPart = ({ name, values }: Of<'below'>): Part =>
  withText(name, anyOf(values.map((value) => ({ sql: `(${STRING_SQL.starts})`, values: [value, past(value)] }))));

const codePart = ({ system, code }: Code): Part => {
  const said = [
    ...(code === null ? [] : [{ column: 'value', value: code }]),
    ...(system === null ? [] : [{ column: 'raw', value: system }]),
  ];
  return { sql: `(${said.map(({ column }) => `${column} = ?`).join(' AND ')})`, values: said.map(({ value }) => value) };
};

/** Tags that the registry sets stand with the record, not among its terms. */
const ownTag = (asked: Code): readonly Part[] => [
  ...(isClientSystem(asked.system) ? [asked.code === null ? { sql: '1', values: [] } : sourcePart([asked.code])] : []),
  ...FLAGS.filter((flag) => isFlag(asked, flag)).map((flag) => ({
    sql: "instr(' ' || flags || ' ', ?) > 0",
    values: [` ${flag} `],
  })),
];

const tokenPart = ({ name, not, values }: Of<'token'>): Part => {
  const codes = anyOf(values.map(codePart));
  const own = name === ('_tag' satisfies CodeName) ? values.flatMap(ownTag) : [];
  return not ? noneOf([...own, hasTerm(name, codes)]) : anyOf([...own, withTerm(name, codes)]);
};

/** search.html#prefix, of the span [low, high] of the record and the span [?, ?] of the value. */
const PREFIXES: Readonly<Record<string, readonly [sql: string, values: readonly ('low' | 'high')[]]>> = {
  eq: ['L >= ? AND H <= ?', ['low', 'high']],
  ne: ['NOT (L >= ? AND H <= ?)', ['low', 'high']],
  gt: ['H > ?', ['high']],
  lt: ['L < ?', ['low']],
  ge: ['H >= ?', ['low']],
  le: ['L <= ?', ['high']],
  sa: ['L > ?', ['high']],
  eb: ['H < ?', ['low']],
  ap: ['L <= ? AND H >= ?', ['high', 'low']],
};

const DATE_COLUMNS: Readonly<Record<DateName, readonly [low: string, high: string]>> = {
  birthdate: ['birth_low', 'birth_high'],
  'death-date': ['death_low', 'death_high'],
  _lastUpdated: ['updated', 'updated'],
};

const datePart = ({ name, values }: Of<'date'>): Part => {
  const [low, high] = DATE_COLUMNS[name];
  const parts = anyOf(
    values.map(({ prefix, ...span }) => {
      const [sql, wanted] = PREFIXES[prefix] ?? ['0', []];
      return { sql: `(${sql.replaceAll('L', low).replaceAll('H', high)})`, values: wanted.map((end) => span[end]) };
    }),
  );
  return { sql: `${low} <> '' AND ${parts.sql}`, values: parts.values };
};

const MISSING_COLUMNS: Partial<Record<MayMiss, string>> = {
  birthdate: 'birth_low',
  'death-date': 'death_low',
  identifier: 'systems',
};

const missingPart = ({ name, missing }: Of<'missing'>): Part => {
  const column = MISSING_COLUMNS[name];
  if (column !== undefined) return { sql: `${column} ${missing ? '=' : '<>'} ''`, values: [] };
  const any = hasTerm(name, { sql: '1', values: [] });
  return missing ? noneOf([any]) : any;
};

/** Numbers as a column holds them: each between blanks, so that one is found by looking for it so. */
export const numbersIn = (numbers: readonly number[]): string =>
  numbers.length === 0 ? '' : ` ${[...new Set(numbers)].join(' ')} `;

const identifierPart = ({ not, systems, records }: Of<'identifier'>): Part => {
  const parts: readonly Part[] = [
    ...systems.map((system) => ({
      sql: "instr(systems, ' ' || (SELECT n FROM system WHERE name = ?) || ' ') > 0",
      values: [system],
    })),
    ...(records.length > 0 ? [{ sql: `record IN (${records.join(', ')})`, values: [] }] : []),
  ];
  // A system that no record ever had is unknown: then the look for it is NULL, which is no match.
  const known = parts.map(({ sql, values }) => ({ sql: `ifnull(${sql}, 0)`, values }));
  return not ? noneOf(known) : anyOf(known);
};

export const sourcePart = (clients: readonly string[]): Part => ({
  sql: `client IN (SELECT n FROM client WHERE name IN (${clients.map(() => '?').join(', ')}))`,
  values: clients,
});

export const partOf = (condition: IndexCondition): Part => {
  switch (condition.kind) {
    case 'always':
      return { sql: condition.met ? '1' : '0', values: [] };
    case 'missing':
      return missingPart(condition);
    case 'string':
      return stringPart(condition);
    case 'below':
      return belowPart(condition);
    case 'token':
      return tokenPart(condition);
    case 'date':
      return datePart(condition);
    case 'identifier':
      return identifierPart(condition);
  }
};
