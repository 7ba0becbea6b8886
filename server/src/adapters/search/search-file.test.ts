import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { type Condition, readCondition } from '../../fhir/conditions.ts';
import { meets, type Subject, sortValues, subjectOf } from '../../fhir/demographics.ts';
import type { Patient } from '../../fhir/r4.ts';
import { comparing, type Cursor, readSort, type Sort, SORTS } from '../../fhir/sorting.ts';
import type { IndexCondition } from '../../registry/ports.ts';
import type { TaskKind } from '../../domain/review.ts';
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
    address: fc.array(
      fc.record({
        city: fc.constantFrom('Kotido', 'Moroto'),
        country: fc.constantFrom('UG', 'KE'),
        use: fc.constantFrom('home' as const, 'work' as const),
      }),
      { maxLength: 1 },
    ),
    active: fc.boolean(),
    deceasedDateTime: fc.constantFrom('2020', '2020-02-03', '2020-02-03T10:00:00+02:00'),
    identifier: fc.array(
      fc.record(
        {
          system: fc.constantFrom('urn:a', 'urn:b'),
          value: fc.constantFrom('1', '2'),
          type: fc.constant({ coding: [{ system: 'urn:types', code: 'MR' }] }),
        },
        { requiredKeys: ['value'] },
      ),
      { maxLength: 2 },
    ),
    meta: fc.record({
      tag: fc.constantFrom([], [{ system: 'urn:t', code: 'x' }], [{ code: 'openmrs' }]),
      profile: fc.constantFrom([], ['http://p/one'], ['http://p/two', 'http://q']),
      security: fc.constantFrom([], [{ system: 'urn:s', code: 'R' }]),
    }),
    communication: fc.constantFrom([], [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'sw' }] } }]),
    managingOrganization: fc.constantFrom(
      { reference: 'Organization/o1' },
      { reference: 'https://x.example/fhir/Organization/o1/_history/2' },
      { identifier: { system: 'urn:o', value: '7' } },
      { display: 'Kotido' },
    ),
    generalPractitioner: fc.constantFrom([], [{ reference: 'Practitioner/p1' }, { reference: 'Organization/o1' }]),
    extension: fc.constantFrom(
      [],
      [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Okello' }],
    ),
  },
  { requiredKeys: ['resourceType'] },
);

