import { allLocales } from '@faker-js/faker';
import { ugandaRows } from '../../../server/test/quality/uganda.ts';
import { mix, rank, share } from './random.ts';

/** Names of one kind, most common first, without an end: past the list a model that was trained on it makes more. */
export interface NameList {
  /** The name of a rank. */
  at(rank: number): string;
  /** How many ranks are drawn from. */
  readonly length: number;
  /** How slowly the shares fall: see `rank`. */
  readonly offset: number;
}

type Locale = keyof typeof allLocales;

const listed = (locale: Locale, kind: 'first_name' | 'last_name', part: 'female' | 'male' | 'generic'): readonly string[] => {
  const names: unknown = allLocales[locale].person?.[kind]?.[part];
  const list: readonly unknown[] = Array.isArray(names) ? names : [];
  return list.filter((name) => typeof name === 'string').filter((name) => /^[\p{L}' -]+$/u.test(name));
};

const END = '\n';

/** A name drawn letter by letter, each by the two before it as the list has them (a Markov chain of order 2). */
const trained = (names: readonly string[], seed: number): ((n: number) => string) => {
  const following = new Map<string, string[]>();
  for (const name of names) {
    const letters = [END, END, ...name.toLowerCase(), END];
    for (let i = 2; i < letters.length; i++) {
      const before = `${letters[i - 2] ?? ''}${letters[i - 1] ?? ''}`;
      const known = following.get(before);
      if (known) known.push(letters[i] ?? END);
      else following.set(before, [letters[i] ?? END]);
    }
  }
  const draw = (n: number, attempt: number): string => {
    let [name, before] = ['', END + END];
    for (let step = 0; step < 14; step++) {
      const options = following.get(before) ?? [END];
      const letter = options[mix(seed, n, attempt * 32 + step) % options.length] ?? END;
      if (letter === END) break;
      name += letter;
      before = before.slice(1) + letter;
    }
    return name;
  };
  return (n) => {
    for (let attempt = 0; attempt < 20; attempt++) {
      const name = draw(n, attempt);
      if (name.length >= 3) return name.charAt(0).toUpperCase() + name.slice(1);
    }
    return names[n % names.length] ?? 'Anna';
  };
};

/** Names of an order that the list itself does not have: which is the most common one is drawn. */
const nameList = (
  names: readonly string[],
  { length, offset, seed }: { length: number; offset: number; seed: number },
): NameList => {
  const distinct = [...new Set(names.map((name) => name.trim()))].filter((name) => name !== '');
  const ranked = distinct.sort(
    (x, y) => mix(seed, x.length, x.charCodeAt(1)) - mix(seed, y.length, y.charCodeAt(1)) || (x < y ? -1 : 1),
  );
  const make = trained(ranked, seed);
  const made: string[] = [];
  return {
    length,
    offset,
    at: (n) => ranked[n] ?? (made[n - ranked.length] ??= make(n)),
  };
};

/** The names of one culture. */
export interface Culture {
  readonly female: NameList;
  readonly male: NameList;
  readonly family: NameList;
  /** `family`: an inherited name; `father`: the father's given name stands where others have a family name. */
  readonly second: 'family' | 'father';
  /** Share of people with a second given name. */
  readonly secondGiven: number;
  /** Share of records written in Ethiopic script. */
  readonly ethiopic: number;
}

const uganda = (part: 'given' | 'family'): readonly string[] => ugandaRows().map((row) => row[part]);

const firsts = (part: 'female' | 'male', ...locales: readonly Locale[]): readonly string[] =>
  locales.flatMap((locale) => [...listed(locale, 'first_name', part), ...listed(locale, 'first_name', 'generic')]);

const lasts = (...locales: readonly Locale[]): readonly string[] =>
  locales.flatMap((locale) => listed(locale, 'last_name', 'generic'));

const given = (names: readonly string[], seed: number): NameList => nameList(names, { length: 40_000, offset: 6, seed });
const family = (names: readonly string[], seed: number): NameList => nameList(names, { length: 120_000, offset: 12, seed });

/** Made once, when first asked for: training reads thousands of names. */
const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};

export const cultures = {
  uganda: once((): Culture => ({
    female: given([...firsts('female', 'en_GH', 'en_ZA', 'en'), ...uganda('given')].slice(0, 1200), 11),
    male: given([...firsts('male', 'en_GH', 'en_ZA', 'en'), ...uganda('given')].slice(0, 1200), 12),
    family: family([...uganda('family'), ...lasts('zu_ZA')], 13),
    second: 'family',
    secondGiven: 0.2,
    ethiopic: 0,
  })),
  sahel: once((): Culture => ({
    female: given(firsts('female', 'fr_SN', 'fr'), 21),
    male: given(firsts('male', 'fr_SN', 'fr'), 22),
    family: family(lasts('fr_SN', 'fr'), 23),
    second: 'family',
    secondGiven: 0.3,
    ethiopic: 0,
  })),
  ethiopia: once((): Culture => ({
    female: given(firsts('female', 'en_GH', 'en_ZA', 'fr_SN'), 31),
    male: given(firsts('male', 'en_GH', 'en_ZA', 'fr_SN'), 32),
    family: family(firsts('male', 'en_GH', 'en_ZA', 'fr_SN'), 32),
    second: 'father',
    secondGiven: 0.4,
    ethiopic: 0.15,
  })),
  nigeria: once((): Culture => ({
    female: given(firsts('female', 'yo_NG', 'en_NG', 'fr_SN'), 41),
    male: given(firsts('male', 'yo_NG', 'en_NG', 'fr_SN'), 42),
    family: family(lasts('yo_NG', 'en_NG', 'fr_SN'), 43),
    second: 'family',
    secondGiven: 0.35,
    ethiopic: 0,
  })),
} as const;

export type CultureName = keyof typeof cultures;

/** The name that somebody has, drawn by its share. */
export const drawName = (list: NameList, seed: number, who: number, what: number): string =>
  list.at(rank(list.length, list.offset, share(seed, who, what)));

const CONSONANTS = 'hlmsrqbtnkwzydjgfp';
const ROWS = [
  0x1200, 0x1208, 0x1218, 0x1230, 0x1228, 0x1240, 0x1260, 0x1270, 0x1290, 0x12a8, 0x12c8, 0x12d8, 0x12e8, 0x12f0, 0x1300, 0x1308,
  0x1348, 0x1350,
];
const VOWELS: Readonly<Record<string, number>> = { e: 0, u: 1, i: 2, a: 3, o: 6 };

/** A name as it is heard, in Ethiopic syllables: rough, but each Latin spelling has one. */
export const ethiopic = (name: string): string =>
  [...name.toLowerCase().matchAll(/([b-df-hj-np-tv-z]?)([aeiou]?)/g)]
    .filter(([whole]) => whole !== '')
    .map(([, consonant = '', vowel = '']) => {
      const row = consonant === '' ? 0x12a0 : (ROWS[CONSONANTS.indexOf(consonant)] ?? 0x12ad);
      return String.fromCodePoint(row + (VOWELS[vowel] ?? 5));
    })
    .join('');
