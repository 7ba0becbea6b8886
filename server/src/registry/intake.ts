import type { Issue, Refusal } from '../domain/errors.ts';
import type { RecordIdentifier } from '../domain/identity.ts';
import type { SubmittedEntry } from '../fhir/bundle.ts';
import { identifiersOf } from '../fhir/identifiers.ts';
import type { Ours } from '../fhir/ours.ts';
import type { Patient } from '../fhir/r4.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import { contentOf, sanitise } from '../fhir/sanitise.ts';
import { validatePatient } from '../fhir/validate.ts';
import type { FeatureValues } from '../matching/model.ts';
import type { Submission } from './commands.ts';
import { type Authorities, canonicalIdentifier, stateIdentifiers } from './policy/authorities.ts';

/** How a request addressed its Patient, before it is known what the client may name records with. */
export type Address = Pick<SubmittedEntry, 'method' | 'target' | 'ifMatch'>;

export interface IntakePolicy {
  readonly authorities: Authorities;
  readonly ours: Ours;
  readonly extract: (patient: Patient) => FeatureValues;
}

export interface Taken {
  readonly submission: Submission;
  /** The Patient as it will be kept. */
  readonly patient: Patient;
  readonly warnings: readonly Issue[];
}

/** R4 http.html#concurrency: the version that the sender knows, as an ETag; null: any. */
function versionOf({ ifMatch }: Address): number | null | Refusal {
  if (ifMatch === null) return null;
  const version = /^(?:W\/)?"([1-9]\d{0,8})"$/.exec(ifMatch.trim())?.[1];
  return version === undefined ? refuse('invalid-request', 'If-Match is the ETag of one version, like W/"3".') : Number(version);
}

/** REST-26: on PUT the body's id is that of the URL. */
const idMismatch = ({ target }: Address, bodyId: string | undefined): Refusal | undefined =>
  target.kind === 'id' && bodyId !== target.id
    ? refuse('invalid-request', `The body's id must be the id in the URL, ${target.id}.`, 'Patient.id')
    : undefined;

/** Only an identifier that names the client's own records addresses one. */
function addressRefusal({ target }: Address, client: string, authorities: Authorities): Refusal | undefined {
  if (target.kind !== 'identifier' || authorities.ownSystems(client).includes(authorities.canonical(target.system)))
    return undefined;
  return refuse(
    'invalid-request',
    'The identifier in the URL must be of a system that names your own records.',
    'Patient.identifier',
  );
}

/** Names of the domains that these identifiers name records in, besides the one in answers: records may stand under them. */
const otherNames = (authorities: Authorities, identifiers: readonly RecordIdentifier[]): NonNullable<Submission['otherNames']> =>
  Object.fromEntries(
    identifiers
      .filter(({ names }) => names)
      .map(({ system }) => [system, authorities.namesOf(system).slice(1)] as const)
      .filter(([, others]) => others.length > 0),
  );

/**
 * A Patient from the wire, made ready for the registrar: validated, cleared of forged marks, its identifiers weighed,
 * its features extracted. Pure; a refusal leaves nothing behind.
 */
export function takeIn(body: unknown, address: Address, client: string, policy: IntakePolicy): Taken | Refusal {
  const { authorities } = policy;
  const valid = validatePatient(body, authorities.mode);
  if (isRefusal(valid)) return valid;
  const mismatch = idMismatch(address, valid.patient.id);
  if (mismatch) return mismatch;
  const clean = sanitise(valid.patient, policy.ours);
  if (isRefusal(clean)) return clean;
  const stated = stateIdentifiers(authorities, client, identifiersOf(clean.resource));
  if (isRefusal(stated)) return stated;
  const misaddressed = addressRefusal(address, client, authorities);
  if (misaddressed) return misaddressed;
  const ifMatch = versionOf(address);
  const { target } = address;
  if (ifMatch !== null && typeof ifMatch !== 'number') return ifMatch;
  return {
    submission: {
      method: address.method,
      target: target.kind === 'identifier' ? canonicalIdentifier(authorities, target) : target,
      ifMatch,
      bodyId: target.kind === 'id' ? null : (valid.patient.id ?? null),
      resource: contentOf(clean.resource),
      active: clean.resource.active !== false,
      identifiers: stated.identifiers,
      features: policy.extract(clean.resource),
      ownSystems: authorities.ownSystems(client),
      otherNames: otherNames(authorities, stated.identifiers),
    },
    patient: clean.resource,
    warnings: [...valid.warnings, ...clean.dropped, ...stated.warnings],
  };
}
