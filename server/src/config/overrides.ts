import type { z } from 'zod';
import { childSchema, unwrap } from '../rules/complaints.ts';
import { isObject } from '../rules/json.ts';
import { configSchema } from './schema.ts';

/** One value from outside the file, where it goes and what gave it. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** `environment app__port`, `--port`. */
  readonly source: string;
}

type Schema = z.core.$ZodType;

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const asList = (text: string): unknown => {
  if (text.trim() === '') return [];
  return text.trimStart().startsWith('[') ? parsedJson(text) : text.split(',').map((entry) => entry.trim());
};

/**
 * Text as the schema wants it: `false` is false, `3000` a number, lists as JSON or separated by commas. What cannot be
 * read so stays text, for the schema to complain about.
 */
function typed(schema: Schema | undefined, text: string): unknown {
  const kind = schema === undefined ? 'unknown' : unwrap(schema)._zod.def.type;
  if (kind === 'number') return /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  if (kind === 'boolean') return /^(true|false)$/i.test(text.trim()) ? text.trim().toLowerCase() === 'true' : text;
  if (kind === 'array') return asList(text);
  if (kind === 'object' || kind === 'record') return parsedJson(text);
  // The one union of the schema is a text or a list of texts.
  if (kind === 'union') return text.includes(',') || text.trimStart().startsWith('[') ? asList(text) : text;
  return text;
}

const overrideOf = (path: readonly string[], text: string, source: string): Override => {
  const schema = path.reduce<Schema | undefined>(
    (at, key) => (at === undefined ? undefined : childSchema(at, key)),
    configSchema,
  );
  return { path, value: typed(schema, text), source };
};

/** `mediator__api__password`: variables whose first part names a section of the configuration; others are not ours. */
export function environmentOverrides(env: Readonly<Record<string, string | undefined>>): readonly Override[] {
  return Object.entries(env).flatMap(([name, text]) => {
    const path = name.split('__');
    const ours = path.length > 1 && Object.hasOwn(configSchema.shape, path[0] ?? '');
    return ours && text !== undefined ? [overrideOf(path, text, `environment ${name}`)] : [];
  });
}

/** What the command line may set. */
export interface Flags {
  readonly config?: string | undefined;
  readonly rules?: string | undefined;
  readonly port?: string | undefined;
  readonly adminPort?: string | undefined;
}

export function flagOverrides(flags: Flags): readonly Override[] {
  return [
    ...(flags.port === undefined ? [] : [overrideOf(['app', 'port'], flags.port, '--port')]),
    ...(flags.adminPort === undefined ? [] : [overrideOf(['admin', 'port'], flags.adminPort, '--admin-port')]),
  ];
}

/** A copy of `document` with `value` at `path`. Where the way leads through a value of another type, the document as it is. */
export function withValue(document: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (!isObject(document)) return document;
  const inner = Object.hasOwn(document, key) ? document[key] : {};
  return { ...document, [key]: withValue(inner, rest, value) };
}
