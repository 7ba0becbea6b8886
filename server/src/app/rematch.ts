import { resolve } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { lockDataFolder } from '../adapters/sql/lock.ts';
import { openStore, type Store } from '../adapters/sql/store.ts';
import { EXIT, type ExitCode, type Io } from '../cli/io.ts';
import type { RematchOptions } from '../cli/run.ts';
import type { RuleSet } from '../matching/model.ts';
import { allPairs } from '../registry/all-pairs.ts';
import type { Decider } from '../registry/decide.ts';
import { createStoredExtractor } from '../registry/extract.ts';
import { prepare, type Progress } from '../registry/prepare.ts';
import { createProjection } from '../registry/projection.ts';
import { keepIn, NOTHING_PENDING, type PendingPairs, rematch, type RematchCounts } from '../registry/rematch.ts';
import { type RetrievalThreads, startRetrievalThreads } from './bulk-retrieval.ts';
import { systemClock } from './clock.ts';
import { type FoundIndex, findIndex, keepSnapshots } from './index-snapshots.ts';
import { operator } from './operator.ts';
import { readSettings } from './settings.ts';

/** What both ways of a rematch work with. */
interface Opened {
  readonly store: Store;
  readonly rules: RuleSet;
  readonly found: FoundIndex;
  readonly threads: RetrievalThreads;
  readonly decider: Decider;
  readonly extract: (resource: string) => readonly string[];
}

const EVERY = 2000;

/** A line every few seconds, and at the end of each step. */
function createReport(io: Io) {
  let [said, step, began] = [0, '', 0];
  return ({ step: now, done, total }: { readonly step: string; readonly done: number; readonly total: number }): void => {
    const at = systemClock.monotonic();
    if (now !== step) [step, began] = [now, at];
    if (at - said < EVERY && done < total) return;
    said = at;
    const rate = done / Math.max(0.001, (at - began) / 1000);
    const left = rate > 0 ? Math.ceil((total - done) / rate) : 0;
    io.err(`${now}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')} records, about ${left} s left`);
  };
}

type Report = ReturnType<typeof createReport>;

async function open(io: Io, dataDir: string, rules: RuleSet, readOnly: boolean): Promise<Opened> {
  const store = openStore(dataDir, { features: rules.features, readOnly });
  const found = await findIndex(dataDir, rules, {
    ...store,
    warn: (words) => {
      io.err(`Warning: ${words}`);
    },
  });
  const threads = startRetrievalThreads(rules, found.index);
  const extract = createStoredExtractor(rules.features);
  return {
    store,
    rules,
    found,
    threads,
    decider: { rules, index: found.index, bulk: threads, extract, clock: systemClock, newId: uuidv7 },
    extract,
  };
}

/** All in the store first: features, pairs; then the groups. */
async function carryOut(io: Io, opened: Opened, { dataDir, report }: { readonly dataDir: string; readonly report: Report }) {
  const { store, rules, found, decider } = opened;
  const { held } = found;
  const progress = (said: Progress): void => {
    report(said);
  };
  await prepare({ ...store, decider, progress, again: true, ...(held !== undefined && { held }) });
  let stop = false;
  const interrupt = (): void => {
    if (stop) process.exit(130);
    stop = true;
    io.err('Finishing the change set in hand; Ctrl+C again breaks off.');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const counts = await rematch({
    ...store,
    decider,
    pending: NOTHING_PENDING,
    keep: keepIn(store.ledger, uuidv7),
    agent: operator(),
    stopping: () => stop,
    progress: (done, total) => {
      report({ step: 'groups', done, total });
    },
  });
  const snapshots = keepSnapshots(dataDir, found, { ...store, rules, warn: io.err });
  await snapshots.close();
  return { counts, stopped: stop };
}

/** Features that are not in the store are found in memory, pairs are compared with those of the store, and nothing is written. */
async function preview({ store, decider, found, extract, threads, rules }: Opened, report: Report): Promise<RematchCounts> {
  const { ledger, scan } = store;
  const { index } = found;
  const end = (await ledger.head()).nextRecord;
  if (found.held === undefined) {
    for await (const { record, values } of scan.featureRows(rules.features)) index.upsert(record, values);
    const complete = (await scan.completeFeatures(rules.features)).every(Boolean);
    for (let after = 0, more = !complete; more;) {
      const rows = await scan.lacking(rules.features, after, 500);
      for (const { record, resource } of rows) if ((await ledger.record(record))?.active) index.upsert(record, extract(resource));
      after = rows.at(-1)?.record ?? after;
      more = rows.length > 0;
      report({ step: 'features', done: after, total: end - 1 });
    }
  } else await createProjection(ledger, decider, found.held).catchUp();
  const pending: { begun: PendingPairs['begun'][number][]; ended: PendingPairs['ended'][number][] } = { begun: [], ended: [] };
  for await (const { begun, ended, last } of allPairs(scan, threads, end - 1)) {
    pending.begun.push(...begun);
    pending.ended.push(...ended);
    report({ step: 'pairs', done: last, total: end - 1 });
  }
  return rematch({
    ledger,
    scan,
    decider,
    pending,
    keep: null,
    agent: operator(),
    stopping: () => false,
    progress: (done, total) => {
      report({ step: 'groups', done, total });
    },
  });
}

const number = (n: number): string => n.toLocaleString('en');

const tell = (io: Io, counts: RematchCounts, isPreview: boolean): void => {
  const would = isPreview ? 'would be ' : '';
  io.out(`${number(counts.records)} records, ${number(counts.components)} components of more than one.`);
  if (isPreview) io.out(`Pairs: ${number(counts.pairsBegun)} ${would}begun, ${number(counts.pairsEnded)} ${would}ended.`);
  io.out(
    `Records that ${isPreview ? 'would move' : 'moved'} to another golden record: ${number(counts.moved)}; golden records begun: ${number(counts.goldensBegun)}, ` +
      `retired: ${number(counts.goldensRetired)}; review tasks opened: ${number(counts.tasksOpened)}.`,
  );
  io.out(`Links ${would}renewed under the rules in force: ${number(counts.renewed)}.`);
};

/** `./opencr rematch`: the whole registry under the rules in force; with `--preview` nothing is written. */
export async function rematchCommand(io: Io, options: RematchOptions): Promise<ExitCode> {
  const dataDir = resolve(options.data);
  const settings = readSettings(io, options);
  if (typeof settings === 'number') return settings;
  const lock = options.preview ? null : lockDataFolder(dataDir, 'opencr rematch');
  const report = createReport(io);
  try {
    if (lock) openStore(dataDir, { features: [] }).close();
    const opened = await open(io, dataDir, settings.ruleSet, options.preview);
    try {
      const { counts, stopped } = options.preview
        ? { counts: await preview(opened, report), stopped: false }
        : await carryOut(io, opened, { dataDir, report });
      tell(io, counts, options.preview);
      if (stopped) io.err('Stopped. The same command goes on from here.');
      return stopped ? EXIT.failed : EXIT.done;
    } finally {
      await opened.threads.close();
      opened.store.close();
    }
  } finally {
    lock?.release();
  }
}
