/**
 * Texts as Unicode code points in buffers that every comparison of this thread uses again: nothing is allocated per
 * comparison. What stands in `left` and `right` holds until the next `read`.
 */
export interface CodePoints {
  codes: Int32Array;
  length: number;
}

const buffer = (): CodePoints => ({ codes: new Int32Array(512), length: 0 });

export const left = buffer();
export const right = buffer();

/** One number per code point: a scratch table that its user leaves all zero. Untouched pages cost no memory. */
export const perCodePoint = new Int32Array(0x110000);

let rows = [new Int32Array(0), new Int32Array(0), new Int32Array(0)] as const;

/** Three rows of at least so many cells, for the tables of edit distances; what they hold is anybody's. */
export const threeRows = (cells: number): typeof rows => {
  if (rows[0].length < cells) rows = [new Int32Array(2 * cells), new Int32Array(2 * cells), new Int32Array(2 * cells)];
  return rows;
};

const isSurrogate = (unit: number): boolean => (unit & 0xf800) === 0xd800;

/** Reads the UTF-16 units of `text` from `start` to before `end`. */
const readPart = (text: string, start: number, end: number, into: CodePoints): void => {
  if (into.codes.length < end - start) into.codes = new Int32Array(2 * (end - start));
  const { codes } = into;
  let length = 0;
  for (let at = start; at < end; at++) {
    let code = text.charCodeAt(at);
    if (isSurrogate(code)) {
      code = text.codePointAt(at) ?? 0;
      if (code > 0xffff) at++;
    }
    codes[length++] = code;
  }
  into.length = length;
};

/** Reads both texts whole. */
export const readBoth = (a: string, b: string): void => {
  readPart(a, 0, a.length, left);
  readPart(b, 0, b.length, right);
};

/** Reads what is left of both texts without their common beginning and end, where edit distances are never spent. */
export const readDifference = (a: string, b: string): void => {
  let start = 0;
  let endA = a.length;
  let endB = b.length;
  while (start < endA && start < endB && a.charCodeAt(start) === b.charCodeAt(start)) start++;
  // A boundary never parts the halves of a surrogate pair.
  if (start > 0 && isSurrogate(a.charCodeAt(start - 1))) start--;
  while (endA > start && endB > start && a.charCodeAt(endA - 1) === b.charCodeAt(endB - 1)) {
    endA--;
    endB--;
  }
  if (endA < a.length && isSurrogate(a.charCodeAt(endA))) {
    endA++;
    endB++;
  }
  readPart(a, start, endA, left);
  readPart(b, start, endB, right);
};
