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
  return marked(Object.fromEntries(kept) as unknown as Patient);
};

const marked = (patient: Patient): Patient => {
  const tag = patient.meta?.tag ?? [];
  return tag.some(({ code }) => code === subsetted.code)
    ? patient
    : { ...patient, meta: { ...patient.meta, tag: [...tag, subsetted] } };
};

/** With the identifiers of these systems only (PDQm ITI-78, case 2), marked SUBSETTED where others were taken out. */
export const withinDomains = (patient: Patient, systems: readonly string[]): Patient => {
  const { identifier = [], ...rest } = patient;
  const kept = identifier.filter(({ system }) => system !== undefined && systems.includes(system));
  if (kept.length === identifier.length) return patient;
  return marked({ ...rest, ...(kept.length > 0 && { identifier: kept }) });
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
