/** A rematch puts the whole registry in the state of the rules in force, whatever came before (design: new rules). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/adapters/sql/verify.ts';
import { keepIn, NOTHING_PENDING, rematch, type RematchCounts } from '../../src/registry/rematch.ts';
import { dataFolder } from '../support/data-folder.ts';
import { type Person, Story } from '../support/story.ts';

/** So many of four equal fields make a match. */
const rulesAt = (potential: number, auto: number, given: 'exact' | 'levenshtein' = 'exact') => ({
  rules: [
    {
      matchingType: 'deterministic',
      potentialMatchThreshold: potential,
      autoMatchThreshold: auto,
      null_handling: 'moderate',
      fields: {
        given: { algorithm: given, ...(given === 'levenshtein' && { threshold: 1 }), fhirpath: 'name.given' },
        family: { algorithm: 'exact', fhirpath: 'name.family' },
        birthDate: { algorithm: 'exact', fhirpath: 'birthDate', type: 'Date' },
        phone: { algorithm: 'exact', fhirpath: "telecom.where(system='phone').value" },
      },
    },
  ],
});

const RULES = [rulesAt(2, 3), rulesAt(1, 2), rulesAt(3, 4), rulesAt(2, 3, 'levenshtein')];

const person: fc.Arbitrary<Person> = fc.record({
  given: fc.constantFrom('Amina', 'Amin', 'Zeno'),
  family: fc.constantFrom('Yusuf', 'Okello'),
  birthDate: fc.constantFrom('1991-01-01', '1992-02-02'),
  phone: fc.constantFrom('1', '2', '3'),
});
const people = fc.array(person, { minLength: 3, maxLength: 14 });
const nameOf = (place: number): string => String.fromCharCode(97 + place);

const tell = async (story: Story, those: readonly Person[]): Promise<void> => {
  for (const [place, one] of those.entries()) await story.submits('clinicA', nameOf(place), one);
};

/** @param after Change sets after which it is broken off. */
const rematched = (story: Story, { keep = true, after = Infinity } = {}): Promise<RematchCounts> => {
  let left = after;
  const commit = keepIn(story.store.ledger, story.decider.newId);
  return rematch({
    ledger: story.store.ledger,
    scan: story.store.scan,
    decider: story.decider,
    pending: NOTHING_PENDING,
    keep: keep ? commit : null,
    agent: 'operator',
    progress: () => undefined,
    stopping: () => --left < 0,
  });
};

describe('a rematch', () => {
  it('under new rules ends in the groups that one submission after the other makes under them', async () => {
    await fc.assert(
      fc.asyncProperty(people, fc.constantFrom(...RULES), fc.constantFrom(...RULES), async (those, before, after) => {
        const [dataDir, other] = [dataFolder(), dataFolder()];
        const old = await Story.open({ dataDir, rules: before });
        await tell(old, those);
        await old.close();
        const fresh = await Story.open({ dataDir: other, rules: after });
        await tell(fresh, those);
        const story = await Story.open({ dataDir, rules: after });
        await rematched(story);
        expect(await story.groups()).toEqual(await fresh.groups());
        expect(await rematched(story)).toMatchObject({ moved: 0, renewed: 0, changeSets: 0 });
        await Promise.all([story.close(), fresh.close()]);
        expect(verifyStore(dataDir)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('holds what people decided', async () => {
    const dataDir = dataFolder();
    const anna: Person = { given: 'Anna', family: 'Okello', birthDate: '1991-01-01', phone: '7' };
    const other: Person = { given: 'Zeno', family: 'Quist', birthDate: '1950-05-05', phone: '9' };
    const old = await Story.open({ dataDir, rules: rulesAt(2, 3) });
    await tell(old, [anna, anna, other]);
    await old.breaks(['a@clinicA', 'b@clinicA']);
    await old.joins(['a@clinicA', 'c@clinicA']);
    await old.close();
    const story = await Story.open({ dataDir, rules: rulesAt(1, 2) });
    await rematched(story);
    expect(await story.groups()).toEqual([['a@clinicA', 'c@clinicA'], ['b@clinicA']]);
    await story.close();
  });

  it('of which nothing is kept says what would change, and changes nothing', async () => {
    const dataDir = dataFolder();
    const anna: Person = { given: 'Anna', family: 'Okello', birthDate: '1991-01-01', phone: '7' };
    const old = await Story.open({ dataDir, rules: rulesAt(3, 4) });
    await tell(old, [anna, { ...anna, phone: '8' }]);
    await old.close();
    const story = await Story.open({ dataDir, rules: rulesAt(2, 3) });
    const { sequence } = await story.store.ledger.head();
    expect(await rematched(story, { keep: false })).toMatchObject({ moved: 1, goldensRetired: 1, changeSets: 1 });
    expect((await story.store.ledger.head()).sequence).toBe(sequence);
    expect(await rematched(story)).toMatchObject({ moved: 1, changeSets: 1 });
    await story.close();
  });
});
