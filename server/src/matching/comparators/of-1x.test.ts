import { doubleMetaphone } from 'double-metaphone';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreesOn, textOf } from '../../../test/support/random-pairs.ts';
import { isAgreement, comparatorOf } from './index.ts';
import { metaphoneCode } from './metaphone.ts';
import { measure } from './pairs.fixture.ts';
import { slowMetaphone } from './slow-metaphone.ts';
import { slowDateDamerau } from './slow-references-1x.ts';

const RUNS = Number(process.env['LAW_PAIRS'] ?? 20_000);

describe('measures over shingles', () => {
  // From the README and the tests of tdebatty/java-string-similarity, which OpenCR 1.x's plugins ran.
  it.each([
    ['cosine-similarity', 'abc', 'abce', 3, Math.SQRT1_2],
    ['cosine-similarity', 'abab', 'bab', 2, 3 / Math.sqrt(10)],
    ['cosine-similarity', 'my first string', 'my other string...', 2, 0.516185],
    ['cosine-distance', 'abc', 'abce', 3, 1 - Math.SQRT1_2],
    ['jaccard-similarity', 'abcde', 'abcdf', 2, 0.6],
    ['jaccard-distance', 'abcde', 'abcdf', 2, 0.4],
    ['dice-similarity', 'abcde', 'abcdfg', 2, 6 / 9],
    ['dice-distance', 'abcde', 'abcdfg', 2, 3 / 9],
    ['qgram', 'abcd', 'abce', 2, 2],
    ['qgram', 'abcdef', 'abcxef', 3, 6],
  ])('%s of %s and %s, k = %d, is %d', (name, a, b, k, expected) => {
    expect(measure(name, a, b, { k })).toBeCloseTo(expected, 6);
  });

  it('take three characters where a rule says nothing', () => {
    expect(measure('jaccard-similarity', 'abcde', 'abcdf')).toBe(0.5);
  });

  it('tell two different texts shorter than a shingle apart', () => {
    for (const name of ['cosine-similarity', 'jaccard-similarity', 'dice-similarity']) expect(measure(name, 'li', 'xu')).toBe(0);
    expect(measure('qgram', 'li', 'xu')).toBe(2);
  });
});

describe('measures over the longest common subsequence', () => {
  it.each([
    ['longest-common-subsequence', 'agcat', 'gac', 4],
    ['longest-common-subsequence', 'agcat', 'agct', 1],
    ['longest-common-subsequence', '', 'abc', 3],
    ['longest-common-subsequence', '\u{10400}\u{10401}', '\u{10401}\u{10400}', 2],
    ['metric-lcs', 'abcdefg', 'abcdefhjkl', 0.4],
    ['metric-lcs', 'abdef', 'abdif', 0.2],
    ['normalized-lcs-distance', 'agcat', 'gac', 0.8],
    ['normalized-lcs-distance', 'ab', 'xy', 2],
    ['normalized-lcs-similarity', 'agcat', 'agct', 0.8],
    ['normalized-lcs-similarity', 'ab', 'xy', 0],
  ])('%s of %s and %s is %d', (name, a, b, expected) => {
    expect(measure(name, a, b)).toBeCloseTo(expected, 12);
  });
});

describe('Kondrak’s n-gram distance', () => {
  it.each([
    ['abcd', 'abtuio', 2, 3.5 / 6],
    [
      'adobe creativesuite 5 master collection from cheap 4zp',
      'adobe creativesuite 5 master collection from cheap d1x',
      4,
      1 - 0.97222,
    ],
    ['a', 'b', 2, 1],
    ['a', 'ab', 2, 0.5],
    ['kitten', 'sitting', 1, 3 / 7],
  ])('of %s and %s, n = %d, is %d', (a, b, n, expected) => {
    expect(measure('ngram', a, b, { n })).toBeCloseTo(expected, 5);
  });

  it('takes two characters where a rule says nothing', () => {
    expect(measure('ngram', 'abcd', 'abtuio')).toBeCloseTo(0.583, 3);
  });
});

describe('dateDamerau', () => {
  it.each([
    ['1980-02-03', '1980-02-03', 1],
    ['1980-02-03', '1980-03-02', 0.9],
    ['1980-12-21', '1980-21-12', 0.9],
    ['1981-02-03', '1918-02-03', (5 * 0.6 + 4 + 3) / 12],
    ['1881-02-03', '1918-02-03', 7 / 12],
    ['1980-01-13', '1980-10-13', (5 + 4 * 0.6 + 3) / 12],
    ['1980-01-13', '1980-01-31', (5 + 4 + 3 * 0.6) / 12],
    ['1980-01-13', '1980-01-14', 9 / 12],
    ['1980-02-03', '1981-03-02', 0],
    ['1980', '1980-01-01', 0],
    ['1980-1-1', '1980-01-01', 0],
    ['', '1980-01-01', 0],
    ['null', 'unknown', 0],
  ])('of %s and %s is %d', (a, b, expected) => {
    expect(measure('dateDamerau', a, b)).toBeCloseTo(expected, 12);
  });

  it(`equals a slow reference on ${RUNS} pairs of dates and of texts like dates, beside those of all comparators`, () => {
    const year = fc.constantFrom('1918', '1981', '1980', '2018', '0012', '0021', '198', '19801');
    const part = fc.constantFrom('01', '10', '12', '21', '11', '13', '31', '1', '٠١');
    const date = fc.tuple(year, part, part).map((parts) => parts.join('-'));
    const law = (a: string, b: string): boolean => Math.abs(measure('dateDamerau', a, b) - slowDateDamerau(a, b)) < 1e-12;
    agreesOn(RUNS, fc.tuple(date, date), law);
  });
});

