/** JSON as plain data. */
export type JsonObject = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without members named `__comments`, at any depth: the configuration and rule files of OpenCR 1.x explain themselves in them. */
export function withoutComments(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutComments);
  if (!isObject(value)) return value;
  const members = Object.entries(value).filter(([key]) => key !== '__comments');
  return Object.fromEntries(members.map(([key, member]) => [key, withoutComments(member)]));
}

/** One text for one value: members sorted by UTF-16 code units, no blanks (RFC 8785). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(',')}}`;
}
