import type { CompanionType } from '../domain/companions.ts';
import type { Issue, Refusal } from '../domain/errors.ts';
import type { Identifier } from '../domain/identity.ts';
import { conditionalIdentifier, type PatientTarget } from '../fhir/conditional.ts';
import type { CompanionResource } from '../fhir/r4.ts';
import { isRefusal, refuse } from '../fhir/refusal.ts';
import { contentOf, sanitiseCompanion } from '../fhir/sanitise.ts';
import { validateCompanion } from '../fhir/validate.ts';
import type { CompanionRemoval, CompanionSubmission, Demand } from './commands.ts';
import { type Address, conditionOf, idMismatch, versionOf } from './intake.ts';
import type { Authorities } from './policy/authorities.ts';

/** In strict mode what a resource is of, or a part of, has to be here. */
const DEMANDED: Readonly<Record<CompanionType, Demand>> = {
  Organization: { element: 'partOf', type: 'Organization' },
  RelatedPerson: { element: 'patient', type: 'Patient' },
};

export interface TakenCompanion {
  readonly companion: CompanionSubmission;
  readonly warnings: readonly Issue[];
}

const bears = ({ identifier = [] }: CompanionResource, { system, value }: Identifier): boolean =>
  identifier.some((one) => one.system === system && one.value === value);

/** An Organization or a RelatedPerson from the wire, made ready for the registrar: validated and cleared of what the registry gives. */
export function takeInCompanion(
  type: CompanionType,
  body: unknown,
  address: Address,
  { mode }: Pick<Authorities, 'mode'>,
): TakenCompanion | Refusal {
  const valid = validateCompanion(type, body, mode);
  if ('code' in valid) return valid;
  const { resource, warnings } = valid;
  const { method, target } = address;
  const mismatch = idMismatch(address, resource.id, type);
  if (mismatch) return mismatch;
  if (target.kind === 'identifier' && !bears(resource, target))
    return refuse('invalid-request', 'The identifier in the URL must be one of the body.', `${type}.identifier`);
  const clean = sanitiseCompanion(resource);
  if (isRefusal(clean)) return clean;
  const ifMatch = versionOf(address.ifMatch);
  if (isRefusal(ifMatch)) return ifMatch;
  const condition = address.ifNoneExist ?? null;
  const ifNoneExist = condition === null ? null : conditionalIdentifier(conditionOf(condition, type));
  if (ifNoneExist !== null && isRefusal(ifNoneExist)) return ifNoneExist;
  const demand = mode === 'strict' ? { demand: DEMANDED[type] } : {};
  return {
    companion: { type, method, target, ifMatch, ifNoneExist, resource: contentOf(clean.resource), ...demand },
    warnings: [...warnings, ...clean.dropped],
  };
}

/** What a DELETE is about. */
export function takeOutCompanion(type: CompanionType, target: PatientTarget, ifMatch: string | null): CompanionRemoval | Refusal {
  const version = versionOf(ifMatch);
  return isRefusal(version) ? version : { type, target, ifMatch: version };
}
