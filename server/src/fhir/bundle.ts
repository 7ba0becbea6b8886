import { COMPANION_TYPES, isCompanionType } from '../domain/companions.ts';
import type { Issue, Refusal } from '../domain/errors.ts';
import { type PatientTarget, targetByIdentifier } from './conditional.ts';
import { type Fields, isFields } from './fields.ts';
import { type BodyLimits, defaultBodyLimits } from './limits.ts';
import type { Bundle, BundleLink, BundleResponse, KeptResource } from './r4.ts';
import { isLogicalId } from './logical-id.ts';
import { relativeReference, renamed } from './references.ts';
import { isRefusal, refuse } from './refusal.ts';
import { refuseUnlike } from './validate.ts';

type KeptType = KeptResource['resourceType'];

/** What an entry asks for. */
export interface SubmittedEntry {
  readonly index: number;
  readonly method: 'POST' | 'PUT';
  readonly type: KeptType;
  readonly target: { readonly kind: 'none' } | PatientTarget;
  /** Says that it is of this type, otherwise not looked at yet. */
  readonly resource: unknown;
  readonly fullUrl: string | null;
  readonly ifNoneExist: string | null;
  readonly ifMatch: string | null;
}

/** A resource to delete. */
export interface RemovingEntry {
  readonly index: number;
  readonly method: 'DELETE';
  readonly type: KeptType;
  readonly target: PatientTarget;
  readonly fullUrl: string | null;
  readonly ifMatch: string | null;
}

/** Something to read or to search for. */
export interface ReadingEntry {
  readonly index: number;
  readonly method: 'GET';
  /** Relative to the base. */
  readonly url: string;
  readonly ifNoneMatch: string | null;
}

/** An entry of a batch that cannot be carried out; the others still are. */
export interface RefusedEntry {
  readonly index: number;
  readonly refusal: Refusal;
}

export type BundleEntryAsked = SubmittedEntry | RemovingEntry | ReadingEntry | RefusedEntry;

export interface SubmittedBundle {
  /** `history`: what another server did, newest first (TX-10): a batch that is carried out from its end. */
  readonly type: 'batch' | 'transaction' | 'history';
  readonly entries: readonly BundleEntryAsked[];
}

/** What 1.x took for a batch: senders fill `collection`, or nothing at all. */
const batchTypes = new Set<unknown>(['batch', 'collection', undefined]);

const typeOf = (type: unknown): SubmittedBundle['type'] | undefined => {
  if (type === 'transaction' || type === 'history') return type;
  return batchTypes.has(type) ? 'batch' : undefined;
};

/**
 * Reads a Bundle of what the registry keeps (R4 http.html#transaction). An entry without `request` is a POST of its resource, as 1.x
 * took it. What is wrong with one entry refuses it alone in a batch, the whole in a transaction.
 */
export const readBundle = (value: unknown, limits: BodyLimits = defaultBodyLimits): SubmittedBundle | Refusal => {
  if (!isFields(value) || value['resourceType'] !== 'Bundle')
    return refuse('invalid-structure', 'Expected a Bundle.', 'resourceType');
  const { entry = [] } = value;
  const type = typeOf(value['type']);
  if (type === undefined)
    return refuse('invalid-structure', 'This registry takes Bundles of type batch, transaction or history.', 'Bundle.type');
  if (!Array.isArray(entry)) return refuse('invalid-structure', 'Must be a list.', 'Bundle.entry');
  if (entry.length > limits.maxEntries)
    return refuse('too-large', `A Bundle holds at most ${limits.maxEntries} entries.`, 'Bundle.entry');
  const entries = entry.map(readEntry);
  return type === 'transaction' ? wholeTransaction(entries) : { type, entries };
};

const wholeTransaction = (entries: SubmittedBundle['entries']): SubmittedBundle | Refusal => {
  const refused = entries.find((entry) => 'refusal' in entry);
  return refused?.refusal ?? refuseTwice(entries) ?? { type: 'transaction', entries };
};

