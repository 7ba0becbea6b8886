import type { Issue } from '../domain/errors.ts';
import type { MatchedPatient, MatchGrade, MatchInput } from '../fhir/match.ts';
import { subsetted } from '../fhir/ours.ts';
import { type Lookup, presentRecord, showRecord } from './lookup.ts';
import type { MatchCandidate, Matched } from './commands.ts';

/** With the record that it is of; null where the asker may not know it. */
export interface GradedMatch extends MatchedPatient {
  readonly candidate: MatchCandidate | null;
}

export interface Matches {
  /** The likeliest first. */
  readonly matches: readonly GradedMatch[];
  readonly total: number;
  readonly remarks: readonly Issue[];
}

const remark = (diagnostics: string, severity: Issue['severity'] = 'information'): Issue => ({ severity, diagnostics });

/**
 * `certain`: the automatic level, and all records that reach it are of one person; `probable`: the automatic level, of several
 * persons, or where candidates were cut; `possible`: the potential level.
 */
const gradeOf = ({ verdict }: MatchCandidate, unique: boolean): MatchGrade =>
  verdict.class === 'potential' ? 'possible' : unique ? 'certain' : 'probable';

/** On one scale for all rules, so that scores fall with the grade: the upper half is the automatic level's. */
const scoreOf = ({ class: reached, normalised }: MatchCandidate['verdict']): number =>
  Math.round((reached === 'auto' ? 0.5 + normalised / 2 : normalised / 2) * 1e4) / 1e4;

/** Strongest first as the rules have it; an earlier rule's score is never below a later one's. */
function graded(candidates: readonly MatchCandidate[], unique: boolean) {
  let least = 1;
  return candidates.map((candidate) => {
    least = Math.min(least, scoreOf(candidate.verdict));
    return { candidate, grade: gradeOf(candidate, unique), score: least };
  });
}

/** A client without the scope learns the CRUID of the one certain person, and of others nothing: not even that there are any. */
const onlyCruid = (candidates: readonly MatchCandidate[], unique: boolean): Matches => {
  const [best] = candidates.filter(({ verdict }) => verdict.class === 'auto');
  const alone = candidates.every(({ golden }) => golden === best?.golden);
  if (best === undefined || !unique || !alone) return { matches: [], total: 0, remarks: [] };
  const patient = { resourceType: 'Patient' as const, id: best.cruid, meta: { tag: [subsetted] } };
  return { matches: [{ patient, grade: 'certain', score: 1, evidence: null, candidate: null }], total: 1, remarks: [] };
};

/** What the asker is told of those who resemble its Patient (design §8; PDQ-119-01 to 08). */
export async function gradeMatches(
  lookup: Lookup,
  { candidates, truncated }: Pick<Matched, 'candidates' | 'truncated'>,
  { onlyCertainMatches, onlySingleMatch, count }: MatchInput,
): Promise<Matches> {
  const automatic = candidates.filter(({ verdict }) => verdict.class === 'auto');
  const unique = !truncated && new Set(automatic.map(({ golden }) => golden)).size === 1;
  if (!lookup.principal.scopes.includes('demographics')) return onlyCruid(candidates, unique && !truncated);
  if (onlySingleMatch && (truncated || new Set(candidates.map(({ golden }) => golden)).size > 1)) {
    return {
      matches: [],
      total: 0,
      remarks: [remark('Several persons resemble this Patient, and a single match was asked for.')],
    };
  }
  const wanted = graded(candidates, unique).filter(({ grade }) => !onlyCertainMatches || grade === 'certain');
  const matches: GradedMatch[] = [];
  for (const { candidate, grade, score } of wanted.slice(0, count)) {
    const stored = await presentRecord(lookup, candidate.record);
    if (!stored) continue;
    const { ruleName, evidence } = candidate.verdict;
    matches.push({
      patient: await showRecord(lookup, stored),
      grade,
      score,
      evidence: { rule: ruleName, comparisons: evidence },
      candidate,
    });
  }
  const cut = remark('So many records resemble this one that only the strongest were compared: no match is certain.', 'warning');
  return { matches, total: wanted.length, remarks: truncated ? [cut] : [] };
}
