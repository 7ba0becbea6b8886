import type { Issue, Refusal } from '../domain/errors.ts';
import {
  type Condition,
  DATES,
  MAX_ALTERNATIVES,
  readCondition,
  REFERENCES,
  STRINGS,
  TOKENS,
  PHONETIC,
  URIS,
} from './conditions.ts';
import { isRefusal, refuse, warning } from './refusal.ts';
import { readSort, type Sort } from './sorting.ts';
import { type IdentifierToken, identifierToken, type Params, splitUnescaped, unescape } from './tokens.ts';

export type Parameter = [name: string, value: string];

/** What a record's link names: a Patient by its id, or by an identifier (search.html#chaining). */
export type Linked =
  { readonly kind: 'id'; readonly id: string } | { readonly kind: 'identifier'; readonly token: IdentifierToken };

/** A Patient search: each list holds alternatives, and every list must be met. */
export interface PatientSearch {
  readonly ids: readonly (readonly string[])[];
  readonly identifiers: readonly (readonly IdentifierToken[])[];
  readonly links: readonly (readonly Linked[])[];
  /** `_include=Patient:link`: `iterate` also what the included ones link to. */
  readonly include: 'none' | 'links' | 'iterate';
  /** `_revinclude=Patient:link`: the Patients that link to what is found. */
  readonly revInclude: boolean;
  /** Elements whose references are answered too: `_include=Patient:organization`, `Patient:general-practitioner`. */
  readonly follow: readonly ('managingOrganization' | 'generalPractitioner')[];
  /** `_revinclude=RelatedPerson:patient`: who is related to those that are found. */
  readonly related: boolean;
  /** What else is asked for; all of it holds. */
  readonly conditions: readonly Condition[];
  /** `_sort`, the first key decides first; empty: in the order of arrival. */
  readonly sort: readonly Sort[];
  /** `_total`: whether all matches are counted, and whether the answer may do without (search.html#total). */
  readonly total: 'accurate' | 'estimate' | 'none';
  readonly shape: Shape;
  /** Matches on a page; 0 asks for the total only. */
  readonly count: number;
  /** Where the page begins: what the caller gave to `searchset` as `next`. */
  readonly after: string | null;
  /** The parameters that were understood, for the self link. */
  readonly used: readonly Parameter[];
  /** Names of those that were not. */
  readonly ignored: readonly string[];
}

export interface SearchOptions {
  /** `Prefer: handling=strict`: an unknown parameter is refused, not ignored (R4 http.html#2.21.0.5.2). */
  readonly strict: boolean;
  readonly defaultCount: number;
  readonly maxCount: number;
  /** Base url of this server, without a slash at the end: references to it may be absolute. '' where none is known. */
  readonly base: string;
}

export const defaultSearchOptions: SearchOptions = { strict: false, defaultCount: 50, maxCount: 500, base: '' };

/** Parameters of one search. */
const MAX_PARAMETERS = 100;

/** Name of the page parameter: links to it are opaque to clients. */
export const pageParameter = '_page';

/** How the answer is written, not what is in it: taken anywhere, never repeated in links. */
const presentation = new Set(['_format', '_pretty']);

/** How much of each match is answered: `_summary`, `_elements` (search.html#summary, #elements). */
export interface Shape {
  readonly summary: 'true' | 'text' | 'data' | 'count' | 'false';
  /** Element names besides the mandatory ones; null: all. */
  readonly elements: readonly string[] | null;
}

interface Draft {
  readonly conditions: Condition[];
  sort: readonly Sort[];
  total: PatientSearch['total'];
  shape: Shape;
  readonly ids: string[][];
  readonly identifiers: IdentifierToken[][];
  readonly links: Linked[][];
  include: PatientSearch['include'];
  revInclude: boolean;
  readonly follow: PatientSearch['follow'][number][];
  related: boolean;
  count: number | null;
  after: string | null;
}

const SUMMARIES = ['true', 'text', 'data', 'count', 'false'] as const;
const WHOLE: Shape = { summary: 'false', elements: null };

/** `Patient:link`, also with the type of its target. */
const isOfLinks = (value: string): boolean => /^(?:Patient:link(?::Patient)?|\*)$/.test(value);
const isOfRelated = (value: string): boolean => /^RelatedPerson:patient(?::Patient)?$/.test(value);

/** OHIE-CR-07's test asks by the name of the element, and of the type that it leads to. */
const FOLLOWED: readonly (readonly [asked: RegExp, element: PatientSearch['follow'][number]])[] = [
  [/^(?:Patient:organization(?::Organization)?|Organization:managingOrganization|\*)$/, 'managingOrganization'],
  [/^(?:Patient:general-practitioner(?::Organization)?|\*)$/, 'generalPractitioner'],
];
const followed = (value: string): PatientSearch['follow'] =>
  FOLLOWED.filter(([asked]) => asked.test(value)).map(([, element]) => element);

