import { describe, expect, it } from 'vitest';
import { addCounts, noCounts } from './counts.ts';
import { explain, runHistory } from './history.ts';
import { mutations } from './mutations.ts';

const SEEDS = 2000;

describe('through crashes, lost answers and several processes on one ledger', () => {
  it(`the registry keeps its promises in ${SEEDS} histories`, { timeout: 180_000 }, async () => {
    const totals = noCounts();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { broken, counts } = await runHistory(seed);
      if (broken !== null) expect.fail(await explain(seed));
      addCounts(totals, counts);
    }
    console.log(`simulated: ${JSON.stringify(totals)}`);
    // None of what the promises are about was left out.
    for (const [name, count] of Object.entries(totals)) expect(count, name).toBeGreaterThanOrEqual(SEEDS);
  });

  it('the same seed is the same history, another seed another', async () => {
    const hashes = async (): Promise<readonly string[]> =>
      Promise.all(Array.from({ length: 30 }, async (_, seed) => (await runHistory(seed)).hash));
    const first = await hashes();
    expect(await hashes()).toEqual(first);
    expect(new Set(first).size).toBe(first.length);
  });
});

describe('the simulation finds, within 200 histories, a registrar that errs by', () => {
  it.each(Object.entries(mutations))('%s', async (_name, mutation) => {
    let found: string | null = null;
    for (let seed = 1; seed <= 200 && found === null; seed++) found = (await runHistory(seed, { mutation })).broken;
    expect(found).not.toBeNull();
  });
});
