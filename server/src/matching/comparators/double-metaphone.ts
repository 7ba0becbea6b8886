import { doubleMetaphone as primaryAndSecondary } from 'double-metaphone';
import { phonetic } from './phonetic.ts';

/** L. Philips, "The double metaphone search algorithm", C/C++ Users Journal 18 (2000). */
export const doubleMetaphone = phonetic((plain) => primaryAndSecondary(plain), {
  name: 'double-metaphone',
  about:
    '1 where both texts have a Double Metaphone code in common, else 0; other scripts than Latin are compared as they stand, an empty text or code equals nothing.',
  cost: 1000,
});
