import { expect, it } from 'vitest';
import { dataFolder } from '../support/data-folder.ts';
import { Story } from '../support/story.ts';
import { bCubed, pairwise } from './pairwise.ts';
import { upheavals } from './upheaval.ts';

const clusters = (...groups: readonly (readonly string[])[]): ReadonlyMap<string, string> =>
  new Map(groups.flatMap((group, place) => group.map((name) => [name, String(place)] as const)));

it('counts a true pair as found when both are in one cluster, and every other pair of a cluster as wrong', () => {
  const found = pairwise(clusters(['a', 'b', 'x'], ['c'], ['y']), [
    ['a', 'b'],
    ['b', 'c'],
  ]);
  expect(found).toEqual({ precision: 1 / 3, recall: 1 / 3, f1: 1 / 3 });
});

it('gives each record its share of its own cluster and person', () => {
  // Of a, b, x in one cluster two are one person; c is alone, and with a and b in truth; y is alone and right.
  const truth = [
    ['a', 'b'],
    ['b', 'c'],
  ] as const;
  const precision = (2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5;
  const recall = (2 / 3 + 2 / 3 + 1 + 1 / 3 + 1) / 5;
  const found = bCubed(clusters(['a', 'b', 'x'], ['c'], ['y']), truth);
  expect(found).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
});

const eitherField = {
  matchingType: 'deterministic',
  null_handling: 'moderate',
  fields: {
    phone: { algorithm: 'exact', fhirpath: "telecom.where(system='phone').value" },
    family: { algorithm: 'exact', fhirpath: 'name.family' },
  },
  potentialMatchThreshold: 1,
  autoMatchThreshold: 1,
};

it('counts the records of others that a submission moved, and the groups that it split', async () => {
  const story = await Story.open({ dataDir: dataFolder(), rules: { rules: [eitherField] } });
  await story.submits('clinicA', 'left', { phone: '1', family: 'Left' });
  await story.submits('clinicB', 'bridge', { phone: '1', family: 'Right' });
  await story.submits('clinicC', 'right', { phone: '3', family: 'Right' });
  expect(await story.groups()).toHaveLength(1);
  await story.submits('clinicB', 'bridge', { phone: '9', family: 'Alone' });
  expect(await story.groups()).toHaveLength(3);
  expect(await upheavals(story.store.ledger, 3)).toEqual([
    { moved: 0, split: 0 },
    { moved: 1, split: 1 },
  ]);
  await story.close();
});
