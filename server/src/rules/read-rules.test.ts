import { describe, expect, it } from 'vitest';
import type { Agreement, Comparison } from '../matching/model.ts';
import { normalisers } from '../matching/features/normalise.ts';
import { verdict } from '../matching/score.ts';
import { NORMALISERS } from './features.ts';
import { accepted, family, field, file, given, phone, rule } from './rules.fixture.ts';

/** The one agreement of a comparison that a field is. */
const agreementOf = (comparison: Comparison | undefined): Agreement | undefined => comparison?.levels[0]?.agreements[0];

const only = (input: unknown): Comparison => {
  const comparison = accepted(input).ruleSet.rules[0]?.comparisons[0];
  if (comparison === undefined) throw new Error('no comparison');
  return comparison;
};

describe('the mission’s spelling', () => {
  const mission = {
    rules: {
      givenName: {
        algorithm: 'jaro-winkler',
        threshold: 0.89,
        path: 'name.given',
        type: 'string',
        systems: ['system1', 'openmrs'],
      },
      gender: { algorithm: 'exact', path: 'gender', type: 'String' },
    },
  };

  it('joins its fields by AND: both thresholds stand at the full score', () => {
    const { rules } = accepted(mission).ruleSet;
    expect(rules).toMatchObject([{ kind: 'deterministic', potential: 2, auto: 2, base: 0, filters: [] }]);
    const said = rules[0]?.comparisons.map((comparison) => {
      const { comparator, threshold } = agreementOf(comparison) ?? {};
      return [comparison.name, comparator, threshold];
    });
    expect(said).toEqual([
      ['givenName', 'jaro-winkler-similarity', 0.89],
      ['gender', 'exact', 1],
    ]);
  });

  it('never lets a missing value agree, also where both records lack it', () => {
    const { ruleSet } = accepted(mission);
    expect(verdict(ruleSet, ['ali', 'male'], ['ali', 'male'])).toMatchObject({ class: 'auto', score: 2 });
    expect(verdict(ruleSet, ['ali', ''], ['ali', ''])).toBeNull();
    expect(verdict(ruleSet, ['', 'male'], ['ali', 'male'])).toBeNull();
  });

  it('lets every value of the shorter list match one of the longer, as 1.x’s mediator tool did', () => {
    const { ruleSet } = accepted(mission);
    expect(ruleSet.features[0]).toEqual({ path: 'name.given', normaliser: 'string@1', multi: 'all' });
    expect(verdict(ruleSet, ['ann\u001fmary', 'female'], ['mary', 'female'])?.class).toBe('auto');
    expect(verdict(ruleSet, ['ann\u001fmary', 'female'], ['joan\u001fmary', 'female'])).toBeNull();
  });

  it('reports systems, which no code has ever read, and names those that are not configured', () => {
    expect(accepted(mission).warnings).toEqual([
      'rules.json: rules.givenName.systems: has no effect, as in OpenCR 1.x; not configured: "system1"',
    ]);
  });
});

describe('the seed-era spelling', () => {
  it('is a list of objects whose members are fields, all of which must agree', () => {
    const { ruleSet, warnings } = accepted({ rules: [{ given, family: { ...family, threshold: 0 } }] });
    expect(ruleSet.rules).toMatchObject([
      {
        potential: 2,
        auto: 2,
        comparisons: [{ name: 'given' }, { name: 'family', levels: [{ agreements: [{ threshold: 0 }] }] }],
      },
    ]);
    expect(warnings).toEqual([]);
  });

  it('joins several such objects too, and says so', () => {
    const { ruleSet, warnings } = accepted({ rules: [{ given }, { given: phone }] });
    expect(ruleSet.rules).toMatchObject([{ auto: 2, comparisons: [{ name: 'given (1)' }, { name: 'given (2)' }] }]);
    expect(warnings).toHaveLength(1);
  });
});

