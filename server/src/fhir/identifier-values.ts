import { damm, gtin, luhn, mod11_10, mod11_2, mod37_2, mod37_36, mod97_10, verhoeff } from 'cdigit';
import { RE2JS } from 're2js';
import type { AssigningAuthority, CheckDigit } from '../domain/authorities.ts';

/*
 * The form of an identifier's value. Formats are regular expressions of RE2: the usual syntax without what takes more than
 * linear time (look-around, back-references), so that no format and no value that a client sends can hold the server up.
 */

/** UTF-16 units of a format, and of a value that has one. */
const LONGEST = 256;

const ALGORITHMS = {
  luhn,
  verhoeff,
  damm,
  gtin,
  'mod11-2': mod11_2,
  'mod11-10': mod11_10,
  'mod37-2': mod37_2,
  'mod37-36': mod37_36,
  'mod97-10': mod97_10,
} as const satisfies Record<CheckDigit, unknown>;

const compiled = (format: string): RE2JS | undefined => {
  try {
    return format.length > LONGEST ? undefined : RE2JS.compile(format);
  } catch {
    // What it throws says which syntax it is, and quotes the pattern.
    return undefined;
  }
};

export const isFormat = (format: string): boolean => compiled(format) !== undefined;

/** Letters that the algorithm does not know (a dash, a blank) count for nothing; none that it knows is wrong. */
const hasCheckDigit = (checkDigit: CheckDigit, value: string): boolean => {
  try {
    return ALGORITHMS[checkDigit].validate(value);
  } catch {
    return false;
  }
};

/** What is wrong with a value, in words; undefined where nothing is. */
export type ValueCheck = (value: string) => string | undefined;

/** Checks the values of an authority; undefined where it asks for no form. @throws where its format is none (`isFormat`). */
export function valueCheck({ format, checkDigit }: Pick<AssigningAuthority, 'format' | 'checkDigit'>): ValueCheck | undefined {
  if (format === null && checkDigit === null) return undefined;
  const pattern = format === null ? null : compiled(format);
  if (pattern === undefined) throw new Error('the format of an authority is no regular expression');
  return (value) => {
    if (value.length > LONGEST || pattern?.matches(value) === false) return 'its value has not the form of its system';
    if (checkDigit !== null && !hasCheckDigit(checkDigit, value)) return 'the check digit of its value is wrong';
    return undefined;
  };
}
