import type { RecordKey } from '../../domain/identity.ts';
import type { Comparator } from '../comparators/index.ts';
import { type FeatureValues, VALUE_SEPARATOR } from '../model.ts';
import type { Arenas, Words } from './arena.ts';
import type { CompiledRules, DictionarySpec } from './compile.ts';
import { type Dictionary, openDictionary } from './dictionary.ts';
import { type LetterPlanes, openLetterPlanes } from './letter-planes.ts';
import type { Tuning } from './tuning.ts';
import { type Blocks, openBlocks, openPostings, type Postings } from './postings.ts';

/** The distinct values of a kind, and what finds those that agree with a given one. */
export interface Values {
  readonly dictionary: Dictionary;
  readonly planes: LetterPlanes | null;
  /** By comparator that has a code: the codes, and the values of each. */
  readonly codes: readonly { readonly comparator: Comparator; readonly dictionary: Dictionary; readonly values: Postings }[];
}

/**
 * A cell of a row: 0 where the feature has no value, the value's id where it has one, and from here on the place of a block
 * (how many, then their ids) where it has several.
 */
export const SEVERAL = 0x80000000;

/**
 * The records as the index holds them: a row of one cell a feature at the record's key, and for each feature the records of each
 * value.
 */
export interface Records {
  readonly size: number;
  /** One more than the greatest key that was ever put in. */
  readonly end: number;
  readonly rows: Words;
  readonly values: readonly Values[];
  readonly postings: readonly Postings[];
  readonly blocks: Blocks;
  has(record: RecordKey): boolean;
  put(record: RecordKey, values: FeatureValues): void;
  remove(record: RecordKey): void;
  valuesOf(record: RecordKey): FeatureValues;
}

const SIZE = 0;
const END = 1;

const openValues = (
  arenas: Arenas,
  { letters, codes }: DictionarySpec,
  { name, blocks, slots }: { name: string; blocks: Blocks; slots: number },
): Values => ({
  dictionary: openDictionary(arenas, name),
  planes: letters ? openLetterPlanes(arenas, name, slots) : null,
  codes: codes.map((comparator) => ({
    comparator,
    dictionary: openDictionary(arenas, `${name} ${comparator.name}`),
    values: openPostings(arenas, `${name} ${comparator.name}`, { blocks, longest: Infinity }),
  })),
});

/** The records in these arenas, as the rules' features lay them out. */
export const openRecords = (
  arenas: Arenas,
  { rules, dictionaries, dictionaryOf }: CompiledRules,
  { slots, longest }: Tuning,
): Records => {
  const width = rules.features.length;
  const state = arenas.words('state');
  const rows = arenas.words('rows');
  /** One bit a record. */
  const present = arenas.words('present');
  const blocks = openBlocks(arenas);
  const values = dictionaries.map((spec, place) => openValues(arenas, spec, { name: `values ${place}`, blocks, slots }));
  const postings = rules.features.map((_, feature) => openPostings(arenas, `feature ${feature}`, { blocks, longest }));
  state.ensure(2);

  const has = (record: RecordKey): boolean => (((present.view[record >> 5] ?? 0) >>> (record & 31)) & 1) === 1;

  const addValue = (place: number, text: string): number => {
    const { dictionary, planes, codes } = values[place]!;
    const before = dictionary.size;
    const id = dictionary.add(text);
    if (id <= before) return id;
    planes?.add(text, id);
    for (const { comparator, dictionary: own, values: having } of codes) {
      for (const code of new Set(comparator.code?.(text) ?? [])) having.add(own.add(code), id);
    }
    return id;
  };

  const makeCell = (feature: number, text: string): number => {
    if (text === '') return 0;
    const place = dictionaryOf[feature] ?? 0;
    if (rules.features[feature]?.multi === 'join' || !text.includes(VALUE_SEPARATOR)) return addValue(place, text);
    const ids = text.split(VALUE_SEPARATOR).map((one) => addValue(place, one));
    const block = blocks.take(ids.length + 1);
    blocks.words.view[block] = ids.length;
    blocks.words.view.set(ids, block + 1);
    return (SEVERAL | block) >>> 0;
  };

  const idsOf = (cell: number): readonly number[] => {
    if (cell === 0) return [];
    if (cell < SEVERAL) return [cell];
    const block = cell & ~SEVERAL;
    return [...blocks.words.view.subarray(block + 1, block + 1 + (blocks.words.view[block] ?? 0))];
  };

  const setPresent = (record: RecordKey, is: boolean): void => {
    present.ensure((record >> 5) + 1);
    const bit = 1 << (record & 31);
    const before = present.view[record >> 5] ?? 0;
    present.view[record >> 5] = (is ? before | bit : before & ~bit) >>> 0;
    state.view[SIZE] = (state.view[SIZE] ?? 0) + (is ? 1 : -1);
  };

  const clear = (record: RecordKey): void => {
    for (let feature = 0; feature < width; feature++) {
      const cell = rows.view[record * width + feature] ?? 0;
      const ids = idsOf(cell);
      for (const id of ids) postings[feature]?.remove(id, record);
      if (cell >= SEVERAL) blocks.free(cell & ~SEVERAL, ids.length + 1);
      rows.view[record * width + feature] = 0;
    }
  };

  return {
    get size() {
      return state.view[SIZE] ?? 0;
    },
    get end() {
      return state.view[END] ?? 0;
    },
    rows,
    values,
    postings,
    blocks,
    has,
    put(record, texts) {
      rows.ensure((record + 1) * width);
      if (has(record)) clear(record);
      else setPresent(record, true);
      state.view[END] = Math.max(state.view[END] ?? 0, record + 1);
      for (let feature = 0; feature < width; feature++) {
        const cell = makeCell(feature, texts[feature] ?? '');
        rows.view[record * width + feature] = cell;
        for (const id of idsOf(cell)) postings[feature]?.add(id, record);
      }
    },
    remove(record) {
      if (!has(record)) return;
      clear(record);
      setPresent(record, false);
    },
    valuesOf: (record) =>
      rules.features.map((_, feature) => {
        const dictionary = values[dictionaryOf[feature] ?? 0]?.dictionary;
        return idsOf(rows.view[record * width + feature] ?? 0)
          .map((id) => dictionary?.textOf(id) ?? '')
          .join(VALUE_SEPARATOR);
      }),
  };
};