describe('the OpenCR 1.x spelling', () => {
  it('reads the default rules of 1.x: six fields, a filter, potential 4 and auto 6', () => {
    const exact = (fhirpath: string) => ({ algorithm: 'exact', fhirpath, espath: 'x', null_handling: 'moderate' });
    const { ruleSet, warnings } = accepted({
      __comments: { anything: ['goes'] },
      rules: [
        {
          matchingType: 'deterministic',
          fields: {
            given: { ...given, null_handling: 'moderate' },
            family: { ...given, threshold: 0.9, fhirpath: 'name.family', null_handling: 'moderate' },
            birthDate: exact('birthDate'),
            phone: exact(phone.fhirpath),
            nationalid: exact("identifier.where(system='n').value"),
            art: exact("identifier.where(system='a').value"),
          },
          filters: { gender: { fhirpath: 'gender', espath: 'gender' } },
          potentialMatchThreshold: 4,
          autoMatchThreshold: 6,
        },
      ],
    });
    expect(warnings).toEqual([]);
    expect(ruleSet.rules).toMatchObject([{ name: 'rule 1', filters: [6], potential: 4, auto: 6 }]);
    const four = ['anna', 'k', '1990', '77', '', '', 'female'];
    expect(verdict(ruleSet, four, four)).toMatchObject({ class: 'potential', score: 4 });
    expect(verdict(ruleSet, four, four.with(6, 'male'))).toBeNull();
    expect(verdict(ruleSet, four.with(6, ''), four.with(6, ''))).toBeNull();
  });

  it('does not add the point that 1.x’s search engine gave rules without filters', () => {
    const { ruleSet } = accepted(file());
    const [a, b] = [
      ['ann', 'king', '1'],
      ['ann', 'king', '2'],
    ];
    expect(verdict(ruleSet, a, b)).toMatchObject({ class: 'potential', score: 2 });
  });

  it('multiplies a deterministic field by its weight', () => {
    expect(only(field({ weight: 2.5 }))).toMatchObject({ levels: [{ weight: 2.5 }], otherwise: 0 });
    expect(only(file())).toMatchObject({ levels: [{ weight: 1 }], otherwise: 0 });
  });

  it('scores probabilistic rules from 100 with log10 of m and u', () => {
    const m = { mValue: 0.9, uValue: 0.01 };
    const { ruleSet } = accepted(
      file({
        matchingType: 'probabilistic',
        fields: { given: { ...given, ...m }, family: { ...family, ...m }, phone: { ...phone, ...m } },
        potentialMatchThreshold: 100,
        autoMatchThreshold: 102,
      }),
    );
    const [comparison] = ruleSet.rules[0]?.comparisons ?? [];
    expect(ruleSet.rules[0]?.base).toBe(100);
    expect(comparison?.levels[0]?.weight).toBeCloseTo(1.954243, 6);
    expect(comparison?.otherwise).toBeCloseTo(-0.995635, 6);
  });

  describe('null handling', () => {
    const of = (nulls: object) => only(field({ weight: 3, ...nulls }));

    it.each([
      ['conservative', 0],
      ['moderate', 0],
      ['greedy', 3],
    ])('%s adds %d for a missing value of weight 3', (handling, adds) => {
      expect(of({ null_handling: handling })).toMatchObject({ oneMissing: adds, bothMissing: adds });
      expect(of({ nullHandling: handling })).toMatchObject({ oneMissing: adds, bothMissing: adds });
    });

    it('unset, compares the empty text like any other', () => {
      expect(of({})).toMatchObject({ oneMissing: 'compare', bothMissing: 'compare' });
    });

    it('has a word of its own for two missing values, in both spellings', () => {
      expect(of({ null_handling: 'moderate', null_handling_both: 'greedy' })).toMatchObject({ oneMissing: 0, bothMissing: 3 });
      expect(of({ nullHandlingBothFields: 'greedy' })).toMatchObject({ oneMissing: 'compare', bothMissing: 3 });
    });

    it('of a rule holds for its fields unless a field has its own', () => {
      const rules = accepted(
        file({ null_handling: 'greedy', fields: { given, family: { ...family, nullHandling: 'moderate' } } }),
      ).ruleSet.rules;
      expect(rules[0]?.comparisons.map(({ oneMissing }) => oneMissing)).toEqual([1, 0]);
    });

    it('conservative counts against a match in a probabilistic rule', () => {
      const m = { mValue: 0.9, uValue: 0.1, null_handling: 'conservative' };
      const comparison = only(
        file({
          matchingType: 'probabilistic',
          fields: { given: { ...given, ...m } },
          potentialMatchThreshold: 100,
          autoMatchThreshold: 100.5,
        }),
      );
      expect(comparison.oneMissing).toBe(comparison.otherwise);
      expect(comparison.otherwise).toBeLessThan(0);
    });
  });

  it('keeps several rules in their order, and shares their features', () => {
    const { ruleSet } = accepted({
      rules: [rule(), rule({ name: 'by phone', fields: { phone }, potentialMatchThreshold: 1, autoMatchThreshold: 1 })],
    });
    expect(ruleSet.features).toHaveLength(3);
    expect(ruleSet.rules.map(({ name, comparisons }) => [name, comparisons.map(({ features: [feature] }) => feature)])).toEqual([
      ['rule 1', [0, 1, 2]],
      ['by phone', [2]],
    ]);
  });
});

