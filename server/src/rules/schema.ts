import { z } from 'zod';

/**
 * The members of rule files, in any spelling. All are optional here: which of them a rule needs depends on the others,
 * and rules/ says so in its own words.
 */
const text = z.string().min(1).optional();
const number = z.number().optional();
const object = z.record(z.string(), z.unknown()).optional();
const unread = z.unknown().optional();

const nullHandling = z.enum(['conservative', 'moderate', 'greedy']).optional();

/** Both spellings: OpenCR 1.x's code read the first, its documents wrote the second. */
const nullHandlings = {
  null_handling: nullHandling,
  nullHandling,
  null_handling_both: nullHandling,
  nullHandlingBothFields: nullHandling,
};

const feature = {
  fhirpath: text,
  path: text,
  /** Field name in OpenCR 1.x's search engine. */
  espath: unread,
  type: text,
  systems: z.union([z.string(), z.array(z.string())], 'must be a name or a list of names').optional(),
  multiple: z.enum(['join', 'all', 'any']).optional(),
  foldDiacritics: z.boolean().optional(),
};

const comparison = { algorithm: text, threshold: number, parameters: z.record(z.string(), z.number()).optional() };

/** A field of the mission's and the seed-era spellings. */
export const plainFieldSchema = z.strictObject({ ...feature, ...comparison });

/** A field of an OpenCR 1.x rule. */
export const fieldSchema = z.strictObject({
  ...feature,
  ...comparison,
  ...nullHandlings,
  weight: z.number().positive().optional(),
  mValue: number,
  uValue: number,
});
export type FieldInput = z.infer<typeof fieldSchema>;

/** OpenCR 1.x ignored `algorithm` and `threshold` of a filter. */
export const filterSchema = z.strictObject({ ...feature, algorithm: unread, threshold: unread });
export type FilterInput = z.infer<typeof filterSchema>;

export const ruleSchema = z.strictObject({
  ...nullHandlings,
  name: text,
  matchingType: z.enum(['deterministic', 'probabilistic']).optional(),
  fields: object,
  filters: object,
  potentialMatchThreshold: number,
  autoMatchThreshold: number,
  /** Read only by a part of OpenCR 1.x that nothing called. */
  threshold: unread,
});
export type RuleInput = z.infer<typeof ruleSchema>;

const limitsSchema = z.strictObject({
  maxGroup: z.int().min(2).default(50),
  maxComponent: z.int().min(2).default(1000),
  cohesion: z
    .number()
    .min(0)
    .max(1)
    .default(1 / 3),
  maxCandidates: z.int().min(1).default(1000),
});

export const fileSchema = z.strictObject({
  rules: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown())], 'must be a list of rules or an object of fields')
    .optional(),
  limits: limitsSchema.prefault({}),
});
