import { emptyChange } from '../domain/change-set.ts';
import type { ChangeSet } from '../domain/change-set.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Sequence } from '../domain/identity.ts';
import { refuse } from '../fhir/refusal.ts';
import { adjudicate } from './adjudicate.ts';
import type { Command, CommandResult } from './commands.ts';
import type { Decider } from './decide.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import type { Head, Ledger } from './ports.ts';
import { submit, submitAll } from './submit.ts';

export interface RegistrarLimits {
  /** Commands decided and committed together. */
  readonly batch: number;
  /** Commands waiting: beyond, a new one is refused as `busy`. */
  readonly queueLength: number;
  /** Milliseconds that a command may wait before it is refused as `busy`. */
  readonly queueAge: number;
}

export interface RegistrarDependencies {
  readonly ledger: Ledger;
  readonly decider: Decider;
  readonly limits: RegistrarLimits;
  /** Waits before the next look at a store whose answer was lost; resolves after about `milliseconds`. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly observe?: (batch: BatchReport) => void;
  readonly warn?: (words: string) => void;
}

export interface BatchReport {
  readonly commands: number;
  readonly decideMs: number;
  readonly commitMs: number;
}

export interface Registrar {
  /** Resolves once the command is durable, or refused; rejects only with the error of its own command. */
  execute(command: Command): Promise<CommandResult>;
  /** Refuses what comes from now on, finishes what was accepted. */
  close(): Promise<void>;
  readonly queued: number;
}

interface Waiting {
  readonly command: Command;
  readonly since: number;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: unknown) => void;
}

interface DecidedBatch {
  readonly overlay: Overlay;
  readonly outcomes: readonly (() => void)[];
}

const busy = (words: string): CommandResult => ({ kind: 'refused', refusal: refuse('busy', words) });

export async function handle(decider: Decider, overlay: Overlay, command: Command): Promise<CommandResult> {
  switch (command.kind) {
    case 'submit':
      return submit(decider, overlay, command.sender, command.submission);
    case 'submit-all':
      return submitAll(decider, overlay, command.sender, command.submissions);
    case 'adjudicate':
      return adjudicate(decider, overlay, command.sender, command.adjudication);
    case 'administer': {
      const { sender, what, clients, certificates, revocations } = command;
      const audit = { ...sender, action: 'administer' as const, record: null, what };
      await overlay.apply({ ...emptyChange(decider.clock.now(), audit), clients, certificates, revocations });
      return { kind: 'done' };
    }
  }
}

const isRefused = (result: CommandResult): boolean => result.kind === 'refused' || result.kind === 'refused-entry';

/**
 * The registrar (design §2.1): one loop per process. It takes what has arrived, decides it in turn against the head,
 * commits the batch in one transaction, then answers. Nothing is acknowledged before it is durable; a batch whose head
 * moved is decided anew; one whose answer was lost is looked up before it is tried again; a command that fails does so
 * alone.
 */
