import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { arrival, commit, FEATURES } from '../../../test/support/sample-changes.ts';
import { openIdentifierScan } from './identifier-scan.ts';
import { openStore } from './store.ts';

const named = (system: string, value: string) => ({ system, value, names: false, scope: '' });

describe('the identifiers of a registry', () => {
  it('are read system by system, each once, over as many pages as there are', async () => {
    const dir = dataFolder();
    const { ledger, close } = openStore(dir, { features: FEATURES });
    const many = Array.from({ length: 4500 }, (_, n) => String(n).padStart(5, '0'));
    await commit(ledger, [
      arrival(1, { identifiers: [named('urn:many', '0'), named('urn:few', 'a'), named('', 'nothing')] }),
      arrival(2, { identifiers: many.map((value) => named('urn:many', value)) }),
    ]);
    const scan = openIdentifierScan(dir);
    expect(scan.systems().toSorted()).toEqual(['', 'urn:few', 'urn:many']);
    expect(['urn:many', 'urn:few', '', 'urn:none'].map(scan.count)).toEqual([4501, 1, 1, 0]);
    const pages: (readonly string[])[] = [];
    for await (const page of scan.values('urn:many')) pages.push(page);
    expect(pages.map(({ length }) => length)).toEqual([2000, 2000, 501]);
    expect(pages.flat()).toEqual(['0', ...many]);
    scan.close();
    close();
  });

  it('are not looked for where there is no registry', () => {
    expect(() => openIdentifierScan(dataFolder())).toThrow('no registry');
  });
});
