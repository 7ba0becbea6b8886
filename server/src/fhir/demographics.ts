/** Demographic search parameters of Patient (FHIR R4 search.html, patient.html#search): what is asked, and what a record has. */
import type { Patient } from './r4.ts';
import { splitUnescaped, unescape } from './tokens.ts';

/** Parameters whose values are texts (search.html#string). */
export const STRINGS = [
  'name',
  'family',
  'given',
  'address',
  'address-city',
  'address-state',
  'address-postalcode',
  'address-country',
] as const;
/** Parameters whose values are codes (search.html#token). */
export const TOKENS = ['gender', 'active', 'telecom', 'phone', 'email'] as const;
export const DATES = ['birthdate', '_lastUpdated'] as const;

export type StringName = (typeof STRINGS)[number];
export type TokenName = (typeof TOKENS)[number];
export type DateName = (typeof DATES)[number];
export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** A span of time, both ends included; texts that sort as what they stand for. */
export interface Span {
  readonly low: string;
  readonly high: string;
}

/** One parameter: any of its values. */
export type Condition =
  | {
      readonly kind: 'string';
      readonly name: StringName;
      readonly how: 'starts' | 'exact' | 'contains';
      readonly values: readonly string[];
    }
  | { readonly kind: 'token'; readonly name: TokenName; readonly values: readonly string[] }
  | { readonly kind: 'date'; readonly name: DateName; readonly values: readonly (Span & { readonly prefix: Prefix })[] }
  /** `_tag`: the client whose record it is. */
  | { readonly kind: 'source'; readonly values: readonly string[] };

export const SORTS = ['family', 'given', 'birthdate', '_lastUpdated', '_id'] as const;
/** One key of `_sort`. */
export interface Sort {
  readonly by: (typeof SORTS)[number];
  readonly descending: boolean;
}

const SORT_WORDS = `_sort takes ${SORTS.join(', ')}, joined by commas, each with - before it for descending`;

/** Reads `_sort`: keys by priority (search.html#sort). Answers in words what is wrong with it. */
export function readSort(value: string): readonly Sort[] | string {
  const keys: Sort[] = [];
  for (const text of value.split(',')) {
    const descending = text.startsWith('-');
    const name = text.slice(descending ? 1 : 0);
    const by = SORTS.find((one) => one === name);
    if (by === undefined) return `${SORT_WORDS}; ${name === '' ? 'a key is empty' : `${name.slice(0, 64)} is none of them`}.`;
    if (keys.some((key) => key.by === by)) return `_sort names ${by} twice.`;
    keys.push({ by, descending });
  }
  return keys;
}

/** One word of a record: a value of a parameter as it is compared, and as it is written where that is another. */
export interface Term {
  readonly name: StringName | TokenName;
  readonly value: string;
  readonly raw: string;
}

/** Marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters; the vowel signs of Indic scripts are letters and stay. */
const MARKS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/gu;

/** search.html#string: case, accents and the width of blanks do not count. */
export const folded = (text: string): string =>
  text.normalize('NFKD').replace(MARKS, '').normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();

/** Digits and letters only, as people write telephone numbers in many ways. */
const dialled = (text: string): string => folded(text).replace(/[^\p{L}\p{N}+@.]/gu, '');

const tokenOf = (name: TokenName, text: string): string => (name === 'gender' || name === 'active' ? text : dialled(text));

const PREFIXES: readonly string[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];
const DAY = /^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:00Z');

/** The days that a date of FHIR stands for: a year all of its days. */
const daysOf = (text: string): Span | undefined => {
  const [, year, month, day] = DAY.exec(text) ?? [];
  if (year === undefined) return undefined;
  return { low: `${year}-${month ?? '01'}-${day ?? '01'}`, high: `${year}-${month ?? '12'}-${day ?? '31'}` };
};

const instantsOf = (text: string): Span | undefined => {
  const days = daysOf(text);
  if (days) return { low: `${days.low}T00:00:00.000Z`, high: `${days.high}T23:59:59.999Z` };
  const at = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  // An offset may lead out of the years that have four digits: such a time would sort as none of them.
  if (Number.isNaN(at) || at < FIRST || at > LAST) return undefined;
  const step = /\.\d/.test(text) ? 0 : /:\d{2}:\d{2}/.test(text) ? 999 : 59_999;
  return { low: new Date(at).toISOString(), high: new Date(at + step).toISOString() };
};

