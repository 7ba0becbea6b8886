import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultBodyLimits } from './limits.ts';
import { parseBody } from './parse-json.ts';

const codeOf = (text: string): string => {
  const parsed = parseBody(text);
  return 'code' in parsed ? parsed.code : 'accepted';
};
const wordsOf = (text: string): string => {
  const parsed = parseBody(text);
  return 'issues' in parsed ? (parsed.issues[0]?.diagnostics ?? '') : '';
};

describe('reading a JSON body', () => {
  it('gives what JSON.parse gives, for any JSON without dangerous keys', () => {
    const isPlain = (text: string): boolean => !/__proto__|constructor|prototype/.test(text);
    fc.assert(
      fc.property(fc.json().filter(isPlain), (text) => {
        const parsed = parseBody(text);
        if ('value' in parsed) expect(parsed.value).toEqual(JSON.parse(text));
        else expect(parsed.issues[0]?.diagnostics).toMatch(/surrogate|control|empty/);
      }),
      { numRuns: 500 },
    );
  });

  it('takes no text that JSON.parse does not take', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0aDd8 1tn-'), maxLength: 20 }), (text) => {
        if ('value' in parseBody(text)) expect(() => JSON.parse(text) as unknown).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  it('ignores a byte order mark and blanks around the body', () => {
    expect(parseBody('\ufeff {"a": 1}\n')).toEqual({ value: { a: 1 } });
  });

  it.each([
    ['an empty body', ''],
    ['blanks only', ' \n'],
    ['a cut body', '{"resourceType":"Pat'],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{"a":1} // no'],
    ['two documents', '{}{}'],
    ['a raw line feed in a string', '{"a":"b\nc"}'.replace('\n', '\u0001')],
    ['NaN', '{"a":NaN}'],
    ['single quotes', "{'a':1}"],
    ['closing what is not open', ']'],
    ['a half escape at the end', '{"a":"\\'],
  ])('refuses %s as no JSON', (_what, text) => {
    expect(codeOf(text)).toBe('invalid-json');
  });

  it('names the path of a key that is given twice, however it is escaped', () => {
    expect(wordsOf('{"entry":[{"r":1},{"name":[{"family":"A","fam\\u0069ly":"B"}]}]}')).toBe(
      'A key that is given twice at entry[1].name[0].family.',
    );
    expect(codeOf('{"a":{"x":1},"b":{"x":1}}')).toBe('accepted');
    expect(codeOf('[{"x":1},{"x":1}]')).toBe('accepted');
  });

  it.each(['__proto__', 'constructor', 'prototype', '__pr\\u006fto__'])('refuses the key %s anywhere', (key) => {
    expect(codeOf(`{"a":[{"${key}":{}}]}`)).toBe('invalid-json');
    expect(codeOf(`{"a":"${key}"}`)).toBe('accepted');
  });

  it.each(['\ud800', '\udc00', '\\ud800', '\\udc00', '\\ud800x', '\udc00\ud800', '\\ud800\\ud800\\udc00'])(
    'refuses the lone surrogate %j, raw or escaped',
    (text) => {
      expect(codeOf(`{"a":"${text}"}`)).toBe('invalid-json');
      expect(codeOf(`{"${text}":1}`)).toBe('invalid-json');
    },
  );

  it('takes whole surrogate pairs, also half raw and half escaped', () => {
    expect(parseBody('{"a":"\ud83d\ude00\\ud83d\\ude00\ud83d\\ude00"}')).toEqual({ value: { a: '😀😀😀' } });
  });

  it.each(['\\u0000', '\\b', '\\f', '\\u001f'])('refuses the control character %s in a string', (escape) => {
    expect(codeOf(`{"a":"x${escape}"}`)).toBe('invalid-json');
  });

  it('takes escaped tab, line feed and carriage return', () => {
    expect(parseBody('["\\t\\n\\r\\u0009"]')).toEqual({ value: ['\t\n\r\t'] });
  });

  it('counts nesting, values and characters up to the limit and no further', () => {
    const limits = { ...defaultBodyLimits, maxDepth: 3, maxValues: 5, maxString: 4 };
    expect(parseBody('[[[1]]]', limits)).toHaveProperty('value');
    expect(parseBody('[[[[]]]]', limits)).toHaveProperty('code', 'too-large');
    expect(parseBody('[1,2,3,4]', limits)).toHaveProperty('value');
    expect(parseBody('[1,2,3,4,5]', limits)).toHaveProperty('code', 'too-large');
    expect(parseBody('["\\u0061bcd"]', limits)).toHaveProperty('value');
    expect(parseBody('["abcde"]', limits)).toHaveProperty('code', 'too-large');
    expect(parseBody('{"abcde":1}', limits)).toHaveProperty('code', 'too-large');
  });

  it('is done with 10 MB of anything in well under a second of the processor’s', () => {
    const size = 10_000_000;
    const bodies = [
      '['.repeat(size),
      `{"a":"${'x'.repeat(size)}"}`,
      `[${'1,'.repeat(size / 2)}1]`,
      `[${'"é",'.repeat(size / 4)}1]`,
      'x'.repeat(size),
      `["${'\\u0061'.repeat(size / 6)}"]`,
      ' '.repeat(size),
      `{${Array.from({ length: 150_000 }, (_, index) => `"${'k'.repeat(50)}${index}":1`).join(',')}}`,
    ];
    for (const body of bodies) {
      const began = process.cpuUsage();
      parseBody(body, { ...defaultBodyLimits, maxString: size, maxValues: size });
      // Not by the clock: other tests run beside this one.
      expect(process.cpuUsage(began).user / 1_000).toBeLessThan(1_000);
    }
  });
});
