import { type MemoryDisk, memoryDisk, openMemoryStore } from '../support/memory-ledger.ts';
import { FEATURES } from '../support/sample-changes.ts';
import { ledgerContract, type OpenStore } from './ledger.ts';

const openOn = (disk: MemoryDisk): OpenStore => ({
  ...openMemoryStore(FEATURES, disk),
  close: () => undefined,
  reopen: () => Promise.resolve(openOn(disk)),
});

ledgerContract('plain maps', () => Promise.resolve(openOn(memoryDisk())));
