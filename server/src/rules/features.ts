import type { FeatureSpec, MultiValue } from '../matching/model.ts';
import type { Path } from './complaints.ts';
import { type Domain, inEveryName } from './domains.ts';
import type { Report } from './report.ts';
import type { FilterInput } from './schema.ts';

/** What the author of a rule calls the type of a field, and the normaliser of matching/features that it means. */
export const NORMALISERS: Readonly<Record<string, string>> = {
  string: 'string@1',
  date: 'date@1',
  number: 'number@1',
  boolean: 'boolean@1',
  code: 'code@1',
};

type FeatureInput = Pick<FilterInput, 'fhirpath' | 'path' | 'type' | 'systems' | 'multiple' | 'foldDiacritics'>;

/** What the readers of one file share. */
export interface Reading {
  readonly report: Report;
  /** Names and uris of the configured systems. */
  readonly systems: ReadonlySet<string>;
  /** Domains of identifiers that have several names. */
  readonly domains: readonly Domain[];
  /** Why a text is no FHIRPath expression; undefined where it is one. */
  readonly checkPath: (path: string) => string | undefined;
  /** The features named so far. */
  readonly features: readonly FeatureSpec[];
  /** Index of a feature in the rule set; the same feature has one index. */
  readonly featureIndex: (feature: FeatureSpec) => number;
}

/** Gives each distinct feature its index, in order of first use. */
export function createFeatureList() {
  const features: FeatureSpec[] = [];
  const featureIndex = (feature: FeatureSpec): number => {
    const { path, normaliser, multi } = feature;
    const known = features.findIndex((other) => other.path === path && other.normaliser === normaliser && other.multi === multi);
    return known >= 0 ? known : features.push({ path, normaliser, multi }) - 1;
  };
  return { features, featureIndex };
}

function fhirPath(input: FeatureInput, path: Path, { report, checkPath, domains }: Reading): string {
  const expression = input.fhirpath ?? input.path;
  const at = [...path, input.fhirpath === undefined ? 'path' : 'fhirpath'];
  if (input.fhirpath !== undefined && input.path !== undefined && input.path !== input.fhirpath) {
    report.complain([...path, 'path'], 'differs from fhirpath, which says the same thing');
  }
  if (expression === undefined) {
    report.complain([...path, 'fhirpath'], 'is missing (or path): a FHIRPath expression on a Patient');
    return '';
  }
  const reason = checkPath(expression);
  if (reason !== undefined) report.complain(at, `is not a usable FHIRPath: ${reason}`);
  return inEveryName(expression, domains);
}

function normaliserOf({ type = 'String', foldDiacritics = false }: FeatureInput, path: Path, report: Report): string {
  const normaliser = NORMALISERS[type.toLowerCase()];
  if (normaliser === undefined) report.complain([...path, 'type'], 'must be String, Date, Number, Boolean or Code');
  if (!foldDiacritics) return normaliser ?? '';
  if (normaliser !== 'string@1') report.complain([...path, 'foldDiacritics'], 'is for type String only');
  return 'string-folded@1';
}

function warnOfSystems({ systems = [] }: FeatureInput, path: Path, { report, systems: known }: Reading): void {
  const names = typeof systems === 'string' ? [systems] : systems;
  if (names.length === 0) return;
  const strangers = names.filter((name) => !known.has(name)).map((name) => `"${name}"`);
  const unknown = strangers.length === 0 ? '' : `; not configured: ${strangers.join(', ')}`;
  report.warn([...path, 'systems'], `has no effect, as in OpenCR 1.x${unknown}`);
}

/** The feature of a field or filter, by its index in the rule set. */
export function readFeature(input: FeatureInput, path: Path, reading: Reading): number {
  warnOfSystems(input, path, reading);
  const multi: MultiValue = input.multiple ?? 'join';
  const feature = { path: fhirPath(input, path, reading), normaliser: normaliserOf(input, path, reading.report), multi };
  return reading.featureIndex(feature);
}
