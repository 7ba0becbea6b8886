import { comparators, findComparator, type Comparator } from '../matching/comparators/index.ts';
import { type Comparison, type Field, fieldComparison, type NullHandling } from '../matching/model.ts';
import type { Path } from './complaints.ts';
import { readFeature, type Reading } from './features.ts';
import { nearest } from './nearest.ts';
import type { Report } from './report.ts';
import type { FieldInput, RuleInput } from './schema.ts';

/** A field to read: where it stands, and the rule that it stands in. */
interface FieldPlace {
  readonly name: string;
  readonly path: Path;
  readonly rule: Pick<RuleInput, 'matchingType' | keyof NullHandlings>;
}

type NullHandlings = Pick<RuleInput, 'null_handling' | 'nullHandling' | 'null_handling_both' | 'nullHandlingBothFields'>;

function unservedAlgorithm(name: string): string {
  if (name === 'phonetic') return '"phonetic" needs the search engine of OpenCR 1.x; "metaphone" is served';
  const names = comparators.flatMap((comparator) => [comparator.name, ...comparator.aliases]);
  const meant = nearest(name, names);
  return `is not known${meant === undefined ? '' : `; did you mean "${meant}"?`} There are ${names.join(', ')}`;
}

function readThreshold(comparator: Comparator, input: FieldInput, { path, report }: { path: Path; report: Report }): number {
  const at = [...path, 'threshold'];
  const { threshold } = input;
  if (comparator.yesOrNo) {
    if (threshold !== undefined && threshold !== 1) report.warn(at, `is not read for ${comparator.name}`);
    return 1;
  }
  const isDistance = comparator.kind === 'distance';
  if (threshold === undefined) {
    report.complain(at, `is missing: ${comparator.name} agrees at ${isDistance ? 'a distance up to' : 'a similarity from'} it`);
    return 0;
  }
  if (isDistance && threshold < 0) report.complain(at, 'must be at least 0');
  if (isDistance ? threshold >= comparator.greatest : threshold <= 0) report.complain(at, 'lets every two values agree');
  if (!isDistance && threshold > comparator.greatest) report.complain(at, `must be at most ${comparator.greatest}`);
  return threshold;
}

function readParameters(comparator: Comparator, input: FieldInput, { path, report }: { path: Path; report: Report }) {
  for (const [name, value] of Object.entries(input.parameters ?? {})) {
    const at = [...path, 'parameters', name];
    const known = comparator.parameters.find((parameter) => parameter.name === name);
    if (known === undefined) report.complain(at, `is no parameter of ${comparator.name}`);
    else if (value < known.min || value > known.max) report.complain(at, `must be from ${known.min} to ${known.max}`);
    else if (known.whole && !Number.isInteger(value)) report.complain(at, 'must be a whole number');
  }
  return input.parameters ?? {};
}

/** What a field adds to the score: its weight, or its log-odds (Fellegi and Sunter, JASA 64, 1969). */
function readWeights(input: FieldInput, { path, rule }: FieldPlace, report: Report): Pick<Field, 'agree' | 'disagree'> {
  const { mValue: m, uValue: u, weight } = input;
  if (rule.matchingType !== 'probabilistic') {
    if (m !== undefined || u !== undefined)
      report.warn([...path, m === undefined ? 'uValue' : 'mValue'], 'is read only in a probabilistic rule');
    return { agree: weight ?? 1, disagree: 0 };
  }
  if (weight !== undefined) report.warn([...path, 'weight'], 'is read only in a deterministic rule, as in OpenCR 1.x');
  for (const [name, value] of Object.entries({ mValue: m, uValue: u })) {
    if (value === undefined) report.complain([...path, name], 'is missing: a probabilistic rule needs it');
    else if (value <= 0 || value >= 1) report.complain([...path, name], 'must be between 0 and 1, neither included');
  }
  if (m === undefined || u === undefined) return { agree: 0, disagree: 0 };
  if (m <= u) report.complain([...path, 'mValue'], 'must be greater than uValue, else agreement speaks against a match');
  return { agree: Math.log10(m / u), disagree: Math.log10((1 - m) / (1 - u)) };
}

type Spellings = readonly [
  underscored: 'null_handling' | 'null_handling_both',
  camelCased: 'nullHandling' | 'nullHandlingBothFields',
];
const ANY_MISSING: Spellings = ['null_handling', 'nullHandling'];
const BOTH_MISSING: Spellings = ['null_handling_both', 'nullHandlingBothFields'];

const oneSpelling = (input: NullHandlings, [underscored, camelCased]: Spellings) => input[underscored] ?? input[camelCased];

/** Complains where a field or a rule says two things in the two spellings. */
export function checkNullHandling(input: NullHandlings, path: Path, report: Report): void {
  for (const [underscored, camelCased] of [ANY_MISSING, BOTH_MISSING]) {
    const [first, second] = [input[underscored], input[camelCased]];
    if (first !== undefined && second !== undefined && first !== second) {
      report.complain([...path, camelCased], `contradicts ${underscored}, which says the same thing`);
    }
  }
}

type Missing = Comparison['oneMissing'];

/** OpenCR 1.x's words for a missing value: no evidence, or as bad as a difference, or as good as agreement. */
function missingAdds(handling: NullHandling | undefined, { agree, disagree }: Pick<Field, 'agree' | 'disagree'>): Missing {
  if (handling === undefined) return 'compare';
  return { conservative: disagree, moderate: 0, greedy: agree }[handling];
}

/** One field of a rule, as a comparison; undefined where its algorithm is not served. */
export function readField(input: FieldInput, place: FieldPlace, reading: Reading): Comparison | undefined {
  const { name, path, rule } = place;
  const { report } = reading;
  const feature = readFeature(input, path, reading);
  const weights = readWeights(input, place, report);
  checkNullHandling(input, path, report);
  const comparator = input.algorithm === undefined ? undefined : findComparator(input.algorithm);
  if (comparator === undefined) {
    const text = input.algorithm === undefined ? 'is missing' : unservedAlgorithm(input.algorithm);
    report.complain([...path, 'algorithm'], text);
    return undefined;
  }
  const handling = (spellings: Spellings) => oneSpelling(input, spellings) ?? oneSpelling(rule, spellings);
  return fieldComparison({
    name,
    feature,
    comparator: comparator.name,
    threshold: readThreshold(comparator, input, { path, report }),
    ...weights,
    oneMissing: missingAdds(handling(ANY_MISSING), weights),
    bothMissing: missingAdds(handling(BOTH_MISSING) ?? handling(ANY_MISSING), weights),
    parameters: readParameters(comparator, input, { path, report }),
  });
}
