/** The thread that owns registrar, candidates and writer (design §3): nothing else in the process writes the store. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { uuidv7 } from 'uuidv7';
import { openStore } from '../adapters/sql/store.ts';
import { RegistryError } from '../domain/errors.ts';
import { describeError } from '../http/failure.ts';
import { createStoredExtractor } from '../registry/extract.ts';
import { prepare } from '../registry/prepare.ts';
import { createRegistrar } from '../registry/registrar.ts';
import type { Command } from '../registry/commands.ts';
import { systemClock } from './clock.ts';
import { findIndex, keepSnapshots } from './index-snapshots.ts';
import type { FailedCommand, FromRegistrar, RegistrarSetup, ToRegistrar } from './registrar-protocol.ts';

const port = parentPort;
if (!port) throw new Error('registrar-thread.ts runs as a worker thread');
const setup = workerData as RegistrarSetup;
const tell = (message: FromRegistrar): void => {
  port.postMessage(message);
};

const store = openStore(setup.dataDir, {
  features: setup.rules.features,
  minFreeBytes: setup.minFreeBytes,
  monotonic: systemClock.monotonic,
});
const warn = (words: string): void => {
  tell({ kind: 'warning', words });
};
const found = await findIndex(setup.dataDir, setup.rules, { ...store, warn });
const { index, held } = found;
const snapshots = keepSnapshots(setup.dataDir, found, { ...store, rules: setup.rules, warn });
const extract = createStoredExtractor(setup.rules.features);
const decider = { rules: setup.rules, index, extract, clock: systemClock, newId: uuidv7 };
const indexed = await prepare({
  ledger: store.ledger,
  scan: store.scan,
  decider,
  progress: (progress) => {
    tell({ kind: 'progress', progress });
  },
  ...(held !== undefined && { held }),
});
snapshots.offer((await store.ledger.head()).sequence, 0);

const registrar = createRegistrar({
  ledger: store.ledger,
  decider,
  limits: setup.limits,
  indexed,
  pause: (milliseconds) => (milliseconds === 0 ? setImmediate() : setTimeout(milliseconds)),
  warn,
  observe: (report) => {
    snapshots.offer(report.indexed, report.written);
    void reportBatch(report);
  },
});

async function reportBatch(report: Extract<FromRegistrar, { kind: 'batch' }>['report']): Promise<void> {
  const head = await store.ledger.head();
  tell({
    kind: 'batch',
    report,
    sequence: head.sequence,
    hash: head.hash,
    walBytes: store.walBytes(),
    records: head.nextRecord - 1,
  });
}

const failed = (error: unknown): FailedCommand =>
  error instanceof RegistryError
    ? { kind: 'failed', code: error.code, issues: error.issues }
    : {
        kind: 'failed',
        code: 'internal',
        issues: [{ severity: 'error', diagnostics: 'The registrar failed on this request; nothing was kept.' }],
      };

type Answers = Extract<FromRegistrar, { kind: 'answers' }>['answers'];
let answers: Answers[number][] = [];

/** The answers of one batch resolve in one turn of the loop: they leave together. */
const answer = (one: Answers[number]): void => {
  if (answers.length === 0) {
    queueMicrotask(() => {
      tell({ kind: 'answers', answers });
      answers = [];
    });
  }
  answers.push(one);
};

const execute = async (id: number, command: Command): Promise<void> => {
  try {
    answer({ id, result: await registrar.execute(command) });
  } catch (error) {
    if (!(error instanceof RegistryError)) {
      const { name, frames } = describeError(error);
      tell({ kind: 'warning', words: `a command failed: ${name} ${frames.slice(0, 3).join(' ').trim()}` });
    }
    answer({ id, result: failed(error) });
  }
};

const close = async (): Promise<void> => {
  await registrar.close();
  await snapshots.close();
  const { sequence, hash } = await store.ledger.head();
  store.close();
  tell({ kind: 'closed', sequence, hash });
  port.close();
};

port.on('message', (message: ToRegistrar) => void (message.kind === 'close' ? close() : execute(message.id, message.command)));
tell({ kind: 'ready', records: index.size });
