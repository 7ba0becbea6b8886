import type { RecordKey } from '../domain/identity.ts';
import type { FeatureValues } from '../matching/model.ts';
import type { CommandResult, MatchCandidate } from './commands.ts';
import { type Case, retrieve } from './decide.ts';

/** No record has it: what is asked about is not one of them. */
const NOBODY: RecordKey = 0;

/** Records that an answer tells of at most: a rule that so many reach tells nobody apart. */
const MOST_MATCHES = 200;

/**
 * Who resembles these values (FHIR `$match`): retrieval and scores as for a submission, and nothing after (design §6). It is asked in
 * turn with the submissions, and answered with them once what it has seen is durable.
 */
export async function match(one: Case, values: FeatureValues): Promise<CommandResult> {
  const { candidates, truncated } = await retrieve(one, NOBODY, values);
  const found: MatchCandidate[] = [];
  for (const { record: key, verdict } of candidates.slice(0, MOST_MATCHES)) {
    const record = await one.overlay.record(key);
    const golden = record && (await one.overlay.golden(record.golden));
    if (golden) found.push({ record: key, golden: golden.key, cruid: golden.id, verdict });
  }
  return { kind: 'matched', candidates: found, truncated: truncated || candidates.length > MOST_MATCHES };
}