type Reader = (draft: Draft, value: string, options: SearchOptions) => Refusal | undefined;

const readers: Readonly<Record<string, Reader>> = {
  _id: (draft, value) => addAlternatives(draft.ids, '_id', value, idOf),
  identifier: (draft, value) => addAlternatives(draft.identifiers, 'identifier', value, identifierToken),
  link: (draft, value, { base }) => addAlternatives(draft.links, 'link', value, (text) => linkedId(text, base)),
  // Links of this registry are references: none of them has an identifier of its own.
  'link:identifier': (draft, value) => {
    const refused = addAlternatives([], 'link:identifier', value, identifierToken);
    if (!refused) draft.conditions.push({ kind: 'always', met: false });
    return refused;
  },
  'link._id': (draft, value) => addAlternatives(draft.links, 'link._id', value, linkedId),
  'link.identifier': (draft, value) => addAlternatives(draft.links, 'link.identifier', value, linkedIdentifier),
  _include: (draft, value) => {
    draft.follow.push(...followed(value));
    if (isOfLinks(value) && draft.include === 'none') draft.include = 'links';
    return undefined;
  },
  '_include:iterate': (draft, value) => {
    draft.follow.push(...followed(value));
    if (isOfLinks(value)) draft.include = 'iterate';
    return undefined;
  },
  _revinclude: (draft, value) => {
    if (isOfLinks(value)) draft.revInclude = true;
    if (value === '*' || isOfRelated(value)) draft.related = true;
    return undefined;
  },
  _sort: (draft, value) => {
    if (draft.sort.length > 0) return refuse('invalid-request', '_sort is given once, with its keys joined by commas.');
    const sort = readSort(value);
    if (typeof sort === 'string') return refuse('invalid-request', sort);
    draft.sort = sort;
    return undefined;
  },
  _total: (draft, value) => {
    if (value !== 'none' && value !== 'estimate' && value !== 'accurate')
      return refuse('invalid-request', '_total is none, estimate or accurate.');
    draft.total = value;
    return undefined;
  },
  _summary: (draft, value) => {
    const summary = SUMMARIES.find((one) => one === value);
    if (summary === undefined) return refuse('invalid-request', `_summary is one of ${SUMMARIES.join(', ')}.`);
    draft.shape = { ...draft.shape, summary };
    return undefined;
  },
  _elements: (draft, value) => {
    const elements = value.split(',').map((name) => name.replace(/^Patient\./, ''));
    if (elements.some((name) => !/^[a-zA-Z]+$/.test(name)))
      return refuse('invalid-request', '_elements is a list of names of elements.');
    draft.shape = { ...draft.shape, elements };
    return undefined;
  },
  _count: (draft, value, { maxCount }) => {
    if (!/^\d{1,9}$/.test(value) || draft.count !== null) return refuse('invalid-request', '_count is one whole number.');
    draft.count = Math.min(Number(value), maxCount);
    return undefined;
  },
  [pageParameter]: (draft, value) => {
    if (value === '' || draft.after !== null)
      return refuse('invalid-request', `${pageParameter} is taken from a link of an answer.`);
    draft.after = value;
    return undefined;
  },
};

/**
 * Reads the parameters of a search: a known one with a bad value or a modifier is refused (400), an unknown one ignored unless
 * handling is strict. Repeats are ANDed, commas ORed.
 */
export const parseSearch = (params: Params, options: SearchOptions = defaultSearchOptions): PatientSearch | Refusal => {
  const draft: Draft = {
    ids: [],
    identifiers: [],
    links: [],
    conditions: [],
    sort: [],
    total: 'estimate',
    shape: WHOLE,
    include: 'none',
    revInclude: false,
    follow: [],
    related: false,
    count: null,
    after: null,
  };
  const used: Parameter[] = [];
  const ignored: string[] = [];
  const all = [...params];
  if (all.length > MAX_PARAMETERS) return refuse('invalid-request', `A search takes at most ${MAX_PARAMETERS} parameters.`);
  for (const [name, value] of all) {
    const understood = readParameter(draft, [name, value], options);
    if (typeof understood === 'object') return understood;
    if (!understood && !presentation.has(name)) ignored.push(name);
    if (understood && name !== pageParameter) used.push([name, value]);
  }
  const asked = draft.conditions.reduce((sum, one) => sum + ('values' in one ? one.values.length : 1), 0);
  if (asked > MAX_ALTERNATIVES)
    return refuse('invalid-request', `A search takes at most ${MAX_ALTERNATIVES} values of demographics.`);
  return { ...draft, count: draft.count ?? options.defaultCount, used, ignored };
};

