import { checkPath } from '../fhir/feature-paths.ts';
import { readRules, type RulesRead } from './read-rules.ts';

export const read = (input: unknown): RulesRead =>
  readRules(input, {
    fileName: 'rules.json',
    systems: new Set(['openmrs', 'http://clientregistry.org/openmrs']),
    checkPath,
    hash: (text) => text,
  });

export function accepted(input: unknown): Extract<RulesRead, { kind: 'rules' }> {
  const result = read(input);
  if (result.kind === 'refused') throw new Error(result.complaints.join('\n'));
  return result;
}

export const complaintsAbout = (input: unknown): readonly string[] => {
  const result = read(input);
  return result.kind === 'refused' ? result.complaints : [];
};

/** A rule of three fields that is sound, to be spoilt. */
export const given = { algorithm: 'jaro-winkler-similarity', threshold: 0.8, fhirpath: 'name.given', espath: 'given' };
export const family = { algorithm: 'damerau-levenshtein', threshold: 2, fhirpath: 'name.family', espath: 'family' };
export const phone = { algorithm: 'exact', fhirpath: "telecom.where(system='phone').value", espath: 'phone' };

export const rule = (changes: object = {}) => ({
  matchingType: 'deterministic',
  fields: { given, family, phone },
  potentialMatchThreshold: 2,
  autoMatchThreshold: 3,
  ...changes,
});
export const file = (changes: object = {}) => ({ rules: [rule(changes)] });
export const field = (changes: object) => file({ fields: { given: { ...given, ...changes }, family, phone } });
