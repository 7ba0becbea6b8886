import { isAgreement } from '../comparators/index.ts';
import { type FeatureValues, VALUE_SEPARATOR } from '../model.ts';
import { compare } from '../score.ts';
import type { AgreeingValues } from './agreeing.ts';
import type { CompiledAgreement, CompiledComparison, CompiledLevel, CompiledRules } from './compile.ts';
import { UNLISTED } from './postings.ts';
import { type Records, SEVERAL } from './records.ts';

/** One agreement, asked of the submitted record's value. */
export interface AskedAgreement {
  readonly agreement: CompiledAgreement;
  /** The submitted values; none where it is missing. */
  texts: readonly string[];
  /** Their ids; 0 where no record has the value. */
  ids: readonly number[];
  /** The values that agree are known, and stand in `list`. */
  isListed: boolean;
  list: Uint32Array;
  listed: number;
  /** Records that have one of these; Infinity where one of the lists was given up. */
  postings: number;
  /** By value id: 0 not known (where listed: it does not agree), 1 does not agree, 2 agrees, 3 agrees and is in the list. */
  marks: Uint8Array;
  readonly marked: number[];
}

export interface AskedLevel {
  readonly level: CompiledLevel;
  readonly agreements: readonly AskedAgreement[];
  /** Greatest that it can add for the submitted values; -Infinity where it cannot hold. */
  weight: number;
}

/** One comparison, asked of the submitted record. */
export interface AskedComparison {
  readonly of: CompiledComparison;
  readonly levels: readonly AskedLevel[];
  readonly feature: number;
  /** One feature, one level, one agreement, no weights by value: most are. */
  readonly isPlain: boolean;
  isMissing: boolean;
  /** What a record without the group adds. */
  blank: number;
  /** Most that a record can add on which no level holds, or that lacks the group. */
  floor: number;
  /** Most that any record can add. */
  max: number;
}

/** What is asked of the index for one submitted record: reused, so that a query allocates little. */
export interface Question {
  readonly rules: readonly { readonly comparisons: readonly AskedComparison[] }[];
  values: FeatureValues;
  begin(values: FeatureValues): void;
  /** Finds the values that agree, and what records have them. */
  list(asked: AskedAgreement): void;
  isAtHand(asked: AskedAgreement): boolean;
  /** What the comparison adds for the record whose row begins there. */
  contribution(asked: AskedComparison, row: number): number;
  /** Whether the level that holds is a veto. */
  isVeto(asked: AskedComparison, row: number): boolean;
}

const DIFFERS = 1;
const AGREES = 2;
const LISTED = 3;

const roomFor = (marks: Uint8Array, size: number): Uint8Array => {
  if (size <= marks.length) return marks;
  const larger = new Uint8Array(Math.max(1024, size + (size >> 2)));
  larger.set(marks);
  return larger;
};

