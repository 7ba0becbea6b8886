import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChangeSet } from '../../src/domain/change-set.ts';
import type { Adjudication } from '../../src/domain/links.ts';
import type { AskedTerm } from '../../src/fhir/companion-search.ts';
import type { FeatureSpec } from '../../src/matching/model.ts';
import type { CompanionQuery, Ledger, Reader, RegistryScan } from '../../src/registry/ports.ts';
import * as sample from '../support/sample-changes.ts';

export interface OpenStore {
  readonly ledger: Ledger;
  readonly reader: Reader;
  readonly scan: RegistryScan;
  close(): Promise<void> | void;
  /** Ends this one and opens the same registry again, as after a restart. */
  reopen(): Promise<OpenStore>;
}

const { arrival, change, commit, companionWrite, goldenWrite, link, mrn, pair, recordWrite } = sample;

const AT_TWO = '2026-03-04T11:30:00.000Z';
const AT_THREE = '2026-03-05T12:00:00.001Z';

const rows = async (scan: RegistryScan, features: readonly FeatureSpec[]): Promise<readonly unknown[]> => {
  const found: unknown[] = [];
  for await (const row of scan.featureRows(features)) found.push(row);
  return found;
};

/** All that a caller can see, for "nothing was left behind". */
const everything = async ({ ledger, reader, scan }: OpenStore): Promise<unknown> => ({
  head: await ledger.head(),
  changes: await ledger.changes(0, 1000),
  records: await Promise.all([1, 2, 3].map((key) => reader.recordVersions(key, 99, 99))),
  goldens: await Promise.all([1, 2, 3].map((key) => reader.goldenVersions(key, 99, 99))),
  links: await Promise.all([1, 2, 3].map((key) => ledger.linksOf(key))),
  tasks: await Promise.all([1, 2, 3].map((key) => ledger.openTasks(key))),
  pairs: await Promise.all([1, 2, 3].map((key) => ledger.pairs(key))),
  identifiers: await reader.byIdentifier([{ system: sample.CLINIC_A, value: null }], 0, 100),
  clients: await reader.clients(),
  features: await rows(scan, sample.FEATURES),
});