describe('Metaphone', () => {
  // The names that Philips' table gives, and of the tests of npm metaphone, which OpenCR 1.x ran, what keeps to the table.
  it.each(
    Object.entries({
      ...{ Aebersold: 'EBRSLT', Gnagy: 'NJ', Knuth: 'N0', Pniewski: 'NSK', Wright: 'RT', Xiaopeng: 'SPNK', Whalen: 'WLN' },
      ...{ dumb: 'TM', McComb: 'MKKM', Agrippa: 'AKRP', acceptingness: 'AKSPTNKNS', hiccups: 'HKKPS', abandonware: 'ABNTNWR' },
      ...{ knack: 'NK', gnarl: 'NRL', pneumatics: 'NMTKS', aerial: 'ERL', wrestler: 'RSTLR', climb: 'KLM', sci: 'S' },
      ...{ arithmetician: 'AR0MTXN', abroach: 'ABRX', vicious: 'FSS', conspiracy: 'KNSPRS', abject: 'ABJKT', school: 'SKL' },
      ...{ abridge: 'ABRJ', sedgy: 'SJ', grudging: 'KRJNK', arraign: 'ARN', assigned: 'ASNT', agile: 'AJL', allege: 'ALJ' },
      ...{ apology: 'APLJ', young: 'YNK', pharaoh: 'FR', antick: 'ANTK', alphabet: 'ALFBT', aqua: 'AK', abash: 'ABX' },
      ...{ Asia: 'AX', decision: 'TSXN', dalmatian: 'TLMXN', alteration: 'ALTRXN', dispatch: 'TSPX', above: 'ABF' },
      ...{ whale: 'WL', allow: 'AL', Xanthippe: 'SN0P', axe: 'AKS', betrays: 'BTRS', amazed: 'AMST', appearance: 'APRNS' },
      ...{ transition: 'TRNSXN', astronomical: 'ASTRNMKL', buzzard: 'BSRT', wonderer: 'WNTRR', hockey: 'HK', penguin: 'PNKN' },
      ...{ delicious: 'TLSS', Filipowitz: 'FLPWTS', crevalle: 'KRFL', 'kool-aid': 'KLT', ' f o ': 'F', José: 'JS' },
      ...{ Mohammed: 'MHMT', Matthew: 'M0', Ghirmay: 'KRM', light: 'LT', Aggie: 'AK', Maggherty: 'MKRT' },
    }),
  )('%s has the code %s', (name, code) => {
    expect(metaphoneCode(name)).toBe(code);
  });

  it(`equals a walk through Philips’ table on ${RUNS} words`, () => {
    const word = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'aeiouhcgstwdkmnpbyx'), minLength: 1, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'), minLength: 1, maxLength: 12 }),
    );
    fc.assert(
      fc.property(word, (text) => metaphoneCode(text) === slowMetaphone(text)),
      { numRuns: RUNS },
    );
  });
});

describe('Double Metaphone', () => {
  it.each([
    ['smith', 'schmidt', 1],
    ['catherine', 'katherine', 1],
    ['jose', 'hose', 1],
    ['josé', 'jose', 1],
    ['michael', 'michelle', 1],
    ['mary', 'john', 0],
  ])('of %s and %s is %d', (a, b, expected) => {
    expect(measure('double-metaphone', a, b)).toBe(expected);
  });

  it('agrees where any two of the codes of npm double-metaphone are the same and not empty', () => {
    const name = textOf('aehwcgsjtlmnrz', 8);
    agreesOn(5000, fc.tuple(name, name), (a, b) => {
      const shared = doubleMetaphone(a).filter((code) => code !== '' && doubleMetaphone(b).includes(code));
      return measure('double-metaphone', a, b) === Number(a !== '' && b !== '' && (a === b || shared.length > 0));
    });
  });
});

describe.each([
  ['metaphone', 'w', 'wy'],
  ['double-metaphone', 'h', 'hh'],
])('%s', (name, silent, alsoSilent) => {
  it('never agrees for an empty code', () => {
    expect(measure(name, silent, alsoSilent)).toBe(0);
    expect(measure(name, '', silent)).toBe(0);
  });

  it('compares other scripts as they stand, and a mixed name too', () => {
    expect(measure(name, 'መሐመድ', 'መሐመዳ')).toBe(0);
    expect(measure(name, 'ali علي', 'aly علي')).toBe(0);
    expect(measure(name, '0772', '0773')).toBe(0);
  });
});

describe('1.x’s distances and similarities', () => {
  it('agree in the direction that their names say', () => {
    for (const name of ['cosine', 'dice', 'jaccard', 'normalized-lcs']) {
      const agrees = (kind: string, threshold: number): boolean =>
        isAgreement(
          comparatorOf({ comparator: `${name}-${kind}` }),
          measure(`${name}-${kind}`, 'abcdefgh', 'abcdefgx'),
          threshold,
        );
      expect([agrees('similarity', 0.6), agrees('similarity', 0.9)]).toEqual([true, false]);
      expect([agrees('distance', 0.4), agrees('distance', 0.1)]).toEqual([true, false]);
    }
  });
});
