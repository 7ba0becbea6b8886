import { setImmediate } from 'node:timers/promises';
import { uuidv7 } from 'uuidv7';
import { openStore } from '../../server/src/adapters/sql/store.ts';
import { systemClock } from '../../server/src/app/clock.ts';
import { defaultOurs } from '../../server/src/fhir/ours.ts';
import { isRefusal } from '../../server/src/fhir/refusal.ts';
import { createLinkageIndex } from '../../server/src/matching/linkage-index/index.ts';
import type { Command } from '../../server/src/registry/commands.ts';
import { createExtractor } from '../../server/src/registry/extract.ts';
import { type IntakePolicy, takeIn } from '../../server/src/registry/intake.ts';
import { createAuthorities } from '../../server/src/registry/policy/authorities.ts';
import type { Ledger } from '../../server/src/registry/ports.ts';
import { prepare } from '../../server/src/registry/prepare.ts';
import { createRegistrar, type Registrar } from '../../server/src/registry/registrar.ts';
import { defaultSettings } from './settings.ts';

/** What `Ledger.commit` alone took. */
interface Commits {
  changes: number;
  milliseconds: number;
}

/** A ledger whose commits are timed. */
const timed = (ledger: Ledger, commits: Commits): Ledger => ({
  ...ledger,
  async commit(id, changes, after, next) {
    const began = performance.now();
    const outcome = await ledger.commit(id, changes, after, next);
    commits.milliseconds += performance.now() - began;
    commits.changes += changes.length;
    return outcome;
  },
});

export interface Offline {
  /** Submits the patients as openmrs, `batch` of them decided and committed together each time. */
  submit(patients: readonly object[], batch: number): Promise<void>;
  /** Commits since the last call. */
  takeCommits(): Readonly<Commits>;
  close(): Promise<void>;
}

const policyOf = ({ config, ruleSet }: ReturnType<typeof defaultSettings>): IntakePolicy => ({
  authorities: createAuthorities(config.authorities, config.clients, config.authorityMode),
  ours: defaultOurs,
  extract: createExtractor(ruleSet.features),
});

const commandFor = (patient: object, policy: IntakePolicy): Command => {
  const taken = takeIn(patient, { method: 'POST', target: { kind: 'none' }, ifMatch: null }, 'openmrs', policy);
  if (isRefusal(taken)) throw new Error(taken.issues.map(({ diagnostics }) => diagnostics).join('\n'));
  return {
    kind: 'submit',
    sender: { agent: 'openmrs', address: '127.0.0.1', requestId: uuidv7() },
    submission: taken.submission,
  };
};

/** `batch` commands at once are one batch: the registrar takes all that has arrived. */
async function submitBatch(registrar: Registrar, commands: readonly Command[]): Promise<void> {
  for (const { kind } of await Promise.all(commands.map((command) => registrar.execute(command)))) {
    if (kind !== 'accepted') throw new Error(`a submission was answered with ${kind}`);
  }
}

/** The registry of a data folder without doors and threads: the same decisions, the same change sets, the same commits. */
export async function openOffline(dataDir: string): Promise<Offline> {
  const settings = defaultSettings();
  const rules = settings.ruleSet;
  const store = openStore(dataDir, { features: rules.features });
  const policy = policyOf(settings);
  const commits: Commits = { changes: 0, milliseconds: 0 };
  const noContents = (): never => {
    throw new Error('a store that only this program wrote has its features');
  };
  const decider = { rules, index: createLinkageIndex(rules), extract: noContents, clock: systemClock, newId: uuidv7 };
  const indexed = await prepare({
    ledger: store.ledger,
    scan: store.scan,
    decider,
    progress: () => undefined,
  });
  const registrar = createRegistrar({
    ledger: timed(store.ledger, commits),
    decider,
    limits: { batch: Infinity, queueLength: Infinity, queueAge: Infinity },
    indexed,
    pause: () => setImmediate(),
  });
  return {
    async submit(patients, batch) {
      for (let from = 0; from < patients.length; from += batch) {
        await submitBatch(
          registrar,
          patients.slice(from, from + batch).map((patient) => commandFor(patient, policy)),
        );
      }
    },
    takeCommits() {
      const taken = { ...commits };
      commits.changes = 0;
      commits.milliseconds = 0;
      return taken;
    },
    async close() {
      await registrar.close();
      store.close();
    },
  };
}
