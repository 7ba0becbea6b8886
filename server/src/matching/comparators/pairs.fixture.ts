import { comparatorOf } from './index.ts';

export const measure = (name: string, a: string, b: string, parameters: Readonly<Record<string, number>> = {}): number =>
  comparatorOf({ comparator: name }).measure(a, b, parameters);

/** Scripts whose characters take one UTF-16 unit and, at the end, two. */
export const ALPHABETS = ['ab', 'abcdefgh', 'መሐመድአበ', 'محمدعلي', 'अमितकुमार', 'a\u{10400}\u{20000}\u{1f600}\u{1f601}b'];
