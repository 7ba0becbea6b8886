/** An element to be written: children, or a text. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly content: readonly Element[] | string;
}

export const element = (
  name: string,
  attributes: Readonly<Record<string, string>>,
  content: readonly Element[] | string = [],
): Element => ({ name, attributes, content });

/** What XML 1.0 cannot hold even when escaped (production 2, Char): control characters, halves of pairs, U+FFFE and U+FFFF. */
const UNWRITABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Line ends and tabs as references: else a reader of attributes would make blanks of them, and the message has one line. */
const escaped = (text: string): string =>
  text.replace(UNWRITABLE, '\uFFFD').replace(/[&<>"\t\n\r]/g, (one) => ESCAPES[one] ?? `&#${one.charCodeAt(0)};`);

/** XML text of an element; what XML cannot hold is replaced by U+FFFD. */
export const xml = ({ name, attributes, content }: Element): string => {
  const head = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(value)}"`)].join(' ');
  const inner = typeof content === 'string' ? escaped(content) : content.map(xml).join('');
  return inner === '' ? `<${head}/>` : `<${head}>${inner}</${name}>`;
};
