/** Search values of FHIR R4 (search.html#token, #escaping): `\,` `\|` `\$` `\\` stand for the character itself. */

/** Query or form parameters, decoded, in the order given. */
export type Params = Iterable<readonly [name: string, value: string]>;

/** A token on an identifier. `system` null: any; '' : none. `value` null: any. */
export interface IdentifierToken {
  readonly system: string | null;
  readonly value: string | null;
}

/** Splits at each separator that is not escaped; what is left stays escaped. */
export const splitUnescaped = (text: string, separator: ',' | '|'): readonly string[] => {
  const parts: string[] = [];
  let part = '';
  for (const [piece] of text.matchAll(/\\[^]|[^]/g)) {
    if (piece === separator) {
      parts.push(part);
      part = '';
    } else part += piece;
  }
  return [...parts, part];
};

export const unescape = (text: string): string => text.replace(/\\([,|$\\])/g, '$1');

/** `system|value` `|value` `system|` `value`; undefined for nothing at all. Later `|` belong to the value, as senders mean it. */
export const identifierToken = (text: string): IdentifierToken | undefined => {
  const [first = '', ...rest] = splitUnescaped(text, '|');
  const value = unescape(rest.join('|'));
  if (rest.length === 0) return first === '' ? undefined : { system: null, value: unescape(first) };
  if (first === '' && value === '') return undefined;
  return { system: unescape(first), value: value === '' ? null : value };
};
