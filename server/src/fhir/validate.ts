import * as schemas from '../../generated/validators.js';
import type { SchemaError } from '../../generated/validators.js';
import { COMPANION_TYPES, type CompanionType, isCompanionType } from '../domain/companions.ts';
import type { Issue, Refusal } from '../domain/errors.ts';
import { isFields } from './fields.ts';
import { defaultPatientLimits, type PatientLimits } from './limits.ts';
import { type Remark, rulesOf } from './patient-rules.ts';
import type { CompanionResource, Patient } from './r4.ts';
import { error, refuse, warning } from './refusal.ts';

/** `strict`: what is odd but harmless is refused too (standards D15). */
export type Mode = 'open' | 'strict';

const maxIssues = 20;

type Checked<T> = { readonly resource: T; readonly warnings: readonly Issue[] } | Refusal;

/**
 * Is this a Patient that the registry may take in? What breaks the structure that R4 publishes is `invalid-structure` (400),
 * what breaks a rule is `business-rule` (422), what is odd (formats of urls and codes, extension urls, empty lists) a warning
 * or, in strict mode, a broken rule. Each issue names its element in FHIRPath, at most 20 of them.
 */
export const validatePatient = (
  value: unknown,
  mode: Mode,
  limits: PatientLimits = defaultPatientLimits,
): { readonly patient: Patient; readonly warnings: readonly Issue[] } | Refusal => {
  const checked = refuseOtherType(value) ?? validate<Patient>('Patient', value, { mode, limits });
  return 'code' in checked ? checked : { patient: checked.resource, warnings: checked.warnings };
};

/** The same of an Organization or a RelatedPerson. */
export const validateCompanion = (
  type: CompanionType,
  value: unknown,
  mode: Mode,
  limits: PatientLimits = defaultPatientLimits,
): Checked<CompanionResource> => refuseUnlike(value, [type]) ?? validate<CompanionResource>(type, value, { mode, limits });

const validate = <T extends object>(
  type: 'Patient' | CompanionType,
  value: unknown,
  { mode, limits }: { readonly mode: Mode; readonly limits: PatientLimits },
): Checked<T> => {
  const [overfull] = overfullLists(value, limits.maxRepeats, type);
  if (overfull) return { code: 'business-rule', issues: [overfull] };
  const { structure, odd } = schemaIssues(type, value);
  if (structure.length > 0) return { code: 'invalid-structure', issues: distinct(structure) };
  // The schema has just said so; its validator is generated code that types cannot see into.
  const resource = value as T;
  const rules = rulesOf(type, resource, limits);
  const remarks = [...odd, ...rules.odd];
  const broken = mode === 'strict' ? [...rules.broken, ...remarks.map((remark) => error(...remark))] : rules.broken;
  if (broken.length > 0) return { code: 'business-rule', issues: distinct(broken) };
  return { resource, warnings: distinct(remarks.map((remark) => warning(...remark))) };
};

/** Says so of anything but a Patient (400), undefined for one. */
export const refuseOtherType = (value: unknown): Refusal | undefined => refuseUnlike(value, ['Patient']);

/** The same of other types of resource. */
export const refuseUnlike = (value: unknown, wanted: readonly string[]): Refusal | undefined => {
  if (!isFields(value)) return refuse('invalid-structure', 'A FHIR resource is a JSON object.');
  const type = value['resourceType'];
  if (typeof type !== 'string') return refuse('invalid-structure', 'The resource does not say its resourceType.', 'resourceType');
  if (wanted.includes(type)) return undefined;
  const kept = type === 'Patient' || isCompanionType(type);
  const got = kept || /^[A-Za-z]{1,64}$/.test(type) ? type : 'something else';
  const words = `Expected ${wanted.map((one) => `${/^[AO]/.test(one) ? 'an' : 'a'} ${one}`).join(' or ')}, got ${got}`;
  return refuse(
    'invalid-structure',
    kept ? `${words}.` : `${words}: this registry keeps Patients, ${COMPANION_TYPES.join('s and ')}s, no other resource.`,
    'resourceType',
  );
};

const distinct = (issues: readonly Issue[]): readonly Issue[] =>
  [...new Map(issues.map((issue) => [`${issue.expression} ${issue.diagnostics}`, issue])).values()].slice(0, maxIssues);

