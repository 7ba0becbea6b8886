import { expect, it, onTestFinished } from 'vitest';
import { dataFolder } from '../../test/support/data-folder.ts';
import { openStore } from '../adapters/sql/store.ts';
import type { DemographicQuery } from '../registry/ports.ts';
import { openSearchPool } from './search-pool.ts';

const asking = (values: readonly string[]): DemographicQuery => ({
  conditions: [{ kind: 'token', name: 'gender', not: false, values: values.map((code) => ({ system: null, code })) }],
  owner: null,
  sort: [],
  limit: 10,
  total: true,
  after: null,
});

it('a search that cannot be carried out fails alone: the thread answers the next one', async () => {
  const dir = dataFolder();
  openStore(dir, { features: [] }).close();
  const pool = openSearchPool(dir, { threads: 1, queue: 10, milliseconds: 10_000 });
  onTestFinished(() => pool.close());
  // More values than SQLite takes in one statement.
  await expect(pool.search(asking(Array<string>(40_000).fill('male')), 0)).rejects.toThrow('the search failed: SQLITE');
  expect(await pool.search(asking(['male']), 0)).toMatchObject({ kind: 'page', records: [] });
});
