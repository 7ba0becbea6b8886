import { perCodePoint as masks } from './code-points.ts';

/** Places of a text that fit the bits of a number in JavaScript's integer operations. */
export const WORD = 32;

/** From here on a UTF-16 unit may be half a code point. */
export const FIRST_SURROGATE = 0xd800;

/** Adds the bits of each eight: the bytes of the answer are 0 to 8. */
export const onesByBytes = (bits: number): number => {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (fours + (fours >>> 4)) & 0x0f0f0f0f;
};

/** The sum of four bytes, where it is less than 256. */
export const sumOfBytes = (bytes: number): number => Math.imul(bytes, 0x01010101) >>> 24;

/** How many bits are 1. */
export const ones = (bits: number): number => sumOfBytes(onesByBytes(bits));

/** What `mark` marked. */
const marked = new Int32Array(WORD);

/** Marks under each unit of a text of at most 32 where it stands, in `perCodePoint`; answers all bits that any unit has. */
export const mark = (text: string): number => {
  let seen = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    seen |= unit;
    marked[i] = unit;
    masks[unit] = (masks[unit] ?? 0) | (1 << i);
  }
  return seen;
};

/** Takes back what `mark` last did for a text of this length. */
export const unmark = (length: number): void => {
  for (let i = 0; i < length; i++) masks[marked[i] ?? 0] = 0;
};