/** TX-04: one identity twice in a transaction. Two POSTs of one patient are found out later, by their identifiers. */
const refuseTwice = (entries: SubmittedBundle['entries']): Refusal | undefined => {
  const seen = new Set<string>();
  for (const entry of entries) {
    if ('refusal' in entry || entry.method === 'GET' || entry.target.kind === 'none') continue;
    const name = JSON.stringify([entry.type, entry.target]);
    if (seen.has(name))
      return refuse(
        'invalid-request',
        `A transaction names this ${entry.type} twice.`,
        `Bundle.entry[${entry.index}].request.url`,
      );
    seen.add(name);
  }
  return undefined;
};

const readEntry = (entry: unknown, index: number): BundleEntryAsked => {
  const read = isFields(entry) ? readFields(entry) : refuse('invalid-structure', 'Must be an object.', 'entry');
  return isRefusal(read) ? { index, refusal: atEntry(index, read) } : { index, ...read };
};

const readFields = ({
  fullUrl,
  resource,
  request,
}: Fields): Omit<SubmittedEntry, 'index'> | Omit<RemovingEntry, 'index'> | Omit<ReadingEntry, 'index'> | Refusal => {
  if (request !== undefined && !isFields(request)) return refuse('invalid-structure', 'Must be an object.', 'request');
  const wanted = readRequest(request ?? { method: 'POST', url: keptTypeOf(resource) });
  if (isRefusal(wanted)) return wanted;
  if (wanted.method === 'GET') return { ...wanted, ifNoneMatch: textOrNull(request?.['ifNoneMatch']) };
  const said = { fullUrl: textOrNull(fullUrl), ifMatch: textOrNull(request?.['ifMatch']) };
  if (wanted.method === 'DELETE') return { ...wanted, ...said };
  if (resource === undefined) return refuse('invalid-structure', 'A required element is missing.', 'resource');
  const otherType = refuseUnlike(resource, [wanted.type]);
  if (otherType) return otherType;
  return {
    ...wanted,
    ...said,
    resource,
    ifNoneExist: wanted.method === 'POST' ? textOrNull(request?.['ifNoneExist']) : null,
  };
};

/** Of an entry that says no more: anything else is refused as no Patient. */
const keptTypeOf = (resource: unknown): KeptType => {
  const type = isFields(resource) ? resource['resourceType'] : undefined;
  return isCompanionType(type) ? type : 'Patient';
};

type Wanted =
  | Pick<SubmittedEntry, 'method' | 'type' | 'target'>
  | Pick<RemovingEntry, 'method' | 'type' | 'target'>
  | Pick<ReadingEntry, 'method' | 'url'>;

