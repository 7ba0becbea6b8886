import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import {
  comparing,
  type Condition,
  meets,
  readCondition,
  readSort,
  type Sort,
  SORTS,
  sortValues,
  subjectOf,
} from '../../fhir/demographics.ts';
import type { Patient } from '../../fhir/r4.ts';
import type { Cursor } from './order.ts';
import { openSearchReader, openSearchWriter, type SearchReader } from './search-file.ts';

const NAMES = ['Okello', 'Ökello', 'okel', 'Anna Maria', 'Anne', 'O\u2019Neil', '100%', 'a_b', 'መሐመድ', 'Kello'];

const patient: fc.Arbitrary<Patient> = fc.record(
  {
    resourceType: fc.constant('Patient' as const),
    gender: fc.constantFrom('male' as const, 'female' as const),
    birthDate: fc.constantFrom('1990', '1990-05', '1990-05-17', '1991-01-01'),
    name: fc.array(
      fc.record({ family: fc.constantFrom(...NAMES), given: fc.array(fc.constantFrom(...NAMES), { maxLength: 2 }) }),
      { maxLength: 2 },
    ),
    telecom: fc.array(
      fc.record({
        system: fc.constantFrom('phone' as const, 'email' as const),
        value: fc.constantFrom('0700 123', '0700-123', 'a@b.org'),
      }),
      { maxLength: 2 },
    ),
    address: fc.array(fc.record({ city: fc.constantFrom('Kotido', 'Moroto'), country: fc.constantFrom('UG', 'KE') }), {
      maxLength: 1,
    }),
  },
  { requiredKeys: ['resourceType'] },
);

const parameter = fc.oneof(
  fc.tuple(
    fc.constantFrom('name', 'family', 'given', 'name:exact', 'family:exact', 'name:contains', 'given:contains'),
    fc.constantFrom(...NAMES, 'ok', 'nn', 'Okello,Anne'),
  ),
  fc.tuple(fc.constantFrom('address', 'address-city', 'address-country', 'address:contains'), fc.constantFrom('Ko', 'ot', 'UG')),
  fc.tuple(fc.constantFrom('gender', 'active'), fc.constantFrom('male', 'female', 'true', 'male,female')),
  fc.tuple(fc.constantFrom('phone', 'telecom', 'email'), fc.constantFrom('0700123', '0700 123', 'a@b.org', 'phone|0700123')),
  fc.tuple(
    fc.constant('birthdate'),
    fc
      .tuple(
        fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'),
        fc.constantFrom('1990', '1990-05', '1990-05-17', '1991'),
      )
      .map((both) => both.join('')),
  ),
  fc.tuple(
    fc.constant('_lastUpdated'),
    fc.constantFrom('ge2026-01-02', 'lt2026-01-02', '2026-01-02T00:00:00Z', 'gt2026-01-01T12:00:00+02:00'),
  ),
);

const condition: fc.Arbitrary<Condition> = parameter.map(([name, value]) => {
  const read = readCondition(name, value);
  if (read === undefined || typeof read === 'string') throw new Error(`${name}=${value}: ${String(read)}`);
  return read;
});

const CLIENTS = ['openmrs', 'dhis2'];
const NO_LIMIT = 60_000;

/** Keys of `_sort` by priority, each once, as many as there are or none. */
const keys: fc.Arbitrary<readonly Sort[]> = fc
  .tuple(fc.shuffledSubarray([...SORTS]), fc.array(fc.boolean(), { minLength: SORTS.length, maxLength: SORTS.length }))
  .map(([names, descending]) => names.map((by, place) => ({ by, descending: descending[place] ?? false })));

const everything = (
  reader: SearchReader,
  conditions: readonly Condition[],
  { owner, sort, limit }: { owner: string | null; sort: readonly Sort[]; limit: number },
) => {
  const found: number[] = [];
  let total: number | null = null;
  for (let after: Cursor | null = null; ;) {
    const page = reader.search({ conditions, owner, sort, limit, total: true, after: null }, after, NO_LIMIT);
    if (page === 'late') throw new Error('late');
    found.push(...page.records);
    total ??= page.total;
    expect(page.total).toBe(total);
    if (page.last === null) return { found, total };
    after = page.last;
  }
};

