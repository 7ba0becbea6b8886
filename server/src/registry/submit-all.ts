import { refuse } from '../fhir/refusal.ts';
import type { Accepted, CommandResult, Refused, Removed, Step } from './commands.ts';
import type { Case } from './decide.ts';
import { remove } from './remove.ts';
import { submit } from './submit.ts';

// FHIR R4 http.html#trules: a transaction in which two entries have one identity fails.
const TWICE = refuse('invalid-request', 'Two entries of the transaction are the same record.');

const take = (one: Case, step: Step): Promise<Accepted | Removed | Refused> =>
  'submission' in step ? submit(one, step.submission) : remove(one, step.removal);

const idOf = (result: Accepted | Removed): string | undefined => (result.kind === 'accepted' ? result.id : result.removed?.id);

/** A transaction Bundle: in order, each seeing the ones before. The caller drops the overlay when one is refused. */
export async function submitAll(one: Case, steps: readonly Step[]): Promise<CommandResult> {
  const results: (Accepted | Removed)[] = [];
  const seen = new Set<string>();
  for (const [index, step] of steps.entries()) {
    const result = await take(one, step);
    if (result.kind === 'refused') return { kind: 'refused-entry', index, refusal: result.refusal };
    const id = idOf(result);
    if (id !== undefined && seen.has(id)) return { kind: 'refused-entry', index, refusal: TWICE };
    if (id !== undefined) seen.add(id);
    results.push(result);
  }
  return { kind: 'all-accepted', results };
}
