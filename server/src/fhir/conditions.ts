/** Search parameters of Patient that say what a record holds (FHIR R4 search.html, patient.html#search): what is asked. */
import { folded } from './folding.ts';
import { soundsOf } from './sounds.ts';
import { type IdentifierToken, identifierToken, splitUnescaped, unescape } from './tokens.ts';

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
  'mothersMaidenName',
] as const;
/** Parameters whose values are codes (search.html#token). */
export const TOKENS = [
  'gender',
  'active',
  'deceased',
  'telecom',
  'phone',
  'email',
  'address-use',
  'language',
  '_tag',
  '_security',
] as const;
export const DATES = ['birthdate', 'death-date', '_lastUpdated'] as const;
/** Parameters whose values are resources that a record names, and that the registry does not keep (search.html#reference). */
export const REFERENCES = ['organization', 'general-practitioner'] as const;
export const URIS = ['_profile'] as const;
/** A text that is kept, and compared, as codes. */
export const PHONETIC = 'phonetic';

export type StringName = (typeof STRINGS)[number];
export type DateName = (typeof DATES)[number];
/** What terms of codes are kept under: sounds, references and uris are codes, too; of references also their logical identifiers. */
export type CodeName =
  | (typeof TOKENS)[number]
  | (typeof REFERENCES)[number]
  | `${(typeof REFERENCES)[number]}:identifier`
  | (typeof URIS)[number]
  | typeof PHONETIC
  | 'identifier:of-type';
export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** A span of time, both ends included; texts that sort as what they stand for. */
export interface Span {
  readonly low: string;
  readonly high: string;
}

/** A code; `system` null: any, '': none. `code` null: any. */
export interface Code {
  readonly system: string | null;
  readonly code: string | null;
}

/** What `:missing` may ask of; of the others every record has a value. */
export type MayMiss = Exclude<StringName | CodeName | DateName, '_lastUpdated' | '_tag' | 'active' | 'deceased'> | 'identifier';

/** One parameter: any of its values; with `not` none of them. */
export type Condition =
  | {
      readonly kind: 'string';
      readonly name: StringName;
      readonly how: 'starts' | 'exact' | 'contains';
      readonly values: readonly string[];
    }
  | { readonly kind: 'token'; readonly name: CodeName; readonly not: boolean; readonly values: readonly Code[] }
  | { readonly kind: 'below'; readonly name: (typeof URIS)[number]; readonly values: readonly string[] }
  | { readonly kind: 'date'; readonly name: DateName; readonly values: readonly (Span & { readonly prefix: Prefix })[] }
  | { readonly kind: 'missing'; readonly name: MayMiss; readonly missing: boolean }
  /** `identifier:not`, and whole systems of identifiers. */
  | { readonly kind: 'identifier'; readonly not: boolean; readonly values: readonly IdentifierToken[] }
  /** What every record meets, or none. */
  | { readonly kind: 'always'; readonly met: boolean };

const PREFIXES: readonly string[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];
const DAY = /^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;
const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:00Z');

/** The days that a date of FHIR stands for: a year all of its days. */
export const daysOf = (text: string): Span | undefined => {
  const [, year, month, day] = DAY.exec(text) ?? [];
  if (year === undefined) return undefined;
  return { low: `${year}-${month ?? '01'}-${day ?? '01'}`, high: `${year}-${month ?? '12'}-${day ?? '31'}` };
};

