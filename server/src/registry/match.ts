import type { RecordKey } from '../domain/identity.ts';
import type { Pair } from '../domain/links.ts';
import type { Command, CommandResult, MatchCandidate } from './commands.ts';
import { type Case, retrieve } from './decide.ts';

/** No record has it: what is asked about is not one of them. */
const NOBODY: RecordKey = 0;

/** Records that an answer tells of at most: a rule that so many reach tells nobody apart. */
const MOST_MATCHES = 200;

/** Each pair of two of the records once. */
async function pairsAmong({ overlay }: Case, records: ReadonlySet<RecordKey>): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (const record of records) {
    for (const pair of await overlay.pairs(record)) if (pair.a === record && records.has(pair.b)) pairs.push(pair);
  }
  return pairs;
}

/**
 * Who resembles these values (FHIR `$match`): retrieval and scores as for a submission, and nothing after (design §6). It is asked in
 * turn with the submissions, and answered with them once what it has seen is durable.
 */
export async function match(
  one: Case,
  { features, withPairs }: Pick<Extract<Command, { kind: 'match' }>, 'features' | 'withPairs'>,
): Promise<CommandResult> {
  const { candidates, truncated } = await retrieve(one, NOBODY, features);
  const found: MatchCandidate[] = [];
  for (const { record: key, verdict } of candidates.slice(0, MOST_MATCHES)) {
    const record = await one.overlay.record(key);
    const golden = record && (await one.overlay.golden(record.golden));
    if (golden) found.push({ record: key, golden: golden.key, cruid: golden.id, verdict });
  }
  return {
    kind: 'matched',
    candidates: found,
    pairs: withPairs ? await pairsAmong(one, new Set(found.map(({ record }) => record))) : [],
    truncated: truncated || candidates.length > MOST_MATCHES,
  };
}