const readRequest = ({ method, url }: Fields): Wanted | Refusal => {
  if (typeof method !== 'string' || typeof url !== 'string')
    return refuse('invalid-structure', 'A request has a method and a url.', 'request');
  if (method === 'GET') return { method, url: url.replace(/^\//, '') };
  if (method !== 'POST' && method !== 'PUT' && method !== 'DELETE')
    return refuse(
      'method-not-allowed',
      'In a Bundle this registry takes the methods GET, POST, PUT and DELETE.',
      'request.method',
    );
  const [, type = '', id, query] = /^\/?([A-Za-z]+)(?:\/([^/?]+))?\/?(?:\?(.*))?$/s.exec(url) ?? [];
  if (type !== 'Patient' && !isCompanionType(type))
    return refuse(
      'invalid-request',
      `Expected ${['Patient', ...COMPANION_TYPES].join(' or ')}: this registry keeps no other resource.`,
      'request.url',
    );
  if (
    (id !== undefined && !isLogicalId(id)) ||
    (method === 'POST' && (id ?? query) !== undefined) ||
    (method !== 'POST' && (id === undefined) === (query === undefined))
  )
    return refuse(
      'invalid-request',
      `Expected POST ${type}, PUT or DELETE ${type}/id, or PUT or DELETE ${type}?identifier=system|value.`,
      'request.url',
    );
  if (method === 'POST') return { method, type, target: { kind: 'none' } };
  const target = id === undefined ? targetByIdentifier(new URLSearchParams(query)) : { kind: 'id' as const, id };
  return isRefusal(target) ? target : { method, type, target };
};

/** The entries of a transaction, the references between them by `Type/id` with ids that stand for those that they will have. */
export interface NamedEntries {
  readonly entries: SubmittedBundle['entries'];
  /** By place of an entry: what the others refer to it by. */
  readonly names: ReadonlyMap<number, string>;
}

/**
 * TX-05: `fullUrl`s in references, uris and narratives, and relative references to them (R4 bundle.html#references).
 * @param newId Gives an id that nobody has.
 */
export function nameEntries(entries: SubmittedBundle['entries'], newId: () => string): NamedEntries {
  const names = new Map<number, string>();
  const byUrl = new Map<string, string>();
  for (const entry of entries) {
    if ('refusal' in entry || entry.method === 'GET' || entry.method === 'DELETE' || entry.fullUrl === null) continue;
    const name = `${entry.type}/${newId()}`;
    names.set(entry.index, name);
    byUrl.set(entry.fullUrl, name);
  }
  if (names.size === 0) return { entries, names };
  const named = entries.map((entry): BundleEntryAsked => {
    if (!('resource' in entry)) return entry;
    const root = /^(https?:\/\/.*\/)[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.exec(entry.fullUrl ?? '')?.[1];
    const nameOf = (text: string): string | undefined =>
      byUrl.get(text) ?? (root !== undefined && relativeReference(text) ? byUrl.get(`${root}${text}`) : undefined);
    return { ...entry, resource: renamed(entry.resource, nameOf) };
  });
  return { entries: named, names };
}

/** The same refusal with expressions from the Bundle's point of view: `Patient.name` → `Bundle.entry[3].resource.name`. */
export const atEntry = (index: number, { code, issues }: Refusal): Refusal => {
  const at = (expression: string | undefined): string => {
    const inside = expression
      ?.replace(/^entry$/, '')
      .replace(/^(Patient|Organization|RelatedPerson|resourceType)\b/, (word) =>
        word === 'resourceType' ? 'resource.resourceType' : 'resource',
      );
    return `Bundle.entry[${index}]${inside ? `.${inside}` : ''}`;
  };
  return { code, issues: issues.map((issue): Issue => ({ ...issue, expression: at(issue.expression) })) };
};

export interface AnsweredEntry extends BundleResponse {
  /** Given unless the sender asked for none (Prefer: return=minimal). */
  readonly resource?: object;
}

/** The answer, entry by entry in the order asked. */
export const bundleResponse = (type: SubmittedBundle['type'], entries: readonly AnsweredEntry[]): Bundle => ({
  resourceType: 'Bundle',
  type: type === 'transaction' ? 'transaction-response' : 'batch-response',
  ...(entries.length > 0 && {
    entry: entries.map(({ resource, ...response }) => ({ ...(resource && { resource }), response })) as Bundle['entry'] & object,
  }),
});

/**
 * A Bundle whose links ask for the format that it was itself asked for by `_format`, so that they can be followed without an Accept header
 * (R4 http.html#parameters); any other resource as it is.
 */
export const withFormatInLinks = (resource: object, format: string): object => {
  if (!isFields(resource) || resource['resourceType'] !== 'Bundle' || !Array.isArray(resource['link'])) return resource;
  const link = (resource['link'] as readonly BundleLink[]).map(({ relation, url }) => ({
    relation,
    url: `${url}${url.includes('?') ? '&' : '?'}_format=${encodeURIComponent(format)}`,
  }));
  return { ...resource, link };
};

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
