import { createHash } from 'node:crypto';
import { type MemoryDisk, memoryDisk } from '../support/memory-ledger.ts';
import { type Chance, createChance } from './chance.ts';
import { type Counts, countChanges, noCounts } from './counts.ts';
import { type Faults, NO_FAULTS } from './faulty-store.ts';
import { Broken, checkState, demand } from './invariants.ts';
import { activeValues, checkPairs, checkPartition } from './law.ts';
import { administers, Population, resubmits, type Wish } from './population.ts';
import { createProcess, type Mutation, type Process, type Reply } from './process.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';
import { drawSetting, type Setting } from './setting.ts';
import { acceptedOf, isFinal, told, Witness } from './witness.ts';

export interface HistoryOptions {
  /** How many commands clients want done; drawn when absent. */
  readonly length?: number;
  readonly mutation?: Mutation;
}

export interface HistoryReport {
  /** Of everything that happened, in order, and of the ledger at the end. */
  readonly hash: string;
  readonly counts: Counts;
  /** What happened, a line each, after the simulated milliseconds. */
  readonly trace: readonly string[];
  /** The first promise that was broken, in words; null in a good history. */
  readonly broken: string | null;
}

/** A history that takes more does not end. */
const MAX_STEPS = 50_000;
/** Simulated milliseconds after which a history calms down although not everything is sent. */
const STORM = 4000;
const MISCHIEFS = 12;

/** What the network and the people do; a process's own tasks are its own. */
const NETWORK = {};

class History {
  private readonly trace: string[] = [];
  private readonly counts: Counts = { ...noCounts(), histories: 1 };
  private readonly disk: MemoryDisk = memoryDisk();
  private readonly chance: Chance;
  private readonly scheduler: Scheduler;
  private readonly population: Population;
  private readonly witness = new Witness();
  private readonly setting: Setting;
  private readonly faults: Faults;
  private readonly processes: readonly Process[];
  /** Those in the configuration now. */
  private rules: Setting['rules'];
  private toSend: number;
  private unanswered = 0;
  private broken: string | null = null;

  constructor(seed: number, { length, mutation = {} }: HistoryOptions) {
    const chance = createChance(seed);
    this.chance = chance.branch();
    this.scheduler = createScheduler(chance.branch());
    this.population = new Population(chance.branch());
    this.setting = drawSetting(chance);
    this.faults = this.setting.faults;
    this.rules = this.setting.rules;
    this.toSend = length ?? this.setting.length;
    this.processes = this.setting.processes.map((name) => this.process(name, chance.branch(), mutation));
  }

  private process(name: string, chance: Chance, mutation: Mutation): Process {
    const { disk, scheduler, faults } = this;
    const { limits, commitLatency, unlimited } = this.setting;
    return createProcess({
      ...{ name, disk, scheduler, chance, faults, limits, commitLatency, mutation },
      rules: () => this.rules,
      note: (words) => this.note(words),
      unanswered: (count) => this.guard(() => demand(count === 0, () => `${name} stopped with ${count} commands unanswered`)),
      committed: (changes, outcome) => {
        this.note(`${name} ${outcome.kind} ${changes.map(({ audit }) => audit.requestId || audit.what).join(' ')}`);
        if (outcome.kind === 'behind') this.counts.behinds++;
        else this.guard(() => checkState(disk.state, outcome.head.sequence - changes.length, unlimited));
      },
    });
  }

  private note(words: string): void {
    this.trace.push(`${this.scheduler.now.toFixed(2)} ${words}`);
  }

