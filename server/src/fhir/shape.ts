import { subsetted } from './ours.ts';
import type { KeptResource, Patient } from './r4.ts';
import type { Shape } from './search.ts';

/** Elements that R4 marks as summary elements (patient-definitions.html and its like). */
const SUMMARY: Readonly<Record<KeptResource['resourceType'], readonly string[]>> = {
  Patient: [
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
  ],
  Organization: ['identifier', 'active', 'type', 'name', 'partOf'],
  RelatedPerson: ['identifier', 'active', 'patient', 'relationship', 'name', 'telecom', 'gender', 'birthDate', 'address'],
};

/** Of those that are not there without them. */
const MANDATORY: Readonly<Record<string, readonly string[]>> = { RelatedPerson: ['patient'] };

const ALWAYS = ['resourceType', 'id', 'meta'];

/** The resource with these elements only, marked SUBSETTED (search.html#elements). */
const only = <T extends KeptResource>(resource: T, elements: readonly string[]): T => {
  const wanted = [...ALWAYS, ...(MANDATORY[resource.resourceType] ?? []), ...elements];
  const kept = Object.entries(resource).filter(([name]) => wanted.includes(name) || elements.includes(name.replace(/^_/, '')));
  return marked(Object.fromEntries(kept) as unknown as T);
};

const marked = <T extends KeptResource>(resource: T): T => {
  const tag = resource.meta?.tag ?? [];
  return tag.some(({ code }) => code === subsetted.code)
    ? resource
    : { ...resource, meta: { ...resource.meta, tag: [...tag, subsetted] } };
};

/** With the identifiers of these systems only (PDQm ITI-78, case 2), marked SUBSETTED where others were taken out. */
export const withinDomains = (patient: Patient, systems: readonly string[]): Patient => {
  const { identifier = [], ...rest } = patient;
  const kept = identifier.filter(({ system }) => system !== undefined && systems.includes(system));
  if (kept.length === identifier.length) return patient;
  return marked({ ...rest, ...(kept.length > 0 && { identifier: kept }) });
};

/** As much of a match as was asked for. */
export const shaped = <T extends KeptResource>(resource: T, { summary, elements }: Shape): T => {
  if (elements !== null) return only(resource, elements);
  if (summary === 'true') return only(resource, SUMMARY[resource.resourceType]);
  if (summary === 'text') return only(resource, ['text']);
  if (summary === 'data')
    return only(
      resource,
      Object.keys(resource).filter((name) => name !== 'text'),
    );
  return resource;
};
