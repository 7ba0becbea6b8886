import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { arrival, change, commit, FEATURES, link, recordWrite } from '../../../test/support/sample-changes.ts';
import { connect, registryFile } from './connection.ts';
import { spaceGuard } from './disk.ts';
import { openStore } from './store.ts';

const NEXT = { nextRecord: 2, nextGolden: 2, nextTask: 1 };

test('every connection syncs each commit', () => {
  const dir = dataFolder();
  for (const readOnly of [false, true]) {
    const db = connect(registryFile(dir), readOnly);
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    db.close();
  }
});

test('the watermark refuses commits while space is short, looking at most once a second', () => {
  let [now, free, looks] = [0, 100, 0];
  const guard = spaceGuard({ minimum: 50, monotonic: () => now, free: () => ((looks += 1), free) });
  guard();
  free = 10;
  now = 999;
  guard();
  now = 1000;
  expect(guard).toThrow(expect.objectContaining({ code: 'no-space' }));
  free = 100;
  expect(guard).toThrow();
  now = 2000;
  guard();
  expect(looks).toBe(3);
});

test('a commit below the watermark is refused and leaves nothing', async () => {
  const dir = dataFolder();
  const { ledger, freeBytes, close } = openStore(dir, { features: FEATURES, minFreeBytes: Number.MAX_SAFE_INTEGER });
  expect(freeBytes()).toBeGreaterThan(0);
  await expect(ledger.commit('b', [arrival(1)], 0, NEXT)).rejects.toMatchObject({ code: 'no-space' });
  expect((await ledger.head()).sequence).toBe(0);
  close();
});

test('the skeleton holds no personal data, and its hash chain can be checked by hand', async () => {
  const dir = dataFolder();
  const { ledger, close } = openStore(dir, { features: FEATURES });
  await commit(ledger, [arrival(1)]);
  // A caller may pass more than the type says, a whole stored record for one.
  const stored = { ...recordWrite(1, { version: 2 }).record, since: 1, lastUpdated: 'x', resource: 'Chanda' };
  await commit(ledger, [change({ records: [{ record: stored, content: null, features: null }] })]);
  const { hash } = await ledger.head();
  close();
  const db = new Database(registryFile(dir));
  const skeletons = db.prepare<[], string>('SELECT skeleton FROM change_set ORDER BY seq').pluck().all();
  db.close();
  expect(skeletons.join()).not.toMatch(/Chanda|1990-|A-1|clinic-a\.example/);
  const chain = (before: Buffer, skeleton: string): Buffer => createHash('sha256').update(before).update(skeleton).digest();
  expect(hash).toBe(skeletons.reduce(chain, Buffer.alloc(32)).toString('hex'));
});

test('after a refused batch the dictionary gives no number that was rolled back', async () => {
  const dir = dataFolder();
  const { ledger, reader, close } = openStore(dir, { features: FEATURES });
  const held = (system: string) => [{ system, value: '1', names: true, scope: '' }];
  const wrong = { ...arrival(1, { identifiers: held('http://one') }), linksBegun: [link(1, 9)] };
  await expect(ledger.commit('b', [wrong], 0, NEXT)).rejects.toThrow();
  await commit(ledger, [arrival(1, { identifiers: held('http://two') })]);
  await commit(ledger, [arrival(2, { identifiers: held('http://one') })]);
  expect(await reader.byIdentifier([{ system: 'http://one', value: '1' }], 0, 9)).toEqual([2]);
  close();
});

test('a store opened to read sees what another connection commits, and writes nothing', async () => {
  const dir = dataFolder();
  const writer = openStore(dir, { features: FEATURES });
  const reader = openStore(dir, { features: FEATURES, readOnly: true });
  await commit(writer.ledger, [arrival(1)]);
  expect((await reader.reader.storedRecord(1))?.record.id).toBe('record-1');
  await expect(reader.ledger.commit('b', [arrival(2)], 1, NEXT)).rejects.toThrow(/opened to read/);
  expect(writer.walBytes()).toBeGreaterThan(0);
  writer.checkpoint();
  reader.close();
  writer.close();
});

test('two connections that decided on one head: one is committed, one is behind', async () => {
  const dir = dataFolder();
  const [one, two] = [openStore(dir, { features: FEATURES }), openStore(dir, { features: FEATURES })];
  expect(await one.ledger.commit('one', [arrival(1)], 0, NEXT)).toMatchObject({ kind: 'committed' });
  expect(await two.ledger.commit('two', [arrival(1)], 0, NEXT)).toEqual({ kind: 'behind' });
  expect(await two.ledger.committed('one')).toBe(1);
  one.close();
  two.close();
});

test('the file on disk is readable by its owner only', () => {
  const dir = `${dataFolder()}/data`;
  openStore(dir, { features: FEATURES }).close();
  expect(execFileSync('stat', ['-c', '%a', dir]).toString().trim()).toBe('700');
});

test('the files are for their owner only, also in a folder that is open to others', () => {
  const dir = dataFolder();
  chmodSync(dir, 0o755);
  const store = openStore(dir, { features: FEATURES });
  const modes = readdirSync(dir).map((name) => statSync(join(dir, name)).mode & 0o077);
  expect(new Set(modes)).toEqual(new Set([0]));
  store.close();
});
