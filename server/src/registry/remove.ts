import type { Instant, RecordKey } from '../domain/identity.ts';
import { otherOf } from '../domain/links.ts';
import type { SourceRecord } from '../domain/records.ts';
import { type Refused, refused, type Removal, type Removed } from './commands.ts';
import { type Case, consequences, type SubmittedRecord } from './decide.ts';
import type { Overlay } from './overlay.ts';
import { firstNamed } from './which-record.ts';

/** The record that is meant; undefined where nothing is, which is as good as deleted (D7). */
async function meant({ overlay, sender }: Case, { target }: Removal): Promise<RecordKey | undefined | Refused> {
  if (target.kind === 'identifier') return firstNamed(overlay, target.identifier);
  const named = await overlay.resolveId(target.id, sender.agent);
  if (named?.kind === 'golden')
    return refused('forbidden', `Patient/${target.id} is a golden record: the registry alone writes it.`);
  return named?.key;
}

/** The record, and those that were merged into it. */
async function withSubsumed(overlay: Overlay, record: SourceRecord): Promise<readonly SourceRecord[]> {
  const all = [record];
  for (const { key } of all) {
    for (const subsumed of await overlay.subsumed(key)) {
      const found = await overlay.record(subsumed);
      if (found) all.push(found);
    }
  }
  return all;
}

/** What a deleted record is left with: its history keeps what was. */
const NOTHING = JSON.stringify({ resourceType: 'Patient' });

const deletedVersion = ({ rules }: Case, { mergedInto: _, ...record }: SourceRecord, at: Instant): SubmittedRecord => ({
  record: { ...record, version: record.version + 1, active: false, deleted: true, lastUpdated: at },
  content: { resource: NOTHING, identifiers: [] },
  features: rules.features.map(() => ''),
  created: false,
  truncated: false,
});

/**
 * Deletes a record of the sender (R4 http.html#delete, ITI-104 remove), and those that were merged into it: they keep their ids and their
 * history, and lose identifiers, pairs and links; whoever was grouped with them is resolved without them.
 */
export async function remove(one: Case, removal: Removal): Promise<Removed | Refused> {
  const { overlay, sender } = one;
  const key = await meant(one, removal);
  if (typeof key === 'object') return key;
  const record = key === undefined ? undefined : await overlay.record(key);
  if (!record || record.deleted) return { kind: 'removed', removed: null };
  if (record.source !== sender.agent)
    return refused('forbidden', 'A record is deleted by the system that submitted it, and no other.');
  if (removal.ifMatch !== null && removal.ifMatch !== record.version) {
    return refused('version-conflict', `Patient/${record.id} is at version ${record.version}, not ${removal.ifMatch}.`);
  }
  const pairs = await overlay.pairs(record.key);
  const all = await withSubsumed(overlay, record);
  const at = one.clock.now();
  const what = removal.target.kind === 'id' ? 'DELETE Patient' : 'DELETE Patient?identifier';
  const change = await consequences(one, {
    at,
    audit: { ...sender, action: 'delete', record: record.key, what },
    submitted: all.map((gone) => deletedVersion(one, gone, at)),
    change: { pairsEnded: pairs.map(({ a, b }) => ({ a, b })) },
    seeds: pairs.map((pair) => otherOf(pair, record.key)),
    leaving: new Set(all.map((gone) => gone.key)),
    shown: [],
  });
  await overlay.apply(change);
  return { kind: 'removed', removed: { id: record.id, version: record.version + 1 } };
}