/** The law of every store: what the ports promise (registry/ports.ts), over a registry with `sample.FEATURES`. */
export const ledgerContract = (name: string, open: () => Promise<OpenStore>): void => {
  describe(`the ledger on ${name}`, () => {
    let store: OpenStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const restart = async (): Promise<void> => {
      store = await store.reopen();
    };

    describe('commits', () => {
      test('an empty registry stands at sequence 0 with a hash of zeros and gives keys from 1', async () => {
        const head = { sequence: 0, hash: '0'.repeat(64), nextRecord: 1, nextGolden: 1, nextTask: 1, ruleVersion: '' };
        expect(await store.ledger.head()).toEqual(head);
        expect(await store.reader.head()).toEqual(head);
      });

      test('a batch moves the head by its change sets and keeps the next keys', async () => {
        const next = { nextRecord: 30, nextGolden: 20, nextTask: 10 };
        const outcome = await store.ledger.commit('batch-1', [arrival(1), arrival(2)], 0, next);
        expect(outcome).toMatchObject({ kind: 'committed', head: { sequence: 2, ...next } });
        await restart();
        expect(outcome).toEqual({ kind: 'committed', head: await store.ledger.head() });
      });

      test('each change set changes the hash, alike change sets too', async () => {
        const hashes = new Set<string>();
        for (const batch of ['a', 'b', 'c']) {
          await commit(store.ledger, [change({})], batch);
          hashes.add((await store.ledger.head()).hash);
        }
        expect(hashes.size).toBe(3);
        expect([...hashes].every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
      });

      test('a decision made on an old head is refused as behind and leaves nothing', async () => {
        await commit(store.ledger, [arrival(1)]);
        const before = await everything(store);
        const next = { nextRecord: 9, nextGolden: 9, nextTask: 9 };
        expect(await store.ledger.commit('late', [arrival(2)], 0, next)).toEqual({ kind: 'behind' });
        expect(await store.ledger.commit('early', [arrival(2)], 7, next)).toEqual({ kind: 'behind' });
        expect(await everything(store)).toEqual(before);
        expect(await store.ledger.committed('late')).toBeUndefined();
      });

      test('of two batches decided on one head, exactly one is committed', async () => {
        const next = { nextRecord: 2, nextGolden: 2, nextTask: 1 };
        const outcomes = await Promise.all(['x', 'y', 'z'].map((batch) => store.ledger.commit(batch, [arrival(1)], 0, next)));
        expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['behind', 'behind', 'committed']);
        expect((await store.ledger.head()).sequence).toBe(1);
      });

      test('a batch is known by the sequence that it ended at, after a restart too', async () => {
        await commit(store.ledger, [arrival(1), arrival(2)], 'first');
        await commit(store.ledger, [arrival(3)], 'second');
        await restart();
        expect(await store.ledger.committed('first')).toBe(2);
        expect(await store.ledger.committed('second')).toBe(3);
        expect(await store.ledger.committed('third')).toBeUndefined();
      });

      test('the thousandth batch before is still known', async () => {
        for (let n = 0; n <= 1000; n += 1) await commit(store.ledger, [change({})], `batch-${n}`);
        expect(await store.ledger.committed('batch-0')).toBe(1);
      });

      const contradictions: readonly (readonly [string, ChangeSet])[] = [
        ['ends a link that is not there', change({ linksEnded: [{ record: 1, golden: 2 }] })],
        ['begins a second link of a record', change({ goldens: [goldenWrite(3)], linksBegun: [link(1, 3)] })],
        ['links a record that is not there', change({ linksBegun: [link(77, 1)] })],
        ['closes a task that is not open', change({ tasksClosed: [5] })],
        ['begins a record without content', change({ records: [recordWrite(3, { content: false })] })],
        ['gives an id again', arrival(3, { id: 'golden-1' })],
        ['names a second record by the same identifier', arrival(3, { identifiers: [mrn('A-1')] })],
      ];
      test.each(contradictions)('a batch with a change set that %s is refused whole', async (_, wrong) => {
        await commit(store.ledger, [arrival(1), arrival(2)]);
        const before = await everything(store);
        const next = { nextRecord: 4, nextGolden: 4, nextTask: 1 };
        const good = change({ clients: [{ name: 'x', displayName: '', systems: [], scopes: [], disabled: false }] });
        await expect(store.ledger.commit('wrong', [good, wrong], 2, next)).rejects.toThrow();
        expect(await everything(store)).toEqual(before);
        await commit(store.ledger, [arrival(3)]);
        await restart();
        expect(await store.ledger.named('', sample.CLINIC_A, 'A-3')).toBe(3);
      });
    });

    describe('records', () => {
      test('a record is read as written, with the sequence and time of its change set', async () => {
        const write = recordWrite(1, { flags: ['auto', 'potential'] });
        await commit(store.ledger, [change({ records: [write], goldens: [goldenWrite(1)], linksBegun: [link(1, 1)] }, AT_TWO)]);
        await restart();
        const record = { ...write.record, since: 1, lastUpdated: AT_TWO };
        expect(await store.ledger.record(1)).toEqual(record);
        expect(await store.ledger.resource(1)).toBe(write.content?.resource);
        expect(await store.reader.storedRecord(1)).toEqual({ record, ...write.content });
        expect(await store.ledger.record(2)).toBeUndefined();
        expect(await store.ledger.resource(2)).toBeUndefined();
        expect(await store.reader.storedRecord(2)).toBeUndefined();
      });

      test('every version stays readable; one without content shows the content before', async () => {
        await commit(store.ledger, [arrival(1, { family: 'Chanda' })]);
        const relinked = recordWrite(1, { version: 2, content: false, flags: ['conflict'] });
        await commit(store.ledger, [change({ records: [relinked] }, AT_TWO)]);
        await commit(store.ledger, [
          change({ records: [recordWrite(1, { version: 3, family: 'Banda', active: false })] }, AT_THREE),
        ]);
        await restart();
        const versions = await store.reader.recordVersions(1, 99, 10);
        const seen = versions.map(({ record, resource }) => [
          record.version,
          record.since,
          /Chanda/.test(resource),
          record.active,
        ]);
        expect(seen).toEqual([
          [3, 3, false, false],
          [2, 2, true, true],
          [1, 1, true, true],
        ]);
        expect((await store.reader.recordVersions(1, 3, 1)).map(({ record }) => record.version)).toEqual([2]);
        expect(await store.reader.recordVersion(1, 2)).toEqual(versions[1]);
        expect(versions[1]?.record).toEqual({ ...relinked.record, since: 2, lastUpdated: AT_TWO });
        expect(await store.reader.recordVersion(1, 4)).toBeUndefined();
      });

      test('texts of every script, control characters and quotes survive', async () => {
        const family = 'Ñandú አበበ 李 𝔘 \u0001 \' " \\ \u2028';
        await commit(store.ledger, [arrival(1, { family, identifiers: [mrn("O'|,%_𝔘")] })]);
        await restart();
        expect(await store.ledger.resource(1)).toBe(recordWrite(1, { family }).content?.resource);
        expect(await store.ledger.named('', sample.CLINIC_A, "O'|,%_𝔘")).toBe(1);
      });
    });

    describe('ids', () => {
      test('an id names its record or golden record', async () => {
        await commit(store.ledger, [arrival(1)]);
        expect(await store.ledger.resolveId('record-1', 'clinicA')).toEqual({ kind: 'record', key: 1 });
        expect(await store.reader.resolveId('golden-1', '')).toEqual({ kind: 'golden', key: 1 });
        expect(await store.ledger.resolveId('record-2', 'clinicA')).toBeUndefined();
      });

      test("the client's alias comes before an own id, and that before everyone's alias", async () => {
        const aliases = [
          { id: 'x', client: 'clinicA', record: 1 },
          { id: 'x', client: '', record: 2 },
          { id: 'record-3', client: 'clinicA', record: 1 },
          { id: 'record-3', client: '', record: 2 },
        ];
        await commit(store.ledger, [arrival(1), arrival(2), arrival(3), change({ aliases })]);
        await restart();
        expect(await store.ledger.resolveId('x', 'clinicA')).toEqual({ kind: 'record', key: 1 });
        expect(await store.reader.resolveId('x', 'clinicB')).toEqual({ kind: 'record', key: 2 });
        expect(await store.ledger.resolveId('record-3', 'clinicA')).toEqual({ kind: 'record', key: 1 });
        expect(await store.reader.resolveId('record-3', 'clinicB')).toEqual({ kind: 'record', key: 3 });
      });
    });

    describe('identifiers', () => {
      test('an identifier names a record within its scope only', async () => {
        const held = (scope: string) => [{ system: 'http://internal', value: '7', names: true, scope }];
        const shared = { system: 'http://national', value: '7', names: false, scope: '' };
        await commit(store.ledger, [
          arrival(1, { identifiers: held('clinicA') }),
          arrival(2, { identifiers: [...held('clinicB'), shared] }),
        ]);
        expect(await store.ledger.named('clinicA', 'http://internal', '7')).toBe(1);
        expect(await store.ledger.named('clinicB', 'http://internal', '7')).toBe(2);
        expect(await store.ledger.named('', 'http://internal', '7')).toBeUndefined();
        expect(await store.ledger.named('', 'http://national', '7')).toBeUndefined();
      });

      test('an update replaces the identifiers, and one change set may move one between records', async () => {
        await commit(store.ledger, [arrival(1), arrival(2)]);
        const records = [
          recordWrite(1, { version: 2, identifiers: [mrn('A-2')] }),
          recordWrite(2, { version: 2, identifiers: [mrn('A-9')] }),
        ];
        await commit(store.ledger, [change({ records })]);
        await restart();
        const names = await Promise.all(['A-1', 'A-2', 'A-9'].map((value) => store.ledger.named('', sample.CLINIC_A, value)));
        expect(names).toEqual([undefined, 1, 2]);
      });

      test('a search by identifier answers each record once, by key, in pages', async () => {
        const national = (value: string) => ({ system: 'http://national', value, names: false, scope: '' });
        const none = { system: '', value: 'N1', names: false, scope: '' };
        await commit(store.ledger, [
          arrival(1, { identifiers: [mrn('A-1'), national('N1'), national('N2')] }),
          arrival(2, { identifiers: [mrn('A-2'), national('N1')] }),
          arrival(3, { identifiers: [mrn('A-3'), none] }),
        ]);
        const search = (...queries: readonly (readonly [string | null, string | null])[]) =>
          queries.map(([system, value]) => ({ system, value }));
        const { reader } = store;
        expect(await reader.byIdentifier(search(['http://national', 'N1']), 0, 10)).toEqual([1, 2]);
        expect(await reader.byIdentifier(search(['http://national', null]), 0, 10)).toEqual([1, 2]);
        expect(await reader.byIdentifier(search([null, 'N1']), 0, 10)).toEqual([1, 2, 3]);
        expect(await reader.byIdentifier(search([null, 'N1']), 1, 1)).toEqual([2]);
        expect(await reader.byIdentifier(search(['', 'N1']), 0, 10)).toEqual([3]);
        expect(await reader.byIdentifier(search([sample.CLINIC_A, 'A-3'], ['http://national', 'N2']), 0, 10)).toEqual([1, 3]);
        expect(await reader.byIdentifier(search(['http://unknown', 'N1']), 0, 10)).toEqual([]);
        expect(await reader.byIdentifier([], 0, 10)).toEqual([]);
        expect(await reader.countByIdentifier(search([null, 'N1'], ['http://national', 'N2']))).toBe(3);
        expect(await reader.countByIdentifier([])).toBe(0);
      });
    });

    describe('links and golden records', () => {
      test('a link keeps its rule, score and evidence, and the sequences that it began and ended at', async () => {
        const because = { ...sample.verdict, with: 2 };
        await commit(store.ledger, [arrival(1), arrival(2)]);
        const moved = link(1, 2, { origin: 'auto', because });
        await commit(store.ledger, [change({ linksEnded: [{ record: 1, golden: 1 }], linksBegun: [moved] })]);
        await restart();
        expect(await store.ledger.linksOf(1)).toEqual([
          { ...link(1, 1), from: 1, until: 3 },
          { ...moved, from: 3, until: null },
        ]);
        expect(await store.ledger.linksTo(2)).toEqual([
          { ...link(2, 2), from: 2, until: null },
          { ...moved, from: 3, until: null },
        ]);
        expect(await store.ledger.members(2)).toEqual([1, 2]);
        expect(await store.ledger.members(1)).toEqual([]);
      });

      test('a retired golden record keeps the sequence at which it was retired until it is active again', async () => {
        await commit(store.ledger, [arrival(1), arrival(2)]);
        await commit(store.ledger, [change({ goldens: [goldenWrite(1, { version: 2, active: false, replacedBy: 2 })] }, AT_TWO)]);
        const stays = { ...goldenWrite(1, { version: 3, active: false, replacedBy: null }), retired: 'stays' as const };
        await commit(store.ledger, [change({ goldens: [stays] })]);
        await restart();
        expect(await store.ledger.golden(1)).toEqual({ ...stays.golden, retiredAt: 3, since: 4, lastUpdated: sample.AT });
        await commit(store.ledger, [change({ goldens: [goldenWrite(1, { version: 4 })] })]);
        expect(await store.ledger.golden(1)).toMatchObject({ active: true, retiredAt: null, since: 5 });
        expect((await store.reader.goldenVersion(1, 2))?.golden).toMatchObject({
          replacedBy: 2,
          retiredAt: 3,
          lastUpdated: AT_TWO,
        });
        expect(await store.ledger.golden(3)).toBeUndefined();
      });

      test("a golden record's version shows who was linked to it then", async () => {
        await commit(store.ledger, [arrival(1), arrival(2)]);
        const join = {
          linksEnded: [{ record: 1, golden: 1 }],
          linksBegun: [link(1, 2)],
          goldens: [goldenWrite(2, { version: 2 })],
        };
        await commit(store.ledger, [change(join)]);
        const part = {
          linksEnded: [{ record: 1, golden: 2 }],
          linksBegun: [link(1, 1)],
          goldens: [goldenWrite(2, { version: 3 })],
        };
        await commit(store.ledger, [change(part)]);
        await restart();
        const versions = await store.reader.goldenVersions(2, 99, 10);
        expect(versions.map(({ golden, members }) => [golden.version, members])).toEqual([
          [3, [2]],
          [2, [1, 2]],
          [1, [2]],
        ]);
        expect(await store.reader.goldenVersions(2, 3, 1)).toEqual([versions[1]]);
        expect(await store.reader.goldenVersion(2, 2)).toEqual(versions[1]);
        expect(await store.reader.storedGolden(2)).toEqual(versions[0]);
        expect(await store.reader.goldenVersion(2, 4)).toBeUndefined();
        expect(await store.reader.storedGolden(9)).toBeUndefined();
      });
    });

    describe('pairs, decisions and tasks', () => {
      test('pairs are found by ranges of their smaller keys, in order', async () => {
        await commit(store.ledger, [arrival(1), arrival(2), arrival(3)]);
        await commit(store.ledger, [change({ pairsBegun: [pair(2, 3), pair(1, 2), pair(1, 3)] })]);
        expect(await store.scan.pairsFrom(1, 3)).toEqual([pair(1, 2), pair(1, 3), pair(2, 3)]);
        expect(await store.scan.pairsFrom(2, 2)).toEqual([pair(2, 3)]);
        expect(await store.scan.pairsFrom(3, 9)).toEqual([]);
      });

      test('pairs in force are found from both records, an ended one from neither, a newer one replaces', async () => {
        await commit(store.ledger, [arrival(1), arrival(2), arrival(3)]);
        await commit(store.ledger, [change({ pairsBegun: [pair(1, 2), pair(1, 3), pair(2, 3)] })]);
        const stronger = pair(1, 2, { score: 9 });
        await commit(store.ledger, [
          change({
            pairsEnded: [
              { a: 1, b: 3 },
              { a: 1, b: 2 },
            ],
            pairsBegun: [stronger],
          }),
        ]);
        await restart();
        expect(await store.ledger.pairs(1)).toEqual([stronger]);
        expect(await store.ledger.pairs(2)).toEqual([stronger, pair(2, 3)]);
        expect(await store.ledger.pairs(3)).toEqual([pair(2, 3)]);
      });

      test('the latest decision on a pair counts; undecided takes it back', async () => {
        const say = (b: number, verdict: Adjudication['verdict']): Adjudication => ({
          a: 1,
          b,
          verdict,
          by: 'steward',
          golden: verdict === 'same' ? 1 : null,
        });
        await commit(store.ledger, [arrival(1), arrival(2), arrival(3)]);
        await commit(store.ledger, [change({ adjudications: [say(2, 'same'), say(3, 'different')] })]);
        await commit(store.ledger, [change({ adjudications: [say(2, 'different')] })]);
        await commit(store.ledger, [change({ adjudications: [say(3, 'undecided')] })]);
        await restart();
        expect(await store.ledger.adjudications(1)).toEqual([say(2, 'different')]);
        expect(await store.ledger.adjudications(2)).toEqual([say(2, 'different')]);
        expect(await store.ledger.adjudications(3)).toEqual([]);
        const broken = await Promise.all([3, 4, 5, 6].map((at) => store.reader.brokenWith(1, at)));
        expect(broken).toEqual([[], ['record-3'], ['record-2', 'record-3'], ['record-2']]);
        expect(await store.reader.brokenWith(3, 5)).toEqual(['record-1']);
      });

      test('a task is open on its record until it is closed', async () => {
        const tasks = [
          { key: 1, kind: 'potential' as const, record: 1, others: [2, 3] },
          { key: 2, kind: 'conflict' as const, record: 1, others: [] },
        ];
        await commit(store.ledger, [arrival(1), arrival(2), arrival(3), change({ tasksOpened: tasks })]);
        expect(await store.ledger.openTasks(1)).toEqual(tasks);
        expect(await store.ledger.openTasks(2)).toEqual([]);
        await commit(store.ledger, [change({ tasksClosed: [1] })]);
        await restart();
        expect(await store.ledger.openTasks(1)).toEqual([tasks[1]]);
      });
    });

    describe('clients and rules', () => {
      test('clients, certificates and revocations are read as written last', async () => {
        const client = (name: string, disabled: boolean) => ({
          name,
          displayName: `The ${name}`,
          systems: ['http://s'],
          scopes: ['audit' as const],
          disabled,
        });
        const certificate = (fingerprint: string) => ({ fingerprint, client: 'lab', serial: '0a', notAfter: AT_THREE });
        const revocations = ['lab', 'emr'].map((name) => ({ client: name, at: AT_TWO, fingerprints: ['f2'] }));
        await commit(store.ledger, [
          change({ clients: [client('lab', false), client('emr', false)], certificates: [certificate('f2'), certificate('f1')] }),
          change({ clients: [client('lab', true)], revocations }),
        ]);
        await restart();
        expect(await store.reader.clients()).toEqual([client('emr', false), client('lab', true)]);
        expect(await store.reader.certificates()).toEqual([certificate('f1'), certificate('f2')]);
        expect(await store.reader.revocations()).toEqual(revocations);
      });

      test('passwords are read as set last; the change feed tells whose were set or taken away, and no hash', async () => {
        const [first, second, other] = ['a', 'b', 'c'].map((name) => `$argon2id$${name}`) as [string, string, string];
        await commit(store.ledger, [
          change({ passwords: ['lab', 'emr', 'gone'].map((client) => ({ client, hash: first })) }),
          change({ passwords: [{ client: 'lab', hash: second }] }),
        ]);
        await commit(store.ledger, [
          change({
            passwords: [
              { client: 'gone', hash: null },
              { client: 'emr', hash: other },
            ],
          }),
        ]);
        await restart();
        expect(await store.reader.passwords()).toEqual([
          { client: 'emr', hash: other },
          { client: 'lab', hash: second },
        ]);
        const feed = await store.ledger.changes(0, 10);
        expect(feed.map(({ change: { passwords } }) => passwords.map(({ client }) => client))).toEqual([
          ['lab', 'emr', 'gone'],
          ['lab'],
          ['gone', 'emr'],
        ]);
        expect(JSON.stringify([feed, await store.reader.changeSets(10, 10)])).not.toContain('argon2');
      });

      test('the head names the version of the rules that were written last', async () => {
        await commit(store.ledger, [change({ rules: { version: 'rules-1', definition: '{}' } }), change({})]);
        await restart();
        expect((await store.ledger.head()).ruleVersion).toBe('rules-1');
      });
    });

    describe('the change feed', () => {
      const full: ChangeSet = change({
        records: [recordWrite(1, { version: 2, content: false }), recordWrite(2)],
        goldens: [goldenWrite(2)],
        aliases: [{ id: 'old', client: '', record: 2 }],
        linksBegun: [link(2, 2, { origin: 'auto', because: { ...sample.verdict, with: 1 } })],
        pairsBegun: [pair(1, 2)],
        adjudications: [{ a: 1, b: 2, verdict: 'same', by: 'steward', golden: 2 }],
        tasksOpened: [{ key: 1, kind: 'moved', record: 2, others: [1] }],
        rules: { version: 'rules-2', definition: '{"features":[]}' },
      });
      const withoutFeatures = (set: ChangeSet): ChangeSet => ({
        ...set,
        records: set.records.map((write) => ({ ...write, features: null })),
      });

      test('gives every change set as it was committed, without features, from a cursor', async () => {
        await commit(store.ledger, [arrival(1)]);
        await commit(store.ledger, [full, change({ tasksClosed: [1] })]);
        await restart();
        const all = await store.ledger.changes(0, 10);
        expect(all).toEqual([
          { sequence: 1, change: withoutFeatures(arrival(1)) },
          { sequence: 2, change: withoutFeatures(full) },
          { sequence: 3, change: change({ tasksClosed: [1] }) },
        ]);
        expect(await store.ledger.changes(1, 1)).toEqual([all[1]]);
        expect(await store.scan.hashAt(3)).toBe((await store.ledger.head()).hash);
        expect(await store.scan.hashAt(4)).toBeUndefined();
        expect(await store.reader.changeSets(99, 2)).toEqual([all[2], all[1]]);
        expect(await store.reader.changeSets(2, 5)).toEqual([all[0]]);
      });
    });

    describe('features', () => {
      const initials: FeatureSpec = { path: 'name.given.first()', normaliser: 'string@1', multi: 'any' };

      test('active records stream in key order with the values asked for, in the order asked', async () => {
        const inactive = arrival(2, { active: false });
        await commit(store.ledger, [arrival(1, { family: 'Chanda' }), inactive, arrival(3, { family: 'Banda' })]);
        await restart();
        expect(await store.ledger.features(1)).toEqual(['chanda', '1990-05-01']);
        expect(await store.ledger.features(9)).toBeUndefined();
        expect(await rows(store.scan, [sample.BIRTH, initials, sample.FAMILY])).toEqual([
          { record: 1, values: ['1990-05-01', '', 'chanda'] },
          { record: 3, values: ['1990-05-01', '', 'banda'] },
        ]);
        expect(await rows(store.scan, [])).toEqual([1, 3].map((record) => ({ record, values: [] })));
      });

      test('a new feature is complete once it was filled for every record, and the others stay', async () => {
        await commit(store.ledger, [arrival(1), arrival(2, { active: false })]);
        const asked = [sample.FAMILY, initials];
        expect(await store.scan.completeFeatures(asked)).toEqual([true, false]);
        expect((await store.scan.lacking(asked, 0, 9)).map(({ record }) => record)).toEqual([1, 2]);
        await store.scan.putFeatures([initials], [{ record: 1, values: ['m'] }]);
        expect(await store.scan.completeFeatures(asked)).toEqual([true, false]);
        expect((await store.scan.lacking(asked, 0, 9)).map(({ record }) => record)).toEqual([2]);
        expect(await store.scan.lacking(asked, 2, 9)).toEqual([]);
        await store.scan.putFeatures([initials], [{ record: 2, values: [''] }]);
        await restart();
        expect(await store.scan.completeFeatures(asked)).toEqual([true, true]);
        expect(await rows(store.scan, asked)).toEqual([{ record: 1, values: ['chanda', 'm'] }]);
      });

      test('the same path under another normaliser or rule of several values is another feature', async () => {
        await commit(store.ledger, [arrival(1)]);
        const others: readonly FeatureSpec[] = [
          { ...sample.FAMILY, normaliser: 'string@2' },
          { ...sample.FAMILY, multi: 'all' },
        ];
        expect(await store.scan.completeFeatures(others)).toEqual([false, false]);
        expect(await rows(store.scan, others)).toEqual([{ record: 1, values: ['', ''] }]);
      });

      test('new content makes features of other rules incomplete', async () => {
        await commit(store.ledger, [arrival(1)]);
        await store.scan.putFeatures([initials], [{ record: 1, values: ['m'] }]);
        await commit(store.ledger, [change({ records: [recordWrite(1, { version: 2, content: false })] })]);
        expect(await store.scan.completeFeatures([initials])).toEqual([true]);
        await commit(store.ledger, [change({ records: [recordWrite(1, { version: 3, family: 'Banda' })] })]);
        expect(await store.scan.completeFeatures([initials, sample.FAMILY])).toEqual([false, true]);
        expect(await store.ledger.features(1)).toEqual(['banda', '1990-05-01']);
      });

      test('records that lack a feature come in pages by key with their content, inactive ones too', async () => {
        await commit(store.ledger, [arrival(1), arrival(2, { active: false }), arrival(3)]);
        const page = await store.scan.lacking([initials], 1, 1);
        expect(page).toEqual([{ record: 2, resource: recordWrite(2).content?.resource }]);
        expect((await store.scan.lacking([sample.FAMILY, initials], 0, 10)).map(({ record }) => record)).toEqual([1, 2, 3]);
        expect(await store.scan.lacking([sample.FAMILY], 0, 10)).toEqual([]);
      });
    });

    describe('Organizations and RelatedPersons', () => {
      const clinic = { resourceType: 'Organization', name: 'Clínica Norte', identifier: [{ system: 'urn:org', value: '7' }] };
      const mother = { resourceType: 'RelatedPerson', patient: { reference: 'Patient/record-1' }, name: [{ family: 'Chanda' }] };
      const asked = (parameter: string, value: string, match: AskedTerm['match'] = 'is'): AskedTerm => ({
        parameter,
        value,
        match,
      });
      const written = (...write: Parameters<typeof companionWrite>): ChangeSet =>
        change({ companions: [companionWrite(...write)] });
      const idsOf = async (query: CompanionQuery): Promise<readonly string[]> =>
        (await store.reader.companions(query, 0, 10)).found.map(({ companion }) => companion.id);

      test('one is read by its id as it was written, in every version, and from the changes', async () => {
        await commit(store.ledger, [written(clinic), written({ ...clinic, name: 'Norte' }, { version: 2 })]);
        await restart();
        const [first, second] = [1, 2].map((version) => ({
          companion: {
            type: 'Organization',
            id: 'o1',
            version,
            source: 'clinicA',
            givenId: null,
            since: version,
            lastUpdated: sample.AT,
          },
          resource: JSON.stringify({ ...clinic, name: version === 1 ? clinic.name : 'Norte' }),
        }));
        expect(await store.ledger.companion('Organization', 'o1', 'anybody')).toEqual(second);
        expect(await store.reader.companion('Organization', 'o1', 'anybody')).toEqual(second);
        expect(await store.reader.companion('RelatedPerson', 'o1', 'anybody')).toBeUndefined();
        expect(await store.reader.companionVersions('Organization', 'o1', 99, 99)).toEqual([second, first]);
        expect(await store.reader.companionVersions('Organization', 'o1', 2, 99)).toEqual([first]);
        expect((await store.ledger.changes(0, 9)).map((one) => one.change.companions)).toEqual([
          written(clinic).companions,
          written({ ...clinic, name: 'Norte' }, { version: 2 }).companions,
        ]);
      });

      test('an id that a client gave one of its own means that to it, and to others what bears it', async () => {
        await commit(store.ledger, [written(clinic), written(clinic, { id: 'o2', source: 'clinicB', givenId: 'o1' })]);
        const idFor = async (client: string) => (await store.ledger.companion('Organization', 'o1', client))?.companion.id;
        expect([await idFor('clinicA'), await idFor('clinicB'), await idFor('lab')]).toEqual(['o1', 'o2', 'o1']);
      });

      test('a deleted one has its history, and no search finds it', async () => {
        await commit(store.ledger, [written(clinic), written(null, { version: 2, deleted: true })]);
        await restart();
        expect(await store.reader.companion('Organization', 'o1', '')).toMatchObject({
          companion: { deleted: true },
          resource: null,
        });
        expect(
          (await store.reader.companionVersions('Organization', 'o1', 9, 9)).map(({ resource }) => resource !== null),
        ).toEqual([false, true]);
        expect(await idsOf({ type: 'Organization', source: null, terms: [] })).toEqual([]);
        expect(await store.ledger.companionsBy('Organization', { system: 'urn:org', value: '7' }, null)).toEqual([]);
      });

      test('a search finds by terms of the version in force: every list holds, any of its alternatives', async () => {
        await commit(store.ledger, [
          written({ ...clinic, name: 'Sur' }),
          written(clinic, { version: 2 }),
          written({ ...clinic, identifier: [], name: 'Hospital' }, { id: 'o2', source: 'clinicB' }),
          written(mother, { type: 'RelatedPerson', id: 'r1' }),
        ]);
        const search = (...terms: readonly (readonly AskedTerm[])[]) => idsOf({ type: 'Organization', source: null, terms });
        expect(await search([asked('name', 'clinica n', 'starts')])).toEqual(['o1']);
        expect(await search([asked('name', 'norte', 'contains'), asked('name', 'hospital', 'starts')])).toEqual(['o1', 'o2']);
        expect(await search([asked('name', 'norte', 'contains')], [asked('name', 'hospital', 'starts')])).toEqual([]);
        expect(await search([asked('name', 'sur', 'starts')])).toEqual([]);
        expect(await search([asked('identifier', 'urn:org\n7')])).toEqual(['o1']);
        expect(await search([asked('identifier:code', '7')], [asked('identifier:system', 'urn:org')])).toEqual(['o1']);
        expect(await idsOf({ type: 'Organization', source: 'clinicB', terms: [] })).toEqual(['o2']);
        expect(await idsOf({ type: 'RelatedPerson', source: null, terms: [[asked('patient', 'record-1')]] })).toEqual(['r1']);
        const found = await store.ledger.companionsBy('Organization', { system: 'urn:org', value: '7' }, 'clinicA');
        expect(found.map(({ companion }) => companion.id)).toEqual(['o1']);
        expect(await store.ledger.companionsBy('Organization', { system: 'urn:org', value: '7' }, 'clinicB')).toEqual([]);
      });

      test('pages end where the next begins, and count all', async () => {
        const ids = ['a', 'b', 'c'];
        await commit(
          store.ledger,
          ids.map((id) => written(clinic, { id })),
        );
        const query: CompanionQuery = { type: 'Organization', source: null, terms: [] };
        const first = await store.reader.companions(query, 0, 2);
        expect([first.found.map(({ companion }) => companion.id), first.total]).toEqual([['a', 'b'], 3]);
        const second = await store.reader.companions(query, first.next ?? 0, 2);
        expect([second.found.map(({ companion }) => companion.id), second.total, second.next]).toEqual([['c'], 3, null]);
        expect(await store.reader.companions(query, 0, 0)).toEqual({ found: [], total: 3, next: null });
      });
    });
  });
};
