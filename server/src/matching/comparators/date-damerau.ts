import type { Comparator } from './comparator.ts';

const DATE = /^(\d\d)(\d\d)-(\d\d)-(\d\d)$/;

const reversed = (digits: string): string => digits.charAt(1) + digits.charAt(0);

/** 1 for equal parts of two digits, .6 where the two are exchanged, else 0. */
const partSimilarity = (a: string, b: string): number => {
  if (a === b) return 1;
  return a === reversed(b) ? 0.6 : 0;
};

/** Year, month and day weigh 5, 4 and 3; a year counts as exchanged only within one century. */
const similarity = (a: string, b: string): number => {
  if (a === b) return 1;
  const [, centuryA, yearA = '', monthA = '', dayA = ''] = DATE.exec(a) ?? [];
  const [, centuryB, yearB = '', monthB = '', dayB = ''] = DATE.exec(b) ?? [];
  if (centuryA === undefined || centuryB === undefined) return 0;
  const year = centuryA === centuryB ? partSimilarity(yearA, yearB) : 0;
  const parts = (5 * year + 4 * partSimilarity(monthA, monthB) + 3 * partSimilarity(dayA, dayB)) / 12;
  return year === 1 && monthA === dayB && dayA === monthB ? Math.max(0.9, parts) : parts;
};

export const dateDamerau: Comparator = {
  name: 'dateDamerau',
  aliases: [],
  kind: 'similarity',
  about:
    'Dates as YYYY-MM-DD: year, month and day weigh 5, 4 and 3 of 12; two digits exchanged count .6; day and month exchanged in the same year at least .9; anything that is no such date 0, unless both texts are the same.',
  greatest: 1,
  parameters: [],
  cost: 200,
  measure: similarity,
};
