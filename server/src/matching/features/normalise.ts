import { VALUE_SEPARATOR, type FeatureSpec } from '../model.ts';
import { asciiDigits, cut, MAX_VALUE_LENGTH, normaliseText, withoutDiacritics } from './text.ts';

/** Several values of one feature, all together: as many as fit into so many UTF-16 units. */
export const MAX_VALUES_LENGTH = 4 * MAX_VALUE_LENGTH;

const foldedText = (raw: string): string => cut(withoutDiacritics(normaliseText(raw)), MAX_VALUE_LENGTH).trim();

/** Letters and digits only, so that blanks, dashes and slashes in telephone and card numbers do not count. */
const code = (raw: string): string => asciiDigits(normaliseText(raw)).replace(/[^\p{L}\p{M}\p{N}]/gu, '');

const daysIn = (year: number, month: number): number => {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
};

// FHIR R4 date and dateTime, https://hl7.org/fhir/R4/datatypes.html#dateTime, after case folding.
const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:t.*)?)?)?$/;

/** YYYY, YYYY-MM or YYYY-MM-DD as written (a dateTime's day, in its own time zone); anything else as text. */
const date = (raw: string): string => {
  const text = asciiDigits(normaliseText(raw));
  const [, year = '', month = '01', day = '01'] = DATE.exec(text) ?? [];
  const valid = year !== '' && +month >= 1 && +month <= 12 && +day >= 1 && +day <= daysIn(+year, +month);
  return valid ? text.replace(/t.*/, '') : text;
};

/** One spelling of each number, by its digits: a number of thirty digits loses none. */
const number = (raw: string): string => {
  const text = asciiDigits(normaliseText(raw));
  const [, sign = '', whole = '', fraction = ''] = /^([+-]?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  if (whole === '') return text;
  const size = fraction === '' ? whole : `${whole}.${fraction}`;
  return sign === '-' && size !== '0' ? `-${size}` : size;
};

const TRUTHS: ReadonlyMap<string, string> = new Map([
  ['1', 'true'],
  ['yes', 'true'],
  ['0', 'false'],
  ['no', 'false'],
]);

const boolean = (raw: string): string => {
  const text = normaliseText(raw);
  return TRUTHS.get(text) ?? text;
};

/** By name and version: stored values name their normaliser, so one that works otherwise needs another version. */
export const normalisers: ReadonlyMap<string, (raw: string) => string> = new Map([
  ['string@1', normaliseText],
  ['string-folded@1', foldedText],
  ['date@1', date],
  ['number@1', number],
  ['boolean@1', boolean],
  ['code@1', code],
]);

/** Distinct values in an order of their own, so that the order in which a Patient lists them does not count. */
const distinct = (values: readonly string[]): string => {
  const kept: string[] = [];
  let length = 0;
  for (const value of [...new Set(values)].sort()) {
    length += value.length + 1;
    if (length > MAX_VALUES_LENGTH) break;
    kept.push(value);
  }
  return kept.join(VALUE_SEPARATOR);
};

/**
 * The value of a feature in one record: its raw values normalised, empty ones left out, then joined by a blank in the
 * given order (`join`, as OpenCR 1.x did) or kept apart by U+001F (`all`, `any`). '' where there is none.
 */
export const featureValue = (spec: FeatureSpec, rawValues: readonly string[]): string => {
  const normalise = normalisers.get(spec.normaliser);
  if (normalise === undefined) throw new Error(`no normaliser is called ${spec.normaliser}`);
  const values = rawValues.map(normalise).filter((value) => value !== '');
  return spec.multi === 'join' ? cut(values.join(' '), MAX_VALUE_LENGTH).trimEnd() : distinct(values);
};
