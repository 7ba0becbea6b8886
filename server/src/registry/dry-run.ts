import type { Issue } from '../domain/errors.ts';
import type { RecordKey } from '../domain/identity.ts';
import type { Pair } from '../domain/links.ts';
import { operationOutcome } from '../fhir/outcome.ts';
import type { OperationOutcome, Patient } from '../fhir/r4.ts';
import { cruidRow, type MatrixRow, matrixRow } from '../fhir/score-matrix.ts';
import type { MatchCandidate } from './commands.ts';
import type { Lookup } from './lookup.ts';
import type { GradedMatch, Matches } from './match-grades.ts';

/** The lists of the dry run of OpenCR 1.x; those who resemble the Patient, the strongest first in each. */
export interface DryRun {
  /** The Patient asked about: one row. */
  readonly parent: readonly MatrixRow[];
  readonly auto: readonly MatrixRow[];
  readonly potential: readonly MatrixRow[];
  readonly conflict: readonly MatrixRow[];
  /** Warnings, which 1.x had no place for. */
  readonly outcome?: OperationOutcome;
}

type List = 'auto' | 'potential' | 'conflict';

/**
 * The strongest at the automatic level names the person: its records are `auto`, also those at the potential level, unless the rule
 * has a veto; of other persons those at the automatic level are `conflict`.
 */
const listOf = ({ golden, verdict }: MatchCandidate, person: MatchCandidate['golden'] | undefined): List => {
  if (verdict.class === 'auto') return golden === person ? 'auto' : 'conflict';
  return golden === person && !verdict.vetoed ? 'auto' : 'potential';
};

/** The identifier that a record is known by: the first in a system whose identifiers name records. */
const sourceIdOf = ({ authorities }: Lookup, { identifier = [] }: Patient): string | null =>
  identifier.find(({ system = '', value = '' }) => value !== '' && authorities.find(system)?.kind === 'source')?.value ?? null;

const sourceOf = ({ ours }: Lookup, { meta }: Patient): string | null => {
  const tag = meta?.tag?.find(({ system }) => system === `${ours.baseUri}/clientid`);
  return tag?.display ?? tag?.code ?? null;
};

/** By the other record's identifier; the strongest first, and the first of two with one value stays. */
const scoresBy = (scored: readonly (readonly [name: string | null, score: number])[]): ReadonlyMap<string, number> => {
  const scores = new Map<string, number>();
  for (const [name, score] of scored) if (name !== null && !scores.has(name)) scores.set(name, score);
  return scores;
};

/** The answer to `POST /match/matches` of OpenCR 1.x: what `$match` tells the asker, as rows of a score matrix. */
export function dryRun(
  lookup: Lookup,
  asked: { readonly patient: Patient; readonly remarks: readonly Issue[] },
  { matches, pairs }: Pick<Matches, 'matches'> & { readonly pairs: readonly Pair[] },
): DryRun {
  const names = new Map<RecordKey, string | null>();
  for (const { candidate, patient } of matches) if (candidate) names.set(candidate.record, sourceIdOf(lookup, patient));
  const person = matches.find(({ candidate }) => candidate?.verdict.class === 'auto')?.candidate?.golden;
  const ownScores = (record: RecordKey): ReadonlyMap<string, number> =>
    scoresBy(
      pairs
        .filter(({ a, b }) => a === record || b === record)
        .map(({ a, b, score }): [string | null, number] => [names.get(a === record ? b : a) ?? null, score])
        .sort(([, x], [, y]) => y - x),
    );
  const rowOf = ({ candidate, patient }: GradedMatch): readonly [List, MatrixRow] => {
    if (candidate === null) return ['auto', cruidRow(patient.id ?? '', 'auto')];
    const list = listOf(candidate, person);
    const [source, sourceId] = [sourceOf(lookup, patient), sourceIdOf(lookup, patient)];
    const scores = ownScores(candidate.record);
    return [list, matrixRow(patient, { cruid: candidate.cruid, source, sourceId, scores, reason: list })];
  };
  const rows = matches.map(rowOf);
  const rowsOf = (wanted: List): readonly MatrixRow[] => rows.flatMap(([list, row]) => (list === wanted ? [row] : []));
  const parent = matrixRow(asked.patient, {
    cruid: null,
    source: lookup.displayName(lookup.principal.name) || lookup.principal.name,
    sourceId: sourceIdOf(lookup, asked.patient),
    scores: scoresBy(
      matches.flatMap(({ candidate }) => (candidate ? [[names.get(candidate.record) ?? null, candidate.verdict.score]] : [])),
    ),
    reason: null,
  });
  return {
    parent: [parent],
    auto: rowsOf('auto'),
    potential: rowsOf('potential'),
    conflict: rowsOf('conflict'),
    ...(asked.remarks.length > 0 && { outcome: operationOutcome(asked.remarks) }),
  };
}
