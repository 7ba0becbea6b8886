import type { Comparator } from './comparator.ts';

export const exact: Comparator = {
  name: 'exact',
  aliases: [],
  kind: 'similarity',
  about: '1 where both texts are the same, else 0.',
  greatest: 1,
  yesOrNo: true,
  parameters: [],
  cost: 20,
  measure: (a, b) => (a === b ? 1 : 0),
};
