/** Labelled files as an import reads them, by the mappings that are shipped. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { projectRoot } from '../../src/app/project.ts';
import { patientOfRow, readMapping } from '../../src/cli/import/mapping.ts';
import type { Labelled } from './uganda.ts';

const personOf = (id: string): string => id.replace(/-(?:org|dup-\d+)$/, '');

/** A file in the form of Febrl's: `rec-N-org` and `rec-N-dup-k` are one person. Under new identifiers, so that none tells the truth. */
export function labelledFile(file: string, mappingName: string): Labelled {
  const mapping = readMapping(
    JSON.parse(readFileSync(join(projectRoot, 'config', 'mappings', `${mappingName}.json`), 'utf8')),
    mappingName,
  );
  const text = readFileSync(join(projectRoot, 'server', 'test', 'fixtures', 'data', file), 'utf8');
  const rows = parse<Record<string, string>>(text, { columns: true, trim: true, bom: true, relax_column_count: true });
  const persons = Map.groupBy(
    rows.map(({ rec_id: id = '' }, place) => ({ person: personOf(id), name: String(place + 1) })),
    ({ person }) => person,
  );
  const patients = rows.map((row, place) => {
    const patient = patientOfRow(mapping, { ...row, rec_id: String(place + 1) });
    // A date that is none is left out, as a data manager would clean the file.
    return typeof patient === 'string'
      ? patientOfRow(mapping, { ...row, rec_id: String(place + 1), date_of_birth: '' })
      : patient;
  });
  return {
    patients: patients.filter((patient) => typeof patient !== 'string'),
    pairs: [...persons.values()].flatMap(([first, ...others]) => others.map(({ name }) => [first?.name ?? '', name] as const)),
  };
}
