import { isAgreement } from '../comparators/index.ts';
import type { CompiledAgreement } from './compile.ts';
import { createListCache } from './list-cache.ts';
import { LONG, type Needs } from './letter-planes.ts';
import { UNLISTED } from './postings.ts';
import type { Records, Values } from './records.ts';
import type { Tuning } from './tuning.ts';

/** Calls `found` with each number in a posting list that was not given up. */
const eachPosting = (id: number, heads: Uint32Array, blocks: Uint32Array, found: (number: number) => void): void => {
  const [start = 0, count = 0] = [heads[2 * id], heads[2 * id + 1]];
  if (id === 0 || count === 0 || count === UNLISTED) return;
  if (count === 1) found(start);
  else for (let at = start; at < start + count; at++) found(blocks[at] ?? 0);
};

/** Finds the distinct values of the other record's feature that agree with a text. */
export interface AgreeingValues {
  /** Whether an answer costs no search: the method needs none, or the list is kept. */
  isAtHand(agreement: CompiledAgreement, id: number): boolean;
  /** Calls `found` with the id of each; `id` is that of the text, 0 where no record has it. */
  each(agreement: CompiledAgreement, text: string, id: number, found: (id: number) => void): void;
}

/** So many new values are looked at one by one before a kept list is made again. */
const CATCH_UP = 256;

/** What texts of one length need of texts of each length. */
type NeedTable = readonly (readonly [number, number, number])[];

const needTable = ({ measuring, threshold, parameters }: CompiledAgreement, a: number): NeedTable =>
  Array.from({ length: LONG + 1 }, (_, b) => {
    const need = (prefix: number): number => measuring.sharedLetters?.({ a, b, prefix }, threshold, parameters) ?? 0;
    return [need(0), need(1), need(4)];
  });

const codePoints = (text: string): number => {
  let length = 0;
  for (const _ of text) length++;
  return length;
};

/**
 * @param records The index's records, which only grow in values: a list that was found is right but for values that came later.
 * The room for kept lists grows with the records.
 */
export function createAgreeingValues(
  records: Records,
  agreements: readonly CompiledAgreement[],
  { lists, listsPerRecord }: Pick<Tuning, 'lists' | 'listsPerRecord'>,
): AgreeingValues {
  let sizedFor = records.size;
  let cache = createListCache(agreements.length, lists + listsPerRecord * sizedFor);
  const tables = agreements.map(() => new Map<number, NeedTable>());

  const needsOf = (agreement: CompiledAgreement, text: string): Needs => {
    const a = codePoints(text);
    const own = tables[agreement.place];
    const table = own?.get(a) ?? needTable(agreement, a);
    own?.set(a, table);
    return (length) => table[length] ?? [0, 0, 0];
  };

  const agrees = ({ measuring, threshold, parameters }: CompiledAgreement, text: string, other: string): boolean =>
    isAgreement(measuring, measuring.measure(text, other, parameters), threshold);

  const valuesOf = ({ dictionary }: CompiledAgreement): Values => records.values[dictionary]!;

  /** Records of the feature have it: values of another feature in the same dictionary are of no use. */
  const isUsed = ({ other }: CompiledAgreement, id: number): boolean =>
    (records.postings[other]?.heads.view[2 * id + 1] ?? 0) > 0;

  const measured = (agreement: CompiledAgreement, text: string, found: (id: number) => void): ((id: number) => void) => {
    const { dictionary } = valuesOf(agreement);
    return (id) => {
      if (agrees(agreement, text, dictionary.textOf(id))) found(id);
    };
  };

  const search = (agreement: CompiledAgreement, text: string, found: (id: number) => void): void => {
    const { dictionary, planes } = valuesOf(agreement);
    const tell = measured(agreement, text, found);
    if (agreement.method === 'letters') planes?.search(text, needsOf(agreement, text), tell);
    else for (let id = 1; id <= dictionary.size; id++) tell(id);
  };

  const byCode = (agreement: CompiledAgreement, text: string, found: (id: number) => void): void => {
    const kept = valuesOf(agreement).codes.find(({ comparator }) => comparator === agreement.measuring);
    if (!kept) return;
    const seen = new Set<number>();
    for (const code of agreement.measuring.code?.(text) ?? []) {
      eachPosting(kept.dictionary.find(code), kept.values.heads.view, records.blocks.words.view, (id) => {
        if (!seen.has(id)) found(id);
        seen.add(id);
      });
    }
  };

  /** Searches, and keeps what it finds where the text has an id. */
  const searchAndKeep = (agreement: CompiledAgreement, text: string, id: number): Uint32Array => {
    if (records.size > 2 * sizedFor + 1000) {
      sizedFor = records.size;
      cache = createListCache(agreements.length, lists + listsPerRecord * sizedFor);
    }
    const list: number[] = [];
    search(agreement, text, (other) => list.push(other));
    if (id !== 0) cache.put(agreement.place, id, valuesOf(agreement).dictionary.size, list);
    return Uint32Array.from(list);
  };

  const kept = (agreement: CompiledAgreement, text: string, id: number): Uint32Array => {
    const { dictionary } = valuesOf(agreement);
    const known = id === 0 ? undefined : cache.find(agreement.place, id);
    if (known === undefined || dictionary.size - known.covered > CATCH_UP) return searchAndKeep(agreement, text, id);
    const more: number[] = [];
    const tell = measured(agreement, text, (other) => more.push(other));
    for (let other = known.covered + 1; other <= dictionary.size; other++) tell(other);
    if (more.length === 0) {
      cache.cover(agreement.place, id, dictionary.size);
      return known.numbers;
    }
    const all = Uint32Array.of(...known.numbers, ...more);
    cache.put(agreement.place, id, dictionary.size, all);
    return all;
  };

  return {
    isAtHand: ({ method, place, dictionary }, id) =>
      method === 'exact' ||
      method === 'code' ||
      (id !== 0 &&
        (records.values[dictionary]?.dictionary.size ?? 0) - (cache.find(place, id)?.covered ?? -Infinity) <= CATCH_UP),
    each(agreement, text, id, found) {
      const tell = (other: number): void => {
        if (isUsed(agreement, other)) found(other);
      };
      if (agreement.method === 'exact') {
        if (id !== 0) tell(id);
      } else if (agreement.method === 'code') byCode(agreement, text, tell);
      else for (const other of kept(agreement, text, id)) tell(other);
    },
  };
}
