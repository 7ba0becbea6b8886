import type { Issue, Refusal } from '../domain/errors.ts';
import { type PatientTarget, targetByIdentifier } from './conditional.ts';
import { type Fields, isFields } from './fields.ts';
import { type BodyLimits, defaultBodyLimits } from './limits.ts';
import type { Bundle, BundleLink, BundleResponse, Patient } from './r4.ts';
import { isLogicalId } from './logical-id.ts';
import { isRefusal, refuse } from './refusal.ts';
import { refuseOtherType } from './validate.ts';

/** What an entry asks for. */
export interface SubmittedEntry {
  readonly index: number;
  readonly method: 'POST' | 'PUT';
  readonly target: { readonly kind: 'none' } | PatientTarget;
  /** Says that it is a Patient, otherwise not looked at yet. */
  readonly resource: unknown;
  readonly fullUrl: string | null;
  readonly ifNoneExist: string | null;
  readonly ifMatch: string | null;
}

/** A Patient to delete. */
export interface RemovingEntry {
  readonly index: number;
  readonly method: 'DELETE';
  readonly target: PatientTarget;
  readonly fullUrl: string | null;
  readonly ifMatch: string | null;
}

/** An entry of a batch that cannot be carried out; the others still are. */
export interface RefusedEntry {
  readonly index: number;
  readonly refusal: Refusal;
}

export interface SubmittedBundle {
  readonly type: 'batch' | 'transaction';
  readonly entries: readonly (SubmittedEntry | RemovingEntry | RefusedEntry)[];
}

/** What 1.x took for a batch: senders fill `collection`, or nothing at all. */
const batchTypes = new Set<unknown>(['batch', 'collection', undefined]);

/**
 * Reads a Bundle of Patients (R4 http.html#transaction). An entry without `request` is a POST of its Patient, as 1.x took it.
 * What is wrong with one entry refuses it alone in a batch, the whole in a transaction.
 */
export const readBundle = (value: unknown, limits: BodyLimits = defaultBodyLimits): SubmittedBundle | Refusal => {
  if (!isFields(value) || value['resourceType'] !== 'Bundle')
    return refuse('invalid-structure', 'Expected a Bundle.', 'resourceType');
  const { type, entry = [] } = value;
  if (type !== 'transaction' && !batchTypes.has(type))
    return refuse('invalid-structure', 'This registry takes Bundles of type batch or transaction.', 'Bundle.type');
  if (!Array.isArray(entry)) return refuse('invalid-structure', 'Must be a list.', 'Bundle.entry');
  if (entry.length > limits.maxEntries)
    return refuse('too-large', `A Bundle holds at most ${limits.maxEntries} entries.`, 'Bundle.entry');
  const entries = entry.map(readEntry);
  return type === 'transaction' ? wholeTransaction(entries) : { type: 'batch', entries };
};

const wholeTransaction = (entries: SubmittedBundle['entries']): SubmittedBundle | Refusal => {
  const refused = entries.find((entry) => 'refusal' in entry);
  return refused?.refusal ?? refuseTwice(entries) ?? { type: 'transaction', entries };
};

/** TX-04: one identity twice in a transaction. Two POSTs of one patient are found out later, by their identifiers. */
const refuseTwice = (entries: SubmittedBundle['entries']): Refusal | undefined => {
  const seen = new Set<string>();
  for (const entry of entries) {
    if ('refusal' in entry || entry.target.kind === 'none') continue;
    const name = JSON.stringify(entry.target);
    if (seen.has(name))
      return refuse('invalid-request', 'A transaction names this Patient twice.', `Bundle.entry[${entry.index}].request.url`);
    seen.add(name);
  }
  return undefined;
};

const readEntry = (entry: unknown, index: number): SubmittedBundle['entries'][number] => {
  const read = isFields(entry) ? readFields(entry) : refuse('invalid-structure', 'Must be an object.', 'entry');
  return isRefusal(read) ? { index, refusal: atEntry(index, read) } : { index, ...read };
};

const readFields = ({
  fullUrl,
  resource,
  request,
}: Fields): Omit<SubmittedEntry, 'index'> | Omit<RemovingEntry, 'index'> | Refusal => {
  if (request !== undefined && !isFields(request)) return refuse('invalid-structure', 'Must be an object.', 'request');
  const wanted = readRequest(request ?? { method: 'POST', url: 'Patient' });
  if (isRefusal(wanted)) return wanted;
  const said = { fullUrl: textOrNull(fullUrl), ifMatch: textOrNull(request?.['ifMatch']) };
  if (wanted.method === 'DELETE') return { ...wanted, ...said };
  if (resource === undefined) return refuse('invalid-structure', 'A required element is missing.', 'resource');
  const otherType = refuseOtherType(resource);
  if (otherType) return otherType;
  return {
    ...wanted,
    ...said,
    resource,
    ifNoneExist: wanted.method === 'POST' ? textOrNull(request?.['ifNoneExist']) : null,
  };
};

type Wanted = Pick<SubmittedEntry, 'method' | 'target'> | Pick<RemovingEntry, 'method' | 'target'>;

const readRequest = ({ method, url }: Fields): Wanted | Refusal => {
  if (typeof method !== 'string' || typeof url !== 'string')
    return refuse('invalid-structure', 'A request has a method and a url.', 'request');
  if (method !== 'POST' && method !== 'PUT' && method !== 'DELETE')
    return refuse('method-not-allowed', 'In a Bundle this registry takes the methods POST, PUT and DELETE.', 'request.method');
  const [, id, query] = /^\/?Patient(?:\/([^/?]+))?\/?(?:\?(.*))?$/s.exec(url) ?? [];
  if (
    !/^\/?Patient\b/.test(url) ||
    (id !== undefined && !isLogicalId(id)) ||
    (method === 'POST' && (id ?? query) !== undefined) ||
    (method !== 'POST' && (id === undefined) === (query === undefined))
  )
    return refuse(
      'invalid-request',
      'Expected POST Patient, PUT or DELETE Patient/id, or PUT or DELETE Patient?identifier=system|value.',
      'request.url',
    );
  if (method === 'POST') return { method, target: { kind: 'none' } };
  const target = id === undefined ? targetByIdentifier(new URLSearchParams(query)) : { kind: 'id' as const, id };
  return isRefusal(target) ? target : { method, target };
};

/** The same refusal with expressions from the Bundle's point of view: `Patient.name` → `Bundle.entry[3].resource.name`. */
export const atEntry = (index: number, { code, issues }: Refusal): Refusal => {
  const at = (expression: string | undefined): string => {
    const inside = expression
      ?.replace(/^entry$/, '')
      .replace(/^(Patient|resourceType)\b/, (word) => (word === 'Patient' ? 'resource' : 'resource.resourceType'));
    return `Bundle.entry[${index}]${inside ? `.${inside}` : ''}`;
  };
  return { code, issues: issues.map((issue): Issue => ({ ...issue, expression: at(issue.expression) })) };
};

export interface AnsweredEntry extends BundleResponse {
  /** Given unless the sender asked for none (Prefer: return=minimal). */
  readonly resource?: Patient;
}

/** The answer, entry by entry in the order asked. */
export const bundleResponse = (type: 'batch' | 'transaction', entries: readonly AnsweredEntry[]): Bundle => ({
  resourceType: 'Bundle',
  type: `${type}-response`,
  ...(entries.length > 0 && {
    entry: entries.map(({ resource, ...response }) => ({ ...(resource && { resource }), response })),
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
