import { rounded, ruleBounds } from '../matching/decide.ts';
import type { MatchingLimits, Rule, RuleSet } from '../matching/model.ts';
import { compare } from '../matching/score.ts';
import type { Domain } from './domains.ts';
import { createFeatureList, readFeature, type Reading } from './features.ts';
import { checkNullHandling, readField } from './fields.ts';
import { canonicalJson, withoutComments } from './json.ts';
import { createReport, type Report } from './report.ts';
import { fileSchema } from './schema.ts';
import { draftRules, type DraftRule } from './spellings.ts';

export type { RuleSet };

export interface RulesOptions {
  /** What complaints and warnings call the file. */
  readonly fileName: string;
  /** Names and uris of the configured systems. */
  readonly systems: ReadonlySet<string>;
  /** Domains of identifiers that have several names: a rule that asks for one of them asks for all. */
  readonly domains?: readonly Domain[];
  /** Why a text is no FHIRPath expression; undefined where it is one. */
  readonly checkPath: (path: string) => string | undefined;
  /** Hash of a text, hex: the rule set's version. */
  readonly hash: (text: string) => string;
}

export type RulesRead =
  | { readonly kind: 'rules'; readonly ruleSet: RuleSet; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly complaints: readonly string[] };

/** The search engine of OpenCR 1.x added this to every score of a rule without filters. */
const PLUS_ONE = 'OpenCR 1.x added 1 to every score of a rule without filters; this registry does not';

/** Whether the thresholds make sense on the rule's own scale. */
function checkThresholds(rule: Rule, { path }: DraftRule, { report, features }: Reading): void {
  const { min, max } = ruleBounds(rule);
  const potential = [...path, 'potentialMatchThreshold'];
  const auto = [...path, 'autoMatchThreshold'];
  const hint = rule.filters.length === 0 && rule.kind === 'deterministic' ? ` (${PLUS_ONE})` : '';
  if (rounded(rule.potential) <= min) report.complain(potential, `must be greater than ${min}, which every two records reach`);
  if (rounded(rule.potential) > max)
    report.complain(potential, `must be at most ${max}, the most that the fields can add up to${hint}`);
  if (rule.auto < rule.potential) report.complain(auto, 'must be at least potentialMatchThreshold');
  else if (rounded(rule.auto) > max)
    report.warn(auto, `is above ${max}, the most that the fields can add up to: nothing matches automatically${hint}`);
  const blank = rule.comparisons.reduce(
    (sum, comparison) => sum + compare({ features }, comparison, { a: [], b: [] }).contribution,
    rule.base,
  );
  if (rounded(blank) >= rounded(rule.potential))
    report.warn(path, 'matches two records that lack all of its fields: see null_handling');
}

function threshold(draft: DraftRule, name: 'potentialMatchThreshold' | 'autoMatchThreshold', report: Report): number {
  const value = draft.input[name];
  if (value === undefined) report.complain([...draft.path, name], 'is missing');
  return value ?? 0;
}

function readRule(draft: DraftRule, place: number, reading: Reading): Rule {
  const { input, path } = draft;
  const { report } = reading;
  if (input.matchingType === undefined)
    report.complain([...path, 'matchingType'], 'is missing: "deterministic" or "probabilistic"');
  checkNullHandling(input, path, report);
  const rule: Rule = {
    name: input.name ?? `rule ${place + 1}`,
    kind: input.matchingType ?? 'deterministic',
    comparisons: draft.fields.flatMap(
      ({ name, path: at, input: field }) => readField(field, { name, path: at, rule: input }, reading) ?? [],
    ),
    filters: draft.filters.map((filter) => {
      if (filter.input.threshold !== undefined || (filter.input.algorithm ?? 'exact') !== 'exact') {
        report.warn(filter.path, 'compares exactly, as in OpenCR 1.x; algorithm and threshold have no effect');
      }
      return readFeature(filter.input, filter.path, reading);
    }),
    base: input.matchingType === 'probabilistic' ? 100 : 0,
    potential: threshold(draft, 'potentialMatchThreshold', report),
    auto: threshold(draft, 'autoMatchThreshold', report),
  };
  if (report.isSound(path)) checkThresholds(rule, draft, reading);
  return rule;
}

/** The rule set but for its version, as the text whose hash that version is; old evidence is read with it. */
const definitionOf = ({ features, rules, limits }: Omit<RuleSet, 'version'>): string =>
  canonicalJson({ features, rules, limits });

/**
 * Reads decision rules in any of their three spellings (docs/decision-rules.md) and compiles them into what the engine
 * knows. Complains about everything that is wrong at once, each complaint naming its field: `rules[0].fields.given.threshold`.
 */
export function readRules(input: unknown, options: RulesOptions): RulesRead {
  const report = createReport(options.fileName);
  const { features, featureIndex } = createFeatureList();
  const { systems, domains = [], checkPath } = options;
  const reading: Reading = { report, systems, domains, checkPath, features, featureIndex };
  const file = report.part(fileSchema, withoutComments(input), []);
  if (file.rules === undefined) report.complain(['rules'], 'is missing');
  const drafts = file.rules === undefined ? [] : draftRules(file.rules, report);
  const rules = drafts.map((draft, place) => readRule(draft, place, reading));
  if (report.complaints.length > 0) return { kind: 'refused', complaints: report.complaints };
  const limits: MatchingLimits = file.limits;
  const compiled = { features, rules, limits };
  return { kind: 'rules', ruleSet: { version: options.hash(definitionOf(compiled)), ...compiled }, warnings: report.warnings };
}
