import { afterAll, expect, test } from 'vitest';
import { rulesOf } from '../../test/support/story.ts';
import { createLinkageIndex } from '../matching/linkage-index/index.ts';
import { serialRetrieval } from '../matching/serial.ts';
import { startRetrievalThreads } from './bulk-retrieval.ts';

const rules = rulesOf('decisionRules.json');
const index = createLinkageIndex(rules, { reserve: 2 ** 24 });
const NAMES = ['anna', 'anne', 'amina', 'okello', 'okelo', 'zeno'];

/** National id, ART number, given, family, birth date, telephone, gender, as the shipped rules have them. */
const valuesOf = (n: number): readonly string[] => [
  n % 3 === 0 ? `cf${n % 40}` : '',
  '',
  NAMES[n % 6] ?? '',
  NAMES[(n * 5) % 6] ?? '',
  `19${70 + (n % 4)}-01-01`,
  `07${n % 25}`,
  'female',
];
for (let n = 1; n <= 400; n++) index.upsert(n, valuesOf(n));

const threads = startRetrievalThreads(rules, index, 2);
afterAll(() => threads.close());

test('several threads over the same arrays answer as one does, also of what was put in after they began', async () => {
  for (let n = 401; n <= 600; n++) index.upsert(n, valuesOf(n));
  const serial = serialRetrieval(index);
  const queries = Array.from({ length: 200 }, (_, n) => ({ record: n * 3 + 1, values: valuesOf(n * 3 + 1) }));
  const answers = await threads.retrieveMany(queries);
  expect(answers).toEqual(await serial.retrieveMany(queries));
  expect(answers.some(({ candidates }) => candidates.length > 1)).toBe(true);
  const ranges = [
    [1, 250],
    [251, 600],
  ] as const;
  const found = await Promise.all(ranges.map(([first, last]) => threads.pairsWithin(first, last)));
  const sortedPairs = (pairs: readonly { readonly a: number; readonly b: number }[]): readonly string[] =>
    pairs.map((pair) => JSON.stringify(pair)).sort();
  for (const [place, [first, last]] of ranges.entries()) {
    const expected = await serial.pairsWithin(first, last);
    expect(sortedPairs(found[place]?.pairs ?? [])).toEqual(sortedPairs(expected.pairs));
    expect(expected.pairs.length).toBeGreaterThan(0);
  }
});
