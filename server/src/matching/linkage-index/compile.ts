import { comparatorOf, type Comparator } from '../comparators/index.ts';
import type { Agreement, Comparison, MultiValue, Rule, RuleSet } from '../model.ts';

/**
 * How the values that agree with a given one are found: itself; those that share a code with it; those that share enough
 * letters, then measured; or by measuring every distinct value.
 */
export type Method = 'exact' | 'code' | 'letters' | 'scan';

export interface CompiledAgreement extends Agreement {
  readonly place: number;
  readonly method: Method;
  readonly measuring: Comparator;
  readonly multi: MultiValue;
  /** Of the other record's feature. */
  readonly dictionary: number;
}

export interface CompiledLevel {
  readonly agreements: readonly CompiledAgreement[];
  readonly weight: number;
  readonly frequencies: ReadonlyMap<string, number> | null;
  readonly veto: boolean;
}

export interface CompiledComparison {
  readonly comparison: Comparison;
  readonly features: readonly number[];
  readonly levels: readonly CompiledLevel[];
}

export interface CompiledRule {
  readonly rule: Rule;
  readonly place: number;
  readonly comparisons: readonly CompiledComparison[];
}

/** One dictionary: of one feature, or of several that some rule compares crosswise. */
export interface DictionarySpec {
  /** Some comparator finds agreeing values by their letters. */
  readonly letters: boolean;
  /** Comparators that find them by a code. */
  readonly codes: readonly Comparator[];
}

export interface CompiledRules {
  readonly rules: RuleSet;
  readonly compiled: readonly CompiledRule[];
  readonly agreements: readonly CompiledAgreement[];
  readonly dictionaries: readonly DictionarySpec[];
  /** By feature. */
  readonly dictionaryOf: readonly number[];
  /** Tells whether stored arrays fit: what they hold depends on nothing else. */
  readonly layout: string;
}

export const methodOf = (comparator: Comparator, threshold: number): Method => {
  const yesOrNo = comparator.kind === 'similarity' && threshold > 0 && threshold <= 1;
  if (comparator.name === 'exact' && yesOrNo) return 'exact';
  if (comparator.code !== undefined && yesOrNo) return 'code';
  return comparator.sharedLetters === undefined ? 'scan' : 'letters';
};

const agreementsOf = ({ rules }: RuleSet): readonly Agreement[] =>
  rules.flatMap(({ comparisons }) => comparisons.flatMap(({ levels }) => levels.flatMap(({ agreements }) => agreements)));

/** A number a feature; features that are compared crosswise have the same, numbered from 0 without gaps. */
function shareDictionaries({ features }: RuleSet, agreements: readonly Agreement[]): readonly number[] {
  let group = features.map((_, feature) => feature);
  for (const { feature, other } of agreements) {
    if (features[feature] === undefined || features[other] === undefined) {
      throw new Error(`a rule names feature ${Math.max(feature, other)}, which is not in the rule set`);
    }
    const [kept, gone] = [group[feature], group[other]];
    group = group.map((one) => (one === gone ? (kept ?? one) : one));
  }
  const numbers = [...new Set(group)];
  return group.map((one) => numbers.indexOf(one));
}

const keyOf = ({ feature, other, comparator, threshold, parameters }: Agreement): string =>
  JSON.stringify([feature, other, comparator, threshold, Object.entries(parameters).sort()]);

const frequenciesOf = (frequencies: Readonly<Record<string, number>> | undefined): ReadonlyMap<string, number> | null =>
  frequencies === undefined ? null : new Map(Object.entries(frequencies));

/** What the index makes of decision rules: each agreement once, the way it is found, and which features share a dictionary. */
export function compileRules(rules: RuleSet): CompiledRules {
  const all = agreementsOf(rules);
  const dictionaryOf = shareDictionaries(rules, all);
  const byKey = new Map<string, CompiledAgreement>();
  for (const agreement of all) {
    const comparator = comparatorOf(agreement);
    const key = keyOf(agreement);
    if (byKey.has(key)) continue;
    byKey.set(key, {
      ...agreement,
      place: byKey.size,
      method: methodOf(comparator, agreement.threshold),
      measuring: comparator,
      multi: rules.features[agreement.feature]?.multi ?? 'join',
      dictionary: dictionaryOf[agreement.other] ?? 0,
    });
  }
  const agreements = [...byKey.values()];
  const dictionaries = [...new Set(dictionaryOf)].map((_, dictionary): DictionarySpec => {
    const own = agreements.filter((agreement) => agreement.dictionary === dictionary);
    const codes = own.filter(({ method }) => method === 'code').map(({ measuring }) => measuring);
    return { letters: own.some(({ method }) => method === 'letters'), codes: [...new Set(codes)] };
  });
  const compiled = rules.rules.map((rule, place) => ({
    rule,
    place,
    comparisons: rule.comparisons.map((comparison) => ({
      comparison,
      features: comparison.features,
      levels: comparison.levels.map(({ agreements: those, weight, frequencies, veto = false }) => ({
        agreements: those.flatMap((agreement) => byKey.get(keyOf(agreement)) ?? []),
        weight,
        frequencies: frequenciesOf(frequencies),
        veto,
      })),
    })),
  }));
  const layout = JSON.stringify({
    features: rules.features,
    dictionaryOf,
    dictionaries: dictionaries.map(({ letters, codes }) => ({ letters, codes: codes.map(({ name }) => name) })),
  });
  return { rules, compiled, agreements, dictionaries, dictionaryOf, layout };
}
