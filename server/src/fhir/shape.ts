import { subsetted } from './ours.ts';
import type { Patient } from './r4.ts';
import type { Shape } from './search.ts';

/** Elements that R4 marks as summary elements of Patient (patient-definitions.html). */
const SUMMARY = [
  'identifier',
  'active',
  'name',
  'telecom',
  'gender',
  'birthDate',
  'deceasedBoolean',
  'deceasedDateTime',
  'address',
  'managingOrganization',
  'link',
];

const ALWAYS = ['resourceType', 'id', 'meta'];

/** The Patient with these elements only, marked SUBSETTED (search.html#elements). */
const only = (patient: Patient, elements: readonly string[]): Patient => {
  const kept = Object.entries(patient).filter(([name]) => ALWAYS.includes(name) || elements.includes(name.replace(/^_/, '')));
  const tag = patient.meta?.tag ?? [];
  const marked = tag.some(({ code }) => code === subsetted.code) ? tag : [...tag, subsetted];
  return { ...(Object.fromEntries(kept) as unknown as Patient), meta: { ...patient.meta, tag: marked } };
};

/** As much of a match as was asked for. */
export const shaped = (patient: Patient, { summary, elements }: Shape): Patient => {
  if (elements !== null) return only(patient, elements);
  if (summary === 'true') return only(patient, SUMMARY);
  if (summary === 'text') return only(patient, ['text']);
  if (summary === 'data')
    return only(
      patient,
      Object.keys(patient).filter((name) => name !== 'text'),
    );
  return patient;
};
