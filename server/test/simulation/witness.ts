import { RegistryError } from '../../src/domain/errors.ts';
import type { Accepted, CommandResult } from '../../src/registry/commands.ts';
import type { State } from '../support/memory-state.ts';
import { Poison, StoreFault } from './faulty-store.ts';
import { demand } from './invariants.ts';
import type { Wish } from './population.ts';
import type { Reply } from './process.ts';

export const acceptedOf = (result: CommandResult): readonly Accepted[] =>
  result.kind === 'accepted'
    ? [result]
    : result.kind === 'all-accepted'
      ? result.results.filter((one) => one.kind === 'accepted')
      : [];

const refusalOf = (result: CommandResult) => ('refusal' in result ? result.refusal : undefined);

/** What an answer promised is in the ledger the moment it is given: this version, under this CRUID. */
const isKept = (state: State, { id, version, cruid, lastUpdated }: Accepted): boolean => {
  const named = state.ids.get(id);
  const stored = named?.kind === 'record' ? state.records.get(named.key)?.[version - 1]?.record : undefined;
  return stored?.lastUpdated === lastUpdated && state.goldens.get(stored.golden)?.at(-1)?.id === cruid;
};

const mayFail = (error: unknown, wish: Wish): boolean =>
  error instanceof StoreFault ||
  (error instanceof Poison && wish.poisoned) ||
  (error instanceof RegistryError && error.code === 'not-ready');

/** Remembers what each attempt at a command was told, and holds the ledger to it. */
export class Witness {
  /** Change sets that the ledger must hold, by the attempt's request id: this many, or in doubt this many or none. */
  private readonly owed = new Map<string, { readonly changes: number; readonly certain: boolean }>();

  replied(state: State, requestId: string, wish: Wish, reply: Reply): void {
    if (reply.kind === 'reset') this.owed.set(requestId, { changes: wish.changes, certain: false });
    else if (reply.kind === 'error') this.failed(requestId, wish, reply.error);
    else this.answered(state, requestId, wish, reply.result);
  }

  private failed(requestId: string, wish: Wish, error: unknown): void {
    const words = error instanceof Error ? error.stack : String(error);
    demand(mayFail(error, wish), () => `${requestId} (${wish.words}) failed by a fault that is not its own: ${words}`);
    this.owed.set(requestId, error instanceof Poison ? { changes: 0, certain: true } : { changes: wish.changes, certain: false });
  }

  private answered(state: State, requestId: string, wish: Wish, result: CommandResult): void {
    const refused = refusalOf(result) !== undefined;
    demand(refused || !wish.poisoned, () => `${requestId} (${wish.words}) was accepted`);
    const nothing = refused || (result.kind === 'removed' && result.removed === null);
    this.owed.set(requestId, { changes: nothing ? 0 : wish.changes, certain: true });
    for (const accepted of acceptedOf(result)) {
      demand(isKept(state, accepted), () => `${requestId} was told ${JSON.stringify(accepted)}, which is not in the ledger`);
      const next = wish.ifMatch === null || accepted.version === wish.ifMatch + (accepted.status === 'unchanged' ? 0 : 1);
      demand(next, () => `${requestId} was to replace version ${wish.ifMatch}, and made ${accepted.version}`);
    }
  }

  /** No command was lost, done twice or done by half. */
  check(state: State): void {
    const made = new Map<string, number>();
    for (const { change } of state.log) {
      const { requestId } = change.audit;
      if (requestId !== '') made.set(requestId, (made.get(requestId) ?? 0) + 1);
    }
    for (const [requestId, { changes, certain }] of this.owed) {
      const found = made.get(requestId) ?? 0;
      demand(found === changes || (!certain && found === 0), () => `${requestId} made ${found} change sets, not ${changes}`);
    }
  }
}

/** Answers after which a client asks again: nothing was done, or nobody knows. */
export const isFinal = (reply: Reply): boolean =>
  reply.kind === 'answer' ? refusalOf(reply.result)?.code !== 'busy' : reply.kind === 'error' && reply.error instanceof Poison;

/** A reply in words, for the trace. */
export function told(reply: Reply): string {
  if (reply.kind === 'reset') return 'nothing';
  if (reply.kind === 'answer') return JSON.stringify(reply.result);
  return `an error: ${reply.error instanceof Error ? reply.error.message : String(reply.error)}`;
}
