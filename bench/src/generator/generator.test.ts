import { describe, expect, it } from 'vitest';
import { checkRegister, isWithin } from './check.ts';
import { profiles } from './profiles.ts';
import { permuted } from './random.ts';
import { recordAt, type Register } from './records.ts';
import { patientOf } from './write.ts';

const register = (name: string, total = 3000, seed = 1): Register => {
  const profile = profiles[name];
  if (!profile) throw new Error(`no profile ${name}`);
  return { profile, seed, total };
};

const all = (of: Register) => Array.from({ length: of.total }, (_, index) => recordAt(of, index));

describe.each(Object.keys(profiles))('the profile %s', (name) => {
  it('comes out as it declares', () => {
    expect(checkRegister(register(name, 8000)).filter((finding) => !isWithin(finding))).toEqual([]);
  });

  it('has records with several defects, and persons of several records that are not side by side', () => {
    const records = all(register(name));
    const tags = new Set(records.flatMap(({ defects }) => defects));
    expect(tags.size).toBeGreaterThan(10);
    const apart = records.filter((record, place) => record.person === records[place + 1]?.person).length;
    expect(apart).toBeLessThan(15);
  });
});

describe('a generated register', () => {
  it('is the same for the same seed, whichever record is made first, and another for another', () => {
    const one = register('mixed');
    const forwards = all(one);
    const backwards = Array.from({ length: one.total }, (_, n) => recordAt(one, one.total - 1 - n)).toReversed();
    expect(backwards).toEqual(forwards);
    expect(all(register('mixed', 3000, 2))).not.toEqual(forwards);
  });

  it('writes nothing that CSV would have to quote, and Patients with the identifiers that the shipped rules read', () => {
    const texts = all(register('mixed')).flatMap(({ given, family, village, phone }) => [given, family, village, phone]);
    expect(texts.filter((text) => /[",\n]/.test(text))).toEqual([]);
    const withId = all(register('uganda', 100)).find(({ nationalId }) => nationalId !== '');
    if (!withId) throw new Error('nobody has a national id');
    expect(patientOf(withId)).toMatchObject({
      resourceType: 'Patient',
      identifier: [
        { system: 'http://clientregistry.org/openmrs', value: withId.id },
        { system: 'http://clientregistry.org/nationalid', value: withId.nationalId },
      ],
    });
  });

  it('has one in a hundred of one name, telephones of whole villages and babies without a name where it is adversarial', () => {
    const records = all(register('adversarial', 10_000));
    const names = Map.groupBy(records, ({ given, family }) => `${given} ${family}`);
    const most = Math.max(...[...names.values()].map((those) => those.length));
    expect(most).toBeGreaterThan(20);
    const phones = Map.groupBy(records, ({ phone }) => phone);
    phones.delete('');
    expect(Math.max(...[...phones.values()].map((those) => those.length))).toBeGreaterThan(100);
    expect(records.filter(({ given }) => given.startsWith('Baby of')).length).toBeGreaterThan(200);
  });

  it('has ids that tell no order of persons: a permutation hits each place once', () => {
    for (const size of [1, 2, 17, 1000]) {
      const places = Array.from({ length: size }, (_, index) => permuted(index, size, 5));
      expect(places.toSorted((x, y) => x - y)).toEqual(Array.from({ length: size }, (_, index) => index));
    }
  });
});
