import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/adapters/sql/store.ts';
import { verifyStore } from '../../src/adapters/sql/verify.ts';
import { createExhaustiveIndex } from '../../src/matching/exhaustive.ts';
import { prepare } from '../../src/registry/prepare.ts';
import { createStoredExtractor } from '../../src/registry/extract.ts';
import { dataFolder } from '../support/data-folder.ts';
import { countingIds, rulesOf, Story } from '../support/story.ts';

const exactly = (path: string) => ({
  rules: [
    {
      name: path,
      matchingType: 'deterministic',
      fields: { one: { algorithm: 'exact', fhirpath: path } },
      potentialMatchThreshold: 1,
      autoMatchThreshold: 1,
    },
  ],
});
const FAMILY = exactly('name.family');
const BIRTH = exactly('birthDate');
const RECORDS = 40;

async function pairsIn({ store }: Story): Promise<readonly string[]> {
  const found: string[] = [];
  for (let record = 1; record <= RECORDS; record++) {
    for (const pair of await store.ledger.pairs(record)) {
      if (pair.a === record) found.push(`${pair.a}-${pair.b} ${pair.ruleName}`);
    }
  }
  return found;
}

/** Starts under the rules and dies when the first pairs are written. */
async function startAndDie(dataDir: string, source: object): Promise<void> {
  const rules = rulesOf(source);
  const store = openStore(dataDir, { features: rules.features });
  const clock = { now: () => '2026-02-01T00:00:00.000Z', monotonic: () => 0 };
  const dying = prepare({
    ledger: store.ledger,
    scan: store.scan,
    decider: {
      rules,
      index: createExhaustiveIndex(rules),
      extract: createStoredExtractor(rules.features),
      clock,
      newId: countingIds('dying-'),
    },
    progress: ({ step }) => {
      if (step === 'pairs') throw new Error('killed');
    },
  });
  await expect(dying).rejects.toThrow('killed');
  store.close();
}

describe('a start under new rules that died half-way', () => {
  async function died() {
    const dataDir = dataFolder();
    const story = await Story.open({ dataDir, rules: FAMILY });
    // Everybody shares a birth date, every third a family name.
    for (let n = 0; n < RECORDS; n++)
      await story.submits('clinicA', `p${n}`, { family: `Family${n % 3 === 0 ? '' : n}`, birthDate: '1970-01-01' });
    const before = await pairsIn(story);
    story.store.close();
    await startAndDie(dataDir, BIRTH);
    return { dataDir, before };
  }

  test('makes the pairs of the old rules again when those come back', async () => {
    const { dataDir, before } = await died();
    const again = await Story.open({ dataDir, rules: FAMILY });
    expect(await pairsIn(again)).toEqual(before);
    again.store.close();
    expect(verifyStore(dataDir)).toEqual([]);
  });

  test('goes on when it is started again', async () => {
    const { dataDir } = await died();
    const again = await Story.open({ dataDir, rules: BIRTH });
    const pairs = await pairsIn(again);
    expect(pairs).toHaveLength((RECORDS * (RECORDS - 1)) / 2);
    expect(new Set(pairs.map((pair) => pair.split(' ')[1]))).toEqual(new Set(['birthDate']));
    again.store.close();
  });
});
