import { z } from 'zod';
import { nearest } from './nearest.ts';

type Schema = z.core.$ZodType;
export type Path = readonly PropertyKey[];

/** `rules[0].fields.given.threshold`; a key that would not read as a name is quoted: `systems["my lab"].uri`. */
export const fieldPath = (path: Path): string =>
  path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (!/^[\w$-]+$/.test(String(key))) return `[${JSON.stringify(String(key))}]`;
      return index === 0 ? String(key) : `.${String(key)}`;
    })
    .join('');

/** The schema without what only says that it may be absent. */
export function unwrap(schema: Schema): Schema {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrap(schema.def.innerType);
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.def.in) : schema;
}

/** The schema of what stands under `key`; undefined where nothing may stand there. */
export function childSchema(schema: Schema, key: PropertyKey): Schema | undefined {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodArray) return bare.element;
  if (bare instanceof z.ZodRecord) return bare.valueType;
  if (!(bare instanceof z.ZodObject)) return undefined;
  const shape: Readonly<Record<string, Schema>> = bare.shape;
  if (Object.hasOwn(shape, String(key))) return shape[String(key)];
  return bare.def.catchall instanceof z.ZodNever ? undefined : bare.def.catchall;
}

const schemaAt = (schema: Schema, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>((at, key) => (at === undefined ? undefined : childSchema(at, key)), schema);

const knownKeys = (schema: Schema | undefined): readonly string[] => {
  const bare = schema === undefined ? undefined : unwrap(schema);
  return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
};

const NOUNS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function bound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [limit, word] = issue.code === 'too_small' ? [issue.minimum, 'least'] : [issue.maximum, 'most'];
  if (issue.origin === 'number' || issue.origin === 'int') {
    if (issue.inclusive !== false) return `must be at ${word} ${limit}`;
    return `must be ${issue.code === 'too_small' ? 'greater' : 'less'} than ${limit}`;
  }
  if (issue.code === 'too_small' && limit === 1) return 'must not be empty';
  return `must have at ${word} ${limit} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'is missing';
  if (issue.code === 'invalid_type') return `must be ${NOUNS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') return bound(issue);
  return issue.message;
}

/** What is wrong with one field, in words that never show its value: it may be a secret. */
export interface Complaint {
  readonly path: Path;
  readonly text: string;
}

/**
 * What a schema finds wrong with an input, each naming its field. Formats, unions and refinements of the schema bring
 * their own words, as what the field `must be`.
 */
export function complaintsOf(schema: z.ZodType, input: unknown): readonly Complaint[] {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, text: sentence(issue) }];
    const known = knownKeys(schemaAt(schema, issue.path));
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      return { path: [...issue.path, key], text: `is not known${meant === undefined ? '' : `; did you mean "${meant}"?`}` };
    });
  });
}
