import { type GeneratedRecord, recordAt, type Register, REPEATS } from './records.ts';

/** A share that was declared, and what came out. */
export interface Finding {
  readonly what: string;
  readonly declared: number;
  readonly found: number;
  readonly within: number;
}

/** Looks at so many records spread over the register. */
const SAMPLE = 50_000;

const shareOf = (records: readonly GeneratedRecord[], is: (record: GeneratedRecord) => boolean): number =>
  records.filter(is).length / Math.max(1, records.length);

/** Compares a sample of the register with what its profile declares; all of it where it is small. */
export function checkRegister(register: Register): readonly Finding[] {
  const { profile, total } = register;
  const size = Math.min(total, SAMPLE);
  const records = Array.from({ length: size }, (_, n) => recordAt(register, Math.floor((n * total) / size)));
  const clean = records.filter(({ defects }) => defects.length === 0);
  const dated = clean.filter(({ birthDate, given }) => birthDate !== '' && !given.startsWith('Baby of'));
  // Four standard deviations of a share of so many, and what blocks and households add.
  const within = 0.01 + 4 / Math.sqrt(4 * size);
  const { missing, crowd } = profile;
  const known = (what: string, declared: number, found: number): Finding => ({ what, declared, found, within });
  return [
    known(
      'born on 1 January',
      profile.firstOfJanuary + (1 - profile.firstOfJanuary) / 336,
      shareOf(dated, ({ birthDate }) => birthDate.endsWith('-01-01')),
    ),
    known(
      'without a family name',
      missing.family,
      shareOf(records, ({ family }) => family === ''),
    ),
    known(
      'without a birth date',
      missing.birthDate,
      shareOf(records, ({ birthDate }) => birthDate === ''),
    ),
    known(
      'without a telephone',
      missing.phone,
      shareOf(records, ({ phone }) => phone === ''),
    ),
    known(
      'without a national id',
      missing.nationalId,
      shareOf(records, ({ nationalId }) => nationalId === ''),
    ),
    known(
      'without an ART number',
      missing.artNumber,
      shareOf(records, ({ artNumber }) => artNumber === ''),
    ),
    known(
      'babies without a name',
      crowd.babies,
      shareOf(clean, ({ given }) => given.startsWith('Baby of')),
    ),
    // A person's records are seen together only where all records are.
    ...(total === size ? [known('repeats', REPEATS, 1 - new Set(records.map(({ person }) => person)).size / size)] : []),
  ];
}

export const isWithin = ({ declared, found, within }: Finding): boolean => Math.abs(declared - found) <= within;
