import { ethiopic } from './names.ts';
import { type Birth, districtOf, type Person, personAt } from './people.ts';
import type { Profile } from './profiles.ts';
import { below, mix, permuted, share } from './random.ts';

/** One row of a register, and the truth about it. */
export interface GeneratedRecord {
  readonly id: string;
  readonly given: string;
  readonly family: string;
  /** '' where it is missing, as everywhere. */
  readonly sex: string;
  readonly birthDate: string;
  readonly phone: string;
  readonly nationalId: string;
  readonly artNumber: string;
  readonly village: string;
  readonly district: string;
  /** Whose record it is. */
  readonly person: number;
  /** What is wrong with it. */
  readonly defects: readonly string[];
}

export interface Register {
  readonly profile: Profile;
  readonly seed: number;
  /** Records in all. */
  readonly total: number;
}

/**
 * Records of people in blocks of sixteen: how many records each person of the block has. About a quarter of all records are repeats.
 */
const BLOCKS: readonly (readonly number[])[] = [
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2],
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3],
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 5],
  [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 4],
];
const BLOCK = 16;

/** Share of the records that are not a person's first. */
export const REPEATS = 1 - BLOCKS.flat().length / (BLOCK * BLOCKS.length);

/** For each block by place: the person and which of its records. */
const PLACES = BLOCKS.map((sizes) =>
  sizes.flatMap((size, person) => Array.from({ length: size }, (_, copy) => ({ person, copy }))),
);

const [BLOCK_KIND, WHAT, WHERE, HOW, LACKS] = [1, 200, 300, 400, 500];

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const NUMERALS = '0123456789';

/** One error of a typist: a letter left out, doubled, exchanged with the next, or another. */
function mistyped(text: string, seed: number, who: number, what: number): string {
  if (text.length < 2) return text;
  const at = below(text.length - 1, seed, who, WHERE + what);
  const pool = /\d/.test(text.charAt(at)) ? NUMERALS : LETTERS;
  const other = pool.charAt(below(pool.length, seed, who, WHERE + what + 50));
  const [head, here, next, rest] = [text.slice(0, at), text.charAt(at), text.charAt(at + 1), text.slice(at + 2)];
  switch (below(4, seed, who, HOW + what)) {
    case 0:
      return head + next + rest;
    case 1:
      return head + here + here + next + rest;
    case 2:
      return head + next + here + rest;
    default:
      return head + other + next + rest;
  }
}

const RESPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/ph/i, 'f'],
  [/y/, 'i'],
  [/ck/, 'k'],
  [/c(?=[aou])/, 'k'],
  [/th/i, 't'],
  [/ou/, 'u'],
  [/([bdfglmnprst])\1/, '$1'],
  [/ie?$/, 'y'],
  [/r/, 'l'],
  [/a$/, 'ah'],
  [/e$/, ''],
];

const respelt = (name: string, seed: number, who: number): string => {
  const fitting = RESPELLINGS.filter(([from]) => from.test(name));
  const [from, to] = fitting[below(Math.max(1, fitting.length), seed, who, HOW + 60)] ?? [/$/, 'h'];
  return name.replace(from, to);
};

