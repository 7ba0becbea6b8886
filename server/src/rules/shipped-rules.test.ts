import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compilePaths } from '../fhir/feature-paths.ts';
import type { Patient } from '../fhir/r4.ts';
import { featureValue } from '../matching/features/normalise.ts';
import { verdict } from '../matching/score.ts';
import { accepted } from './rules.fixture.ts';

const rulesOf = (file: string) =>
  accepted(JSON.parse(readFileSync(new URL(`../../../config/${file}`, import.meta.url), 'utf8'))).ruleSet;

/** As the demo patients (MIT, intrahealth/client-registry DemoData): alike but for their given names. */
const patient = (...given: string[]): Patient => ({
  resourceType: 'Patient',
  name: [{ use: 'official', family: 'Gideon', given }],
  telecom: [{ system: 'phone', value: '774 232423' }],
  gender: 'male',
  birthDate: '1974-12-25',
});
const openmrs = patient('Namaalwa', 'Emmanuel');
const dhis2 = patient('Namalwa', 'Emanuel');
const lims = patient('Namaalwa', 'Emmanuel');
const limsAgain = patient('Namirimu', 'Emmanuel');

const say = (file: string, a: Patient, b: Patient): string | undefined => {
  const rules = rulesOf(file);
  const extract = compilePaths(rules.features.map(({ path }) => path));
  const values = (resource: Patient) =>
    extract(resource).map((found, index) => {
      const feature = rules.features[index];
      return feature === undefined ? '' : featureValue(feature, found);
    });
  return verdict(rules, values(a), values(b))?.class;
};

describe('the shipped rules', () => {
  const shipped = (a: Patient, b: Patient) => say('decisionRules.json', a, b);

  it('link the first three demo patients with one another', () => {
    expect([shipped(openmrs, dhis2), shipped(openmrs, lims), shipped(dhis2, lims)]).toEqual(['auto', 'auto', 'auto']);
  });

  it('keep the fourth, an update of the third, with the first, and doubt it with the second', () => {
    expect([shipped(openmrs, limsAgain), shipped(dhis2, limsAgain)]).toEqual(['auto', 'potential']);
  });

  it('read any name where none is official, and any of several telephone numbers', () => {
    const other: Patient = {
      ...openmrs,
      name: [{ family: 'Gideon', given: ['Namaalwa', 'Emmanuel'] }],
      telecom: [
        { system: 'phone', value: '1' },
        { system: 'phone', value: '774-232-423' },
      ],
    };
    expect(shipped(openmrs, other)).toBe('auto');
  });

  it('only doubt a brother of the same birthday and telephone, and never link on names and sex alone', () => {
    expect(shipped(openmrs, patient('Peter', 'Okello'))).toBe('potential');
    const { birthDate: _birthDate, telecom: _telecom, ...namesAndSex } = openmrs;
    expect(shipped(openmrs, namesAndSex)).toBeUndefined();
  });
});

describe('the mission’s example rules', () => {
  const mission = (a: Patient, b: Patient) => say('mission-rules.json', a, b);

  it('link the first three demo patients with one another, and the fourth with nobody', () => {
    expect([mission(openmrs, dhis2), mission(openmrs, lims), mission(dhis2, lims)]).toEqual(['auto', 'auto', 'auto']);
    expect([mission(openmrs, limsAgain), mission(dhis2, limsAgain)]).toEqual([undefined, undefined]);
  });
});
