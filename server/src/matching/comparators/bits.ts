import { perCodePoint as masks } from './code-points.ts';

/** Places of a text that fit the bits of a number in JavaScript's integer operations. */
export const WORD = 32;

/** From here on a UTF-16 unit may be half a code point. */
export const FIRST_SURROGATE = 0xd800;

/** How many bits are 1, by adding neighbours. */
export const ones = (bits: number): number => {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** Marks under each unit of a text of at most 32 where it stands, in `perCodePoint`; answers all bits that any unit has. */
export const mark = (text: string): number => {
  let seen = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    seen |= unit;
    masks[unit] = (masks[unit] ?? 0) | (1 << i);
  }
  return seen;
};

export const unmark = (text: string): void => {
  for (let i = 0; i < text.length; i++) masks[text.charCodeAt(i)] = 0;
};
