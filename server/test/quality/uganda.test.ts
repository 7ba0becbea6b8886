import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../src/adapters/sql/store.ts';
import { exportLinks } from '../../src/cli/export-links.ts';
import { dataFolder } from '../support/data-folder.ts';
import { feed } from './feed.ts';
import { pairwise, type Quality } from './pairwise.ts';
import { ugandaArrivals } from './uganda.ts';
import { type Upheaval, upheavals } from './upheaval.ts';

const SEED = 20201501;
const OPENMRS = 'http://clientregistry.org/openmrs';
const MINUTES = 60_000;

interface Outcome {
  readonly quality: Quality;
  readonly upheavals: readonly Upheaval[];
}

async function clustersOf(store: ReturnType<typeof openStore>): Promise<ReadonlyMap<string, string>> {
  const clusters = new Map<string, string>();
  for await (const line of exportLinks(store)) {
    const [system, value = '', , cruid = ''] = line.split(',');
    if (system === OPENMRS) clusters.set(value, cruid);
  }
  return clusters;
}

/** opencr_uganda_5k, one record after the other over mutual TLS, and what the registry made of it. */
async function outcomeOf(title: string, rules?: string): Promise<Outcome> {
  const dataDir = dataFolder();
  const { patients, pairs } = ugandaArrivals(SEED);
  await feed(patients, { dataDir, ...(rules !== undefined && { rules }) });
  const store = openStore(dataDir, { features: [], readOnly: true });
  try {
    const clusters = await clustersOf(store);
    expect(clusters.size).toBe(patients.length);
    const outcome = { quality: pairwise(clusters, pairs), upheavals: await upheavals(store.ledger, 1000) };
    report(title, outcome);
    return outcome;
  } finally {
    store.close();
  }
}

function report(title: string, { quality: { precision, recall, f1 }, upheavals }: Outcome): void {
  const figures = [precision, recall, f1].map((figure) => figure.toFixed(3));
  console.log(`opencr_uganda_5k, ${title}: P ${figures[0]} R ${figures[1]} F1 ${figures[2]}`);
  for (const [place, { moved, split }] of upheavals.entries()) {
    console.log(
      `  arrivals ${place * 1000 + 1}-${(place + 1) * 1000}: ${moved} records of others moved to another CRUID, ${split} groups split`,
    );
  }
}

it("finds under OpenCR 1.x's four fields at least what OpenCR 1.x claims", { timeout: 3 * MINUTES }, async () => {
  const { quality } = await outcomeOf("upstream's four fields", join(import.meta.dirname, 'upstream-rules.json'));
  expect(quality.f1).toBeGreaterThanOrEqual(0.911);
});

it('finds nearly every true pair under the shipped rules, and hardly any other', { timeout: 3 * MINUTES }, async () => {
  const { quality } = await outcomeOf('shipped rules');
  expect(quality.precision).toBeGreaterThanOrEqual(0.995);
  expect(quality.recall).toBeGreaterThanOrEqual(0.99);
  expect(quality.f1).toBeGreaterThanOrEqual(0.995);
});
