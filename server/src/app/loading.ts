import { uuidv7 } from 'uuidv7';
import type { LoadOutcome } from '../cli/import/outcome.ts';
import { type Issue, RegistryError } from '../domain/errors.ts';
import { isRefusal } from '../fhir/refusal.ts';
import type { Command, CommandResult, Submission } from '../registry/commands.ts';
import { type IntakePolicy, takeIn } from '../registry/intake.ts';

/** Patients of one client, to be taken in together. */
export interface Loading {
  readonly client: string;
  readonly patients: readonly object[];
  /** For the audit. */
  readonly what: string;
}

const words = (issues: readonly Issue[]): string =>
  issues
    .filter(({ severity }) => severity === 'error')
    .map(({ diagnostics, expression }) => (expression === undefined ? diagnostics : `${expression}: ${diagnostics}`))
    .join('; ');

/**
 * Takes Patients of a file in as if their client had sent each, and loads them together; an outcome each, in order.
 * @throws RegistryError where the registrar refuses all of them (busy, no space): nothing was kept, and it can be tried again.
 */
export async function loadPatients(
  { client, patients, what }: Loading,
  policy: IntakePolicy,
  execute: (command: Command) => Promise<CommandResult>,
): Promise<readonly LoadOutcome[]> {
  const taken = patients.map((patient) =>
    takeIn(patient, { method: 'POST', target: { kind: 'none' }, ifMatch: null }, client, policy),
  );
  const submissions = taken.flatMap((one): Submission[] => (isRefusal(one) ? [] : [one.submission]));
  const sender = { agent: client, address: '', requestId: uuidv7() };
  const result: CommandResult =
    submissions.length === 0 ? { kind: 'loaded', entries: [] } : await execute({ kind: 'load', sender, submissions, what });
  if (result.kind === 'refused') throw new RegistryError(result.refusal.code, result.refusal.issues);
  if (result.kind !== 'loaded') throw new Error(`a load was answered with ${result.kind}`);
  let place = 0;
  return taken.map((one): LoadOutcome => {
    if (isRefusal(one)) return { status: 'refused', reason: words(one.issues) };
    const entry = result.entries[place++];
    if (entry === undefined) throw new Error('a load was answered with too few entries');
    return entry.status === 'refused' ? { status: 'refused', reason: words(entry.refusal.issues) } : { status: entry.status };
  });
}

/** A client that may load: registered, and not disabled. @throws RegistryError `not-found` or `forbidden`. */
export function requireClient(name: string, clients: ReadonlyMap<string, { readonly disabled: boolean }>): void {
  const client = clients.get(name);
  if (client === undefined) {
    throw new RegistryError('not-found', `There is no client ${name}: ./opencr clients list shows who is registered.`);
  }
  if (client.disabled) throw new RegistryError('forbidden', `The client ${name} is disabled.`);
}
