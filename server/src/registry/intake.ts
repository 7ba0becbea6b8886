import type { Issue, Refusal } from '../domain/errors.ts';
import type { SubmittedEntry } from '../fhir/bundle.ts';
import { identifiersOf } from '../fhir/identifiers.ts';
import type { Ours } from '../fhir/ours.ts';
import type { Patient } from '../fhir/r4.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import { conditionalIdentifier, type PatientTarget } from '../fhir/conditional.ts';
import { contentOf, type Replacement, sanitise } from '../fhir/sanitise.ts';
import { validatePatient } from '../fhir/validate.ts';
import type { FeatureValues } from '../matching/model.ts';
import type { OwnName, RecordIdentifier } from '../domain/identity.ts';
import type { Identifier } from '../fhir/r4.ts';
import type { Demand, MergeTarget, Removal, Submission } from './commands.ts';
import { type Authorities, canonicalIdentifier, stateIdentifiers } from './policy/authorities.ts';

/** How a request addressed its Patient, before it is known what the client may name records with. */
export type Address = Pick<SubmittedEntry, 'method' | 'target' | 'ifMatch'> & Partial<Pick<SubmittedEntry, 'ifNoneExist'>>;

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
export function versionOf(ifMatch: string | null): number | null | Refusal {
  if (ifMatch === null) return null;
  const version = /^(?:W\/)?"([1-9]\d{0,8})"$/.exec(ifMatch.trim())?.[1];
  return version === undefined ? refuse('invalid-request', 'If-Match is the ETag of one version, like W/"3".') : Number(version);
}

/** REST-26: on PUT the body's id is that of the URL. */
export const idMismatch = ({ target }: Address, bodyId: string | undefined, type: string): Refusal | undefined =>
  target.kind === 'id' && bodyId !== target.id
    ? refuse('invalid-request', `The body's id must be the id in the URL, ${target.id}.`, `${type}.id`)
    : undefined;

/** An identifier that stands for a record of the client: only of a system that names its own records. */
function ownIdentifier(
  { system, value }: Required<Pick<Identifier, 'system' | 'value'>>,
  { client, authorities }: { readonly client: string; readonly authorities: Authorities },
  where: string,
): OwnName | Refusal {
  const systems = authorities.namesOf(system);
  const stated = authorities.ownSystems(client).includes(authorities.canonical(system))
    ? stateIdentifiers(authorities, client, [{ place: 0, system, value }])
    : undefined;
  const [identifier] = stated && !isRefusal(stated) ? stated.identifiers : [];
  return identifier?.names
    ? { scope: identifier.scope, systems, value }
    : refuse('invalid-request', `The identifier ${where} must be of a system that names your own records.`, 'Patient.identifier');
}

function mergeTarget(
  replacedBy: Replacement | null,
  whose: { readonly client: string; readonly authorities: Authorities },
): MergeTarget | null | Refusal {
  if (replacedBy?.kind !== 'identifier') return replacedBy;
  const { system, value, path } = replacedBy;
  const identifier = ownIdentifier({ system, value }, whose, 'of the replaced-by link');
  if (!isRefusal(identifier)) return { kind: 'identifier', identifier };
  return refuse('forbidden', 'A record is replaced by another of the same system: each system merges its own.', path);
}

/** What clients put before the query of If-None-Exist: `?`, `Patient?`; HAPI FHIR's client writes the whole URL. */
const BEFORE_CONDITION = /^(?:(?:https?:\/\/[^?#]*\/)?(Patient|Organization|RelatedPerson))?\?/;

/** The parameters of If-None-Exist; what is before them says no other type. */
export const conditionOf = (ifNoneExist: string, type: string): URLSearchParams => {
  const [before = '', said = type] = BEFORE_CONDITION.exec(ifNoneExist) ?? [];
  return new URLSearchParams(said === type ? ifNoneExist.slice(before.length) : ifNoneExist);
};

/** REST-24: `identifier=system|value`, of a system that names the client's own records. */
function condition(
  ifNoneExist: string | null,
  whose: { readonly client: string; readonly authorities: Authorities },
): OwnName | null | Refusal {
  if (ifNoneExist === null) return null;
  const identifier = conditionalIdentifier(conditionOf(ifNoneExist, 'Patient'));
  return isRefusal(identifier) ? identifier : ownIdentifier(identifier, whose, 'of the condition');
}

/** What a DELETE is about; the identifier of a conditional one must name the client's own records. */
export function takeOut(
  target: PatientTarget,
  ifMatch: string | null,
  whose: { readonly client: string; readonly authorities: Authorities },
): Removal | Refusal {
  const version = versionOf(ifMatch);
  if (isRefusal(version)) return version;
  if (target.kind === 'id') return { target, ifMatch: version };
  const identifier = ownIdentifier(target, whose, 'in the URL');
  return isRefusal(identifier) ? identifier : { target: { kind: 'identifier', identifier }, ifMatch: version };
}

/** Names of the domains that these identifiers name records in, besides the one in answers: records may stand under them. */
const otherNames = (authorities: Authorities, identifiers: readonly RecordIdentifier[]): NonNullable<Submission['otherNames']> =>
  Object.fromEntries(
    identifiers
      .filter(({ names }) => names)
      .map(({ system }) => [system, authorities.namesOf(system).slice(1)] as const)
      .filter(([, others]) => others.length > 0),
  );

/** OHIE-CR-01: in strict mode the organisation that manages a patient has to be here. */
const MANAGED: Demand = { element: 'managingOrganization', type: 'Organization' };

/**
 * A Patient from the wire, made ready for the registrar: validated, cleared of forged marks, its identifiers weighed,
 * its features extracted. Pure; a refusal leaves nothing behind.
 */
export function takeIn(body: unknown, address: Address, client: string, policy: IntakePolicy): Taken | Refusal {
  const { authorities } = policy;
  const valid = validatePatient(body, authorities.mode);
  if (isRefusal(valid)) return valid;
  const mismatch = idMismatch(address, valid.patient.id, 'Patient');
  if (mismatch) return mismatch;
  const clean = sanitise(valid.patient, policy.ours);
  if (isRefusal(clean)) return clean;
  const stated = stateIdentifiers(authorities, client, identifiersOf(clean.resource));
  if (isRefusal(stated)) return stated;
  const { target } = address;
  const whose = { client, authorities };
  const addressed = target.kind === 'identifier' ? ownIdentifier(target, whose, 'in the URL') : undefined;
  if (isRefusal(addressed)) return addressed;
  const ifMatch = versionOf(address.ifMatch);
  if (isRefusal(ifMatch)) return ifMatch;
  const mergeInto = mergeTarget(clean.replacedBy, whose);
  if (isRefusal(mergeInto)) return mergeInto;
  const ifNoneExist = condition(address.ifNoneExist ?? null, whose);
  if (isRefusal(ifNoneExist)) return ifNoneExist;
  return {
    submission: {
      method: address.method,
      target: target.kind === 'identifier' ? canonicalIdentifier(authorities, target) : target,
      ifMatch,
      ifNoneExist,
      bodyId: target.kind === 'id' ? null : (valid.patient.id ?? null),
      resource: contentOf(clean.resource),
      active: clean.resource.active !== false,
      mergeInto,
      identifiers: stated.identifiers,
      features: policy.extract(clean.resource),
      ownSystems: authorities.ownSystems(client),
      otherNames: otherNames(authorities, stated.identifiers),
      ...(authorities.mode === 'strict' && { demand: MANAGED }),
    },
    patient: clean.resource,
    warnings: [...valid.warnings, ...clean.dropped, ...stated.warnings],
  };
}
