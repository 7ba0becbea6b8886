import { type Fields, isFields } from './fields.ts';

/**
 * Elements that may name another resource of a transaction: references, uri, url, oid and uuid, never canonical (R4
 * http.html#trules). `url` is that of an attachment; one of an extension names no resource.
 */
const NAMING: ReadonlySet<string> = new Set(['reference', 'valueUri', 'valueUrl', 'valueOid', 'valueUuid', 'url']);

/** The value of `href="…"` and `src="…"` in a narrative. */
const IN_NARRATIVE = /\b(href|src)=(["'])([^"'<>]*)\2/g;

/** The same with every name that `rename` knows another for; a value that holds none is given back itself. */
export function renamed(value: unknown, rename: (name: string) => string | undefined): unknown {
  if (Array.isArray(value)) {
    const entries = value.map((entry) => renamed(entry, rename));
    return entries.some((entry, index) => entry !== value[index]) ? entries : value;
  }
  if (!isFields(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [key, renamedMember(key, member, rename)] as const);
  return members.some(([key, member]) => member !== value[key]) ? Object.fromEntries(members) : value;
}

function renamedMember(key: string, member: unknown, rename: (name: string) => string | undefined): unknown {
  if (typeof member !== 'string') return renamed(member, rename);
  if (NAMING.has(key)) return rename(member) ?? member;
  if (key !== 'div') return member;
  return member.replace(IN_NARRATIVE, (whole, attribute: string, quote: string, name: string) => {
    const other = rename(name);
    return other === undefined ? whole : `${attribute}=${quote}${other}${quote}`;
  });
}

/** What a resource may name other resources by, each once: the superset of its References. */
export function namesIn(value: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  renamed(value, (name) => void found.add(name));
  return found;
}

/** What the References in a resource say, each once. */
export function referencesIn(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const entry of value) referencesIn(entry, found);
  else if (isFields(value)) for (const [key, member] of Object.entries(value)) addReferences(key, member, found);
  return found;
}

function addReferences(key: string, member: unknown, found: Set<string>): void {
  if (key === 'reference' && typeof member === 'string') found.add(member);
  else referencesIn(member, found);
}

/** A Reference among an object's members; undefined where there is none. */
export const referenceAt = (
  resource: Fields,
  element: string,
): { readonly reference?: unknown; readonly identifier?: unknown } | undefined => {
  const member = resource[element];
  return isFields(member) ? member : undefined;
};

/** `Type/id`, also of one version; undefined for anything else. */
export const relativeReference = (text: string): { readonly type: string; readonly id: string } | undefined => {
  const [, type, id] = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(text) ?? [];
  return type === undefined || id === undefined ? undefined : { type, id };
};