export function createRegistrar(dependencies: RegistrarDependencies): Registrar {
  const { ledger, decider, limits } = dependencies;
  const waiting: Waiting[] = [];
  let known: Sequence | null = null;
  let closing = false;
  let running: Promise<void> | null = null;

  /** Brings the candidate index up to a change set that is committed. */
  const project = async (change: ChangeSet): Promise<void> => {
    for (const { record, features } of change.records) {
      if (!record.active) decider.index.remove(record.key);
      else {
        const values = features ?? (await ledger.features(record.key));
        if (values) decider.index.upsert(record.key, values);
      }
    }
  };

  /** The head, with the index caught up to it: other processes may have moved it. */
  const catchUp = async (): Promise<Head> => {
    const head = await ledger.head();
    if (head.ruleVersion !== decider.rules.version) {
      throw new RegistryError('not-ready', 'Another process put other decision rules in force: restart this one with them.');
    }
    known ??= head.sequence;
    while (known < head.sequence) {
      const committed = await ledger.changes(known, 256);
      if (committed.length === 0) break;
      for (const { sequence, change } of committed) {
        // Only the latest features can be read back; a later change set of the same record brings the same ones again.
        await project({ ...change, records: change.records.map((write) => ({ ...write, features: null })) });
        known = sequence;
      }
    }
    return head;
  };

  const decideOne = async (overlay: Overlay, { command, resolve, reject }: Waiting): Promise<() => void> => {
    const scratch = createOverlay(overlay, overlay);
    try {
      const result = await handle(decider, scratch, command);
      if (!isRefused(result)) for (const change of scratch.changes) await overlay.apply(change);
      return () => resolve(result);
    } catch (error) {
      return () => reject(error);
    }
  };

  const decide = async (head: Head, batch: readonly Waiting[]): Promise<DecidedBatch> => {
    const overlay = createOverlay(ledger, { sequence: head.sequence + 1, next: head });
    const outcomes: (() => void)[] = [];
    for (const one of batch) outcomes.push(await decideOne(overlay, one));
    return { overlay, outcomes };
  };

  /** Commits, reading the batch's id back after a lost answer. `false`: the head had moved. */
  const commit = async (id: string, { overlay }: DecidedBatch, head: Head): Promise<boolean> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const outcome = await ledger.commit(id, overlay.changes, head.sequence, overlay.next);
        // A first attempt whose answer was lost may have moved the head itself.
        return outcome.kind === 'committed' || (attempt > 1 && (await ledger.committed(id)) !== undefined);
      } catch (error) {
        if (error instanceof RegistryError && error.code === 'no-space') throw error;
        if (attempt === ATTEMPTS) throw error;
        dependencies.warn?.(`commit attempt ${attempt} failed: ${error instanceof Error ? error.message : 'unknown'}`);
        await dependencies.pause(50 * attempt);
        if (await wasCommitted(id, attempt)) return true;
      }
    }
  };

  const wasCommitted = async (id: string, attempt: number): Promise<boolean> => {
    try {
      return (await ledger.committed(id)) !== undefined;
    } catch (error) {
      if (attempt >= ATTEMPTS - 1) throw error;
      return false;
    }
  };

  const runBatch = async (batch: readonly Waiting[]): Promise<void> => {
    for (;;) {
      const head = await catchUp();
      const begun = decider.clock.monotonic();
      const decided = await decide(head, batch);
      const decidedAt = decider.clock.monotonic();
      const { changes } = decided.overlay;
      if (changes.length > 0 && !(await commit(decider.newId(), decided, head))) continue;
      for (const change of changes) await project(change);
      known = head.sequence + changes.length;
      const done = decider.clock.monotonic();
      for (const answer of decided.outcomes) answer();
      dependencies.observe?.({ commands: batch.length, decideMs: decidedAt - begun, commitMs: done - decidedAt });
      return;
    }
  };

  /** A batch that cannot be committed is tried one by one, so that a poisoned command fails alone. */
  const runGuarded = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      await runBatch(batch);
    } catch (error) {
      if (batch.length === 1 || (error instanceof RegistryError && error.code !== 'internal')) {
        for (const one of batch) one.reject(error);
      } else for (const one of batch) await runGuarded([one]);
    }
  };

  const take = (): readonly Waiting[] => {
    const now = decider.clock.monotonic();
    const batch = waiting.splice(0, limits.batch);
    const fresh = batch.filter((one) => now - one.since <= limits.queueAge);
    for (const one of batch) if (!fresh.includes(one)) one.resolve(busy('The registry is too busy; try again later.'));
    return fresh;
  };

  const loop = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = take();
      if (batch.length > 0) await runGuarded(batch);
      // What arrived meanwhile is delivered as messages: let them in before the next batch is taken.
      await dependencies.pause(0);
    }
    running = null;
  };

  return {
    get queued() {
      return waiting.length;
    },
    execute(command) {
      if (closing) return Promise.resolve(busy('The registry is shutting down; try again later.'));
      if (waiting.length >= limits.queueLength) return Promise.resolve(busy('The registry is too busy; try again later.'));
      return new Promise((resolve, reject) => {
        waiting.push({ command, since: decider.clock.monotonic(), resolve, reject });
        running ??= dependencies.pause(0).then(loop);
      });
    },
    async close() {
      closing = true;
      await running;
    },
  };
}

const ATTEMPTS = 5;
