/** What searches see of a record (FHIR R4 patient.html#search), and whether it meets what is asked. */
import type { Identifier } from '../domain/identity.ts';
import type { TaskKind } from '../domain/review.ts';
import {
  type Code,
  type CodeName,
  type Condition,
  daysOf,
  dialled,
  instantsOf,
  type MayMiss,
  PHONETIC,
  type Prefix,
  referenceCode,
  REFERENCES,
  type Span,
  type StringName,
} from './conditions.ts';
import { folded } from './folding.ts';
import { identifiersOf } from './identifiers.ts';
import { tagsOfFlags } from './ours.ts';
import type { Coding, Patient, Reference } from './r4.ts';
import { storedPatient } from './sanitise.ts';
import type { SortValues } from './sorting.ts';
import { soundsIn } from './sounds.ts';
import type { IdentifierToken } from './tokens.ts';

/**
 * One word of a record: a value of a parameter as it is compared. `raw`: of a text how it is written, of a code its system;
 * '' where it has none.
 */
export interface Term {
  readonly name: StringName | CodeName;
  readonly value: string;
  readonly raw: string;
}

const NO_TIME: Span = { low: '', high: '' };

/** A record as conditions see it. */
export interface Subject {
  /** Whose record it is. */
  readonly client: string;
  readonly terms: readonly Term[];
  /** Kinds of its open review tasks: they are tags. */
  readonly flags: readonly TaskKind[];
  readonly identifiers: readonly Identifier[];
  /** The days that the birth date stands for; '' where there is none. */
  readonly birth: Span;
  /** The instants that the date of death stands for; '' where there is none. */
  readonly death: Span;
  /** When it last changed. */
  readonly updated: string;
}

type Add = (name: Term['name'], value: string | undefined, raw: string) => void;

const codings = (add: Add, name: CodeName, list: readonly Coding[] = []): void => {
  for (const { system = '', code } of list) add(name, code, system);
};

type AddText = (name: StringName, raw: string | null | undefined) => void;

function namesOf({ name = [], extension = [] }: Patient, text: AddText, add: Add): void {
  for (const { family, given = [], prefix = [], suffix = [], text: whole } of name) {
    text('family', family);
    for (const one of given) text('given', one);
    for (const one of [family, ...given, ...prefix, ...suffix, whole]) text('name', one);
    for (const sound of [family, ...given, whole].flatMap((one) => soundsIn(one ?? ''))) add(PHONETIC, sound, '');
  }
  for (const { url, valueString } of extension) if (url === MOTHERS_MAIDEN_NAME) text('mothersMaidenName', valueString);
}

const MOTHERS_MAIDEN_NAME = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';

function addressesOf({ address = [] }: Patient, text: AddText): void {
  for (const { line = [], city, district, state, postalCode, country, text: whole } of address) {
    text('address-city', city);
    text('address-state', state);
    text('address-postalcode', postalCode);
    text('address-country', country);
    for (const one of [...line, city, district, state, postalCode, country, whole]) text('address', one);
  }
}

/** Systems that R4 gives to elements of type `code` (search.html#token): they need not stand in the record. */
const GENDERS = 'http://hl7.org/fhir/administrative-gender';
const ADDRESS_USES = 'http://hl7.org/fhir/address-use';

function codesOf(patient: Patient, add: Add): void {
  for (const { system = '', value } of patient.telecom ?? []) {
    add('telecom', dialled(value ?? ''), system);
    if (system === 'phone' || system === 'email') add(system, dialled(value ?? ''), system);
  }
  add('gender', patient.gender, GENDERS);
  if (patient.active === false) add('active', 'false', '');
  if (patient.deceasedBoolean === true || patient.deceasedDateTime !== undefined) add('deceased', 'true', '');
  for (const { use } of patient.address ?? []) add('address-use', use, ADDRESS_USES);
  for (const { language } of patient.communication ?? []) codings(add, 'language', language?.coding);
  for (const { type, value } of patient.identifier ?? [])
    for (const { system = '', code = '' } of type?.coding ?? []) add('identifier:of-type', value, `${system}|${code}`);
  codings(add, '_tag', patient.meta?.tag);
  codings(add, '_security', patient.meta?.security);
  for (const profile of patient.meta?.profile ?? []) add('_profile', profile, '');
}

/** A reference that only shows a text is one, too: its term has no code. */
function referencesOf(patient: Patient, keep: (term: Term) => void, add: Add): void {
  const all: Readonly<Record<(typeof REFERENCES)[number], readonly Reference[]>> = {
    organization: patient.managingOrganization ? [patient.managingOrganization] : [],
    'general-practitioner': patient.generalPractitioner ?? [],
  };
  for (const name of REFERENCES) {
    for (const { reference = '', identifier } of all[name]) {
      const { system, code } = referenceCode(reference);
      keep({ name, value: code, raw: system });
      add(`${name}:identifier`, identifier?.value, identifier?.system ?? '');
    }
  }
}

