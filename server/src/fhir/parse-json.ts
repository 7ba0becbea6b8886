import type { Refusal } from '../domain/errors.ts';
import { type BodyLimits, defaultBodyLimits } from './limits.ts';
import { refuse } from './refusal.ts';

/** These three reach an object's prototype when somebody copies properties carelessly later. */
const dangerousKeys = new Set(['__proto__', 'constructor', 'prototype']);

const quote = 0x22;
const backslash = 0x5c;

/** A list or an object that the scan is inside of. */
interface Container {
  /** Keys seen; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The current key, or the index in a list: for the path. */
  at: string | number;
  expectsKey: boolean;
}

interface Scan {
  readonly text: string;
  readonly limits: BodyLimits;
  readonly open: Container[];
  values: number;
}

/**
 * Reads a JSON body. One pass over the text first refuses what JSON.parse would take but the registry may not: nesting,
 * counts and lengths past the limits (413), keys given twice (JSON.parse silently keeps the last), keys that reach a
 * prototype, lone surrogates and control characters (400). Time is linear in the text. A byte order mark is ignored.
 */
export const parseBody = (text: string, limits: BodyLimits = defaultBodyLimits): { readonly value: unknown } | Refusal => {
  const body = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  if (body.trim() === '') return refuse('invalid-json', 'The body is empty.');
  const complaint = scanBody({ text: body, limits, open: [], values: 0 });
  if (complaint) return complaint;
  try {
    return { value: JSON.parse(body) as unknown };
  } catch (thrown) {
    return notJson(thrown);
  }
};

/** The engine's message quotes the body; only the position is passed on. */
const notJson = (thrown: unknown): Refusal => {
  const position = thrown instanceof Error ? /position (\d+)/.exec(thrown.message)?.[1] : undefined;
  return refuse(
    'invalid-json',
    `The body is not JSON${position === undefined ? '' : `: unexpected text at character ${position}`}.`,
  );
};

/** Knows strings and structure, not grammar: what is no JSON at all is left to JSON.parse. */
const scanBody = (scan: Scan): Refusal | undefined => {
  let position = 0;
  while (position < scan.text.length) {
    const step = scan.text.charCodeAt(position) === quote ? scanString(scan, position) : scanStructure(scan, position);
    if (typeof step !== 'number') return step;
    position = step;
  }
  return undefined;
};

/** One token outside strings; gives the next position. */
const scanStructure = (scan: Scan, position: number): number | Refusal => {
  switch (scan.text.charAt(position)) {
    case '{':
      return enter(scan, { keys: new Set(), at: '', expectsKey: true }) ?? position + 1;
    case '[':
      return enter(scan, { keys: undefined, at: 0, expectsKey: false }) ?? position + 1;
    case '}':
    case ']':
      scan.open.pop();
      return position + 1;
    case ',':
      nextMember(scan.open.at(-1));
      return position + 1;
    case ':':
    case ' ':
    case '\n':
    case '\r':
    case '\t':
      return position + 1;
    default:
      return countValue(scan) ?? scanScalar(scan, position);
  }
};

/** JSON.parse makes Infinity of a number that is too large, and JSON.stringify null of that: it could not be kept. */
const scanScalar = (scan: Scan, start: number): number | Refusal => {
  const end = afterScalar(scan.text, start + 1);
  return Math.abs(Number(scan.text.slice(start, end))) === Infinity
    ? refuse('invalid-json', `A number that is too large${where(scan)}.`)
    : end;
};

const enter = (scan: Scan, container: Container): Refusal | undefined => {
  if (scan.open.length >= scan.limits.maxDepth)
    return refuse('too-large', `The body nests deeper than ${scan.limits.maxDepth} levels${where(scan)}.`);
  scan.open.push(container);
  return countValue(scan);
};

const nextMember = (container: Container | undefined): void => {
  if (container?.keys) container.expectsKey = true;
  else if (typeof container?.at === 'number') container.at += 1;
};

const countValue = (scan: Scan): Refusal | undefined => {
  scan.values += 1;
  return scan.values > scan.limits.maxValues
    ? refuse('too-large', `The body holds more than ${scan.limits.maxValues} values.`)
    : undefined;
};

/** A number, true, false or null ends before the next character that has a meaning of its own. */
const afterScalar = (text: string, position: number): number => {
  const delimiter = /[\s,:\]}"[{]/g;
  delimiter.lastIndex = position;
  return delimiter.exec(text)?.index ?? text.length;
};

const scanString = (scan: Scan, start: number): number | Refusal => {
  const end = endOfString(scan, start + 1);
  if (typeof end !== 'number') return end;
  const container = scan.open.at(-1);
  const complaint = container?.expectsKey ? takeKey(scan, container, scan.text.slice(start, end)) : countValue(scan);
  return complaint ?? end;
};

/** Position after the closing quote; the UTF-16 units before it are checked, escaped or not. */
const endOfString = (scan: Scan, start: number): number | Refusal => {
  let position = start;
  let awaitsLow = false;
  for (let length = 0; ; length += 1) {
    const raw = scan.text.charCodeAt(position);
    if (raw === quote || Number.isNaN(raw)) return awaitsLow ? loneSurrogate(scan) : position + 1;
    if (length === scan.limits.maxString)
      return refuse('too-large', `A string is longer than ${length} characters${where(scan)}.`);
    const unit = raw === backslash ? escapedUnit(scan.text, position) : raw;
    if (unit < 0x20 && unit !== 0x09 && unit !== 0x0a && unit !== 0x0d)
      return refuse('invalid-json', `A string holds a control character${where(scan)}.`);
    if ((unit >= 0xdc00 && unit <= 0xdfff) !== awaitsLow) return loneSurrogate(scan);
    awaitsLow = unit >= 0xd800 && unit <= 0xdbff;
    position += raw !== backslash ? 1 : scan.text.charAt(position + 1) === 'u' ? 6 : 2;
  }
};

/** The UTF-16 unit that an escape stands for; an escape that is none is left to JSON.parse. */
const escapedUnit = (text: string, position: number): number => {
  const kind = text.charAt(position + 1);
  if (kind === 'u') return Number.parseInt(text.slice(position + 2, position + 6), 16);
  return kind === 'b' || kind === 'f' ? 0x08 : 0x20;
};

const loneSurrogate = (scan: Scan): Refusal =>
  refuse('invalid-json', `A string holds half of a surrogate pair, which is no character${where(scan)}.`);

const takeKey = (scan: Scan, container: Container, quoted: string): Refusal | undefined => {
  const key = quoted.includes('\\') ? decoded(quoted) : quoted.slice(1, -1);
  container.at = key;
  container.expectsKey = false;
  if (dangerousKeys.has(key)) return refuse('invalid-json', `A key that is not allowed${where(scan)}.`);
  if (container.keys?.has(key)) return refuse('invalid-json', `A key that is given twice${where(scan)}.`);
  container.keys?.add(key);
  return undefined;
};

const decoded = (quoted: string): string => {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted; // no JSON string: JSON.parse will say so of the whole body
  }
};

/** ` at name[0].family`; nothing at the top. */
const where = (scan: Scan): string => {
  const path = scan.open.map(({ at }) => (typeof at === 'number' ? `[${at}]` : at === '' ? '' : `.${at.slice(0, 64)}`)).join('');
  return path === '' ? '' : ` at ${path.replace(/^\./, '')}`;
};