const dateValue = (name: DateName, text: string): (Span & { readonly prefix: Prefix }) | undefined => {
  const said = text.slice(0, 2);
  const prefix = PREFIXES.includes(said) ? said : 'eq';
  const rest = PREFIXES.includes(said) ? text.slice(2) : text;
  const span = name === 'birthdate' ? daysOf(rest) : instantsOf(rest);
  return span && { ...span, prefix: prefix as Prefix };
};

const HOW: Readonly<Record<string, 'starts' | 'exact' | 'contains'>> = { '': 'starts', exact: 'exact', contains: 'contains' };

const isIn = <T extends string>(names: readonly T[], name: string): name is T => (names as readonly string[]).includes(name);

/** Least letters of a `:contains`: fewer are in nearly every name. */
const SHORTEST = 2;

const stringCondition = (name: StringName, modifier: string, texts: readonly string[]): Condition | string => {
  const how = Object.hasOwn(HOW, modifier) ? HOW[modifier] : undefined;
  if (how === undefined) return `${name} takes the modifiers :exact and :contains, no other.`;
  const values = texts.map((text) => (how === 'exact' ? text : folded(text)));
  if (values.some((value) => value === '')) return `${name} has an empty value.`;
  if (how === 'contains' && values.some((value) => [...value].length < SHORTEST))
    return `${name}:contains needs at least ${SHORTEST} letters.`;
  return { kind: 'string', name, how, values };
};

/** `system|value` or `value`; the system of a telecom is its parameter. */
function tokenCondition(name: TokenName, texts: readonly string[]): Condition | string {
  const [first = ''] = texts;
  const [system, ...rest] = splitUnescaped(first, '|');
  if (name === 'telecom' && rest.length > 0 && (system === 'phone' || system === 'email')) {
    return tokenCondition(system, [unescape(rest.join('|'))]);
  }
  const values = texts.map((text) => tokenOf(name, unescape(splitUnescaped(text, '|').at(-1) ?? '')));
  if (values.some((value) => value === '')) return `${name} has an empty value.`;
  return { kind: 'token', name, values };
}

/**
 * Reads one demographic parameter: a condition, what is wrong with it in words, or undefined for a parameter that is none.
 */
export function readCondition(parameter: string, value: string): Condition | string | undefined {
  const [name = '', modifier = ''] = parameter.split(':', 2);
  const texts = splitUnescaped(value, ',');
  if (isIn(STRINGS, name)) return stringCondition(name, modifier, texts.map(unescape));
  if (isIn(TOKENS, name)) return modifier === '' ? tokenCondition(name, texts) : `${name} takes no modifier here.`;
  if (!isIn(DATES, name)) return undefined;
  if (modifier !== '') return `${name} takes no modifier here.`;
  const values = texts.map((text) => dateValue(name, text));
  const known = values.filter((one) => one !== undefined);
  return known.length < values.length
    ? `${name} is a date like 1990, ge1990-05 or lt1990-05-01.`
    : { kind: 'date', name, values: known };
}

/** Everything in a Patient that the parameters find; each once. */
function termsOf(patient: Patient): readonly Term[] {
  const terms = new Map<string, Term>();
  const add = (name: StringName | TokenName, raw: string | undefined, value: string): void => {
    if (raw !== undefined && value !== '') terms.set(`${name} ${value} ${raw}`, { name, value, raw });
  };
  const text = (name: StringName, raw: string | undefined): void => {
    add(name, raw, folded(raw ?? ''));
  };
  for (const { family, given = [], prefix = [], suffix = [], text: whole } of patient.name ?? []) {
    text('family', family);
    for (const one of given) text('given', one ?? undefined);
    for (const one of [family, ...given, ...prefix, ...suffix, whole]) text('name', one ?? undefined);
  }
  for (const { line = [], city, district, state, postalCode, country, text: whole } of patient.address ?? []) {
    text('address-city', city);
    text('address-state', state);
    text('address-postalcode', postalCode);
    text('address-country', country);
    for (const one of [...line, city, district, state, postalCode, country, whole]) text('address', one ?? undefined);
  }
  for (const { system, value } of patient.telecom ?? []) {
    add('telecom', value, dialled(value ?? ''));
    if (system === 'phone' || system === 'email') add(system, value, dialled(value ?? ''));
  }
  add('gender', patient.gender, patient.gender ?? '');
  add('active', String(patient.active ?? true), String(patient.active ?? true));
  return [...terms.values()];
}