/** Everything in a Patient that the parameters find; each once. */
function termsOf(patient: Patient): readonly Term[] {
  const terms = new Map<string, Term>();
  const keep = (term: Term): void => {
    terms.set(`${term.name} ${term.value} ${term.raw}`, term);
  };
  const add: Add = (name, value, raw) => {
    if (value !== undefined && value !== '') keep({ name, value, raw });
  };
  const text: AddText = (name, raw) => {
    if (raw !== null && raw !== undefined) add(name, folded(raw), raw);
  };
  namesOf(patient, text, add);
  addressesOf(patient, text);
  codesOf(patient, add);
  referencesOf(patient, keep, add);
  return [...terms.values()];
}

const firstOf = (terms: readonly Term[], name: Term['name']): string => terms.find((term) => term.name === name)?.value ?? '';

export const sortValues = ({ terms, birth, updated }: Subject): SortValues => ({
  family: firstOf(terms, 'family'),
  given: firstOf(terms, 'given'),
  birthdate: birth.low,
  _lastUpdated: updated,
});

/** What of a record is not in its Patient as it was submitted. */
export interface Around {
  readonly client: string;
  readonly updated: string;
  readonly flags: readonly TaskKind[];
}

/** Of a stored Patient, from its JSON text. */
export const storedSubject = (resource: string, around: Around): Subject => subjectOf(storedPatient(resource), around);

export const subjectOf = (patient: Patient, { client, updated, flags }: Around): Subject => ({
  client,
  terms: termsOf(patient),
  flags,
  identifiers: identifiersOf(patient),
  birth: daysOf(patient.birthDate ?? '') ?? NO_TIME,
  death: instantsOf(patient.deceasedDateTime ?? '') ?? NO_TIME,
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

const isCode = ({ system, code }: Code, coding: { readonly system: string; readonly code: string }): boolean =>
  (system === null || coding.system === system) && (code === null || coding.code === code);

/** The tag of a record's client has one of the systems that a deployment may choose (`CRBaseURI`), which all end so. */
export const isClientSystem = (system: string | null): boolean => system === null || system.endsWith('/clientid');

export const isFlag = (asked: Code, flag: TaskKind): boolean =>
  tagsOfFlags([flag]).some(({ system = '', code = '' }) => isCode(asked, { system, code }));

/** Tags that the registry itself sets on a record: whose it is, and what of it is to be reviewed. */
const hasOwnTag = ({ client, flags }: Subject, asked: Code): boolean =>
  (isClientSystem(asked.system) && client !== '' && (asked.code === null || asked.code === client)) ||
  flags.some((flag) => isFlag(asked, flag));

function hasCode(subject: Subject, name: CodeName, asked: Code): boolean {
  if (name === '_tag' && hasOwnTag(subject, asked)) return true;
  return subject.terms.some((term) => term.name === name && isCode(asked, { system: term.raw, code: term.value }));
}

/** Whether it is the identifier that is asked for. */
export const isAsked = ({ system, value }: IdentifierToken, identifier: Identifier): boolean =>
  (system === null || system === identifier.system) && (value === null || value === identifier.value);

function isMissing({ terms, identifiers, birth, death }: Subject, name: MayMiss): boolean {
  if (name === 'identifier') return identifiers.length === 0;
  if (name === 'birthdate') return birth.low === '';
  if (name === 'death-date') return death.low === '';
  return terms.every((term) => term.name !== name);
}

const spanOf = ({ birth, death, updated }: Subject, name: (Condition & { kind: 'date' })['name']): Span =>
  ({ birthdate: birth, 'death-date': death, _lastUpdated: { low: updated, high: updated } })[name];

/** Whether a record meets a condition: what the index of searches finds, told of one record. */
export function meets(condition: Condition, subject: Subject): boolean {
  switch (condition.kind) {
    case 'always':
      return condition.met;
    case 'missing':
      return isMissing(subject, condition.name) === condition.missing;
    case 'date': {
      const of = spanOf(subject, condition.name);
      return of.low !== '' && condition.values.some(({ prefix, ...asked }) => COMPARED[prefix](of, asked));
    }
    case 'identifier': {
      const { not, values } = condition;
      return values.some((asked) => subject.identifiers.some((identifier) => isAsked(asked, identifier))) !== not;
    }
    case 'token':
      return condition.values.some((asked) => hasCode(subject, condition.name, asked)) !== condition.not;
    case 'below':
    case 'string': {
      const own = subject.terms.filter(({ name }) => name === condition.name);
      const test = STRING_MEETS[condition.kind === 'below' ? 'starts' : condition.how];
      return condition.values.some((value) => own.some((term) => test(term, value)));
    }
  }
}
