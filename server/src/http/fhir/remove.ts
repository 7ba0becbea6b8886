import type { Refusal } from '../../domain/errors.ts';
import { type PatientTarget, targetById, targetByIdentifier } from '../../fhir/conditional.ts';
import { operationOutcome } from '../../fhir/outcome.ts';
import { isRefusal } from '../../fhir/refusal.ts';
import type { Removal, Removed } from '../../registry/commands.ts';
import { takeOut } from '../../registry/intake.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import { preferred } from '../negotiation.ts';
import type { FhirDependencies } from './dependencies.ts';
import { idOf } from './read.ts';
import { senderOf } from './submit.ts';

async function removeRecord(
  dependencies: FhirDependencies,
  exchange: Exchange,
  removal: Removal,
): Promise<Removed['removed'] | Refusal> {
  const result = await dependencies.execute({ kind: 'remove', sender: senderOf(exchange), removal });
  if (result.kind === 'refused') return result.refusal;
  if (result.kind !== 'removed') throw new Error(`a removal was answered with ${result.kind}`);
  return result.removed;
}

/** REST-29, D7: 204 also where there was nothing to delete; an outcome with 200 on demand. */
async function removeAt(dependencies: FhirDependencies, exchange: Exchange, target: PatientTarget | Refusal): Promise<Answer> {
  if (isRefusal(target)) return failure(target);
  const whose = { client: exchange.client.name, authorities: dependencies.policy().authorities };
  const removal = takeOut(target, exchange.request.headers['if-match'] ?? null, whose);
  if (isRefusal(removal)) return failure(removal);
  const removed = await removeRecord(dependencies, exchange, removal);
  if (isRefusal(removed)) return failure(removed);
  const withOutcome = preferred(exchange.request.headers.prefer) === 'OperationOutcome';
  return {
    status: withOutcome ? 200 : 204,
    body: withOutcome ? operationOutcome([]) : null,
    ...(removed ? { headers: { etag: `W/"${removed.version}"` } } : { log: { event: 'delete', patients: [] } }),
  };
}

/** `DELETE Patient/:id`. */
export const remove = (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> =>
  removeAt(dependencies, exchange, targetById(idOf(exchange)));

/** `DELETE Patient?identifier=system|value` (REST-30, ITI-104 remove). */
export const removeByIdentifier = (dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> =>
  removeAt(dependencies, exchange, targetByIdentifier(queryOf(exchange.request)));