/**
 * Lists with more entries than this registry takes. Looked for first: the schema's validator copies what it has found at each
 * entry, so that it takes minutes over 200,000 wrong ones. What is in contained resources is not kept, nor looked at.
 */
function* overfullLists(value: unknown, limit: number, path: string): Generator<Issue> {
  if (Array.isArray(value)) {
    if (value.length > limit) yield error(`More than ${limit} entries.`, path);
    else if (!/^\w+\.contained$/.test(path))
      for (const [index, entry] of value.entries()) yield* overfullLists(entry, limit, `${path}[${index}]`);
  } else if (isFields(value)) {
    for (const [key, member] of Object.entries(value))
      yield* overfullLists(member, limit, `${path}.${elementName(escapePointer(key))}`);
  }
}

const schemaIssues = (
  type: 'Patient' | CompanionType,
  value: unknown,
): { readonly structure: readonly Issue[]; readonly odd: readonly Remark[] } => {
  const check = schemas[type];
  if (check(value)) return { structure: [], odd: [] };
  // An `if` only repeats what its branch has said.
  const errors = (check.errors ?? []).filter(({ keyword }) => keyword !== 'if');
  return {
    structure: errors.filter((found) => !isOddFormat(found)).map((found) => error(wordsFor(found), expressionOf(type, found))),
    odd: errors.filter(isOddFormat).map((found) => [wordsFor(found), expressionOf(type, found)]),
  };
};

/** Primitives that stay readable when their form is wrong; a date or an id does not. */
const formats: Readonly<Record<string, string>> = {
  uri: 'is not a URI',
  url: 'is not a URL',
  canonical: 'is not a canonical URL',
  oid: 'is not an OID written as urn:oid:…',
  uuid: 'is not a UUID written as urn:uuid:…',
  code: 'is not a code: blanks at the start or end, or several in a row',
  base64Binary: 'is not base64',
};

const primitiveOf = ({ schemaPath }: SchemaError): string => /definitions\/(\w+)\/pattern$/.exec(schemaPath)?.[1] ?? '';

const isOddFormat = (found: SchemaError): boolean => found.keyword === 'pattern' && primitiveOf(found) in formats;

const kinds: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'an object',
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
};

const patterns: Readonly<Record<string, string>> = {
  string: 'Must not be empty.',
  markdown: 'Must not be empty.',
  date: 'Not a date: expected YYYY, YYYY-MM or YYYY-MM-DD.',
  dateTime: 'Not a date or time: expected YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone.',
  instant: 'Not an instant: expected YYYY-MM-DDThh:mm:ss with a time zone.',
  time: 'Not a time of day: expected hh:mm:ss.',
  id: 'Not an id: 1 to 64 of letters, digits, - and .',
};

const wordsFor = (found: SchemaError): string => {
  const { keyword, params } = found;
  const primitive = primitiveOf(found);
  switch (keyword) {
    case 'additionalProperties':
      return 'No such element in FHIR R4.';
    case 'required':
      return 'A required element is missing.';
    case 'type':
      return `Must be ${kinds[String(params['type'])] ?? String(params['type'])}.`;
    case 'enum':
      return `Must be one of: ${String(params['allowedValues']).replaceAll(',', ', ')}.`;
    case 'pattern':
      return formats[primitive]
        ? `The value ${formats[primitive]}.`
        : (patterns[primitive] ?? 'Not in the form that FHIR R4 asks for.');
    default:
      return 'Outside of what FHIR R4 allows here.';
  }
};

/** `/name/0/family` → `Patient.name[0].family`. */
const expressionOf = (type: string, { instancePath, params }: SchemaError): string => {
  const child: unknown = params['additionalProperty'] ?? params['missingProperty'];
  const steps = instancePath.split('/').slice(1);
  if (typeof child === 'string') steps.push(escapePointer(child));
  return steps.reduce((path, step) => path + (/^\d+$/.test(step) ? `[${step}]` : `.${elementName(step)}`), type);
};

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** What `_name` holds belongs to the element `name`. A name that is no identifier in FHIRPath stands in backquotes (http://hl7.org/fhirpath/N1/#identifiers). */
const elementName = (step: string): string => {
  const name = step.replaceAll('~1', '/').replaceAll('~0', '~').replace(/^_/, '').slice(0, 64);
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replaceAll(/[`\\]/g, '\\$&')}\``;
};
