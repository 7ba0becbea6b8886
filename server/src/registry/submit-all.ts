import { namesIn } from '../fhir/references.ts';
import { refuse } from '../fhir/refusal.ts';
import type { Accepted, CommandResult, KeptCompanion, Refused, Removed, Step } from './commands.ts';
import { type CompanionTarget, companionTarget, keep, removeCompanion } from './companions.ts';
import type { Case } from './decide.ts';
import { remove } from './remove.ts';
import { submit } from './submit.ts';

// FHIR R4 http.html#trules: a transaction in which two entries have one identity fails.
const TWICE = refuse('invalid-request', 'Two entries of the transaction are the same resource.');

type Done = Accepted | Removed | KeptCompanion;

/** A transaction under way: what its entries are called by, and which Organizations and RelatedPersons they are. */
interface Transaction {
  readonly names: Map<string, string>;
  readonly targets: Map<Step, CompanionTarget>;
  /** `Type/id` of what was taken already. */
  readonly seen: Set<string>;
}

/** Patients may refer to Organizations and RelatedPersons of the same transaction, so those have their ids first. */
async function allot(one: Case, steps: readonly Step[], { names, targets }: Transaction): Promise<CommandResult | undefined> {
  for (const [index, step] of steps.entries()) {
    if (!('companion' in step)) continue;
    const to = await companionTarget(one, step.companion);
    if ('kind' in to) return { kind: 'refused-entry', index, refusal: to.refusal };
    targets.set(step, to);
    if (step.name !== undefined) names.set(step.name, `${step.companion.type}/${to.id}`);
  }
  return undefined;
}

async function take(one: Case, step: Step, { names, targets, seen }: Transaction): Promise<Done | Refused> {
  if ('removal' in step) return remove(one, step.removal);
  if ('companionRemoval' in step) return removeCompanion(one, step.companionRemoval);
  if ('submission' in step) {
    const done = await submit(one, step.submission, names);
    if (done.kind === 'accepted' && step.name !== undefined) names.set(step.name, `Patient/${done.id}`);
    return done;
  }
  const to = targets.get(step);
  if (!to) throw new Error('an entry was taken before it was allotted');
  if (seen.has(`${step.companion.type}/${to.id}`)) return { kind: 'refused', refusal: TWICE };
  return keep(one, step.companion, { to, names });
}

const identityOf = (step: Step, result: Done): string | undefined => {
  if (result.kind === 'accepted') return `Patient/${result.id}`;
  if (result.kind === 'kept') return `${result.companion.type}/${result.companion.id}`;
  const type = 'companionRemoval' in step ? step.companionRemoval.type : 'Patient';
  return result.removed ? `${type}/${result.removed.id}` : undefined;
};

type PatientStep = Extract<Step, { submission: unknown }>;

/** What a Patient's submission names by names of its transaction. */
const namedBy = ({ submission: { resource, mergeInto } }: PatientStep): ReadonlySet<string> => {
  const named = new Set(namesIn(JSON.parse(resource)));
  return mergeInto?.kind === 'id' ? named.add(`Patient/${mergeInto.id}`) : named;
};

/** Patients in an order in which each comes after those that it names; undefined where they name each other in a circle. */
function inOrder(steps: readonly PatientStep[]): readonly PatientStep[] | undefined {
  const pending = new Set(steps.flatMap(({ name }) => name ?? []));
  if (pending.size === 0) return steps;
  const ordered: PatientStep[] = [];
  let waiting = steps.map((step) => ({
    step,
    needs: [...namedBy(step)].filter((name) => pending.has(name)),
  }));
  while (waiting.length > 0) {
    const free = waiting.filter(({ needs }) => !needs.some((name) => pending.has(name)));
    if (free.length === 0) return undefined;
    for (const { step } of free) {
      ordered.push(step);
      pending.delete(step.name ?? '');
    }
    waiting = waiting.filter(({ step }) => !ordered.includes(step));
  }
  return ordered;
}

const CIRCLE = refuse('business-rule', 'Patients of one transaction refer to each other, or one to itself, in a circle.');

/**
 * A transaction Bundle: each step seeing the ones before. What is deleted comes first, then Patients, then what refers to them by ids that
 * they have only then; else in the order given (TX-03). The caller drops the overlay when one is refused.
 */
export async function submitAll(one: Case, steps: readonly Step[]): Promise<CommandResult> {
  const transaction: Transaction = { names: new Map(), targets: new Map(), seen: new Set() };
  const refusal = await allot(one, steps, transaction);
  if (refusal) return refusal;
  const results = new Map<Step, Done>();
  const { seen } = transaction;
  const patients = inOrder(steps.filter((step) => 'submission' in step));
  if (!patients) return { kind: 'refused', refusal: CIRCLE };
  const removals = steps.filter((step) => 'removal' in step || 'companionRemoval' in step);
  const companions = steps.filter((step) => 'companion' in step);
  for (const step of [...removals, ...patients, ...companions]) {
    const index = steps.indexOf(step);
    const result = await take(one, step, transaction);
    if (result.kind === 'refused') return { kind: 'refused-entry', index, refusal: result.refusal };
    const identity = identityOf(step, result);
    if (identity !== undefined && seen.has(identity)) return { kind: 'refused-entry', index, refusal: TWICE };
    if (identity !== undefined) seen.add(identity);
    results.set(step, result);
  }
  return { kind: 'all-accepted', results: steps.flatMap((step) => results.get(step) ?? []) };
}
