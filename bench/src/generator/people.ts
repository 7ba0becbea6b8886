import { type Culture, cultures, drawName } from './names.ts';
import type { Profile } from './profiles.ts';
import { below, mix, share } from './random.ts';

/** Who somebody is: what a register would hold if nothing were ever missing or wrong. */
export interface Person {
  readonly given: string;
  readonly family: string;
  /** Family name after a marriage. */
  readonly otherFamily: string;
  readonly sex: 'female' | 'male';
  readonly birth: Birth;
  readonly phone: string;
  readonly otherPhone: string;
  readonly nationalId: string;
  readonly artNumber: string;
  readonly village: string;
  readonly otherVillage: string;
  readonly culture: Culture;
}

export interface Birth {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** What is drawn for a person: a stream of chance each. */
const [SEX, GIVEN, SECOND, MORE_GIVEN, FAMILY, MARRIED, AGE, MONTH] = [100, 101, 102, 103, 104, 105, 106, 107];
const [DAY, ESTIMATED, PHONE, SHARED, NEW_PHONE, NATIONAL, ART] = [108, 109, 110, 111, 112, 113, 114];
const [CULTURE, VILLAGE, NEW_VILLAGE, TWIN, CROWD_NAME, BABY, VILLAGE_PHONE] = [120, 121, 122, 123, 124, 125, 126];

const TODAY = 2026;

const digits = (count: number, seed: number, who: number, what: number): string =>
  String(below(10 ** count, seed, who, what)).padStart(count, '0');

const cultureOf = ({ cultures: shares }: Profile, seed: number, household: number): Culture => {
  let at = share(seed, household, CULTURE);
  for (const [name, part] of shares) if ((at -= part) < 0) return cultures[name]();
  return cultures[shares[0]?.[0] ?? 'uganda']();
};

/** Ages of a young population: half are under about 20. */
const ageAt = (at: number): number => Math.min(95, Math.floor(-28 * Math.log(1 - at * 0.97)));

const birthOf = ({ firstOfJanuary }: Profile, seed: number, who: number): Birth => {
  const year = TODAY - ageAt(share(seed, who, AGE));
  if (share(seed, who, ESTIMATED) < firstOfJanuary) return { year, month: 1, day: 1 };
  return { year, month: 1 + below(12, seed, who, MONTH), day: 1 + below(28, seed, who, DAY) };
};

const SYLLABLES = ['ka', 'bu', 'lo', 'mi', 'nya', 'ru', 'go', 'si', 'te', 'wa', 'ki', 'mu', 'ba', 'na', 'li', 'do'];

/** A village's name, of its number alone: several villages may be called alike. */
const villageName = (village: number): string => {
  const [a = '', b = '', c = ''] = [0, 1, 2].map((part) => SYLLABLES[mix(7, village >> 1, part) % SYLLABLES.length]);
  return a.charAt(0).toUpperCase() + a.slice(1) + b + c;
};

const DISTRICTS = 135;
export const districtOf = (village: string): string =>
  `District ${(mix(9, village.length, village.charCodeAt(2)) + mix(3, village.charCodeAt(0), village.charCodeAt(4))) % DISTRICTS}`;

/** Person number `who` of a register of about so many people. */
export function personAt(
  profile: Profile,
  seed: number,
  { who, total }: { readonly who: number; readonly total: number },
): Person {
  const household = Math.floor(who / profile.households.size);
  const culture = cultureOf(profile, seed, household);
  const isTwin = who % profile.households.size > 0 && share(seed, who, TWIN) < profile.twins;
  const sex = share(seed, isTwin ? who - 1 : who, SEX) < 0.53 ? 'female' : 'male';
  const own = culture[sex];
  const first = drawName(own, seed, who, GIVEN);
  const second = share(seed, who, SECOND) < culture.secondGiven ? ` ${drawName(own, seed, who, MORE_GIVEN)}` : '';
  const villages = Math.max(20, Math.floor(total / profile.people.aVillage));
  const village = below(villages, seed, household, VILLAGE);
  const phone = share(seed, who, SHARED) < profile.households.sharedPhone ? household : who;
  const shouted = share(seed, village, VILLAGE_PHONE) < profile.crowd.villagePhone;
  const common = share(seed, who, CROWD_NAME) < profile.crowd.sameName;
  const baby = share(seed, who, BABY) < profile.crowd.babies;
  return {
    given: baby ? `Baby of ${drawName(culture.female, seed, who, GIVEN)}` : common ? culture[sex].at(0) : first + second,
    family: common ? culture.family.at(0) : drawName(culture.family, seed, culture.second === 'family' ? household : who, FAMILY),
    otherFamily: drawName(culture.family, seed, who, MARRIED),
    sex,
    birth: baby ? { year: TODAY, month: 1 + (who % 11), day: 1 + (who % 28) } : birthOf(profile, seed, isTwin ? who - 1 : who),
    phone: shouted ? `0790${digits(6, seed, village, PHONE)}` : `07${digits(8, seed, phone, PHONE)}`,
    otherPhone: `07${digits(8, seed, who, NEW_PHONE)}`,
    nationalId: `C${sex === 'female' ? 'F' : 'M'}${digits(9, seed, who, NATIONAL)}${digits(3, seed, who, NATIONAL + 50)}`,
    artNumber: `ART-${digits(8, seed, who, ART)}`,
    village: villageName(village),
    otherVillage: villageName(below(villages, seed, who, NEW_VILLAGE)),
    culture,
  };
}
