import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stateFromLedger } from '../../src/adapters/sql/rebuild.ts';
import { openStore } from '../../src/adapters/sql/store.ts';
import { FEATURES } from '../support/sample-changes.ts';
import { ledgerContract, type OpenStore } from './ledger.ts';

const openIn = (dir: string): OpenStore => {
  const { ledger, reader, scan, close } = openStore(dir, { features: FEATURES });
  const end = (): void => {
    close();
    // Whatever a test did, the state is what the ledger says.
    const { stored, rebuilt } = stateFromLedger(dir);
    expect(stored).toEqual(rebuilt);
  };
  return {
    ledger,
    reader,
    scan,
    close: () => {
      end();
      rmSync(dir, { recursive: true });
    },
    reopen: () => {
      end();
      return Promise.resolve(openIn(dir));
    },
  };
};

ledgerContract('SQLite', () => Promise.resolve(openIn(mkdtempSync(join(tmpdir(), 'opencr-ledger-')))));
