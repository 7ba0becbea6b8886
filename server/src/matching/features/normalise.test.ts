import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VALUE_SEPARATOR, type FeatureSpec, type MultiValue } from '../model.ts';
import { featureValue, MAX_VALUES_LENGTH, normalisers } from './normalise.ts';
import { MAX_VALUE_LENGTH } from './text.ts';

const normalise = (name: string, raw: string): string => {
  const normaliser = normalisers.get(name);
  if (normaliser === undefined) throw new Error(name);
  return normaliser(raw);
};

const spec = (normaliser: string, multi: MultiValue): FeatureSpec => ({ path: 'Patient.name.given', normaliser, multi });

describe('one value has one normalised form', () => {
  it.each([
    ['string@1', '  Emanuel \t Joshua\n', 'emanuel joshua'],
    ['string@1', 'Jose\u0301', 'jos\u00e9'],
    ['string@1', 'STRASSE', 'strasse'],
    ['string@1', 'Straße', 'strasse'],
    ['string@1', 'STRAẞE', 'strasse'],
    ['string@1', 'ΝΙΚΟΣ', 'νικοσ'],
    ['string@1', 'Νίκος', 'νίκοσ'],
    ['string@1', 'İstanbul', 'istanbul'],
    ['string@1', 'ISPARTA', 'isparta'],
    ['string@1', 'Isparta', 'isparta'],
    ['string@1', 'ısparta', 'isparta'],
    ['string@1', 'ﬁlip', 'filip'],
    ['string@1', 'Ｆｕｌｌ', 'full'],
    ['string@1', 'a\u00a0\u3000b', 'a b'],
    ['string@1', 'a\u0000\u001fb\u200d\ufeff\ud800', 'ab'],
    ['string@1', 'a\u0085b', 'a b'],
    ['string@1', 'መሐመድ', 'መሐመድ'],
    ['string@1', 'अमित', 'अमित'],
    ['string@1', ' \u0001 ', ''],
    ['string-folded@1', 'Émile Ångström', 'emile angstrom'],
    ['string-folded@1', 'Søren Łukasz Đức', 'soren lukasz duc'],
    ['string-folded@1', 'أَحْمَد', 'احمد'],
    ['string-folded@1', 'अमित', 'अमित'],
    ['string-folded@1', 'ガ', 'ガ'],
    ['date@1', '1990-02-28', '1990-02-28'],
    ['date@1', '1990', '1990'],
    ['date@1', '1990-02', '1990-02'],
    ['date@1', '1990-02-28T23:59:59+03:00', '1990-02-28'],
    ['date@1', '2000-02-29T00:00:00Z', '2000-02-29'],
    ['date@1', '1900-02-29T00:00:00Z', '1900-02-29t00:00:00z'],
    ['date@1', '1990-13-45', '1990-13-45'],
    ['date@1', '١٩٩٠-٠٢-٢٨', '1990-02-28'],
    ['date@1', ' About 1990 ', 'about 1990'],
    ['number@1', '007', '7'],
    ['number@1', '+1.50', '1.5'],
    ['number@1', '-0.0', '0'],
    ['number@1', '000', '0'],
    ['number@1', '123456789012345678901234567890', '123456789012345678901234567890'],
    ['number@1', '1,5', '1,5'],
    ['boolean@1', ' TRUE', 'true'],
    ['boolean@1', '0', 'false'],
    ['boolean@1', 'Yes', 'true'],
    ['boolean@1', 'perhaps', 'perhaps'],
    ['code@1', ' 0678-561 60 ', '067856160'],
    ['code@1', 'CM/12-ab', 'cm12ab'],
    ['code@1', '०७७२', '0772'],
    ['code@1', '--', ''],
  ])('%s makes %j into %j', (name, raw, expected) => {
    expect(normalise(name, raw)).toBe(expected);
  });

  it('every code point, alone and after a letter, is normalised as its capital and its small letter are, once for all', () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code);
      const once = normalise('string@1', `x${character}`);
      if (normalise('string@1', once) !== once) expect.fail(`U+${code.toString(16)} is not stable`);
      if (normalise('string@1', `x${character.toUpperCase()}`) !== once)
        expect.fail(`U+${code.toString(16)} and its capital differ`);
      if (normalise('string@1', `x${character.toLowerCase()}`) !== once)
        expect.fail(`U+${code.toString(16)} and its small letter differ`);
    }
  });

  it.each([...normalisers.keys()])('%s is idempotent, short, and free of controls', (name) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (raw) => {
        const value = normalise(name, raw);
        expect(normalise(name, value)).toBe(value);
        expect([...value].length).toBeLessThanOrEqual(MAX_VALUE_LENGTH);
        expect(value).toBe(value.trim());
        expect(value).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }),
    );
  });

  it('composed and decomposed writings are one value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (raw) => {
        expect(normalise('string@1', raw.normalize('NFD'))).toBe(normalise('string@1', raw.normalize('NFC')));
      }),
    );
  });

  it('a value of a megabyte is cut, whole characters only, at once', () => {
    for (const name of normalisers.keys()) {
      expect(normalise(name, '\u{10400}'.repeat(500_000))).toBe('\u{10428}'.repeat(MAX_VALUE_LENGTH));
    }
    expect(normalise('string@1', `${' '.repeat(1_000_000)}anna`)).toBe('anna');
  });
});

describe('several values of a feature', () => {
  it('are joined by one blank in the given order, as OpenCR 1.x did', () => {
    expect(featureValue(spec('string@1', 'join'), ['Joshua ', '', 'Emanuel'])).toBe('joshua emanuel');
  });

  it.each(['all', 'any'] as const)(
    'are kept apart for `%s`: each once, in an order that does not depend on the given one',
    (multi) => {
      const values = ['0772 1', '0671', ' ', '07721'];
      expect(featureValue(spec('code@1', multi), values)).toBe(`0671${VALUE_SEPARATOR}07721`);
      expect(featureValue(spec('code@1', multi), values.toReversed())).toBe(featureValue(spec('code@1', multi), values));
    },
  );

  it.each(['join', 'all', 'any'] as const)('none at all is a missing value (%s)', (multi) => {
    expect(featureValue(spec('string@1', multi), [])).toBe('');
    expect(featureValue(spec('string@1', multi), [' ', '\u001f'])).toBe('');
  });

  it('stay within their limit together', () => {
    const many = Array.from({ length: 5000 }, (_, i) => `name${i}`);
    expect(featureValue(spec('string@1', 'any'), many).length).toBeLessThanOrEqual(MAX_VALUES_LENGTH);
    expect(featureValue(spec('string@1', 'join'), many).length).toBeLessThanOrEqual(MAX_VALUE_LENGTH);
  });

  it('of an unknown normaliser are refused', () => {
    expect(() => featureValue(spec('string@9', 'join'), ['a'])).toThrow('string@9');
  });
});