const written = ({ year, month, day }: Birth): string =>
  `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

type Row = { -readonly [K in keyof Omit<GeneratedRecord, 'id' | 'person' | 'defects'>]: GeneratedRecord[K] };

const asItIs = (person: Person): Row => ({
  given: person.given,
  family: person.family,
  sex: person.sex,
  birthDate: written(person.birth),
  phone: person.phone,
  nationalId: person.nationalId,
  artNumber: person.artNumber,
  village: person.village,
  district: districtOf(person.village),
});

const otherGiven = (given: string, at: number): string => {
  const names = given.split(' ');
  if (names.length < 2) return given;
  return at < 0.5 ? names.toReversed().join(' ') : (names[at < 0.8 ? 0 : 1] ?? given);
};

const birthParts = ({ year, month, day }: Birth, at: number): Birth =>
  at < 0.5 && day <= 12
    ? { year, month: day, day: month }
    : at < 0.75
      ? { year, month, day: 1 + ((day + 9) % 28) }
      : { year, month: 1 + (month % 12), day };

/** Puts into the row what goes wrong when somebody is registered again; answers the tags of what did. */
function spoil(row: Row, person: Person, { profile, seed }: Register, who: number): readonly string[] {
  const { defects } = profile;
  const tags: string[] = [];
  let stream = 0;
  const happens = (tag: string, rate: number, then: (at: number) => void): void => {
    const at = share(seed, who, WHAT + stream++);
    if (at >= rate) return;
    tags.push(tag);
    then(at / rate);
  };
  happens('other-given', defects.otherGiven, (at) => (row.given = otherGiven(row.given, at)));
  happens('respelling', defects.respelling, (at) => {
    if (at < 0.5) row.given = respelt(row.given, seed, who);
    else row.family = respelt(row.family, seed, who);
  });
  happens('typing-given', defects.typing / 2, () => (row.given = mistyped(row.given, seed, who, 1)));
  happens('typing-family', defects.typing / 2, () => (row.family = mistyped(row.family, seed, who, 2)));
  happens('typing-number', defects.typing / 4, () => (row.nationalId = mistyped(row.nationalId, seed, who, 3)));
  happens('initial', defects.initial, () => (row.given = row.given.charAt(0)));
  happens('married', person.sex === 'female' ? defects.married : 0, () => (row.family = person.otherFamily));
  happens('exchanged', defects.exchanged, () => ([row.given, row.family] = [row.family, row.given]));
  happens('birth-estimated', defects.birthEstimated, (at) => {
    const year = person.birth.year + Math.floor(at * 3) - 1;
    row.birthDate = written({ year, month: 1, day: 1 });
  });
  happens('birth-parts', defects.birthParts, (at) => (row.birthDate = written(birthParts(person.birth, at))));
  happens(
    'birth-year',
    defects.yearOff,
    (at) => (row.birthDate = written({ ...person.birth, year: person.birth.year + (at < 0.5 ? 1 : -1) })),
  );
  happens('phone-changed', defects.phoneChanged, () => (row.phone = person.otherPhone));
  happens('typing-phone', defects.typing / 4, () => (row.phone = mistyped(row.phone, seed, who, 4)));
  happens('moved', defects.moved, () => {
    row.village = person.otherVillage;
    row.district = districtOf(person.otherVillage);
  });
  happens('sex-wrong', defects.sexWrong, () => (row.sex = person.sex === 'female' ? 'male' : 'female'));
  return tags;
}

/** What nobody wrote down: of any record, the first one too. */
function leaveOut(row: Row, { profile, seed }: Register, who: number): void {
  const lacks = ['family', 'birthDate', 'phone', 'nationalId', 'artNumber'] as const;
  lacks.forEach((column, stream) => {
    if (share(seed, who, LACKS + stream) < profile.missing[column]) row[column] = '';
  });
}

/**
 * Record number `index` of the register, made without the others. Records of one person stand anywhere; neither ids nor order tell
 * whose they are. People are the same whatever the total, but for the number of villages.
 */
export function recordAt(register: Register, index: number): GeneratedRecord {
  const { profile, seed, total } = register;
  const slot = permuted(index, total, seed);
  const block = Math.floor(slot / BLOCK);
  const kind = mix(seed, block, BLOCK_KIND) % PLACES.length;
  const { person = 0, copy = 0 } = PLACES[kind]?.[slot % BLOCK] ?? {};
  const who = block * BLOCK + person;
  const known = personAt(profile, seed, { who, total });
  const row = asItIs(known);
  const defects = copy === 0 ? [] : spoil(row, known, register, slot);
  if (share(seed, slot, LACKS + 9) < known.culture.ethiopic) {
    row.given = ethiopic(row.given);
    row.family = ethiopic(row.family);
  }
  leaveOut(row, register, slot);
  return { id: String(index + 1).padStart(8, '0'), ...row, person: who, defects };
}
