import { answerJobs } from './child.ts';
import { openOffline } from './offline.ts';
import { people } from './people.ts';
import { SEED } from './seed.ts';

export type StoreJob =
  /** People `from` to `to` are put into the registry of a data folder. */
  | { readonly kind: 'fill'; readonly dataDir: string; readonly from: number; readonly to: number }
  /** The same, `batch` together; how many change sets a second the commits alone wrote. */
  | { readonly kind: 'commit'; readonly dataDir: string; readonly from: number; readonly to: number; readonly batch: number }
  /** These Patients, as JSON, in the same way. */
  | { readonly kind: 'commit these'; readonly dataDir: string; readonly bodies: readonly string[]; readonly batch: number };

export interface StoreResult {
  readonly perSecond: number;
}

const FILL_BATCH = 64;

async function work(job: StoreJob): Promise<StoreResult> {
  const registry = await openOffline(job.dataDir);
  const patients =
    job.kind === 'commit these' ? job.bodies.map((body) => JSON.parse(body) as object) : people(SEED, job.to).slice(job.from);
  await registry.submit(patients, job.kind === 'fill' ? FILL_BATCH : job.batch);
  const { changes, milliseconds } = registry.takeCommits();
  await registry.close();
  return { perSecond: (changes / milliseconds) * 1000 };
}

export const answerStore = (): void => answerJobs(work);
