import { matchset, readMatch } from '../../fhir/match.ts';
import type { Patient } from '../../fhir/r4.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import { validatePatient } from '../../fhir/validate.ts';
import { gradeMatches } from '../../registry/match-grades.ts';
import { readBody } from '../body.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';
import { lookupOf } from './read.ts';
import { senderOf } from './submit.ts';

/** What was asked about, for the access log: the demographics, short. */
const askedOf = ({ name = [], birthDate = '', gender, identifier = [] }: Patient): string =>
  new URLSearchParams({
    match: [
      ...name.flatMap(({ family = '', given = [] }) => [family, ...given]),
      birthDate,
      gender ?? '',
      ...identifier.map(({ system = '', value = '' }) => `${system}|${value}`),
    ]
      .join(' ')
      .slice(0, 1000),
  }).toString();

/** ITI-119 `POST Patient/$match` (PDQ-119). */
export async function match(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  if (!exchange.principal.scopes.includes('demographics') && !dependencies.mayMatch(exchange.client.name)) {
    return failure(refuse('too-many-requests', 'This client asks $match too often; try again in a minute.'));
  }
  const input = readMatch(await readBody(exchange.request, dependencies.limits));
  if (isRefusal(input)) return failure(input);
  const { authorities, extract, ours } = dependencies.policy();
  const valid = validatePatient(input.resource, authorities.mode);
  if (isRefusal(valid)) return failure(valid);
  const result = await dependencies.execute({ kind: 'match', sender: senderOf(exchange), features: extract(valid.patient) });
  if (result.kind === 'refused') return failure(result.refusal);
  if (result.kind !== 'matched') throw new Error(`a match was answered with ${result.kind}`);
  const { matches, total, remarks } = await gradeMatches(lookupOf(dependencies, exchange), result, input);
  return {
    status: 200,
    body: matchset({ base: exchange.base, baseUri: ours.baseUri, matches, total, remarks: [...valid.warnings, ...remarks] }),
    log: { event: 'match', patients: matches.flatMap(({ patient }) => patient.id ?? []), asked: askedOf(valid.patient) },
  };
}
