import { FIRST_SURROGATE, mark, ones, unmark, WORD } from './bits.ts';
import { left, perCodePoint as masks, readBoth, right } from './code-points.ts';
import { type Comparator, type ComparatorParameter, lettersNeeded, type Outline } from './comparator.ts';

const PREFIX_SCALE = 0.1;
const LONGEST_PREFIX = 4;

let buffers = { matched: new Int32Array(512), taken: new Uint8Array(512) };

const buffersFor = (length: number): typeof buffers => {
  if (buffers.taken.length < length) buffers = { matched: new Int32Array(2 * length), taken: new Uint8Array(2 * length) };
  buffers.taken.fill(0, 0, length);
  return buffers;
};

const windowOf = (longer: number): number => Math.max(0, (longer >> 1) - 1);

const shareOf = (matches: number, outOfOrder: number, lengths: readonly [number, number]): number =>
  matches === 0 ? 0 : (matches / lengths[0] + matches / lengths[1] + (matches - outOfOrder / 2) / matches) / 3;

/** As `jaro` below, straight from strings of at most 32 units, places as bits; -1 where there may be surrogates. */
const jaroOfUnits = (source: string, target: string): number => {
  let seen = mark(target);
  const window = windowOf(Math.max(source.length, target.length));
  let within = (2 << window) - 1;
  let taken = 0;
  let paired = 0;
  for (let i = 0; i < source.length; i++) {
    const unit = source.charCodeAt(i);
    seen |= unit;
    const free = (masks[unit] ?? 0) & within & ~taken;
    taken |= free & -free;
    if (free !== 0) paired |= 1 << i;
    within = (within << 1) | Number(i < window);
  }
  let outOfOrder = 0;
  for (let rest = taken; rest !== 0; rest &= rest - 1) {
    const unit = source.charCodeAt(31 - Math.clz32(paired & -paired));
    if (((masks[unit] ?? 0) & rest & -rest) === 0) outOfOrder++;
    paired &= paired - 1;
  }
  unmark(target.length);
  return seen < FIRST_SURROGATE ? shareOf(ones(taken), outOfOrder, [source.length, target.length]) : -1;
};

/**
 * Similarity of what `readBoth` read. M. Jaro, JASA 84 (1989): each code point of one text is paired with the first free
 * equal one of the other within the window; paired ones that stand in another order there count half.
 */
const jaro = (): number => {
  const { codes: source, length: sourceLength } = left;
  const { codes: target, length: targetLength } = right;
  const longer = Math.max(sourceLength, targetLength);
  const window = windowOf(longer);
  const { matched, taken } = buffersFor(longer);
  let matches = 0;
  for (let i = 0; i < sourceLength; i++) {
    const code = source[i] ?? 0;
    const end = Math.min(targetLength, i + window + 1);
    for (let j = Math.max(0, i - window); j < end; j++) {
      if (target[j] !== code || taken[j] === 1) continue;
      taken[j] = 1;
      matched[matches++] = code;
      break;
    }
  }
  let outOfOrder = 0;
  for (let j = 0, k = 0; k < matches; j++) {
    if (taken[j] === 1 && matched[k++] !== target[j]) outOfOrder++;
  }
  return shareOf(matches, outOfOrder, [sourceLength, targetLength]);
};

/** In code points. */
const commonPrefix = (a: string, b: string): number => {
  const end = Math.min(a.length, b.length);
  let length = 0;
  for (let at = 0; length < LONGEST_PREFIX && at < end; length++) {
    const code = a.codePointAt(at) ?? 0;
    if (code !== b.codePointAt(at)) break;
    at += code > 0xffff ? 2 : 1;
  }
  return length;
};

const plainSimilarity = (a: string, b: string): number => {
  const similarity = a.length <= WORD && b.length <= WORD ? jaroOfUnits(a, b) : -1;
  if (similarity >= 0) return similarity;
  readBoth(a, b);
  return jaro();
};

/** W. Winkler, "String comparator metrics and enhanced decision rules", ASA Survey Research Methods (1990). */
const similarity = (a: string, b: string, boostThreshold: number): number => {
  if (a === b) return 1;
  const plain = plainSimilarity(a, b);
  return plain < boostThreshold ? plain : plain + commonPrefix(a, b) * PREFIX_SCALE * (1 - plain);
};

/**
 * Jaro pairs no more letters than the texts have in common, and without any out of order m paired ones give (m/a + m/b + 1) / 3;
 * Winkler's prefix raises that, a boost threshold only lowers it.
 */
const lettersAt = (outline: Outline, threshold: number): number => {
  const { a, b, prefix } = outline;
  const raised = PREFIX_SCALE * Math.min(prefix, LONGEST_PREFIX);
  const jaroNeeded = (threshold - 1e-9 - raised) / (1 - raised);
  if (jaroNeeded <= 0 || a === 0 || b === 0) return 0;
  return lettersNeeded(outline, Math.max(1, (3 * jaroNeeded - 1) / (1 / a + 1 / b)));
};

const boostThreshold: ComparatorParameter = {
  name: 'boostThreshold',
  about: 'Jaro similarity from which a common beginning raises the measure; 0 always, 0.7 as Lucene does.',
  min: 0,
  max: 1,
  default: 0,
};

export const jaroWinklerSimilarity: Comparator = {
  name: 'jaro-winkler-similarity',
  aliases: ['jaro-winkler'],
  kind: 'similarity',
  about: 'Share of characters that both texts have in about the same place, raised by a common beginning of up to four.',
  greatest: 1,
  parameters: [boostThreshold],
  cost: 100,
  sharedLetters: lettersAt,
  measure: (a, b, parameters) => similarity(a, b, parameters['boostThreshold'] ?? boostThreshold.default),
};

export const jaroWinklerDistance: Comparator = {
  ...jaroWinklerSimilarity,
  name: 'jaro-winkler-distance',
  aliases: [],
  kind: 'distance',
  about: '1 less the Jaro-Winkler similarity.',
  sharedLetters: (outline, threshold) => lettersAt(outline, 1 - threshold),
  measure: (a, b, parameters) => 1 - jaroWinklerSimilarity.measure(a, b, parameters),
};