  /** Notes a broken promise; the history goes on, so that nothing is left hanging. */
  private guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.broken ??= error.message;
      this.note(`BROKEN ${error.message}`);
    }
  }

  private deliver(process: Process, wish: Wish, requestId: string): Promise<Reply> {
    const travel = (act: () => void): void => this.scheduler.after(NETWORK, this.chance.next() * 2, act);
    return new Promise((receive) => {
      travel(() => {
        this.note(`${requestId} to ${process.name}: ${wish.words}`);
        this.counts.commands++;
        void process
          .execute((rules) => wish.command(requestId, rules.features))
          .then((reply) => {
            this.note(`${requestId} told ${told(reply)}`);
            this.guard(() => this.witness.replied(this.disk.state, requestId, wish, reply));
            const lost = this.chance.hits(this.faults.replyLost) || reply.kind === 'reset';
            if (lost) this.counts.lostAnswers++;
            travel(() => receive(lost ? { kind: 'reset' } : reply));
          });
      });
    });
  }

  /** Sends it until it is answered: after a lost answer again, under another request id, to whoever comes to hand. */
  private async send(wish: Wish, name: string, to?: Process): Promise<void> {
    this.unanswered++;
    for (let attempt = 1; ; attempt++) {
      const reply = await this.deliver(to ?? this.chance.pick(this.processes), wish, `${name}.${attempt}`);
      if (reply.kind === 'answer') this.population.learn(wish.client, acceptedOf(reply.result));
      if (isFinal(reply)) break;
      await this.scheduler.sleep(NETWORK, 5 + this.chance.next() * 40);
    }
    this.unanswered--;
  }

  private async client(name: string): Promise<void> {
    for (let n = 1; this.toSend > 0; n++) {
      this.toSend--;
      await this.send(this.population.next(), `${name}-${n}`);
      await this.scheduler.sleep(NETWORK, this.chance.next() * 15);
    }
  }

  /** Crashes, restarts and new rules, as long as clients send. */
  private async mischief(): Promise<void> {
    const rulesAfter = this.chance.below(5);
    for (let n = 0; n < MISCHIEFS; n++) {
      await this.scheduler.sleep(NETWORK, this.setting.pace * 2 * this.chance.next());
      if (this.toSend === 0) return;
      if (n === rulesAfter) this.installRules();
      const process = this.chance.pick(this.processes);
      if (this.chance.hits(0.25)) process.restart();
      else if (this.chance.hits(0.5)) {
        this.counts.crashes++;
        process.crash();
      }
    }
  }

  /** The operator writes the new rules down and restarts each process, one after the other. */
  private installRules(): void {
    const { laterRules } = this.setting;
    if (!laterRules) return;
    this.rules = laterRules;
    this.note('new rules are in the configuration');
    for (const process of this.processes) this.scheduler.after(NETWORK, this.chance.next() * 60, () => process.restart());
  }

  private async settle(): Promise<void> {
    demand(await this.scheduler.run(MAX_STEPS), () => 'the history does not end');
    demand(this.unanswered === 0, () => `${this.unanswered} commands were never answered`);
  }

  /** After a change of rules everybody sends their records again; from then on the law holds again. */
  private rematch(): void {
    for (const [key, versions] of this.disk.state.records) void this.send(resubmits(versions.at(-1)!), `again-${key}`);
  }

  /** Nothing fails any more: everything is answered, and everybody catches up with the ledger. */
  private async calm(): Promise<void> {
    Object.assign(this.faults, NO_FAULTS);
    await this.settle();
    if (this.rules === this.setting.laterRules) this.rematch();
    await this.settle();
    for (const process of this.processes) void this.send(administers, `calm-${process.name}`, process);
    await this.settle();
  }

  private checkIndexes(): void {
    const text = (index: ReadonlyMap<number, readonly string[]> | undefined): string =>
      JSON.stringify([...(index ?? [])].sort(([a], [b]) => a - b));
    const expected = text(activeValues(this.disk.state, this.rules));
    for (const { name, indexed } of this.processes) {
      demand(text(indexed) === expected, () => `the index of ${name} holds ${text(indexed)}, not ${expected}`);
    }
  }

  private check(): void {
    const { state } = this.disk;
    this.witness.check(state);
    this.checkIndexes();
    const pairs = checkPairs(state, this.rules, this.setting.unlimited);
    if (this.setting.unlimited) checkPartition(state, this.rules, pairs);
  }

  private async happen(): Promise<void> {
    for (const process of this.processes) process.start();
    for (let n = 0; n < this.setting.clients; n++) void this.client(`c${n}`);
    void this.mischief();
    await this.scheduler.run(MAX_STEPS, () => this.toSend === 0 || this.scheduler.now > STORM);
    await this.calm();
    this.guard(() => this.check());
  }

  async run(): Promise<HistoryReport> {
    try {
      await this.happen();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.broken ??= error.message;
    }
    countChanges(this.disk.state, this.counts);
    const hash = createHash('sha256').update(this.trace.join('\n')).update(this.disk.state.head.hash).digest('hex');
    return { hash, counts: this.counts, trace: this.trace, broken: this.broken };
  }
}

/** One history from its seed: the same seed, the same history. A broken promise is reported, an error of another kind thrown. */
export const runHistory = (seed: number, options: HistoryOptions = {}): Promise<HistoryReport> =>
  new History(seed, options).run();

const SHOWN = 80;

const shortened = (lines: readonly string[]): readonly string[] =>
  lines.length <= 2 * SHOWN ? lines : [...lines.slice(0, SHOWN), '…', ...lines.slice(-SHOWN)];

/** A broken history in words: its shortest beginning that is broken too, and how to see it again. */
export async function explain(seed: number, mutation: Mutation = {}): Promise<string> {
  const whole = await runHistory(seed, { mutation });
  let shown = whole;
  for (let length = 1; length < 36; length++) {
    const report = await runHistory(seed, { length, mutation });
    if (report.broken === null) continue;
    shown = report;
    break;
  }
  return [
    `Seed ${seed} breaks a promise: ${whole.broken ?? 'none'}`,
    ...(shown === whole ? [] : [`and so does its beginning: ${shown.broken}`]),
    ...shortened(shown.trace),
    `See the whole of it: npm run simulate -- --from ${seed} --count 1 --verbose`,
  ].join('\n');
}
