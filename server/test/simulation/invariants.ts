import type { GoldenKey, RecordKey, Sequence } from '../../src/domain/identity.ts';
import type { Adjudication, HeldLink } from '../../src/domain/links.ts';
import { type GoldenRecord, UNLINKED } from '../../src/domain/records.ts';
import type { StoredRecord } from '../../src/registry/ports.ts';
import type { State } from '../support/memory-state.ts';

/** A history in which the registry broke one of its promises. */
export class Broken extends Error {}

export function demand(holds: boolean, words: () => string): asserts holds {
  if (!holds) throw new Broken(words());
}

const latest = <T>(versions: readonly T[]): T => versions.at(-1)!;

/** Latest decision on each pair, by the pair; those taken back left out. */
export function decisionsOf(state: State): readonly Adjudication[] {
  const latest = new Map(state.adjudications.map((one) => [`${one.a} ${one.b}`, one]));
  return [...latest.values()].filter(({ verdict }) => verdict !== 'undecided');
}

const namesAreUnique = (state: State): void => {
  const holders = new Map<string, RecordKey>();
  for (const [key, versions] of state.records) {
    for (const { names, scope, system, value } of latest(versions).identifiers) {
      const name = `${scope} ${system} ${value}`;
      const holder = names ? (holders.get(name) ?? key) : key;
      demand(holder === key, () => `"${name}" names the records ${holder} and ${key}`);
      if (names) holders.set(name, key);
    }
  }
};

/** At each moment a record has the one link that its version says, or none where that says none. */
const linksAreContinuous = (key: RecordKey, versions: readonly StoredRecord[], links: readonly HeldLink[]): void => {
  for (const [index, { record }] of versions.entries()) {
    const until = versions[index + 1]?.record.since ?? Infinity;
    const here = links.filter((link) => link.from < until && (link.until === null || link.until > record.since));
    const says = (): string => `record ${key} at ${record.since} is of golden record ${record.golden}, its links are not`;
    if (record.golden === UNLINKED) demand(here.length === 0, says);
    else demand(here.length > 0 && here.every(({ golden }) => golden === record.golden), says);
    const from = here.map((link) => Math.max(link.from, record.since));
    const ends = here.map((link) => Math.min(link.until ?? Infinity, until));
    const gapless = from[0] === record.since && ends.every((end, place) => end === (from[place + 1] ?? until));
    demand(here.length === 0 || gapless, () => `record ${key} has no link, or two, after ${record.since}`);
  }
  const { deleted, golden } = latest(versions).record;
  demand((golden === UNLINKED) === (deleted === true), () => `record ${key} has no link in force, or one although it is deleted`);
};

const holdsAt = (link: HeldLink, at: Sequence): boolean => link.from <= at && (link.until === null || link.until > at);

const linkIsReasoned = (link: HeldLink, links: State['links'], ruleVersions: ReadonlySet<string>): void => {
  const { record, golden, from, origin, because } = link;
  const where = (): string => `the link of record ${record} from ${from} (${origin})`;
  demand(ruleVersions.has(link.ruleVersion), () => `${where()} has no known rule version`);
  if (origin === 'auto') demand(because?.class === 'auto' && because.evidence.length > 0, () => `${where()} has no evidence`);
  if (origin === 'first') demand(because === null, () => `${where()} has a reason`);
  const companions = (key: RecordKey): boolean =>
    links.get(key)?.some((other) => other.golden === golden && holdsAt(other, from)) ?? false;
  if (because) demand(companions(because.with), () => `${where()} rests on record ${because.with}, which is elsewhere`);
  if (origin === 'first') {
    const alone = [...links.keys()].every((key) => key === record || !companions(key));
    demand(alone, () => `${where()} is not the first in its group`);
  }
};

