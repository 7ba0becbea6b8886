/** `node endless-writer.ts DIR`: commits batches of four arrivals for ever and prints each acknowledged sequence. */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/adapters/sql/store.ts';
import { arrival, commit, FEATURES } from './sample-changes.ts';

const { ledger } = openStore(process.argv[2] ?? '', { features: FEATURES });
for (;;) {
  const { sequence, nextRecord } = await ledger.head();
  const arrivals = [0, 1, 2, 3].map((n) => arrival(nextRecord + n));
  await commit(ledger, arrivals, `batch-${sequence + 4}`);
  writeSync(1, `${sequence + 4}\n`);
}
