import type { RecordKey, TaskKey } from '../domain/identity.ts';
import { otherOf } from '../domain/links.ts';
import type { ReviewTask, TaskKind } from '../domain/review.ts';
import type { Regrouping, Submitted } from './regroup.ts';
import type { RegistryView } from './ports.ts';

/** What a change does to the review queue, and the flags that every touched record then carries. */
export interface TaskChanges {
  readonly opened: readonly ReviewTask[];
  readonly closed: readonly TaskKey[];
  readonly flags: ReadonlyMap<RecordKey, readonly TaskKind[]>;
}

interface Wanted {
  readonly kind: TaskKind;
  readonly others: readonly RecordKey[];
}

export interface TaskRequest {
  readonly view: RegistryView;
  readonly regrouping: Regrouping;
  readonly submitted: Submitted;
  readonly nextTask: TaskKey;
}

const ascending = (keys: readonly RecordKey[]): readonly RecordKey[] => [...new Set(keys)].sort((a, b) => a - b);
const sameOthers = (a: readonly RecordKey[], b: readonly RecordKey[]): boolean => a.join() === b.join();

/** The classes of 1.x (opencr-1x.md §2.6): auto in its own group, conflict and potential with other groups. */
async function matchesOf({ view, regrouping }: TaskRequest, record: RecordKey): Promise<readonly Wanted[]> {
  const { pairs, decisions } = regrouping.known(record);
  const settled = new Set(decisions.map((d) => otherOf(d, record)));
  const own = regrouping.goldenOf.get(record);
  const found: Record<'auto' | 'conflict' | 'potential', RecordKey[]> = { auto: [], conflict: [], potential: [] };
  for (const pair of pairs) {
    const other = otherOf(pair, record);
    if (settled.has(other)) continue;
    const golden = regrouping.goldenOf.get(other) ?? (await view.record(other))?.golden;
    if (golden !== own) found[pair.class === 'auto' ? 'conflict' : 'potential'].push(other);
    else if (pair.class === 'auto') found.auto.push(other);
  }
  return (['auto', 'conflict', 'potential'] as const)
    .filter((kind) => found[kind].length > 0)
    .map((kind) => ({ kind, others: ascending(found[kind]) }));
}

/** Kinds that say how a record stands to others now: made again for it at every change. The rest stay until a person settles them. */
const STANDING: readonly TaskKind[] = ['auto', 'conflict', 'potential', 'truncated', 'too-large'];

async function wantedFor(request: TaskRequest, record: RecordKey): Promise<readonly Wanted[]> {
  const { regrouping, submitted } = request;
  const own = submitted.get(record);
  const wanted: Wanted[] = [...(await matchesOf(request, record))];
  if (own && regrouping.tooLarge.has(record) && !regrouping.tooLargeSaid) {
    wanted.push({ kind: own.truncated ? 'truncated' : 'too-large', others: [] });
  }
  if (regrouping.moved.has(record)) wanted.push({ kind: 'moved', others: [] });
  const bridged = regrouping.refused.filter((refusal) => refusal.bridge === record);
  if (bridged.length > 0) {
    wanted.push({
      kind: 'refused',
      others: ascending(bridged.flatMap(({ pair }) => [pair.a, pair.b]).filter((k) => k !== record)),
    });
  }
  return wanted;
}

/**
 * Opens tasks for the submitted record and for what the regrouping did; closes those of any touched record that no
 * longer hold. A record that was not submitted gets no new task of a standing kind, but keeps those that still hold
 * (1.x flags the submitted record only).
 */
export async function reviewTasks(request: TaskRequest): Promise<TaskChanges> {
  const opened: ReviewTask[] = [];
  const closed: TaskKey[] = [];
  const flags = new Map<RecordKey, readonly TaskKind[]>();
  for (const record of request.regrouping.goldenOf.keys()) {
    const open = await request.view.openTasks(record);
    if (open.length === 0 && !request.submitted.has(record) && !involved(request, record)) {
      flags.set(record, []);
      continue;
    }
    const wanted = await wantedFor(request, record);
    const stays = (task: ReviewTask): boolean =>
      STANDING.includes(task.kind)
        ? wanted.some((w) => w.kind === task.kind && sameOthers(w.others, task.others))
        : !wanted.some((w) => w.kind === task.kind && !sameOthers(w.others, task.others));
    const kept = open.filter(stays);
    const gone = open.filter((task) => !stays(task));
    closed.push(...gone.map((task) => task.key));
    const fresh = wanted.filter(
      (w) =>
        !kept.some((task) => task.kind === w.kind) &&
        (request.submitted.has(record) || !STANDING.includes(w.kind) || gone.some((task) => task.kind === w.kind)),
    );
    for (const { kind, others } of fresh) opened.push({ key: request.nextTask + opened.length, kind, record, others });
    flags.set(record, [...new Set([...kept.map((t) => t.kind), ...fresh.map((w) => w.kind)])].sort());
  }
  return { opened, closed, flags };
}

const involved = ({ regrouping }: TaskRequest, record: RecordKey): boolean =>
  regrouping.moved.has(record) || regrouping.refused.some((refusal) => refusal.bridge === record);
