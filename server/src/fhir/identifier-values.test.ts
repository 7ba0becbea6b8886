import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHECK_DIGITS, type CheckDigit } from '../domain/authorities.ts';
import { isFormat, valueCheck } from './identifier-values.ts';

describe('a check digit', () => {
  /** Published examples: ISO/IEC 7064 (ORCID, ISNI, IBAN), ISO/IEC 7812, Verhoeff and Damm as their papers have them. */
  it.each<readonly [CheckDigit, string, string]>([
    ['luhn', '79927398713', '79927398710'],
    ['verhoeff', '2363', '2364'],
    ['damm', '5724', '5727'],
    ['gtin', '4006381333931', '4006381333932'],
    ['mod11-2', '0000-0002-1825-0097', '0000-0002-1825-0098'],
    ['mod11-10', '07945', '07946'],
    ['mod37-2', 'G123498654321H', 'G123498654321I'],
    ['mod37-36', 'A12425GABC1234002M', 'A12425GABC1234002N'],
    ['mod97-10', '79444', '79445'],
  ])('of %s: %s is right, %s wrong', (checkDigit, right, wrong) => {
    const check = valueCheck({ format: null, checkDigit });
    expect([check?.(right), check?.(wrong)]).toEqual([undefined, 'the check digit of its value is wrong']);
  });

  it('of any text is right or wrong, never a failure', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHECK_DIGITS), fc.string({ unit: 'grapheme' }), (checkDigit, value) => {
        expect(['string', 'undefined']).toContain(typeof valueCheck({ format: null, checkDigit })?.(value));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a format', () => {
  it('is met by a whole value', () => {
    const check = valueCheck({ format: '[A-Z]{2}\\d{3}', checkDigit: null });
    const verdicts = ['AB123', 'AB1234', 'xAB123', 'AB123\n', ''].map((value) => check?.(value) === undefined);
    expect(verdicts).toEqual([true, false, false, false, false]);
    expect(valueCheck({ format: null, checkDigit: null })).toBeUndefined();
  });

  it('is one whose time is linear, and short', () => {
    expect(['a+', '(a|b)*c', '^\\d{4}$'].every(isFormat)).toBe(true);
    expect(['(?=a)b', '(a)\\1', '(', 'x'.repeat(257)].some(isFormat)).toBe(false);
    const began = performance.now();
    expect(valueCheck({ format: '(a+)+$', checkDigit: null })?.(`${'a'.repeat(200)}b`)).toBeDefined();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
