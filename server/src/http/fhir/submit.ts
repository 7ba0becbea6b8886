import type { Issue } from '../../domain/errors.ts';
import type { Accepted, Sender } from '../../registry/commands.ts';
import { operationOutcome } from '../../fhir/outcome.ts';
import type { Patient } from '../../fhir/r4.ts';
import { isRefusal } from '../../fhir/refusal.ts';
import { renderSource } from '../../fhir/render.ts';
import { type Address, takeIn, type Taken } from '../../registry/intake.ts';
import { readPatient } from '../../registry/lookup.ts';
import { canonicalContent } from '../../registry/policy/authorities.ts';
import { readBody } from '../body.ts';
import type { FhirDependencies } from './dependencies.ts';
import { type Answer, type Exchange } from '../exchange.ts';
import { preferred } from '../negotiation.ts';
import { failure } from '../failure.ts';
import { lookupOf } from './read.ts';

export const senderOf = (exchange: Exchange): Sender => ({
  agent: exchange.client.name,
  address: exchange.address,
  requestId: exchange.requestId,
  ...(exchange.proof && { proof: exchange.proof }),
});

/** D3: `Patient/<id>/_history/<v>`, or as OpenCR 1.x `Patient/<id>`. */
export const locationOf = (accepted: Accepted, style: 'versioned' | 'opencr'): string =>
  style === 'versioned' ? `Patient/${accepted.id}/_history/${accepted.version}` : `Patient/${accepted.id}`;

/** What was sent, and what became of it. */
export interface Sent {
  readonly taken: Taken;
  readonly accepted: Accepted;
}

/** The Patient as it now stands: what was kept, with the registry's marks; where the condition of a create held, what was there. */
export async function shownAccepted(
  dependencies: FhirDependencies,
  exchange: Exchange,
  { taken, accepted }: Sent,
): Promise<Patient> {
  const { id, version, lastUpdated, flags, cruid: goldenId, replacedBy, brokenWith } = accepted;
  const source = exchange.client.name;
  const there = accepted.status === 'existing' ? await readPatient(lookupOf(dependencies, exchange), id) : undefined;
  if (there && 'patient' in there) return there.patient;
  const record = { id, version, lastUpdated, flags, source };
  const resource = canonicalContent(dependencies.policy().authorities, accepted.resource ?? taken.submission.resource);
  return renderSource(
    { record, resource, goldenId, replacedBy, brokenWith, clientDisplay: dependencies.displayName(source) },
    dependencies.ours,
  );
}

/** 201 for an accepted POST, also when it updated, 200 where its condition held; PUT 201 when it created, else 200. */
export const statusFor = (method: Address['method'], { status }: Accepted): 200 | 201 =>
  status === 'created' || (method === 'POST' && status !== 'existing') ? 201 : 200;

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
type Addressed = Pick<Address, 'method' | 'target'>;

/** One Patient. */
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
  const ifNoneExist = sent.address.method === 'POST' ? (headers['if-none-exist'] ?? null) : null;
  const address = {
    ...sent.address,
    ifMatch: headers['if-match'] ?? null,
    ifNoneExist: ifNoneExist === null ? null : String(ifNoneExist),
  };
  const taken = takeIn(sent.body, address, exchange.client.name, dependencies.policy());
  if (isRefusal(taken)) return failure(taken);
  const result = await dependencies.execute({ kind: 'submit', sender: senderOf(exchange), submission: taken.submission });
  if (result.kind === 'refused') return failure(result.refusal);
  if (result.kind !== 'accepted') throw new Error(`a submission was answered with ${result.kind}`);
  const prefer = preferred(headers.prefer);
  const patient = await shownAccepted(dependencies, exchange, { taken, accepted: result });
  const body = { representation: patient, minimal: null, OperationOutcome: operationOutcome(remarks(taken, result)) }[prefer];
  return {
    status: statusFor(sent.address.method, result),
    headers: {
      location: locationOf(result, sent.style),
      locationcruid: `Patient/${result.cruid}`,
      etag: `W/"${result.version}"`,
      'last-modified': new Date(result.lastUpdated).toUTCString(),
    },
    body,
  };
}
