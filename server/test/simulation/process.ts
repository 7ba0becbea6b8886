import type { RecordKey } from '../../src/domain/identity.ts';
import type { CandidateIndex } from '../../src/matching/candidates.ts';
import { createLinkageIndex } from '../../src/matching/linkage-index/index.ts';
import type { FeatureValues, RuleSet } from '../../src/matching/model.ts';
import type { Command, CommandResult } from '../../src/registry/commands.ts';
import type { Ledger } from '../../src/registry/ports.ts';
import { prepare } from '../../src/registry/prepare.ts';
import { createRegistrar, type Registrar, type RegistrarLimits } from '../../src/registry/registrar.ts';
import { type FaultyStoreSetup, openFaultyStore } from './faulty-store.ts';
import { extractStored } from './population.ts';
import type { Owner } from './scheduler.ts';

/** A deliberate fault of the registrar's surroundings; the simulation must find it. */
export interface Mutation {
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly index?: (index: CandidateIndex) => CandidateIndex;
}

export interface ProcessSetup extends Omit<FaultyStoreSetup, 'owner' | 'features'> {
  readonly name: string;
  readonly limits: RegistrarLimits;
  readonly mutation: Mutation;
  /** The rules that a start finds in its configuration. */
  readonly rules: () => RuleSet;
  readonly note: (words: string) => void;
  /** Told with each orderly stop: how many accepted commands got no answer. */
  readonly unanswered: (count: number) => void;
}

/** What came of a command: an answer, the error it failed with, or nothing, because the process died. */
export type Reply =
  | { readonly kind: 'answer'; readonly result: CommandResult }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'reset' };

/** One life of a server process. */
interface Life {
  readonly owner: Owner;
  readonly rules: RuleSet;
  readonly registrar: Registrar;
  readonly shadow: ReadonlyMap<RecordKey, FeatureValues>;
}

/** A server process on the shared disk: it starts, serves, stops, crashes, and starts again. */
export interface Process {
  readonly name: string;
  readonly up: boolean;
  /** What its candidate index holds; undefined while it is down. */
  readonly indexed: ReadonlyMap<RecordKey, FeatureValues> | undefined;
  start(): void;
  crash(): void;
  /** Finishes what was accepted, or breaks off its start; then starts again. */
  restart(): void;
  execute(command: (rules: RuleSet) => Command): Promise<Reply>;
}

/** An index that also keeps in a plain map what it was told. */
const shadowed = (index: CandidateIndex, shadow: Map<RecordKey, FeatureValues>): CandidateIndex => ({
  get size() {
    return index.size;
  },
  upsert(record, values) {
    shadow.set(record, values);
    index.upsert(record, values);
  },
  remove(record) {
    shadow.delete(record);
    index.remove(record);
  },
  valuesOf: index.valuesOf,
  retrieve: index.retrieve,
});

const EPOCH = Date.parse('2026-01-01T00:00:00.000Z');

export function createProcess(setup: ProcessSetup): Process {
  const { name, scheduler, chance, mutation, note } = setup;
  let life: Life | undefined;
  let owner: Owner = {};
  let lives = 0;
  const inFlight = new Set<(reply: Reply) => void>();

  const live = async (): Promise<Life> => {
    const mine = owner;
    const rules = setup.rules();
    const faulty = openFaultyStore({ ...setup, owner, features: rules.features });
    const ledger = mutation.ledger?.(faulty.ledger) ?? faulty.ledger;
    const shadow = new Map<RecordKey, FeatureValues>();
    const index = shadowed(createLinkageIndex(rules, { reserve: 2 ** 20 }), shadow);
    const prefix = `${name}-${++lives}-`;
    let ids = 0;
    const decider = {
      rules,
      index: mutation.index?.(index) ?? index,
      clock: { now: () => new Date(EPOCH + scheduler.now).toISOString(), monotonic: () => scheduler.now },
      newId: () => `${prefix}${++ids}`,
      extract: (resource: string): FeatureValues => extractStored(resource, rules.features),
    };
    const indexed = await prepare({ ledger, scan: faulty.scan, decider, progress: () => undefined });
    const pause = (milliseconds: number): Promise<void> => scheduler.sleep(mine, milliseconds);
    return { owner, rules, registrar: createRegistrar({ ledger, decider, limits: setup.limits, indexed, pause }), shadow };
  };

  const start = (): void => {
    const mine = owner;
    live().then(
      (begun) => {
        life = begun;
        note(`${name} is ready`);
      },
      (error: unknown) => {
        if (mine !== owner) return;
        note(`${name} failed to start: ${error instanceof Error ? error.message : String(error)}`);
        scheduler.after(owner, 20, start);
      },
    );
  };

  const end = (): void => {
    scheduler.drop(owner);
    owner = {};
    life = undefined;
    for (const tell of inFlight) tell({ kind: 'reset' });
    inFlight.clear();
    scheduler.after(owner, 10 + 50 * chance.next(), start);
  };

  return {
    name,
    get up() {
      return life !== undefined;
    },
    get indexed() {
      return life?.shadow;
    },
    start,
    crash() {
      note(`${name} crashes`);
      end();
    },
    restart() {
      note(`${name} stops`);
      const closing = life;
      if (!closing) {
        end();
        return;
      }
      void closing.registrar.close().then(() => {
        if (life !== closing) return;
        setup.unanswered(inFlight.size);
        end();
      });
    },
    execute: (command) =>
      new Promise((tell) => {
        if (!life) {
          tell({ kind: 'reset' });
          return;
        }
        const reply = (said: Reply): void => {
          if (inFlight.delete(tell)) tell(said);
        };
        inFlight.add(tell);
        life.registrar.execute(command(life.rules)).then(
          (result) => reply({ kind: 'answer', result }),
          (error: unknown) => reply({ kind: 'error', error }),
        );
      }),
  };
}
