import type { CompanionType } from '../domain/companions.ts';
import type { Refusal } from '../domain/errors.ts';
import { COMPANION_INCLUDES, COMPANION_PARAMETERS, pairTerm, type Term } from './companions.ts';
import { MAX_ALTERNATIVES } from './conditions.ts';
import { folded } from './folding.ts';
import { isRefusal, refuse } from './refusal.ts';
import { pageParameter, parseSearch, type Parameter, type PatientSearch, type SearchOptions } from './search.ts';
import { identifierToken, type Params, splitUnescaped, unescape } from './tokens.ts';

/** A term that is asked for: as it is, or by its beginning or a part of it. */
export type AskedTerm = Term & { readonly match: 'is' | 'starts' | 'contains' };

/** A search for Organizations or RelatedPersons: each list holds alternatives, and every list must be met. */
export interface CompanionSearch extends Pick<PatientSearch, 'shape' | 'count' | 'after' | 'used' | 'ignored'> {
  readonly terms: readonly (readonly AskedTerm[])[];
  /** What a match refers to by the element that `COMPANION_INCLUDES` names is answered too. */
  readonly include: boolean;
}

/** Parameters of every search: how much is answered, and of what. */
const COMMON: ReadonlySet<string> = new Set(['_summary', '_elements', '_count', '_total', '_format', '_pretty', pageParameter]);

type Kind = 'token' | 'string' | 'reference';

const tokenTerm = (parameter: string, text: string): AskedTerm | undefined => {
  const token = identifierToken(text);
  if (token === undefined) return undefined;
  const { system, value } = token;
  if (value === null) return { parameter: `${parameter}:system`, value: system ?? '', match: 'is' };
  if (system === null) return { parameter: `${parameter}:code`, value, match: 'is' };
  return { parameter, value: pairTerm(system, value), match: 'is' };
};

/** `x`, `Type/x` or the same under this server's base. */
const referenceTerm = (parameter: string, text: string, base: string): AskedTerm | undefined => {
  const whole = unescape(text);
  const local = base !== '' && whole.startsWith(`${base}/`) ? whole.slice(base.length + 1) : whole;
  const id = /^(?:[A-Z][A-Za-z]*\/)?([A-Za-z0-9.-]{1,64})$/.exec(local)?.[1] ?? local;
  return id === '' ? undefined : { parameter, value: id, match: 'is' };
};

const MATCHES = { '': 'starts', exact: 'is', contains: 'contains' } as const;

function stringTerm(parameter: string, modifier: keyof typeof MATCHES, text: string): AskedTerm | undefined {
  const value = unescape(text);
  if (value.trim() === '') return undefined;
  return modifier === 'exact'
    ? { parameter: `${parameter}:exact`, value, match: 'is' }
    : { parameter, value: folded(value), match: MATCHES[modifier] };
}

function termFor(kind: Kind, [name, modifier]: readonly [string, string], text: string, base: string): AskedTerm | undefined {
  if (name === '_id') return referenceTerm(name, text, base);
  if (kind === 'reference') return referenceTerm(name, text, base);
  if (kind === 'token') return tokenTerm(name, text);
  return stringTerm(name, modifier as keyof typeof MATCHES, text);
}

/** Modifiers that are taken; a type of resource on a reference says what it is anyway. */
const takes = (kind: Kind, modifier: string): boolean =>
  modifier === '' || (kind === 'string' && modifier in MATCHES) || (kind === 'reference' && /^[A-Z][A-Za-z]*$/.test(modifier));

const readTerms = (type: CompanionType, [name, value]: Parameter, base: string): readonly AskedTerm[] | Refusal | undefined => {
  const [plain = '', modifier = ''] = name.split(':');
  const parameters: Readonly<Record<string, Kind>> = COMPANION_PARAMETERS[type];
  const kind = Object.hasOwn(parameters, plain) ? parameters[plain] : undefined;
  if (kind === undefined) return undefined;
  if (!takes(kind, modifier)) return refuse('invalid-request', `The search parameter ${plain} takes no such modifier here.`);
  const texts = splitUnescaped(value, ',');
  if (texts.length > MAX_ALTERNATIVES)
    return refuse('invalid-request', `${plain} takes at most ${MAX_ALTERNATIVES} alternatives.`);
  const terms = texts.map((text) => termFor(kind, [plain, modifier], text, base)).filter((term) => term !== undefined);
  return terms.length === texts.length
    ? terms
    : refuse('invalid-request', `The search parameter ${plain} has an empty or malformed value.`);
};

/** As `parseSearch` of Patients: a known parameter with a bad value is refused (400), an unknown one only in strict handling. */
export function parseCompanionSearch(type: CompanionType, params: Params, options: SearchOptions): CompanionSearch | Refusal {
  const all = [...params].map(([name, value]): Parameter => [name, value]);
  const common = parseSearch(
    all.filter(([name]) => COMMON.has(name)),
    options,
  );
  if (isRefusal(common)) return common;
  const terms: (readonly AskedTerm[])[] = [];
  const used: Parameter[] = [...common.used];
  const ignored: string[] = [];
  let include = false;
  for (const [name, value] of all.filter((parameter) => !COMMON.has(parameter[0]))) {
    const read = readTerms(type, [name, value], options.base);
    if (isRefusal(read)) return read;
    const isInclude = name === '_include' && value === `${type}:${COMPANION_INCLUDES[type]}`;
    if (read) terms.push(read);
    if (isInclude) include = true;
    if (read ?? isInclude) used.push([name, value]);
    else if (options.strict)
      return refuse(
        'invalid-request',
        `Unknown search parameter ${name.slice(0, 64)}; known are: ${Object.keys(COMPANION_PARAMETERS[type]).join(', ')}, _include=${type}:${COMPANION_INCLUDES[type]}.`,
      );
    else ignored.push(name);
  }
  return { ...common, terms, include, used, ignored };
}
