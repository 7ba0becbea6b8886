import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type GeneratedRecord, recordAt, type Register } from './records.ts';

export type Format = 'csv' | 'ndjson';

const HEADER = 'id,given,family,sex,birthdate,phone,national_id,art_number,village,district\n';

/** No generated value holds a quote, a comma or a line's end. */
const csvLine = (r: GeneratedRecord): string =>
  `${r.id},${r.given},${r.family},${r.sex},${r.birthDate},${r.phone},${r.nationalId},${r.artNumber},${r.village},${r.district}\n`;

const AUTHORITY = 'http://clientregistry.org';

/** The record as a FHIR R4 Patient, with the identifiers that the shipped decision rules read. */
export const patientOf = (r: GeneratedRecord): object => ({
  resourceType: 'Patient',
  identifier: [
    { system: `${AUTHORITY}/openmrs`, value: r.id },
    ...(r.nationalId === '' ? [] : [{ system: `${AUTHORITY}/nationalid`, value: r.nationalId }]),
    ...(r.artNumber === '' ? [] : [{ system: `${AUTHORITY}/artnumber`, value: r.artNumber }]),
  ],
  name: [
    {
      use: 'official',
      ...(r.family !== '' && { family: r.family }),
      ...(r.given.trim() !== '' && { given: r.given.split(' ').filter((name) => name !== '') }),
    },
  ],
  ...(r.sex !== '' && { gender: r.sex }),
  ...(r.birthDate !== '' && { birthDate: r.birthDate }),
  ...(r.phone !== '' && { telecom: [{ system: 'phone', value: r.phone }] }),
  address: [{ city: r.village, district: r.district }],
});

const LINES = 1000;

const send = async (to: Writable, text: string): Promise<void> => {
  if (text !== '' && !to.write(text)) await once(to, 'drain');
};

export interface Writing {
  readonly register: Register;
  readonly format: Format;
  readonly out: Writable;
  /** id, person, defects; the file of the truth is apart, so that no matcher sees it. */
  readonly truth: WriteStream | null;
  readonly progress: (records: number) => void;
}

/** Writes the register, a thousand records at a time, as fast as the stream takes them. */
export async function writeRegister({ register, format, out, truth, progress }: Writing): Promise<void> {
  await send(out, format === 'csv' ? HEADER : '');
  if (truth) await send(truth, 'id,person,defects\n');
  for (let from = 0; from < register.total; from += LINES) {
    let [text, truths] = ['', ''];
    for (let index = from; index < Math.min(register.total, from + LINES); index++) {
      const record = recordAt(register, index);
      text += format === 'csv' ? csvLine(record) : `${JSON.stringify(patientOf(record))}\n`;
      truths += `${record.id},${record.person},${record.defects.join(' ')}\n`;
    }
    await send(out, text);
    if (truth) await send(truth, truths);
    progress(Math.min(register.total, from + LINES));
  }
}

export const openFile = (path: string): WriteStream => createWriteStream(path, { highWaterMark: 1 << 20 });
