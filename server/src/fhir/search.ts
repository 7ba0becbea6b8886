import type { Issue, Refusal } from '../domain/errors.ts';
import { type Condition, DATES, readCondition, readSort, type Sort, STRINGS, TOKENS } from './demographics.ts';
import { operationOutcome } from './outcome.ts';
import type { Bundle, BundleEntry, Patient } from './r4.ts';
import { isRefusal, refuse } from './refusal.ts';
import { type IdentifierToken, identifierToken, type Params, splitUnescaped, unescape } from './tokens.ts';

type Parameter = [name: string, value: string];

/** A Patient search: each list holds alternatives, and every list must be met. */
export interface PatientSearch {
  readonly ids: readonly (readonly string[])[];
  readonly identifiers: readonly (readonly IdentifierToken[])[];
  readonly includeLinks: boolean;
  /** What demographics are asked for; all of them hold. */
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
}

export interface SearchOptions {
  /** `Prefer: handling=strict`: an unknown parameter is refused, not ignored (R4 http.html#2.21.0.5.2). */
  readonly strict: boolean;
  readonly defaultCount: number;
  readonly maxCount: number;
}

export const defaultSearchOptions: SearchOptions = { strict: false, defaultCount: 50, maxCount: 500 };

const maxAlternatives = 500;

/** Name of the page parameter: links to it are opaque to clients. */
const pageParameter = '_page';

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
  includeLinks: boolean;
  count: number | null;
  after: string | null;
}

const SUMMARIES = ['true', 'text', 'data', 'count', 'false'] as const;
const WHOLE: Shape = { summary: 'false', elements: null };

const readers: Readonly<Record<string, (draft: Draft, value: string, options: SearchOptions) => Refusal | undefined>> = {
  _id: (draft, value) => addAlternatives(draft.ids, '_id', value, idOf),
  identifier: (draft, value) => addAlternatives(draft.identifiers, 'identifier', value, identifierToken),
  _include: (draft, value) => {
    if (!/^Patient:link(:Patient)?$/.test(value)) return refuse('invalid-request', 'The only _include is Patient:link.');
    draft.includeLinks = true;
    return undefined;
  },
  _tag: (draft, value) => {
    const codes = splitUnescaped(value, ',').map((text) => unescape(splitUnescaped(text, '|').at(-1) ?? ''));
    if (codes.some((code) => code === ''))
      return refuse('invalid-request', '_tag is system|code: the client whose records are wanted.');
    draft.conditions.push({ kind: 'source', values: codes });
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
 * Reads the parameters of `GET Patient`: a known one with a bad value or a modifier is refused (400), an unknown one ignored
 * unless handling is strict. Repeats are ANDed, commas ORed.
 */
export const parseSearch = (params: Params, options: SearchOptions = defaultSearchOptions): PatientSearch | Refusal => {
  const draft: Draft = {
    ids: [],
    identifiers: [],
    conditions: [],
    sort: [],
    total: 'estimate',
    shape: WHOLE,
    includeLinks: false,
    count: null,
    after: null,
  };
  const used: Parameter[] = [];
  for (const [name, value] of params) {
    const condition = readCondition(name, value);
    if (typeof condition === 'string') return refuse('invalid-request', condition);
    if (condition) {
      draft.conditions.push(condition);
      used.push([name, value]);
      continue;
    }
    // Every source record is none of the golden ones: what the web interface of OpenCR 1.x asks for.
    if (name === '_tag:not') continue;
    const known = knownParameter(name, value, options);
    if (isRefusal(known)) return known;
    if (known.reader === undefined) continue;
    const refused = known.reader(draft, value, options);
    if (refused) return refused;
    if (name !== pageParameter) used.push([name, value]);
  }
  const asked = draft.conditions.reduce((sum, { values }) => sum + values.length, 0);
  if (asked > maxAlternatives)
    return refuse('invalid-request', `A search takes at most ${maxAlternatives} values of demographics.`);
  return { ...draft, count: draft.count ?? options.defaultCount, used };
};

const knownParameter = (
  name: string,
  value: string,
  { strict }: SearchOptions,
): { readonly reader: (typeof readers)[string] | undefined } | Refusal => {
  const [base = '', modifier] = name.split(':', 2);
  const reader = Object.hasOwn(readers, base) ? readers[base] : undefined;
  if (reader && modifier !== undefined) return refuse('invalid-request', `The search parameter ${base} takes no modifier here.`);
  // Other things to include are not kept here, so that there is nothing to add.
  if (base === '_include' && !strict && !value.startsWith('Patient:link')) return { reader: undefined };
  if (!reader && strict && !presentation.has(name))
    return refuse('invalid-request', `Unknown search parameter ${name.slice(0, 64)}; known are: ${parameterNames.join(', ')}.`);
  return { reader };
};

const parameterNames = [...Object.keys(readers).filter((name) => name !== pageParameter), ...STRINGS, ...TOKENS, ...DATES];

const addAlternatives = <T>(
  lists: T[][],
  name: string,
  value: string,
  read: (text: string) => T | undefined,
): Refusal | undefined => {
  const texts = splitUnescaped(value, ',');
  if (texts.length > maxAlternatives) return refuse('invalid-request', `${name} takes at most ${maxAlternatives} alternatives.`);
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

export interface SearchAnswer {
  /** Base url of this server, without a slash at the end. */
  readonly base: string;
  readonly search: PatientSearch;
  /** null: not counted. */
  readonly total: number | null;
  readonly matches: readonly Patient[];
  readonly included: readonly Patient[];
  /** Where the next page begins; null on the last. */
  readonly next: string | null;
  readonly remarks?: readonly Issue[];
}

/** The answer to a search (R4 bundle.html#searchset). `total` counts matches, not what is included. */
export const searchset = ({ base, search, total, matches, included, next, remarks = [] }: SearchAnswer): Bundle => {
  const self = [...search.used, ...(search.after === null ? [] : [[pageParameter, search.after] satisfies Parameter])];
  const urlOf = (query: readonly Parameter[]): string =>
    `${base}/Patient${query.length > 0 ? `?${new URLSearchParams(query).toString()}` : ''}`;
  const entryOf = (resource: Patient, mode: 'match' | 'include'): BundleEntry => ({
    fullUrl: `${base}/Patient/${resource.id ?? ''}`,
    resource,
    search: { mode },
  });
  const entry: readonly BundleEntry[] = [
    ...matches.map((match) => entryOf(match, 'match')),
    ...included.map((patient) => entryOf(patient, 'include')),
    ...(remarks.length > 0 ? [{ resource: operationOutcome(remarks), search: { mode: 'outcome' as const } }] : []),
  ];
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total !== null && { total }),
    link: [
      { relation: 'self', url: urlOf(self) },
      ...(next === null ? [] : [{ relation: 'next', url: urlOf([...search.used, [pageParameter, next]]) }]),
    ],
    ...(entry.length > 0 && { entry }),
  };
};
