import { seeded } from '../../server/test/quality/seeded.ts';
import { patientOf, type Row, ugandaRows } from '../../server/test/quality/uganda.ts';

const DUPLICATES = 0.2;

/** Digits that no two people share but by chance. */
const digits = (chance: () => number, count: number): string =>
  Array.from({ length: count }, () => Math.floor(chance() * 10)).join('');

/** Two neighbours exchanged: what a typist does. */
function mistyped(text: string, chance: () => number): string {
  const at = Math.floor(chance() * (text.length - 1));
  return text.length < 2 ? text : text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
}

/**
 * So many Patients of generated people: names, sex and birth dates are drawn each for itself from opencr_uganda_5k, numbers are
 * made up, and every fifth is somebody again with a typing error. The seed fixes all of it, and more people begin with fewer.
 */
export function people(seed: number, count: number): readonly object[] {
  const chance = seeded(seed);
  const source = ugandaRows();
  const drawn: Row[] = [];
  const from = (rows: readonly Row[]): Row => {
    const row = rows[Math.floor(chance() * rows.length)];
    if (!row) throw new Error('there is nobody to draw from');
    return row;
  };
  for (let n = 0; n < count; n++) {
    const again = n > 0 && chance() < DUPLICATES ? from(drawn) : undefined;
    drawn.push(
      again
        ? { ...again, given: mistyped(again.given, chance), nationalId: '' }
        : {
            id: '',
            given: from(source).given,
            family: from(source).family,
            sex: from(source).sex,
            birthDate: from(source).birthDate,
            phone: `7${digits(chance, 2)} ${digits(chance, 6)}`,
            nationalId: `CM${digits(chance, 10)}`,
            artNumber: `KLA-${digits(chance, 6)}`,
          },
    );
  }
  return drawn.map((row, n) => patientOf(row, String(n + 1)));
}