describe('the index of searches', () => {
  it('SRCH-05: finds in pages, each once, sorted by any keys, what the conditions say of each record, and of one client only where it is asked so', () => {
    fc.assert(
      fc.property(
        fc.array(patient, { minLength: 1, maxLength: 12 }),
        fc.array(condition, { minLength: 1, maxLength: 3 }),
        fc.option(fc.constantFrom(...CLIENTS)),
        keys,
        fc.integer({ min: 1, max: 4 }),
        (patients, conditions, owner, sort, limit) => {
          const dir = dataFolder();
          const writer = openSearchWriter(dir);
          const rows = patients.map((one, place) => ({
            record: place + 1,
            ...subjectOf(one, CLIENTS[place % 2] ?? '', `2026-01-0${1 + (place % 3)}T00:00:00.000Z`),
          }));
          // Written twice: a new version replaces the one before.
          writer.write(
            rows.map((row) => ({
              ...row,
              ...subjectOf({ resourceType: 'Patient', name: [{ family: 'Before' }] }, 'x', '2020-01-01T00:00:00.000Z'),
            })),
            { sequence: 1, hash: 'a' },
          );
          writer.write(rows, { sequence: 2, hash: 'b' });
          const reader = openSearchReader(dir);
          const expected = rows.filter(
            (row) => (owner === null || row.client === owner) && conditions.every((one) => meets(one, row)),
          );
          const { found, total } = everything(reader, conditions, { owner, sort, limit });
          expect(total).toBe(expected.length);
          const sortable = expected.map((row) => ({ record: row.record, values: sortValues(row) }));
          expect(found).toEqual(sortable.toSorted(comparing(sort)).map(({ record }) => record));
          reader.close();
          writer.close();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('breaks off a search whose time is over, and answers the next', () => {
    const dir = dataFolder();
    const writer = openSearchWriter(dir);
    const rows = Array.from({ length: 3000 }, (_, n) => ({
      record: n + 1,
      ...subjectOf({ resourceType: 'Patient', name: [{ family: `Name ${n}` }] }, 'openmrs', '2026-01-01T00:00:00.000Z'),
    }));
    writer.write(rows, { sequence: 1, hash: 'a' });
    const reader = openSearchReader(dir);
    const conditions = [readCondition('name:contains', 'ame 29')].filter((one) => typeof one === 'object');
    const query = { conditions, owner: null, sort: [], limit: 5, total: true, after: null };
    expect(reader.search(query, null, -1)).toBe('late');
    expect(reader.search(query, null, NO_LIMIT)).toMatchObject({ total: 111 });
    reader.close();
    writer.close();
  });

  it('is made anew where its layout is another, and begins anew where it followed another ledger', () => {
    const dir = dataFolder();
    const writer = openSearchWriter(dir);
    writer.write([{ record: 1, ...subjectOf({ resourceType: 'Patient', gender: 'male' }, 'x', '2026') }], {
      sequence: 5,
      hash: 'a',
    });
    writer.close();
    const again = openSearchWriter(dir);
    expect(again.follows()).toEqual({ sequence: 5, hash: 'a' });
    again.clear();
    expect(again.follows()).toEqual({ sequence: 0, hash: '' });
    again.close();
  });
});

describe('the order of an answer', () => {
  const row = (record: number, family: string, birthdate: string) => ({
    record,
    values: { family, given: '', birthdate, _lastUpdated: '2026' },
  });
  const rows = [
    row(1, 'okello', '1990'),
    row(2, '', '1970'),
    row(3, 'okello', '2000'),
    row(4, 'akello', ''),
    row(5, 'okello', '1990'),
  ];
  const ordered = (value: string): readonly number[] => {
    const sort = readSort(value);
    if (typeof sort === 'string') throw new Error(sort);
    return rows.toSorted(comparing(sort)).map(({ record }) => record);
  };

  it.each([
    ['family,-birthdate', [2, 4, 3, 5, 1]],
    ['-family,birthdate', [1, 5, 3, 4, 2]],
    ['family,birthdate', [2, 4, 1, 5, 3]],
    ['-birthdate,-_id', [3, 5, 1, 2, 4]],
    ['family,-_id,birthdate', [2, 4, 5, 3, 1]],
  ])('SRCH-05: %s: the first key decides first, a missing value is the least, ties go by arrival', (value, expected) => {
    expect(ordered(value)).toEqual(expected);
  });

  it.each([
    ['family,birthplace', /birthplace is none of them/],
    ['family,', /a key is empty/],
    ['-', /a key is empty/],
    ['--family', /-family is none of them/],
    ['family,given,-family', /names family twice/],
  ])('SRCH-05: %s is refused in words', (value, words) => {
    expect(readSort(value)).toMatch(words);
  });
});

describe('a demographic parameter is refused in words when', () => {
  it.each([
    ['family:missing', 'true', /modifiers :exact and :contains/],
    ['family', 'a,,b', /empty value/],
    ['name:contains', 'a', /at least 2 letters/],
    ['gender:not', 'male', /no modifier/],
    ['gender', 'male,', /empty value/],
    ['birthdate', 'ge90', /is a date/],
    ['birthdate', '1990-05-17T10:00:00Z', /is a date/],
    ['_lastUpdated', 'yesterday', /is a date/],
  ])('it is %s=%s', (name, value, words) => {
    expect(readCondition(name, value)).toMatch(words);
  });

  it('and is none of ours otherwise', () => {
    expect(readCondition('deceased', 'true')).toBeUndefined();
  });
});
