import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accepted, complaintsAbout, family, field, file, given, phone, read, rule } from './rules.fixture.ts';

const wrong: readonly (readonly [what: string, input: unknown, complaint: string])[] = [
  ['no object', [], 'rules.json: must be an object'],
  ['no rules', {}, 'rules: is missing'],
  ['rules of another type', { rules: 'x' }, 'rules: must be a list of rules or an object of fields'],
  ['an empty list', { rules: [] }, 'rules: must not be empty'],
  ['an empty object', { rules: {} }, 'rules: must not be empty'],
  ['a rule that is none', { rules: [rule(), 5] }, 'rules[1]: must be an object'],
  ['a misspelt section', { rule: [], ...file() }, 'rule: is not known; did you mean "rules"?'],
  [
    'a misspelt key of a rule',
    file({ autoMatchTreshold: 3 }),
    'rules[0].autoMatchTreshold: is not known; did you mean "autoMatchThreshold"?',
  ],
  ['no matchingType', file({ matchingType: undefined }), 'rules[0].matchingType: is missing'],
  ['another matchingType', file({ matchingType: 'fuzzy' }), 'rules[0].matchingType: must be "deterministic" or "probabilistic"'],
  ['no fields', file({ fields: {} }), 'rules[0].fields: must name at least one field'],
  ['fields as a list', file({ fields: [given] }), 'rules[0].fields: must be an object'],
  ['a field that is none', file({ fields: { given: 'exact' } }), 'rules[0].fields.given: must be an object'],
  ['no potential threshold', file({ potentialMatchThreshold: undefined }), 'rules[0].potentialMatchThreshold: is missing'],
  ['no auto threshold', file({ autoMatchThreshold: undefined }), 'rules[0].autoMatchThreshold: is missing'],
  ['a threshold as text', file({ autoMatchThreshold: '3' }), 'rules[0].autoMatchThreshold: must be a number'],
  [
    'auto below potential',
    file({ autoMatchThreshold: 1 }),
    'rules[0].autoMatchThreshold: must be at least potentialMatchThreshold',
  ],
  [
    'a potential threshold that all reach',
    file({ potentialMatchThreshold: 0 }),
    'must be greater than 0, which every two records reach',
  ],
  [
    'a potential threshold out of reach',
    file({ potentialMatchThreshold: 4, autoMatchThreshold: 4 }),
    'must be at most 3, the most that the fields can add up to (OpenCR 1.x added 1',
  ],
  ['no algorithm', field({ algorithm: undefined }), 'rules[0].fields.given.algorithm: is missing'],
  ['an unknown algorithm', field({ algorithm: 'levenstein' }), 'did you mean "levenshtein"? There are exact,'],
  [
    '1.x’s phonetic',
    field({ algorithm: 'phonetic' }),
    'rules[0].fields.given.algorithm: "phonetic" needs the search engine of OpenCR 1.x; "metaphone" is served',
  ],
  [
    'no threshold for a similarity',
    field({ threshold: undefined }),
    'rules[0].fields.given.threshold: is missing: jaro-winkler-similarity agrees at a similarity from it',
  ],
  [
    'no threshold for a distance',
    field({ algorithm: 'levenshtein', threshold: undefined }),
    'levenshtein agrees at a distance up to it',
  ],
  ['a similarity from 0', field({ threshold: 0 }), 'lets every two values agree'],
  ['a similarity past 1', field({ threshold: 8 }), 'rules[0].fields.given.threshold: must be at most 1'],
  ['a negative distance', field({ algorithm: 'levenshtein', threshold: -1 }), 'must be at least 0'],
  ['a normalised distance up to 1', field({ algorithm: 'jaro-winkler-distance', threshold: 1 }), 'lets every two values agree'],
  ['no weight to speak of', field({ weight: 0 }), 'rules[0].fields.given.weight: must be greater than 0'],
  ['no path', field({ fhirpath: undefined }), 'rules[0].fields.given.fhirpath: is missing (or path)'],
  ['two paths', field({ path: 'name.family' }), 'rules[0].fields.given.path: differs from fhirpath'],
  ['a path that is no FHIRPath', field({ fhirpath: 'name.where((' }), 'rules[0].fields.given.fhirpath: is not a usable FHIRPath'],
  ['another type', field({ type: 'Integer' }), 'rules[0].fields.given.type: must be String, Date, Number, Boolean or Code'],
  ['folding a date', field({ type: 'Date', foldDiacritics: true }), 'foldDiacritics: is for type String only'],
  [
    'another way with several values',
    field({ multiple: 'some' }),
    'rules[0].fields.given.multiple: must be "join" or "all" or "any"',
  ],
  [
    'another null handling',
    field({ null_handling: 'generous' }),
    'null_handling: must be "conservative" or "moderate" or "greedy"',
  ],
  ['two null handlings', field({ null_handling: 'greedy', nullHandling: 'moderate' }), 'nullHandling: contradicts null_handling'],
  [
    'two null handlings of a rule',
    file({ null_handling_both: 'greedy', nullHandlingBothFields: 'moderate' }),
    'rules[0].nullHandlingBothFields: contradicts',
  ],
  ['an unknown parameter', field({ parameters: { boost: 1 } }), 'parameters.boost: is no parameter of jaro-winkler-similarity'],
  [
    'half a character',
    field({ algorithm: 'qgram', threshold: 2, parameters: { k: 2.5 } }),
    'parameters.k: must be a whole number',
  ],
  ['a parameter out of range', field({ parameters: { boostThreshold: 2 } }), 'parameters.boostThreshold: must be from 0 to 1'],
  ['a probabilistic rule without m', file({ matchingType: 'probabilistic' }), 'rules[0].fields.given.mValue: is missing'],
  [
    'u of nothing',
    file({ matchingType: 'probabilistic', fields: { given: { ...given, mValue: 0.9, uValue: 0 } } }),
    'uValue: must be between 0 and 1',
  ],
  [
    'm below u',
    file({ matchingType: 'probabilistic', fields: { given: { ...given, mValue: 0.1, uValue: 0.9 } } }),
    'mValue: must be greater than uValue',
  ],
  ['a filter without path', file({ filters: { gender: { espath: 'gender' } } }), 'rules[0].filters.gender.fhirpath: is missing'],
  ['a weight in the mission’s spelling', { rules: { given: { ...given, weight: 2 } } }, 'rules.given.weight: is not known'],
  ['a group of one', { ...file(), limits: { maxGroup: 1 } }, 'limits.maxGroup: must be at least 2'],
  ['a share past 1', { ...file(), limits: { cohesion: 2 } }, 'limits.cohesion: must be at most 1'],
  [
    'a limit of another name',
    { ...file(), limits: { maxGroups: 9 } },
    'limits.maxGroups: is not known; did you mean "maxGroup"?',
  ],
  [
    'a field with an odd name',
    file({ fields: { 'given name': { ...given, algorithm: 'x' } } }),
    'rules[0].fields["given name"].algorithm',
  ],
];

