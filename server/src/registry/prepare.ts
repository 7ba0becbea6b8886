import { type ChangeSet, emptyChange } from '../domain/change-set.ts';
import type { RecordKey, Sequence } from '../domain/identity.ts';
import type { Pair, PairName } from '../domain/links.ts';
import type { RuleSet } from '../matching/model.ts';
import { serialRetrieval } from '../matching/serial.ts';
import { allPairs } from './all-pairs.ts';
import type { Decider } from './decide.ts';
import type { Head, Ledger, RegistryScan } from './ports.ts';
import { createProjection } from './projection.ts';

/** How far the work before readiness is; `done` of `total` records. */
export interface Progress {
  readonly step: 'features' | 'index' | 'pairs';
  readonly done: number;
  readonly total: number;
}

export interface PrepareDependencies {
  readonly ledger: Ledger;
  readonly scan: RegistryScan;
  readonly decider: Decider;
  readonly progress: (progress: Progress) => void;
  /** The index holds every change set up to here already (a snapshot, under the rules in force); absent where it is empty. */
  readonly held?: Sequence;
  /** Makes every pair again also where the rules are those of before. */
  readonly again?: boolean;
}

const CHUNK = 500;

/** Feature rows for paths or normalisers that the rules name for the first time. */
async function backfillFeatures({ scan, decider, ledger, progress }: PrepareDependencies): Promise<void> {
  const { features } = decider.rules;
  if ((await scan.completeFeatures(features)).every(Boolean)) return;
  const total = (await ledger.head()).nextRecord - 1;
  let after: RecordKey = 0;
  for (;;) {
    const contents = await scan.lacking(features, after, CHUNK);
    const last = contents.at(-1);
    if (!last) break;
    await scan.putFeatures(
      features,
      contents.map(({ record, resource }) => ({ record, values: decider.extract(resource) })),
    );
    after = last.record;
    progress({ step: 'features', done: after, total });
  }
}

async function loadIndex({ scan, decider, ledger, progress, held }: PrepareDependencies): Promise<void> {
  if (held !== undefined) {
    await createProjection(ledger, decider, held).catchUp();
    return;
  }
  const total = (await ledger.head()).nextRecord - 1;
  let done = 0;
  for await (const { record, values } of scan.featureRows(decider.rules.features)) {
    decider.index.upsert(record, values);
    if (++done % 100_000 === 0) progress({ step: 'index', done, total });
  }
}

const administered = (decider: Decider, what: string): ChangeSet =>
  emptyChange(decider.clock.now(), { action: 'administer', agent: 'registry', address: '', requestId: '', record: null, what });

async function write({ ledger, decider }: PrepareDependencies, head: Head, change: ChangeSet): Promise<Head> {
  const outcome = await ledger.commit(decider.newId(), [change], head.sequence, head);
  if (outcome.kind === 'behind')
    throw new Error('another process changed the registry while its pairs were made again: start again');
  return outcome.head;
}

/**
 * New rules: every pair is made again before the registry is ready. Links stand with their old version until their
 * component is touched (design §2.3). Interrupted, it goes on from what it finds: a pair whose verdict stands is left.
 * From the first pair written until the last the ledger stands at a version of no rules, so that a restart with the
 * old ones makes them all again, too.
 */
async function rebuildPairs(dependencies: PrepareDependencies, before: Head): Promise<void> {
  const { decider, progress } = dependencies;
  const { rules } = decider;
  let head = before;
  if (head.ruleVersion === rules.version && !dependencies.again) return;
  const version = { version: rules.version, definition: JSON.stringify(definition(rules)) };
  const unfinished = { ...version, version: `${rules.version} unfinished` };
  const total = head.nextRecord - 1;
  let begun: Pair[] = [];
  let ended: PairName[] = [];
  for await (const changes of allPairs(dependencies.scan, decider.bulk ?? serialRetrieval(decider.index), total)) {
    begun.push(...changes.begun);
    ended.push(...changes.ended);
    progress({ step: 'pairs', done: changes.last, total });
    if (begun.length + ended.length < CHUNK) continue;
    const mark = head.ruleVersion === unfinished.version ? null : unfinished;
    head = await write(dependencies, head, {
      ...administered(decider, 'pairs'),
      pairsBegun: begun,
      pairsEnded: ended,
      rules: mark,
    });
    begun = [];
    ended = [];
  }
  await write(dependencies, head, { ...administered(decider, 'rules'), pairsBegun: begun, pairsEnded: ended, rules: version });
}

const definition = ({ features, rules, limits }: RuleSet): Omit<RuleSet, 'version'> => ({ features, rules, limits });

/**
 * Everything between opening the store and being ready: features, index, pairs under the rules in force. Answers where
 * the ledger stood before: what other processes commit meanwhile may not be in the index, and makes new pairs `behind`.
 */
export async function prepare(dependencies: PrepareDependencies): Promise<Sequence> {
  const head = await dependencies.ledger.head();
  await backfillFeatures(dependencies);
  await loadIndex(dependencies);
  await rebuildPairs(dependencies, head);
  return head.sequence;
}
