import { compilePaths } from '../fhir/feature-paths.ts';
import type { Patient } from '../fhir/r4.ts';
import { storedPatient } from '../fhir/sanitise.ts';
import { featureValue } from '../matching/features/normalise.ts';
import type { FeatureSpec, FeatureValues } from '../matching/model.ts';

/** Finds a Patient's values for the features of the rules in force: once a submission, never at comparison (design §2.2). */
export function createExtractor(features: readonly FeatureSpec[]): (patient: Patient) => FeatureValues {
  const find = compilePaths(features.map((feature) => feature.path));
  return (patient) => {
    const found = find(patient);
    return features.map((feature, index) => featureValue(feature, found[index] ?? []));
  };
}

/** The same of the text under which a Patient is stored (fhir/sanitise.ts). */
export function createStoredExtractor(features: readonly FeatureSpec[]): (resource: string) => FeatureValues {
  const extract = createExtractor(features);
  return (resource) => extract(storedPatient(resource));
}
