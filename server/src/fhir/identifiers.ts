import { compareIdentity, type Identifier, type RecordIdentifier, type RecordIdentity } from '../domain/identity.ts';
import type { Patient } from './r4.ts';

/** Identifiers that have a value, as sent, each once; `system` is '' where it is absent. */
export const identifiersOf = (patient: Patient): readonly Identifier[] => {
  const found = new Map<string, Identifier>();
  for (const { system = '', value } of patient.identifier ?? []) {
    if (value !== undefined) found.set(JSON.stringify([system, value]), { system, value });
  }
  return [...found.values()];
};

/** The record's place in every tie: its smallest own source identifier. Undefined when no identifier names the record. */
export const identityOf = (identifiers: readonly RecordIdentifier[], client: string): RecordIdentity | undefined =>
  identifiers
    .filter((identifier) => identifier.names)
    .map(({ system, value }) => ({ system, value, client }))
    .sort(compareIdentity)[0];