describe('a field', () => {
  it.each([
    ['string', {}, 'string@1'],
    ['String', { foldDiacritics: true }, 'string-folded@1'],
    ['DATE', {}, 'date@1'],
    ['Number', {}, 'number@1'],
    ['boolean', {}, 'boolean@1'],
    ['Code', {}, 'code@1'],
  ])('of type %s with %j is normalised by %s', (type, extra, normaliser) => {
    expect(accepted(field({ type, ...extra })).ruleSet.features[0]?.normaliser).toBe(normaliser);
  });

  it('is normalised by nothing that the engine does not have', () => {
    expect([...Object.values(NORMALISERS), 'string-folded@1'].filter((name) => !normalisers.has(name))).toEqual([]);
  });

  it('joins several values unless it says all or any', () => {
    expect(accepted(file()).ruleSet.features[0]?.multi).toBe('join');
    expect(accepted(field({ multiple: 'any' })).ruleSet.features[0]?.multi).toBe('any');
  });

  it.each(['exact', 'soundex', 'metaphone', 'double-metaphone'])(
    'needs no threshold for %s, which says yes or no',
    (algorithm) => {
      expect(agreementOf(only(field({ algorithm, threshold: undefined })))).toMatchObject({
        comparator: algorithm,
        threshold: 1,
      });
    },
  );

  it('sets parameters of its comparator', () => {
    expect(agreementOf(only(field({ parameters: { boostThreshold: 0.7 } })))?.parameters).toEqual({ boostThreshold: 0.7 });
  });
});

describe('the version', () => {
  it('is the same however the file is laid out, and another when anything that matters changes', () => {
    const version = (input: unknown) => accepted(input).ruleSet.version;
    const turned = { rules: [Object.fromEntries(Object.entries(rule()).reverse())], __comments: 'x' };
    expect(version(turned)).toBe(version(file()));
    const others = [
      field({ threshold: 0.81 }),
      field({ type: 'Code' }),
      file({ autoMatchThreshold: 2.5 }),
      { ...file(), limits: { maxGroup: 9 } },
    ];
    expect(new Set([file(), ...others].map(version)).size).toBe(5);
  });

  it('holds the limits, of which a file may set some', () => {
    expect(accepted({ ...file(), limits: { maxGroup: 9 } }).ruleSet.limits).toEqual({
      maxGroup: 9,
      maxComponent: 1000,
      cohesion: 1 / 3,
      maxCandidates: 1000,
    });
  });
});