/** A record as demographic conditions see it. */
export interface Subject {
  /** Whose record it is. */
  readonly client: string;
  readonly terms: readonly Term[];
  /** The days that the birth date stands for; '' where there is none. */
  readonly birth: Span;
  /** When it last changed. */
  readonly updated: string;
}

/** What a record is sorted by, '' where it has none of it: of several values the first. `_id` is the order of arrival. */
export interface SortValues {
  readonly family: string;
  readonly given: string;
  readonly birthdate: string;
  readonly _lastUpdated: string;
}

const firstOf = (terms: readonly Term[], name: Term['name']): string => terms.find((term) => term.name === name)?.value ?? '';

export const sortValues = ({ terms, birth, updated }: Subject): SortValues => ({
  family: firstOf(terms, 'family'),
  given: firstOf(terms, 'given'),
  birthdate: birth.low,
  _lastUpdated: updated,
});

/** A record in the order of an answer. */
export interface Sortable {
  readonly record: number;
  readonly values: SortValues;
}

/** Keys that decide, the record's number last, which no two share: the order is the same on every page. */
export function orderOf(keys: readonly Sort[]): readonly Sort[] {
  const place = keys.findIndex(({ by }) => by === '_id');
  return place < 0 ? [...keys, { by: '_id', descending: keys.at(-1)?.descending ?? false }] : keys.slice(0, place + 1);
}

/** Compares two records under `_sort`: what a record lacks comes before all that others have. */
export const comparing = (keys: readonly Sort[]): ((x: Sortable, y: Sortable) => number) => {
  const order = orderOf(keys);
  return (x, y) => {
    for (const { by, descending } of order) {
      const [a, b] = by === '_id' ? [x.record, y.record] : [x.values[by], y.values[by]];
      if (a !== b) return a < b === descending ? 1 : -1;
    }
    return 0;
  };
};

const NO_DAYS: Span = { low: '', high: '' };

/** Of a stored Patient, from its JSON text. */
export const storedSubject = (resource: string, client: string, updated: string): Subject =>
  subjectOf(JSON.parse(resource) as Patient, client, updated);

export const subjectOf = (patient: Patient, client: string, updated: string): Subject => ({
  client,
  terms: termsOf(patient),
  birth: daysOf(patient.birthDate ?? '') ?? NO_DAYS,
  updated,
});

/** search.html#prefix: a span of a record against that of a value. */
const COMPARED: Readonly<Record<Prefix, (of: Span, asked: Span) => boolean>> = {
  eq: (of, asked) => of.low >= asked.low && of.high <= asked.high,
  ne: (of, asked) => !(of.low >= asked.low && of.high <= asked.high),
  gt: (of, asked) => of.high > asked.high,
  lt: (of, asked) => of.low < asked.low,
  ge: (of, asked) => of.high >= asked.low,
  le: (of, asked) => of.low <= asked.high,
  sa: (of, asked) => of.low > asked.high,
  eb: (of, asked) => of.high < asked.low,
  ap: (of, asked) => of.low <= asked.high && of.high >= asked.low,
};

const STRING_MEETS: Readonly<Record<'starts' | 'exact' | 'contains', (term: Term, value: string) => boolean>> = {
  starts: (term, value) => term.value.startsWith(value),
  exact: (term, value) => term.raw === value,
  contains: (term, value) => term.value.includes(value),
};

/** Whether a record meets a condition: what the index of searches finds, told of one record. */
export function meets(condition: Condition, { client, terms, birth, updated }: Subject): boolean {
  switch (condition.kind) {
    case 'source':
      return condition.values.includes(client);
    case 'date': {
      const of = condition.name === 'birthdate' ? birth : { low: updated, high: updated };
      return of.low !== '' && condition.values.some(({ prefix, ...asked }) => COMPARED[prefix](of, asked));
    }
    case 'string':
    case 'token': {
      const own = terms.filter(({ name }) => name === condition.name);
      const test =
        condition.kind === 'string' ? STRING_MEETS[condition.how] : (term: Term, value: string) => term.value === value;
      return condition.values.some((value) => own.some((term) => test(term, value)));
    }
  }
}
