import type { Issue, Refusal } from '../../domain/errors.ts';
import { type MatchInput, matchset, readDryRun, readMatch, refuseUnknown, remarksOnUnknown } from '../../fhir/match.ts';
import type { Patient } from '../../fhir/r4.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import { validatePatient } from '../../fhir/validate.ts';
import type { Matched } from '../../registry/commands.ts';
import { dryRun } from '../../registry/dry-run.ts';
import { gradeMatches, type Matches } from '../../registry/match-grades.ts';
import { readBody } from '../body.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { failure } from '../failure.ts';
import { handling } from '../negotiation.ts';
import type { FhirDependencies } from './dependencies.ts';
import { lookupOf } from './read.ts';
import { senderOf } from './submit.ts';

/** Characters of a question that the access log keeps as it was sent (AUD-13); of a longer one it keeps `shortOf`. */
const KEPT = 16_384;

/** What was asked about, for the access log. */
const askedOf = (body: unknown, patient: Patient): { readonly body: string } | { readonly asked: string } => {
  const text = JSON.stringify(body);
  return text.length <= KEPT ? { body: text } : { asked: shortOf(patient) };
};

const shortOf = ({ name = [], birthDate = '', gender, identifier = [] }: Patient): string =>
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

/** Whoever resembles a Patient, as far as the asker may know, and what is said with it. */
interface Asked {
  readonly patient: Patient;
  readonly found: Matched;
  readonly graded: Matches;
  readonly remarks: readonly Issue[];
  readonly log: NonNullable<Answer['log']>;
}

interface Question {
  readonly read: (body: unknown) => MatchInput | Refusal;
  readonly withPairs: boolean;
}

/** Asks who resembles the Patient of the body: nothing is written, whatever the answer looks like. */
async function ask(dependencies: FhirDependencies, exchange: Exchange, question: Question): Promise<Asked | Refusal> {
  const seesAll = exchange.principal.scopes.includes('demographics');
  if (!seesAll && !dependencies.mayMatch(exchange.client.name)) {
    return refuse('too-many-requests', 'This client asks too often who resembles a Patient; try again in a minute.');
  }
  const body = await readBody(exchange.request, dependencies.limits);
  const input = question.read(body);
  if (isRefusal(input)) return input;
  const said = handling(exchange.request.headers.prefer);
  const unknown = said === 'strict' ? refuseUnknown(input) : undefined;
  if (unknown) return unknown;
  const { authorities, extract } = dependencies.policy();
  const valid = validatePatient(input.resource, authorities.mode);
  if (isRefusal(valid)) return valid;
  const { patient, warnings } = valid;
  const withPairs = seesAll && question.withPairs;
  const found = await dependencies.execute({ kind: 'match', sender: senderOf(exchange), features: extract(patient), withPairs });
  if (found.kind === 'refused') return found.refusal;
  if (found.kind !== 'matched') throw new Error(`a match was answered with ${found.kind}`);
  const graded = await gradeMatches(lookupOf(dependencies, exchange), found, input);
  const patients = graded.matches.flatMap((one) => one.patient.id ?? []);
  const log = { event: 'match', patients, ...askedOf(body, patient) };
  const remarks = [...warnings, ...graded.remarks, ...(said === 'lenient' ? remarksOnUnknown(input) : [])];
  return { patient, found, graded, remarks, log };
}

/** ITI-119 `POST Patient/$match` (PDQ-119). */
export async function match(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const asked = await ask(dependencies, exchange, { read: readMatch, withPairs: false });
  if (isRefusal(asked)) return failure(asked);
  const { graded, remarks, log } = asked;
  const { baseUri } = dependencies.ours;
  return { status: 200, body: matchset({ base: exchange.base, baseUri, ...graded, remarks }), log };
}

/** `POST /match/matches` of OpenCR 1.x: the same question, answered in rows; no resource, so plain JSON. */
export async function matches(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  const asked = await ask(dependencies, exchange, { read: readDryRun, withPairs: true });
  if (isRefusal(asked)) return failure(asked);
  const { patient, remarks, found, graded, log } = asked;
  const body = dryRun(lookupOf(dependencies, exchange), { patient, remarks }, { matches: graded.matches, pairs: found.pairs });
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body, log };
}
