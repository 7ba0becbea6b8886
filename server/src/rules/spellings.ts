import type { Path } from './complaints.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Report } from './report.ts';
import {
  fieldSchema,
  filterSchema,
  plainFieldSchema,
  ruleSchema,
  type FieldInput,
  type FilterInput,
  type RuleInput,
} from './schema.ts';

interface Named<T> {
  readonly name: string;
  /** Where it stands in the file. */
  readonly path: Path;
  readonly input: T;
}

/** A rule in the one form that all spellings are translated into: OpenCR 1.x's, with the place of every part. */
export interface DraftRule {
  readonly path: Path;
  readonly input: Omit<RuleInput, 'fields' | 'filters'>;
  readonly fields: readonly Named<FieldInput>[];
  readonly filters: readonly Named<FilterInput>[];
}

const ONLY_IN_1X = ['fields', 'filters', 'matchingType', 'potentialMatchThreshold', 'autoMatchThreshold'];

const isSeedRule = (rule: unknown): rule is JsonObject => isObject(rule) && !ONLY_IN_1X.some((key) => Object.hasOwn(rule, key));

const members = (object: JsonObject, path: Path): readonly Named<unknown>[] =>
  Object.entries(object).map(([name, input]) => ({ name, path: [...path, name], input }));

/**
 * The mission's and the seed-era spelling: all fields must agree, a missing value never does. As a 1.x rule: one point a
 * field, none for a missing value, and both thresholds at the full score.
 */
function conjunction(fields: readonly Named<unknown>[], path: Path, report: Report): DraftRule {
  if (fields.length === 0) report.complain(path, 'must not be empty');
  return {
    path,
    input: {
      matchingType: 'deterministic',
      null_handling: 'moderate',
      potentialMatchThreshold: fields.length,
      autoMatchThreshold: fields.length,
    },
    fields: fields.map(({ name, path: at, input }) => {
      const field = report.part(plainFieldSchema, input, at);
      return { name, path: at, input: { ...field, multiple: field.multiple ?? 'all' } };
    }),
    filters: [],
  };
}

function draftRule(input: unknown, path: Path, report: Report): DraftRule {
  const { fields = {}, filters = {}, ...rule } = report.part(ruleSchema, input, path);
  if (Object.keys(fields).length === 0) report.complain([...path, 'fields'], 'must name at least one field');
  if (rule.threshold !== undefined)
    report.warn([...path, 'threshold'], 'has no effect, as in OpenCR 1.x; the fields have thresholds');
  return {
    path,
    input: rule,
    fields: members(fields, [...path, 'fields']).map((field) => ({
      ...field,
      input: report.part(fieldSchema, field.input, field.path),
    })),
    filters: members(filters, [...path, 'filters']).map((filter) => ({
      ...filter,
      input: report.part(filterSchema, filter.input, filter.path),
    })),
  };
}

/** The rules of a file in any of its three spellings; complains about what is not in its spelling's form. */
export function draftRules(rules: readonly unknown[] | JsonObject, report: Report): readonly DraftRule[] {
  const path = ['rules'];
  if (!(rules instanceof Array)) return [conjunction(members(rules, path), path, report)];
  if (rules.length === 0) report.complain(path, 'must not be empty');
  if (rules.length === 0 || !rules.every(isSeedRule))
    return rules.map((rule, index) => draftRule(rule, [...path, index], report));
  if (rules.length > 1)
    report.warn(path, `are ${rules.length} objects of fields: a pair must agree on every field of all of them, as in OpenCR 1.x`);
  const fields = rules.flatMap((rule, index) => {
    const several = rules.length > 1 ? ` (${index + 1})` : '';
    return members(rule, [...path, index]).map((field) => ({ ...field, name: `${field.name}${several}` }));
  });
  return [conjunction(fields, path, report)];
}
