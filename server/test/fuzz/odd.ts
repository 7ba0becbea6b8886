/** Values that are odd, and values that are no values at all: what a careless or a hostile sender puts anywhere. */
import fc from 'fast-check';

/** Dates of every shape: whole, in parts, impossible, in other calendars' digits, of other standards. */
export const dateText = fc.oneof(
  fc.constantFrom(
    ...[
      '1990',
      '1990-05',
      '1990-05-01',
      '0000',
      '0000-00-00',
      '9999-12-31',
      '2024-02-30',
      '2023-02-29',
      '2024-13-01',
      '1990-5-1',
    ],
    ...['2026-03-01T12:00:00Z', '2026-03-01T24:00:00Z', '2026-06-30T23:59:60Z', '2026-03-01T12:00:00+14:00', '2026-03-01T12:00'],
    ...[
      '9999-12-31T23:59:59.999-14:00',
      '0000-01-01T00:00:00+14:00',
      '2026-03-01T12:00:00.123456789Z',
      '2026-03-01T25:61:61+99:99',
    ],
    ...[
      '+010000-01-01',
      '-0001-01-01',
      '19900501',
      '01/05/1990',
      '1990-W18-2',
      '1990-121',
      '١٩٩٠-٠٥-٠١',
      '１９９０',
      'today',
      'T12:00',
    ],
  ),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc
    .date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('2030-01-01') })
    .map((date) => date.toISOString().slice(0, 10)),
);

export const oddText = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\t',
      '\n',
      '\r\n',
      '\u0000',
      '\u0007',
      '\u007f',
      '\u0085',
      '\u00a0',
      '\u2028',
      '\ufeff',
      '\ufffe',
      '\uffff',
      '\ufffd',
    ],
    ...[
      '\ud83d',
      '\ude00',
      '\ude00\ud83d',
      '\ud83d\ude00',
      '\u202eabc',
      '\u200b',
      'a\u0301',
      'İi',
      'ß',
      'ﬁ',
      'ẞ',
      'ΑΣ',
      'አማርኛ',
      '李小龍',
      'ญญ่',
    ],
    ...[
      "'; DROP TABLE record; --",
      '" OR 1=1',
      '*',
      'a* OR b',
      'NEAR(a b)',
      '<script>',
      ']]>',
      '&amp;',
      '&#0;',
      '{{x}}',
      '${x}',
      '../..',
      '%00',
      '%',
    ],
    ...[
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'null',
      'undefined',
      'NaN',
      'true',
      '0',
      '-1',
      'a|b',
      'a,b',
      '\\',
      '\\,',
      '|',
      '||',
      ',',
    ],
    ...['x'.repeat(4_001), 'é\u0301'.repeat(600), '\u0301'.repeat(300), '😀'.repeat(200), 'a '.repeat(500), ','.repeat(600)],
  ),
  fc.string({ unit: 'binary', maxLength: 24 }),
  fc.string({ unit: 'grapheme', maxLength: 24 }),
  dateText,
);

/** Stands in a value for a number as it is to be written, which JavaScript would write otherwise: `"#1e400#"` becomes `1e400`. */
const token = (text: string): string => `#${text}#`;

const oddNumber = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21, 1e308, 5e-324),
  fc
    .constantFrom(
      '1e400',
      '-1e400',
      '9'.repeat(400),
      `0.${'3'.repeat(400)}`,
      '-0',
      '1E5',
      '1.0',
      '01',
      '+1',
      '.5',
      '1.',
      'NaN',
      'Infinity',
      '0x10',
      '1_000',
    )
    .map(token),
  fc.double(),
  fc.integer(),
);

/** Any JSON value, small. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: oddText },
  { weight: 2, arbitrary: oddNumber },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      null,
      true,
      false,
      [],
      {},
      [[]],
      [null],
      [{}],
      { extension: [] },
      { resourceType: 'Patient' },
      { value: 'x' },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.array(oddText, { maxLength: 3 }) },
);

/** JSON text of a value, with its tokens as they are to be written. */
export const jsonText = (value: unknown): string =>
  ((JSON.stringify(value) as string | undefined) ?? '').replaceAll(/"#([^"#\\]*)#"/g, '$1');
