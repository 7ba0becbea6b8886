import type { CultureName } from './names.ts';

/** How often something is wrong with a record of somebody who is registered again; each is drawn for itself. */
export interface DefectRates {
  /** Typing errors in a given name, a family name, a number. */
  readonly typing: number;
  readonly respelling: number;
  /** Given and family name exchanged. */
  readonly exchanged: number;
  /** Given names in another order, or only one of them. */
  readonly otherGiven: number;
  readonly initial: number;
  /** A woman's family name after a marriage. */
  readonly married: number;
  readonly birthEstimated: number;
  readonly birthParts: number;
  readonly yearOff: number;
  readonly phoneChanged: number;
  readonly moved: number;
  readonly sexWrong: number;
}

/** What share of records lacks a value. */
export interface Missing {
  readonly family: number;
  readonly birthDate: number;
  readonly phone: number;
  readonly nationalId: number;
  readonly artNumber: number;
}

export interface Profile {
  /** Cultures with the share of households that each has. */
  readonly cultures: readonly (readonly [CultureName, number])[];
  readonly households: { readonly size: number; readonly sharedPhone: number };
  readonly twins: number;
  /** Births given as 1 January because the day is not known. */
  readonly firstOfJanuary: number;
  readonly people: { readonly aVillage: number };
  readonly missing: Missing;
  readonly defects: DefectRates;
  /** Shares of people: called by the one most common name; with the one telephone of their village; registered as "Baby of" a mother. */
  readonly crowd: { readonly sameName: number; readonly villagePhone: number; readonly babies: number };
}

const NOBODY = { sameName: 0, villagePhone: 0, babies: 0 };

const uganda: Profile = {
  cultures: [['uganda', 1]],
  households: { size: 5, sharedPhone: 0.35 },
  twins: 0.012,
  firstOfJanuary: 0.36,
  people: { aVillage: 900 },
  missing: { family: 0.01, birthDate: 0.02, phone: 0.35, nationalId: 0.6, artNumber: 0.95 },
  defects: {
    typing: 0.16,
    respelling: 0.12,
    exchanged: 0.05,
    otherGiven: 0.12,
    initial: 0.02,
    married: 0.05,
    birthEstimated: 0.12,
    birthParts: 0.06,
    yearOff: 0.06,
    phoneChanged: 0.3,
    moved: 0.12,
    sexWrong: 0.005,
  },
  crowd: NOBODY,
};

const scaled = (rates: DefectRates, by: number): DefectRates =>
  Object.fromEntries(Object.entries(rates).map(([name, rate]: [string, number]) => [name, rate * by])) as unknown as DefectRates;

const profileList = {
  easy: {
    ...uganda,
    firstOfJanuary: 0.05,
    missing: { family: 0, birthDate: 0, phone: 0.1, nationalId: 0.2, artNumber: 0.9 },
    defects: scaled(uganda.defects, 0.3),
  },
  uganda,
  'sahel-fr': { ...uganda, cultures: [['sahel', 1]], households: { size: 7, sharedPhone: 0.5 }, firstOfJanuary: 0.42 },
  ethiopia: { ...uganda, cultures: [['ethiopia', 1]], missing: { ...uganda.missing, nationalId: 0.85 }, firstOfJanuary: 0.3 },
  nigeria: { ...uganda, cultures: [['nigeria', 1]], firstOfJanuary: 0.2, missing: { ...uganda.missing, phone: 0.2 } },
  mixed: {
    ...uganda,
    cultures: [
      ['uganda', 0.4],
      ['sahel', 0.2],
      ['ethiopia', 0.2],
      ['nigeria', 0.2],
    ],
  },
  adversarial: {
    ...uganda,
    firstOfJanuary: 0.5,
    crowd: { sameName: 0.01, villagePhone: 0.5, babies: 0.03 },
  },
} as const satisfies Record<string, Profile>;

export const profiles: Readonly<Record<string, Profile>> = profileList;
