/** Patients for tests over HTTP: persons that the shipped rules never take for one another, as a client's system states them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/app/project.ts';
import type { Patient } from '../../src/fhir/r4.ts';
import type { Answer } from '../support/registry-server.ts';

const BASE = 'http://clientregistry.org';
export const NATIONAL = `${BASE}/nationalid`;
export const ART = `${BASE}/artnumber`;

export const systemOf = (client: string): string => `${BASE}/${client}`;
export const identifier = (client: string, value: string) => ({ system: systemOf(client), value });
export const national = (value: string) => ({ system: NATIONAL, value });

export type Person = Pick<Patient, 'name' | 'telecom' | 'gender' | 'birthDate'>;

let born = 0;
const word = (n: number, letters: string): string =>
  [...Array(6).keys()].map((place) => letters.charAt((n * (place + 3) + place * place) % letters.length)).join('');

/** Somebody new: no two of them share a name, a phone or a birth date. */
export function somebody(): Person {
  born += 1;
  const day = new Date(Date.UTC(1940, 0, 1) + born * 37 * 86_400_000).toISOString().slice(0, 10);
  return {
    name: [{ use: 'official', family: `${word(born, 'bcdfghjklmnp')}${born}`, given: [`${word(born, 'qrstvwxzaeiou')}${born}`] }],
    telecom: [{ system: 'phone', value: `0700 ${100_000 + born}` }],
    gender: born % 2 === 0 ? 'female' : 'male',
    birthDate: day,
  };
}

/** The person as `client` submits them under its own identifier `value`; `more` replaces or adds elements. */
export const patient = (client: string, value: string, person: Person = somebody(), more: Partial<Patient> = {}): Patient => ({
  resourceType: 'Patient',
  identifier: [identifier(client, value)],
  active: true,
  ...person,
  ...more,
});

export const demo = (name: string): string => readFileSync(join(projectRoot, 'DemoData', `${name}.json`), 'utf8');

/** The CRUID and the record's id that an answer's headers name. */
export const cruidOf = ({ headers }: Answer): string => (headers['locationcruid'] ?? '').replace('Patient/', '');
export const idOf = ({ headers }: Answer): string => /^Patient\/([^/]+)/.exec(headers['location'] ?? '')?.[1] ?? '';