/** A question over these records; `agreeing` finds values for it. */
export function createQuestion(compiled: CompiledRules, records: Records, agreeing: AgreeingValues): Question {
  const width = compiled.rules.features.length;
  const asked: readonly AskedAgreement[] = compiled.agreements.map((agreement) => ({
    agreement,
    texts: [],
    ids: [],
    isListed: false,
    list: new Uint32Array(64),
    listed: 0,
    postings: 0,
    marks: new Uint8Array(0),
    marked: [],
  }));

  const dictionaryAt = (dictionary: number) => {
    const found = records.values[dictionary];
    if (!found) throw new Error(`there is no dictionary ${dictionary}`);
    return found.dictionary;
  };

  const beginAgreement = (one: AskedAgreement, values: FeatureValues): void => {
    const { agreement, marks, marked } = one;
    for (const id of marked) marks[id] = 0;
    marked.length = 0;
    const dictionary = dictionaryAt(agreement.dictionary);
    const text = values[agreement.feature] ?? '';
    const several = agreement.multi !== 'join' && text.includes(VALUE_SEPARATOR);
    one.texts = text === '' ? [] : several ? text.split(VALUE_SEPARATOR) : [text];
    one.ids = one.texts.map((value) => dictionary.find(value));
    one.isListed = false;
    one.listed = 0;
    one.postings = 0;
    if (agreement.method !== 'exact') one.marks = roomFor(marks, dictionary.size + 1);
  };

  const listValue = (one: AskedAgreement, id: number): void => {
    if (one.agreement.method !== 'exact') {
      if (one.marks[id] === LISTED) return;
      if (one.marks[id] === 0) one.marked.push(id);
      one.marks[id] = LISTED;
    }
    if (one.listed === one.list.length) {
      const larger = new Uint32Array(2 * one.listed);
      larger.set(one.list);
      one.list = larger;
    }
    one.list[one.listed++] = id;
    const count = records.postings[one.agreement.other]?.heads.view[2 * id + 1] ?? 0;
    one.postings += count === UNLISTED ? Infinity : count;
  };

  const list = (one: AskedAgreement): void => {
    one.isListed = true;
    one.texts.forEach((text, place) => {
      agreeing.each(one.agreement, text, one.ids[place] ?? 0, (id) => {
        listValue(one, id);
      });
    });
  };

  const agrees = ({ measuring, threshold, parameters }: CompiledAgreement, text: string, other: string): boolean =>
    isAgreement(measuring, measuring.measure(text, other, parameters), threshold);

  const measureNow = (one: AskedAgreement, id: number): boolean => {
    const other = dictionaryAt(one.agreement.dictionary).textOf(id);
    const holds = one.texts.some((text) => agrees(one.agreement, text, other));
    one.marks[id] = holds ? AGREES : DIFFERS;
    one.marked.push(id);
    return holds;
  };

  const holdsValue = (one: AskedAgreement, id: number): boolean => {
    if (one.agreement.method === 'exact') return one.ids.length === 1 ? one.ids[0] === id : one.ids.includes(id);
    const mark = one.marks[id] ?? 0;
    return mark >= AGREES || (mark === 0 && !one.isListed && measureNow(one, id));
  };

  const idsAt = (cell: number): Uint32Array => {
    const blocks = records.blocks.words.view;
    const block = cell & ~SEVERAL;
    return blocks.subarray(block + 1, block + 1 + (blocks[block] ?? 0));
  };

  /** Of two sets of values: any pair, or under `all` each value of the smaller set, of two equal ones each of both. */
  const holdsSeveral = (one: AskedAgreement, cell: number): boolean => {
    const ids = idsAt(cell);
    if (one.agreement.multi === 'any' || one.texts.length === 1) return ids.some((id) => holdsValue(one, id));
    const ofOthers = (): boolean => ids.every((id) => holdsValue(one, id));
    const dictionary = dictionaryAt(one.agreement.dictionary);
    const ofOwn = (): boolean => {
      const others = [...ids].map((id) => dictionary.textOf(id));
      return one.texts.every((text) => others.some((other) => agrees(one.agreement, text, other)));
    };
    if (one.texts.length > ids.length) return ofOthers();
    return one.texts.length < ids.length ? ofOwn() : ofOthers() && ofOwn();
  };

  const holds = (one: AskedAgreement, row: number): boolean => {
    const cell = records.rows.view[row + one.agreement.other] ?? 0;
    if (cell === 0 || one.texts.length === 0) return false;
    return cell < SEVERAL ? holdsValue(one, cell) : holdsSeveral(one, cell);
  };

  /** Whatever the fast ways do not know, from the texts themselves. */
  const fromTexts = ({ of }: AskedComparison, row: number) =>
    compare(compiled.rules, of.comparison, { a: question.values, b: records.valuesOf(row / width) });

  const weightAt = (level: AskedLevel, one: AskedComparison, row: number): number => {
    if (level.level.frequencies === null) return level.level.weight;
    const [exact] = level.agreements;
    const cell = records.rows.view[row + (exact?.agreement.other ?? 0)] ?? 0;
    // One value on each side is the value agreed on; of several the texts tell.
    return exact?.texts.length === 1 && cell < SEVERAL ? level.weight : fromTexts(one, row).contribution;
  };

  const lacks = ({ of }: AskedComparison, row: number): boolean => {
    const rows = records.rows.view;
    for (const feature of of.features) if (rows[row + feature] !== 0) return false;
    return true;
  };

  const levelAt = (one: AskedComparison, row: number): AskedLevel | undefined => {
    for (const level of one.levels) {
      let all = true;
      for (const agreement of level.agreements) if (!(all &&= holds(agreement, row))) break;
      if (all) return level;
    }
    return undefined;
  };

  const contribution = (one: AskedComparison, row: number): number => {
    if (one.isPlain && !one.isMissing) {
      const cell = records.rows.view[row + one.feature] ?? 0;
      if (cell === 0) return one.blank;
      const level = one.levels[0];
      const agreement = level?.agreements[0];
      if (level === undefined || agreement === undefined) return one.of.comparison.otherwise;
      const held = cell < SEVERAL ? holdsValue(agreement, cell) : holdsSeveral(agreement, cell);
      return held ? level.weight : one.of.comparison.otherwise;
    }
    if (lacks(one, row)) return one.blank;
    if (one.isMissing) {
      const { oneMissing } = one.of.comparison;
      return oneMissing === 'compare' ? fromTexts(one, row).contribution : oneMissing;
    }
    const level = levelAt(one, row);
    return level === undefined ? one.of.comparison.otherwise : weightAt(level, one, row);
  };

  const greatestWeight = ({ level, agreements }: AskedLevel): number => {
    const impossible = ({ agreement, texts, ids }: AskedAgreement): boolean =>
      texts.length === 0 || (agreement.method === 'exact' && ids.every((id) => id === 0));
    if (agreements.some(impossible)) return -Infinity;
    const { frequencies, weight } = level;
    if (frequencies === null) return weight;
    return Math.max(...(agreements[0]?.texts ?? []).map((text) => frequencies.get(text) ?? weight));
  };

  const beginComparison = (one: AskedComparison, values: FeatureValues): void => {
    const { comparison, features } = one.of;
    const { oneMissing, bothMissing, otherwise, levels } = comparison;
    one.isMissing = features.every((feature) => (values[feature] ?? '') === '');
    const blank = one.isMissing ? bothMissing : oneMissing;
    one.blank = blank === 'compare' ? compare(compiled.rules, comparison, { a: values, b: [] }).contribution : blank;
    for (const level of one.levels) level.weight = one.isMissing ? -Infinity : greatestWeight(level);
    // A missing value that is compared like any other may come out at any level.
    const compared = one.isMissing && oneMissing === 'compare';
    const other = one.isMissing && oneMissing !== 'compare' ? oneMissing : otherwise;
    const most = compared ? levels.flatMap(({ weight, frequencies = {} }) => [weight, ...Object.values(frequencies)]) : [];
    one.floor = Math.max(one.blank, other, ...most);
    one.max = one.floor;
    for (const level of one.levels) one.max = Math.max(one.max, level.weight);
  };

  const askComparison = (of: CompiledComparison): AskedComparison => {
    const levels = of.levels.map((level): AskedLevel => ({
      level,
      agreements: level.agreements.flatMap(({ place }) => asked[place] ?? []),
      weight: 0,
    }));
    const [first, ...others] = of.levels;
    const [feature = 0] = of.features;
    const isPlain =
      of.features.length === 1 &&
      others.length === 0 &&
      first?.agreements.length === 1 &&
      first.frequencies === null &&
      first.agreements.every((agreement) => agreement.feature === feature && agreement.other === feature);
    return {
      of,
      levels,
      feature,
      isPlain,
      isMissing: false,
      blank: 0,
      floor: 0,
      max: 0,
    };
  };

  const rules = compiled.compiled.map(({ comparisons }) => ({ comparisons: comparisons.map(askComparison) }));
  const question: Question = {
    rules,
    values: [],
    begin(values) {
      question.values = values;
      for (const one of asked) beginAgreement(one, values);
      for (const { comparisons } of rules) for (const one of comparisons) beginComparison(one, values);
    },
    list,
    isAtHand: ({ agreement, ids }) => ids.every((id) => agreeing.isAtHand(agreement, id)),
    contribution,
    isVeto: (one, row) => {
      if (one.isMissing || lacks(one, row)) {
        const compared = one.isMissing && lacks(one, row) ? one.of.comparison.bothMissing : one.of.comparison.oneMissing;
        return compared === 'compare' && fromTexts(one, row).veto;
      }
      return levelAt(one, row)?.level.veto ?? false;
    },
  };
  return question;
}
