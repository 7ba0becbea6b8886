import { emptyChange } from '../domain/change-set.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Sequence } from '../domain/identity.ts';
import { adjudicate } from './adjudicate.ts';
import { type Command, type CommandResult, refused } from './commands.ts';
import { commitBatch } from './commit-batch.ts';
import type { Case, Decider } from './decide.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import type { Ledger } from './ports.ts';
import { load } from './load.ts';
import { match } from './match.ts';
import { createProjection, type Projection } from './projection.ts';
import { remove } from './remove.ts';
import { submit } from './submit.ts';
import { submitAll } from './submit-all.ts';

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
  /** Every change set up to here is in the candidate index (see `prepare`). */
  readonly indexed: Sequence;
  /** Waits before the next look at a store whose answer was lost; resolves after about `milliseconds`. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly observe?: (batch: BatchReport) => void;
  readonly warn?: (words: string) => void;
}

export interface BatchReport {
  readonly commands: number;
  readonly decideMs: number;
  readonly commitMs: number;
  /** Every change set up to here is in the candidate index. */
  readonly indexed: Sequence;
  /** Records that were written with content. */
  readonly written: number;
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

const busy = (words: string): CommandResult => refused('busy', words);

async function handle(one: Case, command: Command): Promise<CommandResult> {
  switch (command.kind) {
    case 'submit':
      return submit(one, command.submission);
    case 'submit-all':
      return submitAll(one, command.steps);
    case 'remove':
      return remove(one, command.removal);
    case 'load':
      return load(one, command.submissions, command.what);
    case 'match':
      return match(one, command);
    case 'adjudicate':
      return adjudicate(one, command.adjudication);
    case 'administer': {
      const { what, clients, certificates, revocations, passwords = [] } = command;
      const audit = { ...one.sender, action: 'administer' as const, record: null, what };
      await one.overlay.apply({ ...emptyChange(one.clock.now(), audit), clients, certificates, revocations, passwords });
      return { kind: 'done' };
    }
  }
}

const isRefused = (result: CommandResult): boolean => result.kind === 'refused' || result.kind === 'refused-entry';

/** What one command's answer is once the batch is durable. */
type Answer = () => void;

/** Decides one command in an overlay of its own, which is laid on the batch's when it is accepted. */
async function decideOne(decider: Decider, overlay: Overlay, { command, resolve, reject }: Waiting): Promise<Answer> {
  const scratch = createOverlay(overlay, overlay);
  try {
    const result = await handle({ ...decider, overlay: scratch, sender: command.sender }, command);
    if (!isRefused(result)) await overlay.apply(...scratch.changes);
    return () => {
      resolve(result);
    };
  } catch (error) {
    return () => {
      reject(error);
    };
  }
}

/** Decides and commits a batch, then answers; decides anew when another process moved the head meanwhile. */
async function runBatch(dependencies: RegistrarDependencies, projection: Projection, batch: readonly Waiting[]): Promise<void> {
  const { ledger, decider, pause, warn = () => undefined } = dependencies;
  for (;;) {
    const head = await projection.catchUp();
    const begun = decider.clock.monotonic();
    const overlay = createOverlay(ledger, { sequence: head.sequence + 1, next: head });
    const answers: Answer[] = [];
    for (const one of batch) answers.push(await decideOne(decider, overlay, one));
    const decided = decider.clock.monotonic();
    const { changes, next } = overlay;
    if (changes.length > 0) {
      const outcome = await commitBatch({ ledger, pause, warn }, { id: decider.newId(), changes, next, head });
      if (outcome === 'behind') continue;
      await projection.take(changes, head);
    }
    const done = decider.clock.monotonic();
    for (const answer of answers) answer();
    dependencies.observe?.({
      commands: batch.length,
      decideMs: decided - begun,
      commitMs: done - decided,
      indexed: head.sequence + changes.length,
      written: overlay.rewritten.size,
    });
    return;
  }
}

/** A batch that cannot be committed is tried one by one, so that a poisoned command fails alone. */
async function runGuarded(dependencies: RegistrarDependencies, projection: Projection, batch: readonly Waiting[]): Promise<void> {
  try {
    await runBatch(dependencies, projection, batch);
  } catch (error) {
    const hopeless = error instanceof RegistryError && error.code !== 'internal';
    if (batch.length === 1 || hopeless) for (const one of batch) one.reject(error);
    else for (const one of batch) await runGuarded(dependencies, projection, [one]);
  }
}

/** What is next in the queue; what waited too long is refused. */
function takeBatch(waiting: Waiting[], limits: RegistrarLimits, now: number): readonly Waiting[] {
  const batch = waiting.splice(0, limits.batch);
  const isFresh = (one: Waiting): boolean => now - one.since <= limits.queueAge;
  for (const one of batch) if (!isFresh(one)) one.resolve(busy('The registry is too busy; try again later.'));
  return batch.filter(isFresh);
}

/**
 * The registrar (design §2.1): one loop per process. It takes what has arrived, decides it in turn against the head,
 * commits the batch in one transaction, then answers. Nothing is acknowledged before it is durable; a batch whose head
 * moved is decided anew; one whose answer was lost is looked up before it is tried again; a command that fails does so
 * alone.
 */
export function createRegistrar(dependencies: RegistrarDependencies): Registrar {
  const { decider, limits, pause } = dependencies;
  const projection = createProjection(dependencies.ledger, decider, dependencies.indexed);
  const waiting: Waiting[] = [];
  let closing = false;
  let running: Promise<void> | null = null;

  const loop = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = takeBatch(waiting, limits, decider.clock.monotonic());
      if (batch.length > 0) await runGuarded(dependencies, projection, batch);
      // What arrived meanwhile is delivered as messages: let them in before the next batch is taken.
      await pause(0);
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
        running ??= pause(0).then(loop);
      });
    },
    async close() {
      closing = true;
      await running;
    },
  };
}
