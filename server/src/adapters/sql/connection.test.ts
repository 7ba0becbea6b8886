import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { type Connection, connect, registryFile } from './connection.ts';
import { CURRENT_RECORD, SELECT_RECORD } from './rows.ts';
import { openStore } from './store.ts';

const ROUNDS = 5;
const READS = 2000;

/** The shortest of some rounds, in milliseconds. */
const timeOf = (db: Connection): number => {
  const read = db.prepare(`${SELECT_RECORD} ${CURRENT_RECORD} WHERE v.record = ?`);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    for (let key = 1; key <= READS; key++) read.get(key);
    return performance.now() - began;
  });
  return Math.min(...rounds);
};

describe('a connection', () => {
  it('plans a statement once, not at every execution as SQLite with STAT4 does where it may look at what is bound', () => {
    const dir = dataFolder();
    openStore(dir, { features: [] }).close();
    const [ours, plain] = [connect(registryFile(dir), true), new Database(registryFile(dir), { readonly: true })];
    expect(timeOf(ours)).toBeLessThan(timeOf(plain) * 0.7);
    ours.close();
    plain.close();
  });
});
