import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { Patient } from './r4.ts';
import { walkedPath } from './walked-paths.ts';

/** The values that one path finds in a Patient, as text, in document order. */
type Extract = (patient: Patient) => string[];

/**
 * Compiles FHIRPath expressions once; the function gives, for each path, the texts it finds in a Patient. Numbers and
 * booleans become text, what is no single value (a whole name, a quantity) is left out. An expression that fails on odd
 * data finds nothing there. Paths are to have passed `checkPath`; a syntax error throws.
 */
export const compilePaths = (paths: readonly string[]): ((patient: Patient) => string[][]) => {
  const extracts = paths.map((path) => fastPath(path) ?? fullPath(path));
  return (patient) => extracts.map((extract) => extract(patient));
};

const fastPath = (path: string): Extract | undefined => {
  const walk = walkedPath(path);
  return walk && ((patient) => walk(patient).flatMap(textOf));
};

const fullPath = (path: string): Extract => {
  // The engine's own trace writes values to the log.
  const evaluate = fhirpath.compile(path, r4, { traceFn: () => undefined, resolveInternalTypes: true });
  return (patient) => {
    try {
      return [evaluate(patient)].flat().flatMap(textOf);
    } catch {
      return [];
    }
  };
};

const textOf = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? [String(value)] : [];
};

/** Functions whose answer is not in the Patient: the clock, other servers, the log. */
const impure = new Set([
  'now',
  'today',
  'timeOfDay',
  'resolve',
  'memberOf',
  'subsumes',
  'subsumedBy',
  'validateVS',
  'trace',
  'conformsTo',
  'weight',
  'ordinal',
]);

/**
 * What is wrong with a path in a decision rule, in words, or undefined: syntax, functions that do not exist or whose
 * answer is not in the Patient alone, and elements that no R4 Patient has (a misspelt path would silently never match).
 */
export const checkPath = (path: string): string | undefined => {
  const outside = functionsIn(path).find((name) => impure.has(name));
  if (outside !== undefined) return `${outside}() depends on more than the Patient, so its value cannot be stored.`;
  const unknown = unknownElement(path);
  if (unknown !== undefined) return unknown;
  try {
    fhirpath.compile(path, r4, { traceFn: () => undefined })(fullPatient);
    return undefined;
  } catch (thrown) {
    // The engine's own faults say nothing of the path.
    if (!(thrown instanceof Error) || thrown instanceof TypeError) return 'it cannot be read as a FHIRPath expression.';
    return thrown.message.split('\n')[0] ?? thrown.message;
  }
};

/** Names followed by a bracket, outside of string literals. */
const functionsIn = (path: string): readonly string[] =>
  [...path.replaceAll(/'(?:[^'\\]|\\.)*'/g, "''").matchAll(/([A-Za-z]\w*)\s*\(/g)].map(([, name]) => name ?? '');

/** Follows the names at the start of the path, up to the first function, through the R4 model. */
const unknownElement = (path: string): string | undefined => {
  const steps =
    /^\s*((?:[A-Za-z]\w*)(?:\s*\.\s*[A-Za-z]\w*)*)(?!\w|\s*\()/
      .exec(path.replace(/\.\s*\w+\s*\(.*$/s, ''))?.[1]
      ?.split(/\s*\.\s*/) ?? [];
  if (steps[0] === 'Patient') steps.shift();
  let type = 'Patient';
  for (const step of steps) {
    const at = `${type}.${step}`;
    const next = modelType(at);
    if (next === undefined) return `${at} is not an element of FHIR R4.`;
    type = next;
  }
  return undefined;
};

/** The type at `HumanName.family`; the type's own path for a part of a resource (`Patient.contact`). */
const modelType = (at: string): string | undefined => {
  const found: unknown = r4.path2Type[at];
  if (at in r4.choiceTypePaths) return 'Element';
  if (typeof found !== 'string') return inherited(at);
  return found === 'BackboneElement' ? at : found;
};

/** `id` and `extension` are those of the parent type. */
const inherited = (at: string): string | undefined => {
  const [type = '', step = ''] = at.split('.');
  const parent: unknown = r4.type2Parent[type];
  return typeof parent === 'string' ? modelType(`${parent}.${step}`) : undefined;
};

/** Every kind of element once, so that each function of a path under test gets something to work on. */
const fullPatient: Patient = {
  resourceType: 'Patient',
  active: true,
  identifier: [{ use: 'official', system: 'urn:example', value: '1', period: { start: '2001' } }],
  name: [{ use: 'official', text: 'A B', family: 'B', given: ['A'] }],
  telecom: [{ system: 'phone', value: '1', use: 'mobile' }],
  gender: 'female',
  birthDate: '1974-12-25',
  address: [{ text: 'C', line: ['D'], city: 'E', district: 'F', state: 'G', postalCode: '1', country: 'H' }],
  extension: [{ url: 'urn:example', valueString: 'x' }],
};