const versionsAreComplete = (what: string, versions: readonly { readonly version: number; readonly since: Sequence }[]): void => {
  for (const [index, { version, since }] of versions.entries()) {
    demand(version === index + 1, () => `${what} lacks version ${index + 1}`);
    demand(index === 0 || since > versions[index - 1]!.since, () => `${what} has two versions at ${since}`);
  }
};

const flagsAreTasks = (state: State): void => {
  const kinds = Map.groupBy(state.tasks.values(), ({ record }) => record);
  for (const [key, versions] of state.records) {
    const open = [...new Set((kinds.get(key) ?? []).map(({ kind }) => kind))].sort().join();
    const { flags } = latest(versions).record;
    demand(flags.join() === open, () => `record ${key} has the flags ${flags.join()} and the tasks ${open}`);
  }
};

/** Active exactly while somebody has it; retired it leads in one hop to where most of its last records are. */
const goldenResolves = (golden: GoldenRecord, state: State, holders: ReadonlyMap<GoldenKey, number>): void => {
  const { key, active, replacedBy, retiredAt } = golden;
  demand(
    active === holders.has(key),
    () => `golden record ${key} is ${active ? 'active without records' : 'retired with records'}`,
  );
  if (active) {
    demand(replacedBy === null && retiredAt === null, () => `golden record ${key} is active and retired`);
    return;
  }
  const votes = new Map<GoldenKey, number>();
  for (const [record, links] of state.links) {
    if (!links.some((link) => link.golden === key && link.until === retiredAt)) continue;
    const now = latest(state.records.get(record)!).record.golden;
    if (now !== UNLINKED) votes.set(now, (votes.get(now) ?? 0) + 1);
  }
  const most = Math.max(...votes.values());
  const leads = votes.size === 0 ? replacedBy === null : replacedBy !== null && votes.get(replacedBy) === most;
  demand(
    leads,
    () => `golden record ${key}, retired at ${retiredAt}, leads to ${replacedBy}; its records: ${[...votes].join('; ')}`,
  );
};

const decisionsAreHonoured = (state: State): void => {
  const golden = (key: RecordKey): GoldenKey => latest(state.records.get(key)!).record.golden;
  for (const { a, b, verdict } of decisionsOf(state)) {
    if (golden(a) === UNLINKED || golden(b) === UNLINKED) continue;
    demand(
      (golden(a) === golden(b)) === (verdict === 'same'),
      () => `records ${a} and ${b} are "${verdict}", their links say otherwise`,
    );
  }
};

/** What holds after each commit. `unlimited`: no component can be too large, so that people's decisions always count. */
export function checkState(state: State, since: Sequence, unlimited: boolean): void {
  const { head, log } = state;
  demand(head.sequence === log.length, () => `the head is at ${head.sequence} after ${log.length} change sets`);
  const ruleVersions = new Set(log.flatMap(({ change }) => change.rules?.version ?? []));
  namesAreUnique(state);
  flagsAreTasks(state);
  const holders = new Map<GoldenKey, number>();
  for (const [key, versions] of state.records) {
    const links = state.links.get(key) ?? [];
    linksAreContinuous(key, versions, links);
    for (const link of links) if (link.from > since) linkIsReasoned(link, state.links, ruleVersions);
    versionsAreComplete(
      `record ${key}`,
      versions.map(({ record }) => record),
    );
    const { golden } = latest(versions).record;
    if (golden !== UNLINKED) holders.set(golden, (holders.get(golden) ?? 0) + 1);
  }
  for (const [key, versions] of state.goldens) {
    versionsAreComplete(`golden record ${key}`, versions);
    goldenResolves(latest(versions), state, holders);
  }
  demand(head.nextRecord === state.records.size + 1, () => `the next record is ${head.nextRecord} of ${state.records.size}`);
  demand(
    head.nextGolden === state.goldens.size + 1,
    () => `the next golden record is ${head.nextGolden} of ${state.goldens.size}`,
  );
  if (unlimited) decisionsAreHonoured(state);
}
