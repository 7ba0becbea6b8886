/** Change sets for tests of the store: one person, `anna@clinicA`, at a time. */
import { type AuditFacts, type ChangeSet, emptyChange, type GoldenWrite, type RecordWrite } from '../../src/domain/change-set.ts';
import type { CompanionWrite } from '../../src/domain/companions.ts';
import type { RecordIdentifier } from '../../src/domain/identity.ts';
import type { Link, Pair, Verdict } from '../../src/domain/links.ts';
import type { FeatureSpec } from '../../src/matching/model.ts';
import type { Ledger } from '../../src/registry/ports.ts';

export const FAMILY: FeatureSpec = { path: 'name.family', normaliser: 'string@1', multi: 'join' };
export const BIRTH: FeatureSpec = { path: 'birthDate', normaliser: 'date@1', multi: 'join' };
/** The features that `recordWrite` fills, in order. */
export const FEATURES: readonly FeatureSpec[] = [FAMILY, BIRTH];

export const CLINIC_A = 'http://clinic-a.example/mrn';
export const AT = '2026-03-03T10:00:00.000Z';

const AUDIT: AuditFacts = {
  action: 'create',
  agent: 'clinicA',
  address: '192.0.2.1',
  requestId: 'request-1',
  record: null,
  what: 'POST Patient',
};

export const change = (parts: Partial<ChangeSet>, at: string = AT): ChangeSet => ({ ...emptyChange(at, AUDIT), ...parts });

/** What `recordWrite` takes beside the key; the rest has a value that follows from it. */
export interface RecordParts extends Partial<RecordWrite['record']> {
  readonly family?: string;
  readonly identifiers?: readonly RecordIdentifier[];
  /** False: the version keeps the content before. */
  readonly content?: boolean;
}

export const mrn = (value: string): RecordIdentifier => ({ system: CLINIC_A, value, names: true, scope: '' });

/** What the features of FEATURES are of a resource that `recordWrite` made. */
export const featuresOf = (resource: string): readonly string[] => {
  const patient = JSON.parse(resource) as { readonly name: readonly { readonly family: string }[]; readonly birthDate: string };
  return [(patient.name[0]?.family ?? '').toLowerCase(), patient.birthDate];
};

export const recordWrite = (key: number, parts: RecordParts = {}): RecordWrite => {
  const { family = 'Chanda', identifiers = [mrn(`A-${key}`)], content = true, ...record } = parts;
  const first = identifiers[0] ?? mrn(`A-${key}`);
  const resource = JSON.stringify({ resourceType: 'Patient', name: [{ family }], birthDate: '1990-05-01' });
  const identity = { system: first.system, value: first.value, client: 'clinicA' };
  return {
    record: {
      key,
      id: `record-${key}`,
      version: 1,
      source: 'clinicA',
      identity,
      active: true,
      golden: key,
      flags: [],
      ...record,
    },
    content: content ? { resource, identifiers } : null,
    features: content ? featuresOf(resource) : null,
  };
};

export const goldenWrite = (key: number, parts: Partial<GoldenWrite['golden']> = {}): GoldenWrite => ({
  golden: { key, id: `golden-${key}`, version: 1, active: true, replacedBy: null, ...parts },
  retired: parts.active === false ? 'now' : 'stays',
});

/** An Organization of clinicA, or what `parts` say; null: it is deleted. */
export const companionWrite = (resource: object | null, parts: Partial<CompanionWrite['companion']> = {}): CompanionWrite => ({
  companion: { type: 'Organization', id: 'o1', version: 1, source: 'clinicA', givenId: null, ...parts },
  resource: resource && JSON.stringify(resource),
});

export const verdict: Verdict = {
  class: 'auto',
  ruleVersion: 'rules-1',
  rule: 0,
  ruleName: 'names and birth date',
  score: 7.25,
  normalised: 0.1 + 0.2,
  evidence: [
    { comparison: 'family', measure: 0.96, agrees: true, contribution: 4 },
    { comparison: 'phone', measure: null, agrees: false, contribution: -0.5 },
  ],
};

export const pair = (a: number, b: number, parts: Partial<Verdict> = {}): Pair => ({ ...verdict, ...parts, a, b });

export const link = (record: number, golden: number, parts: Partial<Link> = {}): Link => ({
  record,
  golden,
  origin: 'first',
  ruleVersion: 'rules-1',
  because: null,
  ...parts,
});

/** A record that matched nobody: with its own golden record and its link. */
export const arrival = (key: number, parts: RecordParts = {}): ChangeSet =>
  change({ records: [recordWrite(key, parts)], goldens: [goldenWrite(key)], linksBegun: [link(key, key)] });

/** Commits after the present head; fails unless it succeeds. */
export const commit = async (ledger: Ledger, changes: readonly ChangeSet[], batch?: string): Promise<void> => {
  const { sequence, nextRecord, nextGolden, nextTask } = await ledger.head();
  const created = changes.flatMap(({ records }) => records).filter(({ record }) => record.version === 1).length;
  const next = { nextRecord: nextRecord + created, nextGolden: nextGolden + created, nextTask };
  const outcome = await ledger.commit(batch ?? `batch-after-${sequence}`, changes, sequence, next);
  if (outcome.kind !== 'committed') throw new Error('behind');
};
