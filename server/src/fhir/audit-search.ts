/** Search parameters of AuditEvent (R4 auditevent.html#search), as far as ITI-81 asks for them. */
import type { Refusal } from '../domain/errors.ts';
import type { Instant } from '../domain/identity.ts';
import { type Condition, readCondition } from './conditions.ts';
import { meets, type Subject } from './demographics.ts';
import type { AuditEvent, AuditEventAgent, Coding, Identifier, Reference } from './r4.ts';
import { isRefusal, refuse } from './refusal.ts';
import { type IdentifierToken, identifierToken, type Params, splitUnescaped, unescape } from './tokens.ts';

type Dates = Extract<Condition, { kind: 'date' }>;
type Test = (event: AuditEvent) => boolean;

export interface AuditSearch {
  /** Ids of events: each list holds alternatives, and every list must be met. */
  readonly ids: readonly (readonly string[])[];
  /** Every one must be met. */
  readonly tests: readonly Test[];
  /** Patients by an identifier that they have (`patient.identifier`), for whoever knows the records: as `ids`. */
  readonly patients: readonly (readonly IdentifierToken[])[];
  /** No event outside is found: the day's edges that the dates asked for allow. null: no edge. */
  readonly earliest: Instant | null;
  readonly latest: Instant | null;
  /** Events on a page. */
  readonly count: number;
  /** Where the page begins; null for the first. */
  readonly page: string | null;
  /** The parameters that were understood but `_page`, for links. */
  readonly used: readonly (readonly [name: string, value: string])[];
}

export const AUDIT_PARAMETERS = [
  { name: '_id', type: 'token', documentation: 'Several by comma.' },
  { name: 'date', type: 'date', documentation: 'With the prefixes of R4.' },
  { name: 'patient', type: 'reference', documentation: 'Patient/[id], by any version; patient.identifier=system|value too.' },
  { name: 'entity', type: 'reference' },
  { name: 'agent', type: 'reference', documentation: "The client's name; agent:identifier=system|value too." },
  { name: 'source', type: 'reference', documentation: 'Name or host of the server that recorded.' },
  { name: 'address', type: 'string', documentation: 'Begins with.' },
  { name: 'type', type: 'token' },
  { name: 'subtype', type: 'token' },
  { name: 'action', type: 'token' },
  { name: 'outcome', type: 'token' },
] as const;

const PAGE = 50;
const MAX_PAGE = 500;
const MAX_ALTERNATIVES = 100;

const meetsIdentifier = ({ system, value }: IdentifierToken, held: Identifier | undefined): boolean =>
  held !== undefined && (system === null || (held.system ?? '') === system) && (value === null || held.value === value);

