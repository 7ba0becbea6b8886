import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { FEATURES, featuresOf } from '../../../test/support/sample-changes.ts';
import { openStore } from './store.ts';
import { verifyStore } from './verify.ts';

const WRITER = fileURLToPath(new URL('../../../test/support/endless-writer.ts', import.meta.url));

/** Lets a writer commit until it has acknowledged so many batches, then kills it; answers the last sequence told. */
const writeThenKill = async (dir: string, batches: number): Promise<number> => {
  const child = spawn(process.execPath, [WRITER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let [acknowledged, told] = [0, 0];
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line);
    told += 1;
    if (told === batches) child.kill('SIGKILL');
  }
  await ended;
  return acknowledged;
};

test('kill -9 loses nothing that was acknowledged and leaves no half batch', async () => {
  const dir = dataFolder();
  for (const batches of [40, 7, 90]) {
    const acknowledged = await writeThenKill(dir, batches);
    const { ledger, close } = openStore(dir, { features: FEATURES });
    const { sequence } = await ledger.head();
    expect(sequence).toBeGreaterThanOrEqual(acknowledged);
    expect(await ledger.committed(`batch-${acknowledged}`)).toBe(acknowledged);
    expect(await ledger.committed(`batch-${sequence}`)).toBe(sequence);
    close();
    expect(verifyStore(dir, { features: { specs: FEATURES, extract: featuresOf } })).toEqual([]);
  }
});
