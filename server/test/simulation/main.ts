/**
 * `npm run simulate -- --from SEED --count N [--jobs N] [--verbose]`: histories of the registrar and the ledger over a
 * simulated world (design §10). Stops at the first broken promise, or at Ctrl-C, and says where to go on.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { addCounts, type Counts, noCounts } from './counts.ts';
import { explain, runHistory } from './history.ts';

/** Seeds from `from` to before `until`. */
interface Range {
  readonly from: number;
  readonly until: number;
}

type Outcome =
  | { readonly kind: 'good'; readonly range: Range; readonly counts: Counts }
  | { readonly kind: 'broken'; readonly seed: number; readonly words: string };

const CHUNK = 100;
const REPORT_EVERY = 5000;

async function runRange(range: Range): Promise<Outcome> {
  const counts = noCounts();
  for (let seed = range.from; seed < range.until; seed++) {
    const report = await runHistory(seed);
    if (report.broken !== null) return { kind: 'broken', seed, words: await explain(seed) };
    addCounts(counts, report.counts);
  }
  return { kind: 'good', range, counts };
}

/** What of the whole is done: chunks end in any order, so that the first unfinished seed is where to go on. */
class Progress {
  readonly totals = noCounts();
  private readonly whole: Range;
  private readonly ended = new Map<number, number>();
  private readonly begun = performance.now();
  private reported = this.begun;
  /** First seed that is not done. */
  next: number;

  constructor(whole: Range) {
    this.whole = whole;
    this.next = whole.from;
  }

  add({ range, counts }: Outcome & { kind: 'good' }): void {
    addCounts(this.totals, counts);
    this.ended.set(range.from, range.until);
    for (let end = this.ended.get(this.next); end !== undefined; end = this.ended.get(this.next)) this.next = end;
    if (performance.now() - this.reported < REPORT_EVERY) return;
    this.reported = performance.now();
    console.error(this.line());
  }

  private line(): string {
    const { histories } = this.totals;
    const rate = (1000 * histories) / (performance.now() - this.begun);
    const count = this.whole.until - this.whole.from;
    const left = Math.ceil((count - histories) / rate);
    return `${histories} of ${count} histories, ${rate.toFixed(0)} a second, ${Math.floor(left / 60)} min ${left % 60} s left`;
  }

  summary(): string {
    const seconds = (performance.now() - this.begun) / 1000;
    const rows = Object.entries(this.totals).map(([name, count]) => `  ${name.padEnd(12)} ${count}`);
    return [`Histories that kept all promises, in ${seconds.toFixed(1)} s:`, ...rows].join('\n');
  }

  resume(): string {
    const left = this.whole.until - this.next;
    return left === 0 ? '' : `Go on with: npm run simulate -- --from ${this.next} --count ${left}`;
  }
}

/** Gives each worker thread one chunk after the other. */
async function runAll(whole: Range, jobs: number): Promise<number> {
  const progress = new Progress(whole);
  const workers = Array.from({ length: jobs }, () => new Worker(import.meta.filename));
  let from = whole.from;
  const code = await new Promise<number>((resolve, reject) => {
    let busy = workers.length;
    const give = (worker: Worker): void => {
      const range: Range = { from, until: Math.min(from + CHUNK, whole.until) };
      from = range.until;
      if (range.from < range.until) worker.postMessage(range);
      else if (--busy === 0) resolve(0);
    };
    process.once('SIGINT', () => resolve(130));
    for (const worker of workers) {
      worker.on('error', reject);
      worker.on('message', (outcome: Outcome) => {
        if (outcome.kind === 'good') {
          progress.add(outcome);
          give(worker);
        } else {
          console.log(outcome.words);
          resolve(1);
        }
      });
      give(worker);
    }
  });
  await Promise.all(workers.map((worker) => worker.terminate()));
  console.log([progress.summary(), progress.resume()].join('\n').trimEnd());
  return code;
}

async function tell({ from, until }: Range): Promise<number> {
  let code = 0;
  for (let seed = from; seed < until; seed++) {
    const { trace, hash, broken, counts } = await runHistory(seed);
    console.log([`Seed ${seed}`, ...trace, `hash ${hash}`, JSON.stringify(counts), broken ?? 'all promises kept'].join('\n'));
    if (broken !== null) code = 1;
  }
  return code;
}

function readArguments(): { readonly range: Range; readonly jobs: number; readonly verbose: boolean } {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: '1' },
      count: { type: 'string', default: '2000' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      verbose: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'from' | 'count' | 'jobs', least: number): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < least) throw new Error(`--${name} must be a whole number from ${least}`);
    return value;
  };
  const from = number('from', 0);
  return { range: { from, until: from + number('count', 1) }, jobs: number('jobs', 1), verbose: values.verbose };
}

async function main(): Promise<number> {
  let asked;
  try {
    asked = readArguments();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
  return asked.verbose ? tell(asked.range) : runAll(asked.range, asked.jobs);
}

if (isMainThread) process.exitCode = await main();
else parentPort?.on('message', (range: Range) => void runRange(range).then((outcome) => parentPort?.postMessage(outcome)));
