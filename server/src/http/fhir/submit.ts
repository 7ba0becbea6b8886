import type { Issue } from '../../domain/errors.ts';
import type { Accepted, Sender } from '../../registry/commands.ts';
import { operationOutcome } from '../../fhir/outcome.ts';
import type { Patient } from '../../fhir/r4.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import { renderSource } from '../../fhir/render.ts';
import { type Address, takeIn, type Taken } from '../../registry/intake.ts';
import { canonicalContent } from '../../registry/policy/authorities.ts';
import { readBody } from '../body.ts';
import type { FhirDependencies } from './dependencies.ts';
import { type Answer, type Exchange } from '../exchange.ts';
import { preferred } from '../negotiation.ts';
import { failure } from '../failure.ts';

export const senderOf = (exchange: Exchange): Sender => ({
  agent: exchange.client.name,
  address: exchange.address,
  requestId: exchange.requestId,
});

/** D3: `Patient/<id>/_history/<v>`, or as OpenCR 1.x `Patient/<id>`. */
export const locationOf = (accepted: Accepted, style: 'versioned' | 'opencr'): string =>
  style === 'versioned' ? `Patient/${accepted.id}/_history/${accepted.version}` : `Patient/${accepted.id}`;

/** The Patient as it now stands: what was kept, with the registry's marks. */
export function renderAccepted(dependencies: FhirDependencies, taken: Taken, accepted: Accepted, client: string): Patient {
  const { id, version, lastUpdated, flags, cruid: goldenId, brokenWith } = accepted;
  const record = { id, version, lastUpdated, flags, source: client };
  const resource = canonicalContent(dependencies.policy().authorities, taken.submission.resource);
  return renderSource(
    { record, resource, goldenId, brokenWith, clientDisplay: dependencies.displayName(client) },
    dependencies.ours,
  );
}

/** What a client should know although its Patient was accepted. */
export const remarks = (taken: Taken, accepted: Accepted): readonly Issue[] =>
  accepted.truncated
    ? [
        ...taken.warnings,
        {
          severity: 'warning',
          diagnostics: 'So many records resemble this one that only the strongest were compared; a data steward will look at it.',
        },
      ]
    : taken.warnings;

/** What a URL says of where a Patient goes; If-Match comes from the header. */
type Addressed = Omit<Address, 'ifMatch'>;

/** One Patient: 201 for an accepted POST, also when it updated; PUT 201 when it created, else 200 (issue: Intake). */
export async function submitPatient(
  dependencies: FhirDependencies,
  exchange: Exchange,
  address: Addressed,
  style: 'versioned' | 'opencr',
): Promise<Answer> {
  const body = await readBody(exchange.request, dependencies.limits);
  return submitBody(dependencies, exchange, { body, address, style });
}

export async function submitBody(
  dependencies: FhirDependencies,
  exchange: Exchange,
  sent: { readonly body: unknown; readonly address: Addressed; readonly style: 'versioned' | 'opencr' },
): Promise<Answer> {
  const { headers } = exchange.request;
  if (headers['if-none-exist'] !== undefined) {
    return failure(refuse('business-rule', 'Conditional create (If-None-Exist) is not served yet; nothing was done.'));
  }
  const address = { ...sent.address, ifMatch: headers['if-match'] ?? null };
  const taken = takeIn(sent.body, address, exchange.client.name, dependencies.policy());
  if (isRefusal(taken)) return failure(taken);
  const result = await dependencies.execute({ kind: 'submit', sender: senderOf(exchange), submission: taken.submission });
  if (result.kind === 'refused') return failure(result.refusal);
  if (result.kind !== 'accepted') throw new Error(`a submission was answered with ${result.kind}`);
  const prefer = preferred(headers.prefer);
  const patient = renderAccepted(dependencies, taken, result, exchange.client.name);
  const body = { representation: patient, minimal: null, OperationOutcome: operationOutcome(remarks(taken, result)) }[prefer];
  return {
    status: sent.address.method === 'POST' || result.status === 'created' ? 201 : 200,
    headers: {
      location: locationOf(result, sent.style),
      locationcruid: `Patient/${result.cruid}`,
      etag: `W/"${result.version}"`,
      'last-modified': new Date(result.lastUpdated).toUTCString(),
    },
    body,
  };
}