/** The instants that a date or a time of FHIR stands for; days are those of UTC. */
export const instantsOf = (text: string): Span | undefined => {
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

const isIn = <T extends string>(names: readonly T[], name: string): name is T => (names as readonly string[]).includes(name);

/** Least letters of a `:contains`: fewer are in nearly every name. */
const SHORTEST = 2;
/** Values of one parameter. */
export const MAX_ALTERNATIVES = 500;

const HOW: Readonly<Record<string, 'starts' | 'exact' | 'contains'>> = { '': 'starts', exact: 'exact', contains: 'contains' };

const stringCondition = (name: StringName, modifier: string, texts: readonly string[]): Condition | string => {
  const how = Object.hasOwn(HOW, modifier) ? HOW[modifier] : undefined;
  if (how === undefined) return `${name} takes the modifiers :exact, :contains and :missing, no other.`;
  const values = texts.map(unescape).map((text) => (how === 'exact' ? text : folded(text)));
  if (values.some((value) => value === '')) return `${name} has an empty value.`;
  if (how === 'contains' && values.some((value) => [...value].length < SHORTEST))
    return `${name}:contains needs at least ${SHORTEST} letters.`;
  return { kind: 'string', name, how, values };
};

/** Digits and letters only, as people write telephone numbers in many ways. */
export const dialled = (text: string): string => folded(text).replace(/[^\p{L}\p{N}+@.]/gu, '');

const isDialled = (name: CodeName): boolean => name === 'telecom' || name === 'phone' || name === 'email';

/** `system|code`, `|code`, `system|` or `code`; undefined for nothing at all. */
function codeOf(name: CodeName, text: string): Code | undefined {
  const token = identifierToken(text);
  if (token === undefined) return undefined;
  const { system, value } = token;
  if (!isDialled(name) || value === null) return { system, code: value };
  const code = dialled(value);
  // A phone is one by its parameter, whatever stands before the bar: some senders put its use there.
  return code === '' ? undefined : { system: name === 'telecom' ? system : null, code };
}

/** Values that R4 takes for there where a record does not say them: a patient is active and alive unless told otherwise. */
const SILENT = { active: 'true', deceased: 'false' } as const;

/** `active` and `deceased` are kept where they are not the silent value: asking for that is asking for none of the other. */
function booleanCondition(name: keyof typeof SILENT, not: boolean, codes: readonly Code[]): Condition | string {
  const wanted = new Set(codes.map(({ code }) => code));
  if ([...wanted].some((code) => code !== 'true' && code !== 'false')) return `${name} is true or false.`;
  if (wanted.size === 2) return { kind: 'always', met: !not };
  const kept = SILENT[name] === 'true' ? 'false' : 'true';
  return { kind: 'token', name, not: wanted.has(kept) === not, values: [{ system: null, code: kept }] };
}

function tokenCondition(name: (typeof TOKENS)[number], modifier: string, texts: readonly string[]): Condition | string {
  if (modifier !== '' && modifier !== 'not') return `${name} takes the modifiers :not and :missing, no other.`;
  const codes = texts.map((text) => codeOf(name, text));
  const values = codes.filter((code) => code !== undefined);
  if (values.length < codes.length) return `${name} has an empty value.`;
  const not = modifier === 'not';
  return name === 'active' || name === 'deceased' ? booleanCondition(name, not, values) : { kind: 'token', name, not, values };
}

function dateCondition(name: DateName, modifier: string, texts: readonly string[]): Condition | string {
  if (modifier !== '') return `${name} takes the modifier :missing, no other.`;
  const values = texts.map((text) => dateValue(name, text));
  const known = values.filter((one) => one !== undefined);
  return known.length < values.length
    ? `${name} is a date like 1990, ge1990-05 or lt1990-05-01.`
    : { kind: 'date', name, values: known };
}

const ID = /^[A-Za-z0-9.-]{1,64}$/;

/** A reference as terms hold it: `Type/id` by id and type, anything else as it is written, without a version. */
export function referenceCode(text: string): { readonly system: string; readonly code: string } {
  const [, type, id] = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(text) ?? [];
  if (type !== undefined && id !== undefined) return { system: type, code: id };
  return { system: '', code: text.replace(/\/_history\/[^/]+$/, '') };
}

/** `id`, `Type/id` or an absolute url (search.html#reference); one of this server stands for what is behind its base. */
function referenceValue(text: string, type: string, base: string): Code | undefined {
  const whole = unescape(text);
  const own = base !== '' && whole.startsWith(`${base}/`) ? whole.slice(base.length + 1) : whole;
  if (own === '') return undefined;
  if (ID.test(own)) return { system: type === '' ? null : type, code: own };
  const { system, code } = referenceCode(own);
  return type === '' || system === type ? { system, code } : undefined;
}

function referenceCondition(
  name: (typeof REFERENCES)[number],
  { modifier, texts, base }: { readonly modifier: string; readonly texts: readonly string[]; readonly base: string },
): Condition | string {
  const isType = /^[A-Z][A-Za-z]+$/.test(modifier);
  if (modifier !== '' && modifier !== 'identifier' && !isType)
    return `${name} takes the modifiers :identifier, :missing and a type, no other.`;
  const codes = texts.map((text) =>
    modifier === 'identifier' ? codeOf(`${name}:identifier`, text) : referenceValue(text, modifier, base),
  );
  const values = codes.filter((code) => code !== undefined);
  if (values.length < codes.length) return `${name} has an empty or malformed value.`;
  return { kind: 'token', name: modifier === 'identifier' ? `${name}:identifier` : name, not: false, values };
}

function uriCondition(name: (typeof URIS)[number], modifier: string, texts: readonly string[]): Condition | string {
  const values = texts.map(unescape);
  if (values.some((value) => value === '')) return `${name} has an empty value.`;
  if (modifier === 'below') return { kind: 'below', name, values };
  if (modifier !== '') return `${name} takes the modifiers :below and :missing, no other.`;
  return { kind: 'token', name, not: false, values: values.map((code) => ({ system: '', code })) };
}

/** By what sounds alike; what has no sound is nobody's. */
function phoneticCondition(modifier: string, texts: readonly string[]): Condition | string {
  if (modifier !== '') return `${PHONETIC} takes the modifier :missing, no other.`;
  const names = texts.map(unescape);
  if (names.some((name) => folded(name) === '')) return `${PHONETIC} has an empty value.`;
  const values = [...new Set(names.flatMap(soundsOf))].map((code) => ({ system: null, code }));
  return values.length === 0 ? { kind: 'always', met: false } : { kind: 'token', name: PHONETIC, not: false, values };
}

/** `identifier:of-type=system|code|value` (search.html#token). */
function ofType(texts: readonly string[]): Condition | string {
  const values = texts.map((text) => splitUnescaped(text, '|').map(unescape));
  if (values.some((parts) => parts.length !== 3 || parts.slice(1).includes('')))
    return 'identifier:of-type is system|code|value: the type and the value of the identifier.';
  const codes = values.map(([system = '', type = '', code = '']) => ({ system: `${system}|${type}`, code }));
  return { kind: 'token', name: 'identifier:of-type', not: false, values: codes };
}

function notIdentifier(texts: readonly string[]): Condition | string {
  const tokens = texts.map(identifierToken);
  const values = tokens.filter((token) => token !== undefined);
  return values.length < tokens.length ? 'identifier:not has an empty value.' : { kind: 'identifier', not: true, values };
}

/** Of these every record has a value: its own id, its link, its version, its client, and the silent values. */
const NEVER_MISSING: readonly string[] = ['_id', 'link', '_lastUpdated', '_tag', 'active', 'deceased'];

function missingCondition(parameter: string, value: string): Condition | string | undefined {
  // A name may have no sound and be there.
  const name = parameter === PHONETIC ? 'name' : parameter;
  const never = NEVER_MISSING.includes(name);
  const known = [...STRINGS, ...TOKENS, ...DATES, ...REFERENCES, ...URIS, 'identifier'].find((one) => one === name);
  if (!never && known === undefined) return undefined;
  if (value !== 'true' && value !== 'false') return `${parameter}:missing is true or false.`;
  if (never) return { kind: 'always', met: value === 'false' };
  return { kind: 'missing', name: known as MayMiss, missing: value === 'true' };
}

/**
 * Reads one parameter of what a record holds: a condition, what is wrong with it in words, or undefined for a parameter that
 * is none. `base`: of this server, for references to it; '' where it does not matter.
 */
export function readCondition(parameter: string, value: string, base = ''): Condition | string | undefined {
  const [name = '', modifier = ''] = parameter.split(/:(.*)/s, 2);
  if (modifier === 'missing') return missingCondition(name, value);
  const texts = splitUnescaped(value, ',');
  const read = conditionOf(name, { modifier, texts, base });
  return read !== undefined && texts.length > MAX_ALTERNATIVES ? `${name} takes at most ${MAX_ALTERNATIVES} alternatives.` : read;
}

function conditionOf(
  name: string,
  asked: { readonly modifier: string; readonly texts: readonly string[]; readonly base: string },
): Condition | string | undefined {
  const { modifier, texts } = asked;
  if (isIn(STRINGS, name)) return stringCondition(name, modifier, texts);
  if (isIn(TOKENS, name)) return tokenCondition(name, modifier, texts);
  if (isIn(DATES, name)) return dateCondition(name, modifier, texts);
  if (isIn(REFERENCES, name)) return referenceCondition(name, asked);
  if (isIn(URIS, name)) return uriCondition(name, modifier, texts);
  if (name === PHONETIC) return phoneticCondition(modifier, texts);
  if (name === 'identifier' && modifier === 'not') return notIdentifier(texts);
  if (name === 'identifier' && modifier === 'of-type') return ofType(texts);
  return undefined;
}
