import { z } from 'zod';
import { RegistryError } from '../../domain/errors.ts';
import type { Patient } from '../../fhir/r4.ts';

/** What a column of a CSV file is in a FHIR R4 Patient. */
const elements = [
  'identifier',
  'id',
  'given',
  'family',
  'gender',
  'birthDate',
  'phone',
  'email',
  'line',
  'city',
  'district',
  'state',
  'postalCode',
  'country',
  'active',
  'ignore',
] as const;

const formats = ['YYYY-MM-DD', 'YYYYMMDD', 'DD/MM/YYYY', 'MM/DD/YYYY'] as const;

const columnSchema = z.strictObject({
  to: z.enum(elements),
  /** Of an identifier. */
  system: z.string().min(1).optional(),
  /** Of a birth date. */
  format: z.enum(formats).optional(),
  /** What the file's words mean; others are taken as they stand. */
  values: z.record(z.string(), z.string()).optional(),
});

const mappingSchema = z.strictObject({
  __comments: z.unknown().optional(),
  /** Whose records these are, where the command does not say. */
  client: z.string().min(1).optional(),
  delimiter: z.string().length(1).default(','),
  columns: z.record(z.string(), columnSchema),
});

export type Mapping = z.infer<typeof mappingSchema>;
type Column = z.infer<typeof columnSchema>;

const refuse = (complaints: readonly string[]): never => {
  throw new RegistryError(
    'invalid-request',
    complaints.map((diagnostics) => ({ severity: 'error' as const, diagnostics })),
  );
};

/** Reads a mapping file; @throws RegistryError with every complaint at once, each naming its place. */
export function readMapping(input: unknown, fileName: string): Mapping {
  const read = mappingSchema.safeParse(input);
  if (!read.success) return refuse(read.error.issues.map(({ path, message }) => `${fileName}: ${path.join('.')}: ${message}`));
  const columns = Object.entries(read.data.columns);
  const complaints = columns.flatMap(([name, { to, system, format }]) => [
    ...(to === 'identifier' && system === undefined ? [`${fileName}: columns.${name}: an identifier needs its system`] : []),
    ...(to !== 'identifier' && system !== undefined ? [`${fileName}: columns.${name}: only an identifier has a system`] : []),
    ...(to !== 'birthDate' && format !== undefined ? [`${fileName}: columns.${name}: only a birthDate has a format`] : []),
  ]);
  if (!columns.some(([, { to }]) => to === 'identifier')) complaints.push(`${fileName}: no column is an identifier`);
  return complaints.length > 0 ? refuse(complaints) : read.data;
}

/**
 * What the header of a file lacks, and what of it the mapping does not speak of.
 * @throws RegistryError where columns that the mapping names are not there.
 */
export function checkHeader(mapping: Mapping, header: readonly string[]): readonly string[] {
  const missing = Object.keys(mapping.columns).filter((name) => !header.includes(name));
  if (missing.length > 0) refuse([`The file has no column ${missing.join(', ')}; it has: ${header.join(', ')}.`]);
  return header.filter((name) => !Object.hasOwn(mapping.columns, name));
}

const DATES: Readonly<Record<(typeof formats)[number], readonly [RegExp, string]>> = {
  'YYYY-MM-DD': [/^(\d{4}(?:-\d{2}(?:-\d{2})?)?)$/, '$1'],
  YYYYMMDD: [/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3'],
  'DD/MM/YYYY': [/^(\d{1,2})\/(\d{1,2})\/(\d{4})$/, '$3-$2-$1'],
  'MM/DD/YYYY': [/^(\d{1,2})\/(\d{1,2})\/(\d{4})$/, '$3-$1-$2'],
};

const dateOf = (text: string, format: (typeof formats)[number]): string | undefined => {
  const [pattern, written] = DATES[format];
  if (!pattern.test(text)) return undefined;
  return text.replace(pattern, written).replace(/-(\d)(?=-|$)/g, '-0$1');
};

type Draft = {
  identifier: { system: string; value: string }[];
  name: { use: 'official'; given?: string[]; family?: string };
  telecom: { system: 'phone' | 'email'; value: string }[];
  address: Record<string, string | string[]>;
  rest: Record<string, unknown>;
};

/** Puts one value in its place; answers what is wrong with it. */
function put(draft: Draft, name: string, { to, system, format = 'YYYY-MM-DD' }: Column, value: string): string | undefined {
  switch (to) {
    case 'ignore':
      return undefined;
    case 'identifier':
      draft.identifier.push({ system: system ?? '', value });
      return undefined;
    case 'given':
      draft.name.given = [...(draft.name.given ?? []), ...value.split(/\s+/)];
      return undefined;
    case 'family':
      draft.name.family = draft.name.family === undefined ? value : `${draft.name.family} ${value}`;
      return undefined;
    case 'phone':
    case 'email':
      draft.telecom.push({ system: to, value });
      return undefined;
    case 'line':
      draft.address['line'] = [...((draft.address['line'] as string[] | undefined) ?? []), value];
      return undefined;
    case 'birthDate': {
      const date = dateOf(value, format);
      if (date === undefined) return `${name} is no date of the form ${format}`;
      draft.rest['birthDate'] = date;
      return undefined;
    }
    case 'active':
      if (value !== 'true' && value !== 'false') return `${name} is true or false`;
      draft.rest['active'] = value === 'true';
      return undefined;
    case 'gender':
    case 'id':
      draft.rest[to] = value;
      return undefined;
    default:
      draft.address[to] = value;
      return undefined;
  }
}

/** The Patient that a row is, or what is wrong with it in words. Values are trimmed; empty ones are missing. */
export function patientOfRow(mapping: Mapping, row: Readonly<Record<string, string>>): Patient | string {
  const draft: Draft = { identifier: [], name: { use: 'official' }, telecom: [], address: {}, rest: {} };
  const wrong: string[] = [];
  for (const [name, column] of Object.entries(mapping.columns)) {
    const text = (row[name] ?? '').trim();
    if (text === '') continue;
    const { values = {} } = column;
    const complaint = put(draft, name, column, Object.hasOwn(values, text) ? (values[text] ?? text) : text);
    if (complaint !== undefined) wrong.push(complaint);
  }
  if (wrong.length > 0) return wrong.join('; ');
  const { identifier, name, telecom, address, rest } = draft;
  return {
    resourceType: 'Patient',
    ...rest,
    ...(identifier.length > 0 && { identifier }),
    ...((name.given ?? name.family) !== undefined && { name: [name] }),
    ...(telecom.length > 0 && { telecom }),
    ...(Object.keys(address).length > 0 && { address: [address] }),
  };
}
