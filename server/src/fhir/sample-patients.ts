/** Patients for the tests of this folder, in the shape of the mission's demo data. */
import type { Patient } from './r4.ts';

export const anna: Patient = {
  resourceType: 'Patient',
  identifier: [
    { system: 'http://clientregistry.org/openmrs', value: '431211' },
    { system: 'http://system1.org', value: '12349', period: { start: '2001-05-06' }, assigner: { display: 'test Org' } },
  ],
  active: true,
  name: [{ use: 'official', family: 'Gideon', given: ['Namaalwa', 'Emmanuel'] }],
  telecom: [{ system: 'phone', value: '774 232423' }],
  gender: 'female',
  birthDate: '1974-12-25',
};
