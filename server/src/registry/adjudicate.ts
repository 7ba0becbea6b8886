import { type AuditFacts, emptyChange } from '../domain/change-set.ts';
import type { RecordKey } from '../domain/identity.ts';
import type { Adjudication, PairName } from '../domain/links.ts';
import { pairName } from '../domain/links.ts';
import type { SourceRecord } from '../domain/records.ts';
import { componentOf } from '../matching/components.ts';
import { contradictions } from '../matching/resolve.ts';
import { type AdjudicationCommand, type CommandResult, type Refused, refused, type Sender } from './commands.ts';
import { type Case, consequences } from './decide.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import { otherOf } from '../domain/links.ts';

async function sourceRecord(overlay: Overlay, id: string, agent: string): Promise<SourceRecord | undefined> {
  const named = await overlay.resolveId(id, agent);
  return named?.kind === 'record' ? overlay.record(named.key) : undefined;
}

/** A record and those merged into it are the same, by the word of their system. */
async function mergesOf(overlay: Overlay, key: RecordKey): Promise<readonly Adjudication[]> {
  const record = await overlay.record(key);
  const others = [...(await overlay.subsumed(key)), ...(record?.mergedInto === undefined ? [] : [record.mergedInto])];
  return others.map((other) => ({ ...pairName(key, other), verdict: 'same', by: record?.source ?? '', golden: null }));
}

/** Every decision in force that "same" decisions tie to either record: what a new one may contradict. */
async function decisionsAround(overlay: Overlay, pair: PairName, limit: number): Promise<readonly Adjudication[]> {
  const found = new Map<string, Adjudication>();
  const neighbours = async (key: number): Promise<readonly number[]> => {
    const said = [...(await overlay.adjudications(key)), ...(await mergesOf(overlay, key))];
    for (const one of said) found.set(`${one.a} ${one.b}`, one);
    return said.filter((one) => one.verdict === 'same').map((one) => otherOf(one, key));
  };
  await componentOf([pair.a, pair.b], neighbours, limit);
  return [...found.values()].filter((one) => one.a !== pair.a || one.b !== pair.b);
}

/** Names the decisions that stand against it, by the records' ids. */
export async function contradiction(overlay: Overlay, decision: Adjudication, limit: number): Promise<string | undefined> {
  const { verdict } = decision;
  if (verdict === 'undecided') return undefined;
  const around = await decisionsAround(overlay, decision, limit);
  const constraints = around.flatMap(({ a, b, verdict: said }) => (said === 'undecided' ? [] : [{ a, b, verdict: said }]));
  const against = contradictions(constraints, { a: decision.a, b: decision.b, verdict });
  if (against.length === 0) return undefined;
  const words = await Promise.all(
    against.map(
      async ({ a, b, verdict: said }) =>
        `Patient/${(await overlay.record(a))?.id} and Patient/${(await overlay.record(b))?.id}: ${said}`,
    ),
  );
  return `It contradicts earlier decisions, take those back first: ${words.join('; ')}.`;
}

const factsOf = (
  { agent, address, requestId }: Sender,
  { verdict }: AdjudicationCommand,
  record: RecordKey | null,
): AuditFacts => ({
  action: 'link',
  agent,
  address,
  requestId,
  record,
  what: `adjudicate ${verdict}`,
});

/** The decision on one pair, or why it cannot be taken. */
async function decisionOn(
  { sender, rules }: Case,
  overlay: Overlay,
  { pair, verdict }: { readonly pair: AdjudicationCommand['pairs'][number]; readonly verdict: Adjudication['verdict'] },
): Promise<Adjudication | Refused> {
  const [a, b] = [await sourceRecord(overlay, pair.a, sender.agent), await sourceRecord(overlay, pair.b, sender.agent)];
  if (!a || !b) return refused('not-found', `No source record Patient/${a ? pair.b : pair.a}.`);
  const gone = [a, b].find((record) => record.deleted ?? record.mergedInto !== undefined);
  if (gone) {
    const words = gone.deleted ? 'was deleted' : 'was merged into another record: decide on that one';
    return refused('conflict', `Patient/${gone.id} ${words}.`);
  }
  if (a.key === b.key) return refused('business-rule', `Patient/${a.id} cannot be decided on with itself.`);
  const golden = verdict === 'same' ? a.golden : null;
  const decision = { ...pairName(a.key, b.key), verdict, by: sender.agent, golden };
  const words = await contradiction(overlay, decision, rules.limits.maxComponent);
  return words === undefined ? decision : refused('conflict', words);
}

/**
 * A person's decision on pairs of source records: "same" joins them, "different" keeps them apart for ever (a broken
 * match), "undecided" takes an earlier decision back. All pairs are decided in one change set, or none.
 */
export async function adjudicate(one: Case, command: AdjudicationCommand): Promise<CommandResult> {
  const { overlay, sender } = one;
  const adjudications: Adjudication[] = [];
  const touched = new Set<number>();
  // Each pair is checked with the ones before it already decided.
  const decided = createOverlay(overlay, overlay);
  for (const pair of command.pairs) {
    const decision = await decisionOn(one, decided, { pair, verdict: command.verdict });
    if ('refusal' in decision) return decision;
    adjudications.push(decision);
    touched.add(decision.a).add(decision.b);
    await decided.apply({ ...emptyChange(one.clock.now(), factsOf(sender, command, decision.a)), adjudications: [decision] });
  }
  const [first] = adjudications;
  const audit = factsOf(sender, command, first?.a ?? null);
  const change = await consequences(one, {
    at: one.clock.now(),
    audit,
    submitted: [],
    change: { adjudications },
    seeds: [...touched],
    shown: [...touched],
  });
  await overlay.apply(change);
  return { kind: 'done' };
}