const parameter = fc.oneof(
  fc.tuple(
    fc.constantFrom('name', 'family', 'given', 'name:exact', 'family:exact', 'name:contains', 'given:contains'),
    fc.constantFrom(...NAMES, 'ok', 'nn', 'Okello,Anne'),
  ),
  fc.tuple(fc.constantFrom('phonetic'), fc.constantFrom(...NAMES, 'Okelo', 'Ane,Ockello', '12', 'Okello 12')),
  fc.tuple(fc.constantFrom('address', 'address-city', 'address-country', 'address:contains'), fc.constantFrom('Ko', 'ot', 'UG')),
  fc.tuple(
    fc.constantFrom('gender', 'gender:not'),
    fc.constantFrom('male', 'female', 'male,female', 'http://hl7.org/fhir/administrative-gender|male', '|male'),
  ),
  fc.tuple(
    fc.constantFrom('active', 'active:not', 'deceased', 'deceased:not', 'birthdate:missing', 'death-date:missing'),
    fc.constantFrom('true', 'false'),
  ),
  fc.tuple(
    fc
      .constantFrom(
        ...['name', 'phone', 'telecom', 'gender', 'address-use', 'organization', 'general-practitioner', 'language', '_profile'],
        ...['phonetic', 'mothersMaidenName', '_tag', 'link', 'identifier', 'active', '_security', '_lastUpdated'],
      )
      .map((name) => `${name}:missing`),
    fc.constantFrom('true', 'false'),
  ),
  fc.tuple(
    fc.constantFrom('phone', 'telecom', 'email', 'phone:not', 'telecom:not'),
    fc.constantFrom('0700123', '0700 123', 'a@b.org', 'phone|0700123', 'phone|', 'email|0700123'),
  ),
  fc.tuple(fc.constantFrom('address-use', 'address-use:not'), fc.constantFrom('home', 'home,work')),
  fc.tuple(fc.constantFrom('language', '_security', 'language:not'), fc.constantFrom('sw', 'urn:ietf:bcp:47|sw', 'urn:s|', 'R')),
  fc.tuple(
    fc.constantFrom('_tag', '_tag:not'),
    fc.constantFrom(
      ...['x', 'urn:t|x', 'urn:t|', '|openmrs', 'openmrs', 'dhis2,x', 'http://openclientregistry.org/fhir/clientid|openmrs'],
      ...['http://openclientregistry.org/fhir/clientid|', 'http://openclientregistry.org/fhir/matchIssues|potentialMatches'],
      ...['potentialMatches', 'autoMatches'],
    ),
  ),
  fc.tuple(fc.constantFrom('_profile', '_profile:below'), fc.constantFrom('http://p/one', 'http://p', 'http://q,http://p/two')),
  fc.tuple(
    fc.constantFrom(...['organization', 'general-practitioner', 'organization:identifier']),
    fc.constantFrom('o1', 'p1', 'Organization/o1', 'Practitioner/p1', '7', 'urn:o|7', 'https://x.example/fhir/Organization/o1'),
  ),
  fc.tuple(
    fc.constantFrom('organization:Organization', 'general-practitioner:Organization'),
    fc.constantFrom('o1', 'p1', 'Organization/o1'),
  ),
  fc.tuple(fc.constantFrom('mothersMaidenName', 'mothersMaidenName:exact'), fc.constantFrom('okel', 'Okello')),
  fc.tuple(fc.constant('identifier:of-type'), fc.constantFrom('urn:types|MR|1', 'urn:types|MR|2,urn:types|XX|1')),
  fc.tuple(fc.constant('identifier:not'), fc.constantFrom('urn:a|', 'urn:c|', 'urn:a|,urn:b|', 'urn:a|1', '2,urn:b|', '|1')),
  fc.tuple(
    fc.constant('death-date'),
    fc
      .tuple(
        fc.constantFrom('', 'ne', 'gt', 'lt', 'ge', 'le', 'ap'),
        fc.constantFrom('2020', '2020-02-03', '2020-02-03T08:00:00Z'),
      )
      .map((both) => both.join('')),
  ),
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
const FLAGS: readonly (readonly TaskKind[])[] = [[], ['potential'], ['auto', 'refused']];

/** As the registry hands it to the index: identifiers by their value as the records that hold one. */
const indexed = (condition: Condition, rows: readonly (Subject & { readonly record: number })[]): IndexCondition => {
  if (condition.kind !== 'identifier') return condition;
  const valued = condition.values.filter(({ value }) => value !== null);
  return {
    kind: 'identifier',
    not: condition.not,
    systems: condition.values.flatMap(({ system, value }) => (value === null && system !== null ? [system] : [])),
    records: rows.flatMap((row) => (meets({ kind: 'identifier', not: false, values: valued }, row) ? [row.record] : [])),
  };
};
const NO_LIMIT = 60_000;
const before = { client: 'x', updated: '2020-01-01T00:00:00.000Z', flags: [] };

/** Keys of `_sort` by priority, each once, as many as there are or none. */
const keys: fc.Arbitrary<readonly Sort[]> = fc
  .tuple(fc.shuffledSubarray([...SORTS]), fc.array(fc.boolean(), { minLength: SORTS.length, maxLength: SORTS.length }))
  .map(([names, descending]) => names.map((by, place) => ({ by, descending: descending[place] ?? false })));

const everything = (
  reader: SearchReader,
  conditions: readonly IndexCondition[],
  { owner, sort, limit }: { owner: string | null; sort: readonly Sort[]; limit: number },
) => {
  const found: number[] = [];
  let total: number | null = null;
  for (let after: Cursor | null = null; ;) {
    const page = reader.search({ conditions, owner, sort, limit, total: true, after }, NO_LIMIT);
    if (page === 'late') throw new Error('late');
    found.push(...page.records);
    total ??= page.total;
    expect(page.total).toBe(total);
    if (page.last === null) return { found, total };
    after = page.last;
  }
};

describe('the index of searches', () => {
  it('SRCH-05, SRCH-09, SRCH-10, SRCH-11, SRCH-12: finds in pages, each once, sorted by any keys, what the conditions say of each record, and of one client only where it is asked so', () => {
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
            ...subjectOf(one, {
              client: CLIENTS[place % 2] ?? '',
              updated: `2026-01-0${1 + (place % 3)}T00:00:00.000Z`,
              flags: FLAGS[place % 3] ?? [],
            }),
          }));
          // Written twice: a new version replaces the one before; then some of them change in their flags alone.
          writer.write(
            rows.map((row) => ({
              ...row,
              ...subjectOf({ resourceType: 'Patient', name: [{ family: 'Before' }] }, before),
            })),
            { sequence: 1, hash: 'a' },
          );
          writer.write(
            rows.map((row) => ({ ...row, updated: before.updated, flags: [] })),
            { sequence: 2, hash: 'b' },
          );
          writer.write(
            rows.map(({ record, updated, flags }) => ({ record, updated, flags })),
            { sequence: 3, hash: 'c' },
          );
          const reader = openSearchReader(dir);
          const expected = rows.filter(
            (row) => (owner === null || row.client === owner) && conditions.every((one) => meets(one, row)),
          );
          const { found, total } = everything(
            reader,
            conditions.map((one) => indexed(one, rows)),
            { owner, sort, limit },
          );
          expect(total).toBe(expected.length);
          const sortable = expected.map((row) => ({ record: row.record, values: sortValues(row) }));
          expect(found).toEqual(sortable.toSorted(comparing(sort)).map(({ record }) => record));
          reader.close();
          writer.close();
        },
      ),
      { numRuns: 400 },
    );
  });

  const condition29: IndexCondition = { kind: 'string', name: 'name', how: 'contains', values: ['ame 29'] };

  it('breaks off a search whose time is over, and answers the next', () => {
    const dir = dataFolder();
    const writer = openSearchWriter(dir);
    const rows = Array.from({ length: 3000 }, (_, n) => ({
      record: n + 1,
      ...subjectOf({ resourceType: 'Patient', name: [{ family: `Name ${n}` }] }, before),
    }));
    writer.write(rows, { sequence: 1, hash: 'a' });
    const reader = openSearchReader(dir);
    const conditions = [condition29];
    const query = { conditions, owner: null, sort: [], limit: 5, total: true, after: null };
    expect(reader.search(query, -1)).toBe('late');
    expect(reader.search(query, NO_LIMIT)).toMatchObject({ total: 111 });
    reader.close();
    writer.close();
  });

  it('goes on where it stood, and begins anew where it followed another ledger', () => {
    const dir = dataFolder();
    const writer = openSearchWriter(dir);
    writer.write([{ record: 1, ...subjectOf({ resourceType: 'Patient', gender: 'male' }, before) }], {
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

  it('of another layout is made anew, empty: the ledger is followed from its beginning', () => {
    const dir = dataFolder();
    openSearchWriter(dir).close();
    const old = new Database(join(dir, 'search.sqlite'));
    old.exec("DROP TABLE term; UPDATE follows SET sequence = 9, hash = 'a'");
    old.pragma('user_version = 1');
    old.close();
    const anew = openSearchWriter(dir);
    expect(anew.follows()).toEqual({ sequence: 0, hash: '' });
    anew.write([{ record: 1, ...subjectOf({ resourceType: 'Patient', gender: 'male' }, before) }], { sequence: 1, hash: 'b' });
    anew.close();
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
    ['family:text', 'a', /modifiers :exact, :contains and :missing/],
    ['family:missing', 'maybe', /true or false/],
    ['family', 'a,,b', /empty value/],
    ['family', 'a,'.repeat(500) + 'b', /at most 500/],
    ['name:contains', 'a', /at least 2 letters/],
    ['gender:text', 'male', /modifiers :not and :missing/],
    ['gender', 'male,', /empty value/],
    ['active', 'yes', /true or false/],
    ['organization:below', 'x', /modifiers :identifier/],
    ['_profile', '', /empty value/],
    ['identifier:of-type', 'a|b', /system.code.value/],
    ['birthdate', 'ge90', /is a date/],
    ['birthdate', '1990-05-17T10:00:00Z', /is a date/],
    ['_lastUpdated', 'yesterday', /is a date/],
  ])('it is %s=%s', (name, value, words) => {
    expect(readCondition(name, value)).toMatch(words);
  });

  it('and is none of ours otherwise', () => {
    expect(readCondition('birthplace', 'true')).toBeUndefined();
    expect(readCondition('birthplace:missing', 'true')).toBeUndefined();
  });
});
