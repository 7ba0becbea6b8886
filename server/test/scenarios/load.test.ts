/** Loads: many submissions decided together end as they would one by one (design: clusters are a pure function). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/adapters/sql/verify.ts';
import { dataFolder } from '../support/data-folder.ts';
import { type Person, Story } from '../support/story.ts';

/** Two of four equal fields resemble, three are the same. */
const rules = {
  rules: [
    {
      matchingType: 'deterministic',
      potentialMatchThreshold: 2,
      autoMatchThreshold: 3,
      null_handling: 'moderate',
      fields: {
        given: { algorithm: 'levenshtein', threshold: 1, fhirpath: 'name.given' },
        family: { algorithm: 'exact', fhirpath: 'name.family' },
        birthDate: { algorithm: 'exact', fhirpath: 'birthDate', type: 'Date' },
        phone: { algorithm: 'exact', fhirpath: "telecom.where(system='phone').value" },
      },
    },
  ],
};

const person: fc.Arbitrary<Person> = fc.record({
  given: fc.constantFrom('Amina', 'Amin', 'Zeno', 'Ruth'),
  family: fc.constantFrom('Yusuf', 'Okello'),
  birthDate: fc.constantFrom('1991-01-01', '1992-02-02', '1950'),
  phone: fc.constantFrom('1', '2', '3'),
  active: fc.constantFrom(true, true, true, false),
});

interface Arrival {
  readonly client: string;
  readonly name: string;
  readonly person: Person;
}

/** Few names, so that a record comes again. */
const arrivals: fc.Arbitrary<readonly Arrival[]> = fc.array(
  fc.record({ client: fc.constantFrom('clinicA', 'clinicB'), name: fc.constantFrom(...'abcdefghij'), person }),
  { minLength: 5, maxLength: 25 },
);

/** Everybody who comes from one client in a row, in parts of at most so many. */
const parts = (all: readonly Arrival[], sizes: readonly number[]): readonly (readonly Arrival[])[] => {
  const found: Arrival[][] = [];
  for (const one of all) {
    const last = found.at(-1);
    const room = (sizes[found.length % sizes.length] ?? 1) - (last?.length ?? 0);
    if (last && last[0]?.client === one.client && room > 0) last.push(one);
    else found.push([one]);
  }
  return found;
};

const pairsOf = async (story: Story): Promise<readonly string[]> => {
  const { nextRecord } = await story.store.ledger.head();
  const lines: string[] = [];
  for (let key = 1; key < nextRecord; key++) {
    for (const pair of await story.store.ledger.pairs(key)) {
      const names = await Promise.all([pair.a, pair.b].map(async (one) => (await story.store.ledger.record(one))?.identity));
      const [x, y] = names.map((name) => `${name?.value ?? ''}@${name?.client ?? ''}`).sort();
      lines.push(`${x} ${y} ${pair.class} ${pair.score}`);
    }
  }
  return [...new Set(lines)].sort();
};

describe('a load', () => {
  it('ends in the pairs and groups of one submission after the other, however the records are parted into loads', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
        async (all, sizes) => {
          const [folder, other] = [dataFolder(), dataFolder()];
          const [single, loaded] = [await Story.open({ dataDir: folder, rules }), await Story.open({ dataDir: other, rules })];
          for (const { client, name, person: who } of all) await single.submits(client, name, who);
          for (const part of parts(all, sizes)) {
            const [first] = part;
            if (first && part.length === 1) await loaded.submits(first.client, first.name, first.person);
            else if (first)
              await loaded.loads(
                first.client,
                part.map(({ name, person: who }) => [name, who]),
              );
          }
          expect(await loaded.groups()).toEqual(await single.groups());
          expect(await pairsOf(loaded)).toEqual(await pairsOf(single));
          await Promise.all([single.close(), loaded.close()]);
          expect(verifyStore(other)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('answers for each entry, and writes all that are new in one change set', async () => {
    const story = await Story.open({ dataDir: dataFolder(), rules });
    const anna: Person = { given: 'Anna', family: 'Okello', birthDate: '1991-01-01', phone: '7' };
    await story.submits('clinicA', 'a', anna);
    const before = (await story.store.ledger.head()).sequence;
    const entries = await story.loads('clinicA', [
      ['a', anna],
      ['b', anna],
      ['c', { ...anna, given: 'Ruth', family: 'Auma', phone: '9' }],
    ]);
    expect(entries.map(({ status }) => status)).toEqual(['unchanged', 'created', 'created']);
    expect((await story.store.ledger.head()).sequence).toBe(before + 1);
    expect(await story.groups()).toEqual([['a@clinicA', 'b@clinicA'], ['c@clinicA']]);
    const again = await story.loads('clinicA', [
      ['b', anna],
      ['c', anna],
    ]);
    expect(again.map(({ status }) => status)).toEqual(['unchanged', 'updated']);
    expect(await story.groups()).toEqual([['a@clinicA', 'b@clinicA', 'c@clinicA']]);
    await story.close();
  });
});