/** Whether the parameter is known; then the draft holds what it asks. */
const readParameter = (draft: Draft, [name, value]: Parameter, options: SearchOptions): boolean | Refusal => {
  const condition = readCondition(name, value, options.base);
  if (typeof condition === 'string') return refuse('invalid-request', condition);
  if (condition) {
    draft.conditions.push(condition);
    return true;
  }
  const reader = knownParameter(name, value, options);
  if (reader === undefined || isRefusal(reader)) return reader ?? false;
  return reader(draft, value, options) ?? true;
};

/** Other spellings of the same. */
const spelling = (name: string): string =>
  name.replace(/^link:Patient(?=$|\.)/, 'link').replace(/^(_include):recurse$/, '$1:iterate');

const isInclude = (name: string): boolean => /^_(?:rev)?include(?::|$)/.test(name);

const knownParameter = (name: string, value: string, { strict }: SearchOptions): Reader | undefined | Refusal => {
  const spelt = spelling(name);
  // Other things to include are not kept here, so that there is nothing to add.
  if (isInclude(spelt) && !(isOfLinks(value) || (spelt.startsWith('_rev') ? isOfRelated(value) : followed(value).length > 0)))
    return strict || value.startsWith('Patient:link')
      ? refuse(
          'invalid-request',
          'Known are _include=Patient:link, Patient:organization, Patient:general-practitioner, and _revinclude=Patient:link, RelatedPerson:patient.',
        )
      : undefined;
  if (Object.hasOwn(readers, spelt)) return readers[spelt];
  const [base = ''] = spelt.split(/[:.]/, 1);
  if (base === 'link')
    return refuse('invalid-request', 'link takes :Patient, :identifier and :missing, and chains to _id and identifier.');
  if ((REFERENCES as readonly string[]).includes(base) && spelt.startsWith(`${base}.`))
    return refuse('invalid-request', `${base} takes no chain. Use ${base}:identifier.`);
  if (Object.hasOwn(readers, base) && spelt !== base && !spelt.startsWith(`${base}.`))
    return refuse('invalid-request', `The search parameter ${base} takes no such modifier here.`);
  if (strict && !presentation.has(name))
    return refuse('invalid-request', `Unknown search parameter ${name.slice(0, 64)}; known are: ${parameterNames.join(', ')}.`);
  return undefined;
};

const parameterNames = [
  ...Object.keys(readers).filter((name) => name !== pageParameter && !/[:.]/.test(name)),
  ...STRINGS,
  ...TOKENS,
  ...DATES,
  ...REFERENCES,
  ...URIS,
  PHONETIC,
];

const addAlternatives = <T>(
  lists: T[][],
  name: string,
  value: string,
  read: (text: string) => T | undefined,
): Refusal | undefined => {
  const texts = splitUnescaped(value, ',');
  if (texts.length > MAX_ALTERNATIVES)
    return refuse('invalid-request', `${name} takes at most ${MAX_ALTERNATIVES} alternatives.`);
  const alternatives = texts.map(read);
  const found = alternatives.filter((alternative) => alternative !== undefined);
  // An empty filter would answer with everything.
  if (found.length < alternatives.length)
    return refuse('invalid-request', `The search parameter ${name} has an empty or malformed value.`);
  lists.push(found);
  return undefined;
};

/** `x` or, as OpenMRS sends it, `Patient/x`. */
const idOf = (text: string): string | undefined => /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(unescape(text))?.[1];

/** `x`, `Patient/x` or the same under this server's base; an id of elsewhere names nobody here. */
const linkedId = (text: string, base = ''): Linked | undefined => {
  const whole = unescape(text);
  if (/^[a-z][a-z0-9+.-]*:/i.test(whole) && (base === '' || !whole.startsWith(`${base}/`))) return { kind: 'id', id: '' };
  const id = idOf(base !== '' && whole.startsWith(`${base}/`) ? whole.slice(base.length + 1) : whole);
  return id === undefined ? undefined : { kind: 'id', id };
};

const linkedIdentifier = (text: string): Linked | undefined => {
  const token = identifierToken(text);
  return token && { kind: 'identifier', token };
};

/**
 * The systems that a search restricts the answer to (PDQm ITI-78, case 2): it asks for whole systems, `identifier=system|`.
 * null: it does not.
 */
export function domainsOf({ identifiers }: PatientSearch): readonly string[] | null {
  const whole = identifiers.filter((list) => list.every(({ value }) => value === null));
  return whole.length === 0 ? null : [...new Set(whole.flat().flatMap(({ system }) => system ?? []))];
}

/** What was not understood, in words, to a client that asked for leniency: it wants to go on, and to know. */
export const remarksOn = ({ ignored }: Pick<PatientSearch, 'ignored'>): readonly Issue[] =>
  ignored.map((name) => warning(`The search parameter ${name.slice(0, 64)} is not known here; it was ignored.`));
