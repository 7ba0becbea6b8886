/** What one request body may hold: past any of these it is refused before it costs time. */
export interface BodyLimits {
  readonly maxDepth: number;
  /** Values of any kind: objects, lists, strings, numbers, booleans, nulls. */
  readonly maxValues: number;
  /** UTF-16 units in one string; FHIR R4 allows 1,048,576 (datatypes.html#string). */
  readonly maxString: number;
  readonly maxEntries: number;
}

export interface PatientLimits {
  /** Entries of any list in a Patient: names, identifiers, telecoms, extensions … */
  readonly maxRepeats: number;
  /** UTF-16 units in any string but the narrative. */
  readonly maxString: number;
  readonly maxNarrative: number;
}

export const defaultBodyLimits: BodyLimits = { maxDepth: 32, maxValues: 200_000, maxString: 1_048_576, maxEntries: 1_000 };

export const defaultPatientLimits: PatientLimits = { maxRepeats: 100, maxString: 4_000, maxNarrative: 65_536 };
