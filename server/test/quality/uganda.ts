/** opencr_uganda_5k: 5,000 people of whom 1,000 are there twice (server/test/fixtures/data/NOTICE.md). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded, shuffled } from './seeded.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'data', 'opencr_uganda_5k');

/** Cells of a CSV file without quotes, blanks around them left out; the header row too. */
const cells = (file: string): readonly (readonly string[])[] =>
  readFileSync(join(folder, file), 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(',').map((cell) => cell.trim()));

/** A row as the file gives it; '' where a value is missing. */
export interface Row {
  readonly id: string;
  readonly sex: string;
  readonly birthDate: string;
  readonly given: string;
  readonly family: string;
  readonly phone: string;
  readonly nationalId: string;
  readonly artNumber: string;
}

export const ugandaRows = (): readonly Row[] =>
  cells('uganda_data_v21_20201501.csv')
    .slice(1)
    .map(([id = '', sex = '', birthDate = '', given = '', family = '', phone = '', nationalId = '', artNumber = '']) => ({
      id,
      sex,
      birthDate,
      given,
      family,
      phone,
      nationalId,
      artNumber,
    }));

const GENDERS: Partial<Record<string, string>> = { f: 'female', m: 'male' };

/** `19671207` as a FHIR date; undefined where the file has no day of the calendar, which a client could not state. */
function dateOf(text: string): string | undefined {
  const date = text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date) ? date : undefined;
}

const identifier = (system: string, value: string): readonly object[] =>
  value === '' ? [] : [{ system: `http://clientregistry.org/${system}`, value }];

/** The row as OpenMRS would submit it, under the identifier `value`. */
export function patientOf(row: Row, value: string): object {
  const gender = GENDERS[row.sex];
  const birthDate = dateOf(row.birthDate);
  const name = { use: 'official', ...(row.family && { family: row.family }), ...(row.given && { given: [row.given] }) };
  return {
    resourceType: 'Patient',
    identifier: [
      ...identifier('openmrs', value),
      ...identifier('nationalid', row.nationalId),
      ...identifier('artnumber', row.artNumber),
    ],
    ...((row.family || row.given) && { name: [name] }),
    ...(row.phone && { telecom: [{ system: 'phone', value: row.phone }] }),
    ...(gender && { gender }),
    ...(birthDate && { birthDate }),
  };
}

export interface Labelled {
  /** In order of arrival; the place tells the identifier, `1` upwards. */
  readonly patients: readonly object[];
  /** True pairs of identifiers. */
  readonly pairs: readonly (readonly [string, string])[];
}

/** The whole set in an order that the seed fixes, under new identifiers, so that neither tells the truth. */
export function ugandaArrivals(seed: number): Labelled {
  const rows = shuffled(ugandaRows(), seeded(seed));
  const values = new Map(rows.map(({ id }, place) => [id, String(place + 1)]));
  const valueOf = (id: string): string => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`the true links name ${id}, which is no row`);
    return value;
  };
  return {
    patients: rows.map((row) => patientOf(row, valueOf(row.id))),
    pairs: cells('uganda_data_v21_20201501_true_links.csv')
      .slice(1)
      .map(([a = '', b = '']) => [valueOf(a), valueOf(b)]),
  };
}