describe('wrong rules', () => {
  it.each(wrong)('%s: one complaint that names the field', (_what, input, complaint) => {
    const complaints = complaintsAbout(input);
    expect(complaints.filter((text) => text.includes(complaint))).toHaveLength(1);
  });

  it('are complained about all at once, and no complaint follows from another', () => {
    const input = {
      rules: [
        rule({
          autoMatchThreshold: 'x',
          fields: { given: { threshold: 'y', colour: 1 }, family: { ...family, algorithm: 'z' } },
        }),
      ],
      limit: {},
    };
    expect(complaintsAbout(input).map((text) => text.replace(/^rules.json: ([^:]*):.*$/, '$1'))).toEqual([
      'limit',
      'rules[0].autoMatchThreshold',
      'rules[0].fields.given.threshold',
      'rules[0].fields.given.colour',
      'rules[0].fields.given.fhirpath',
      'rules[0].fields.given.algorithm',
      'rules[0].fields.family.algorithm',
    ]);
  });

  it('never throw, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (rules, fields) => {
        for (const input of [rules, { rules }, { rules: [rules] }, file({ fields }), { rules: [{ given: fields }] }]) {
          expect(['rules', 'refused']).toContain(read(input).kind);
        }
      }),
    );
  });
});

describe('rules that only look wrong', () => {
  it.each([
    ['an auto threshold out of reach', file({ autoMatchThreshold: 4 }), 'nothing matches automatically (OpenCR 1.x added 1'],
    ['a threshold of the rule', file({ threshold: 1 }), 'rules[0].threshold: has no effect'],
    [
      'a threshold for exact',
      file({ fields: { given, family, phone: { ...phone, threshold: 0.9 } } }),
      'phone.threshold: is not read for exact',
    ],
    ['m in a deterministic rule', field({ mValue: 0.9, uValue: 0.1 }), 'mValue: is read only in a probabilistic rule'],
    [
      'an algorithm of a filter',
      file({ filters: { gender: { algorithm: 'soundex', fhirpath: 'gender' } } }),
      'filters.gender: compares exactly',
    ],
    [
      'null handling that lets the empty match',
      file({ null_handling: 'greedy' }),
      'rules[0]: matches two records that lack all of its fields',
    ],
    ['a configured system', field({ systems: 'openmrs' }), 'systems: has no effect'],
  ])('%s: a warning', (_what, input, warning) => {
    expect(accepted(input).warnings.filter((text) => text.includes(warning))).toHaveLength(1);
  });
});