/** `Patient/x`, `x`, or a URL that ends so, whatever the version. */
const idIn = (text: string): string | undefined =>
  /^(?:(?:https?:\/\/\S+\/)?Patient\/)?([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(text)?.[1];

const referencesOf = ({ entity = [] }: AuditEvent): readonly Reference[] => entity.flatMap(({ what }) => what ?? []);

export const namesPatient = (event: AuditEvent, ids: ReadonlySet<string>): boolean =>
  referencesOf(event).some(({ reference }) => reference !== undefined && ids.has(idIn(reference) ?? ''));

export const namesIdentifier = ({ entity = [] }: AuditEvent, tokens: readonly IdentifierToken[]): boolean =>
  entity.some(({ what, type }) => type.code === '1' && tokens.some((token) => meetsIdentifier(token, what?.identifier)));

const isNamed = ({ display, identifier }: Reference, name: string): boolean => display === name || identifier?.value === name;

/** `code`, `system|code`, `|code`, `system|` against codings. */
const codedAs =
  (codingsOf: (event: AuditEvent) => readonly Coding[]) =>
  (text: string): Test | undefined => {
    const token = identifierToken(text);
    if (!token) return undefined;
    return (event) =>
      codingsOf(event).some(
        ({ system = '', code }) =>
          (token.system === null || token.system === system) && (token.value === null || token.value === code),
      );
  };

/** The test of one alternative of a parameter; undefined where the value is none. */
const readers: Readonly<Record<string, (text: string) => Test | undefined>> = {
  patient: patientTest,
  'patient:Patient': patientTest,
  'patient:identifier': (text) => {
    const token = identifierToken(text);
    return token && ((event) => namesIdentifier(event, [token]));
  },
  entity: patientTest,
  'entity:Patient': patientTest,
  'entity:identifier': (text) => {
    const token = identifierToken(text);
    return token && ((event) => referencesOf(event).some(({ identifier }) => meetsIdentifier(token, identifier)));
  },
  agent: agentTest(({ who }, text) => isNamed(who, text)),
  'agent:identifier': (text) => {
    const token = identifierToken(text);
    return token && (({ agent }) => agent.some(({ who }) => meetsIdentifier(token, who.identifier)));
  },
  source: (text) => (text === '' ? undefined : ({ source }) => isNamed(source.observer, unescape(text))),
  'source:identifier': (text) => {
    const token = identifierToken(text);
    return token && (({ source }) => meetsIdentifier(token, source.observer.identifier));
  },
  address: agentTest(({ network }, text) => network.address.toLowerCase().startsWith(text.toLowerCase())),
  type: codedAs(({ type }) => [type]),
  subtype: codedAs(({ subtype = [] }) => subtype),
  action: codedAs(({ action }) => [{ system: 'http://hl7.org/fhir/audit-event-action', code: action }]),
  outcome: codedAs(({ outcome }) => [{ system: 'http://hl7.org/fhir/audit-event-outcome', code: outcome }]),
};

function patientTest(text: string): Test | undefined {
  const id = idIn(unescape(text));
  return id === undefined ? undefined : (event) => namesPatient(event, new Set([id]));
}

function agentTest(holds: (agent: AuditEventAgent, text: string) => boolean): (text: string) => Test | undefined {
  return (text) => (text === '' ? undefined : ({ agent }) => agent.some((one) => holds(one, unescape(text))));
}

const malformed = (name: string): Refusal =>
  refuse('invalid-request', `The search parameter ${name} has an empty or malformed value.`);

function alternatives<T>(name: string, value: string, read: (text: string) => T | undefined): readonly T[] | Refusal {
  const texts = splitUnescaped(value, ',');
  if (texts.length > MAX_ALTERNATIVES)
    return refuse('invalid-request', `${name} takes at most ${MAX_ALTERNATIVES} alternatives.`);
  const read_ = texts.map(read);
  const found = read_.filter((one) => one !== undefined);
  return found.length < texts.length ? malformed(name) : found;
}

const anyOf =
  (tests: readonly Test[]): Test =>
  (event) =>
    tests.some((test) => test(event));

const NOBODY: Subject = {
  ...{ client: '', terms: [], flags: [], identifiers: [], updated: '' },
  ...{ birth: { low: '', high: '' }, death: { low: '', high: '' } },
};

/** An instant as a record's time is compared. */
const meetsDate =
  (dates: Dates): Test =>
  ({ recorded }) =>
    meets(dates, { ...NOBODY, updated: recorded });

/** The edge that one value of a date allows; null: none. */
const edge = ({ prefix, low, high }: Dates['values'][number], side: 'earliest' | 'latest'): Instant | null => {
  if (prefix === 'eq' || prefix === 'ap') return side === 'earliest' ? low : high;
  if (side === 'earliest') return prefix === 'gt' || prefix === 'ge' || prefix === 'sa' ? low : null;
  return prefix === 'lt' || prefix === 'le' || prefix === 'eb' ? high : null;
};

/** Of alternatives the widest, of conditions the narrowest. */
function edgeOf(all: readonly Dates[], side: 'earliest' | 'latest'): Instant | null {
  const [wide, narrow] =
    side === 'earliest'
      ? [(x: string, y: string) => (x < y ? x : y), (x: string, y: string) => (x > y ? x : y)]
      : [(x: string, y: string) => (x > y ? x : y), (x: string, y: string) => (x < y ? x : y)];
  const edges = all.flatMap(({ values }) => {
    const each = values.map((value) => edge(value, side));
    const known = each.filter((one) => one !== null);
    return known.length < each.length || known.length === 0 ? [] : [known.reduce(wide)];
  });
  return edges.length === 0 ? null : edges.reduce(narrow);
}

interface Draft {
  readonly ids: (readonly string[])[];
  readonly tests: Test[];
  readonly patients: (readonly IdentifierToken[])[];
  readonly dates: Dates[];
  count: number | null;
  page: string | null;
}

const added = <T>(list: T[], item: T | Refusal): Refusal | undefined => {
  if (typeof item === 'object' && item !== null && isRefusal(item)) return item;
  list.push(item);
  return undefined;
};

/** Parameters that are no plain test of an event. */
const special: Readonly<Record<string, (draft: Draft, value: string) => Refusal | undefined>> = {
  _id: (draft, value) => {
    const read = (text: string) => /^(?:AuditEvent\/)?([A-Za-z0-9.-]{1,64})$/.exec(unescape(text))?.[1];
    return added(draft.ids, alternatives('_id', value, read));
  },
  'patient.identifier': (draft, value) => added(draft.patients, alternatives('patient.identifier', value, identifierToken)),
  date: (draft, value) => {
    const dates = readCondition('_lastUpdated', value);
    if (typeof dates !== 'object' || dates.kind !== 'date') return malformed('date');
    draft.dates.push(dates);
    return undefined;
  },
  _sort: (_draft, value) =>
    value === '-date' ? undefined : refuse('invalid-request', 'The only _sort is -date: the trail comes newest first.'),
  _count: (draft, value) => {
    if (!/^[1-9]\d{0,8}$/.test(value) || draft.count !== null)
      return refuse('invalid-request', '_count is one whole number from 1.');
    draft.count = Math.min(Number(value), MAX_PAGE);
    return undefined;
  },
  _page: (draft, value) => {
    if (draft.page !== null) return refuse('invalid-request', '_page is taken from a link of an answer.');
    draft.page = value;
    return undefined;
  },
  _format: () => undefined,
  _pretty: () => undefined,
};

/** Names of parameters that are read, besides those of AUDIT_PARAMETERS and those of every search. */
export const AUDIT_MODIFIED: readonly string[] = [...Object.keys(readers), 'patient.identifier'].filter((name) =>
  /[:.]/.test(name),
);

const unsaid = new Set(['_page', '_count', '_format', '_pretty']);

/** Own keys only: a parameter may have the name of something that every object has. */
const ownOf = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

/** `strict`: an unknown parameter is refused, else ignored (R4 http.html, Prefer: handling). */
export function parseAuditSearch(parameters: Params, { strict }: { readonly strict: boolean }): AuditSearch | Refusal {
  const draft: Draft = { ids: [], tests: [], patients: [], dates: [], count: null, page: null };
  const used: (readonly [string, string])[] = [];
  for (const [name, value] of parameters) {
    const [apart, reader] = [ownOf(special, name), ownOf(readers, name)];
    if (!apart && !reader) {
      if (strict) return refuse('invalid-request', `The search parameter ${name.slice(0, 64)} is not supported.`);
      continue;
    }
    const read = reader && alternatives(name, value, reader);
    const refusal = apart ? apart(draft, value) : read && (isRefusal(read) ? read : added(draft.tests, anyOf(read)));
    if (refusal) return refusal;
    if (!unsaid.has(name)) used.push([name, value]);
  }
  const count = draft.count ?? PAGE;
  return {
    ...{ ids: draft.ids, patients: draft.patients, page: draft.page, count },
    tests: [...draft.tests, ...draft.dates.map(meetsDate)],
    earliest: edgeOf(draft.dates, 'earliest'),
    latest: edgeOf(draft.dates, 'latest'),
    used: [...used, ['_count', String(count)]],
  };
}
