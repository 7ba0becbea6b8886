import type { ChangeSet } from '../domain/change-set.ts';
import type { RecordKey } from '../domain/identity.ts';
import type { SourceRecord } from '../domain/records.ts';
import type { Case } from './decide.ts';
import type { Which } from './which-record.ts';

/** The record that a submission is about. */
export interface Target {
  readonly key: RecordKey;
  /** The version in force, also of a record that was deleted; undefined of a new one. */
  readonly before: SourceRecord | undefined;
  readonly id: string;
  readonly aliases: ChangeSet['aliases'];
}

export async function target({ overlay, newId, sender }: Case, which: Exclude<Which, { kind: 'refused' }>): Promise<Target> {
  const before = which.kind === 'update' ? await overlay.record(which.record) : undefined;
  const key = before?.key ?? overlay.next.nextRecord;
  const id = before?.id ?? (which.kind === 'create' ? which.id : null) ?? newId();
  return { key, before, id, aliases: which.alias === null ? [] : [{ id: which.alias, client: sender.agent, record: key }] };
}
