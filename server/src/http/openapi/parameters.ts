/** Parameters of the routes: those of searches from the tables that searches are read by. */
import { AUDIT_MODIFIED, AUDIT_PARAMETERS } from '../../fhir/audit-search.ts';
import type { CompanionType } from '../../domain/companions.ts';
import { companionCapability, patientCapability } from '../../fhir/capability.ts';
import { DATES, STRINGS } from '../../fhir/conditions.ts';
import { SORTS } from '../../fhir/sorting.ts';
import { ID_PATTERN, type Schema } from './schemas.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header' | 'path';
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

const text: Schema = { type: 'string', minLength: 1 };
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
const count = (least: number, most: number): Schema => ({ type: 'integer', minimum: least, maximum: most });
const query = (name: string, description: string, schema: Schema = text): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});
const header = (name: string, description: string, schema: Schema = text): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
});

const date: Schema = {
  type: 'string',
  pattern: '^(eq|ne|gt|lt|ge|le|sa|eb|ap)?\\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01]))?)?$',
};
const identifier: Schema = { type: 'string', pattern: '^[^|,\\s]+\\|[^|,\\s]+$' };

const format = query('_format', 'Beats Accept.', oneOf('json', 'xml', 'application/fhir+json', 'application/fhir+xml'));
const pretty = query('_pretty', 'Indented.', oneOf('true', 'false'));

/** Taken by every route. */
export const everywhere: readonly Parameter[] = [
  format,
  pretty,
  header('X-Request-Id', 'Given back, and kept in the audit.', { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,64}$' }),
  header('X-Correlation-Id', 'Given back.', { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,64}$' }),
];

const summary = query('_summary', 'How much of each match.', oneOf('true', 'text', 'data', 'count', 'false'));
const elements = query('_elements', 'Names of elements, by comma.', { type: 'string', pattern: '^[a-zA-Z]+(,[a-zA-Z]+)*$' });
const page = query('_page', 'Taken from a link of an answer.');

const schemaOf = (name: string, type: string): Schema => {
  if (type === 'date' || (DATES as readonly string[]).includes(name)) return date;
  return name === '_id' ? { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}(,[A-Za-z0-9.-]{1,64})*$' } : text;
};

const searched = (
  list: readonly { readonly name: string; readonly type: string; readonly documentation?: string }[],
): readonly Parameter[] =>
  list.map(({ name, type, documentation }) => query(name, documentation ?? `A ${type} of R4.`, schemaOf(name, type)));

const sortPattern = `-?(${SORTS.join('|')})`;

/** `GET /fhir/Patient`. */
export const patientSearch: readonly Parameter[] = [
  ...searched(patientCapability.searchParams),
  ...STRINGS.flatMap((name) => [
    query(`${name}:exact`, 'As written.'),
    query(`${name}:contains`, 'Anywhere in it.', { type: 'string', minLength: 2 }),
  ]),
  query('_include', 'Golden records too.', oneOf(...patientCapability.searchIncludes)),
  query('_revinclude', 'The sources of golden records.', oneOf(...patientCapability.searchRevIncludes)),
  query('_tag:not', 'Of the golden tag of no meaning: golden records are no matches.'),
  query('_sort', `Keys by comma: ${SORTS.join(', ')}; - before a key for descending.`, {
    type: 'string',
    pattern: `^${sortPattern}$`,
  }),
  query('_total', 'Whether matches are counted.', oneOf('accurate', 'estimate', 'none')),
  query('_count', 'Matches on a page.', count(0, 500)),
  summary,
  elements,
  page,
];

/** `GET /fhir/Organization`, `GET /fhir/RelatedPerson`. */
export const companionSearch = (type: CompanionType): readonly Parameter[] => {
  const { searchParams, searchIncludes } = companionCapability(type);
  return [
    ...searched(searchParams),
    query('name:exact', 'As written.'),
    query('name:contains', 'Anywhere in it.'),
    query('_include', 'What it refers to.', oneOf(...searchIncludes)),
    query('_count', 'Matches on a page.', count(0, 500)),
    summary,
    elements,
    page,
  ];
};

/** `GET /fhir/AuditEvent`. */
export const auditSearch: readonly Parameter[] = [
  ...searched(AUDIT_PARAMETERS),
  ...AUDIT_MODIFIED.map((name) => query(name, name.endsWith('dentifier') ? 'system|value' : 'Patient/<id>')),
  query('_sort', 'Newest first.', oneOf('-date')),
  query('_count', 'Events on a page.', count(1, 500)),
  page,
];

export const history: readonly Parameter[] = [
  query('_count', 'Versions on a page.', count(0, 200)),
  query('_since', 'Not before this instant.', {
    type: 'string',
    pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d)T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\dZ$',
  }),
  page,
];

export const pix: readonly Parameter[] = [
  { ...query('sourceIdentifier', 'system|value.', identifier), required: true },
  query('targetSystem', 'Any number of systems, repeated or by comma.', { type: 'string', pattern: '^\\S+$' }),
];

export const shape: readonly Parameter[] = [
  query('_summary', 'How much of it.', oneOf('true', 'text', 'data', 'false')),
  elements,
];

export const ifKnown: readonly Parameter[] = [
  header('If-None-Match', 'Versions that are known: 304.', { type: 'string', pattern: '^W/"[1-9][0-9]{0,3}"$' }),
  header('If-Modified-Since', 'An HTTP date: 304.', oneOf('Sun, 01 Mar 2026 12:00:00 GMT')),
];

export const strictly = header(
  'Prefer',
  'handling=strict: unknown parameters are refused.',
  oneOf('handling=strict', 'handling=lenient'),
);
export const preferred = header(
  'Prefer',
  'What the answer holds.',
  oneOf('return=representation', 'return=minimal', 'return=OperationOutcome'),
);
export const ifMatch = header('If-Match', 'The version that must be in force.', {
  type: 'string',
  pattern: '^W/"[1-9][0-9]{0,3}"$',
});
export const ifNoneExist = header('If-None-Exist', 'identifier=system|value: nothing is done where there is such a record.', {
  type: 'string',
  pattern: '^identifier=[!-{}~]+\\|[!-{}~]+$',
});

/** Of conditional updates and deletions. */
export const condition: Parameter = {
  ...query('identifier', 'system|value, of a system of your own.', identifier),
  required: true,
};

export const idOf: Readonly<Record<string, Parameter>> = {
  id: { name: 'id', in: 'path', description: 'Logical id.', required: true, schema: { type: 'string', pattern: ID_PATTERN } },
  vid: {
    name: 'vid',
    in: 'path',
    description: 'Number of a version.',
    required: true,
    schema: { type: 'string', pattern: '^[1-9][0-9]{0,8}$' },
  },
};
