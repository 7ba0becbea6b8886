import type { RecordKey, TaskKey } from './identity.ts';

/**
 * A doubt for a person to settle, about `record`:
 * - `auto`: the rules linked it to others (1.x: autoMatches, to be looked over);
 * - `potential`: it resembles records of other persons; `conflict`: it reaches the automatic level with them;
 * - `refused`: two groups were not joined, the record is the bridge; `moved`: another's arrival took it out of its group;
 * - `truncated`: the candidates were cut; `too-large`: its component is over the limit, the machine moved nothing.
 */
export type TaskKind = 'auto' | 'potential' | 'conflict' | 'refused' | 'moved' | 'truncated' | 'too-large';

export interface ReviewTask {
  readonly key: TaskKey;
  readonly kind: TaskKind;
  readonly record: RecordKey;
  readonly others: readonly RecordKey[];
}
