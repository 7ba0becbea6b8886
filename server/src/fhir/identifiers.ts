import { compareIdentity, type Identifier, type RecordIdentifier, type RecordIdentity } from '../domain/identity.ts';
import type { Patient } from './r4.ts';
import { contentOf, storedPatient } from './sanitise.ts';

/** An identifier and its index in `Patient.identifier`. */
export interface PlacedIdentifier extends Identifier {
  readonly place: number;
}

/** Identifiers that have a value, as sent, each once; `system` is '' where it is absent. */
export const identifiersOf = (patient: Patient): readonly PlacedIdentifier[] => {
  const found = new Map<string, PlacedIdentifier>();
  for (const [place, { system = '', value }] of (patient.identifier ?? []).entries()) {
    const name = JSON.stringify([system, value]);
    if (value !== undefined && !found.has(name)) found.set(name, { system, value, place });
  }
  return [...found.values()];
};

/** The record's place in every tie: its smallest own source identifier. Undefined when no identifier names the record. */
export const identityOf = (identifiers: readonly RecordIdentifier[], client: string): RecordIdentity | undefined =>
  identifiers
    .filter((identifier) => identifier.names)
    .map(({ system, value }) => ({ system, value, client }))
    .sort(compareIdentity)[0];

/** A stored Patient (`contentOf`), each of its identifiers with the system that `canonical` makes of its own. */
export function withSystems(resource: string, canonical: (system: string) => string): string {
  const patient = storedPatient(resource);
  const { identifier } = patient;
  if (!identifier) return resource;
  return contentOf({
    ...patient,
    identifier: identifier.map((one) => (one.system === undefined ? one : { ...one, system: canonical(one.system) })),
  });
}
