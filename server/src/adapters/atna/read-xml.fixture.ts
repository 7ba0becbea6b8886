/** A strict reader of the XML that this folder writes, for its tests: it shares nothing with the writer. */
export interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Node[];
  readonly text: string;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

const decoded = (text: string): string => {
  if (/[<>]|&(?!(?:amp|lt|gt|quot|#\d+);)/.test(text)) throw new Error(`not well-formed: ${text}`);
  return text.replace(/&(\w+|#\d+);/g, (_, name: string) =>
    name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : (NAMED[name] ?? ''),
  );
};

const TAG = /^<(\/?)([A-Za-z]\w*)((?: [A-Za-z][\w-]*="[^"<]*")*)(\/?)>/;

/** The one element that the text is. @throws where it is not well-formed. */
export function readXml(source: string): Node {
  let rest = source;
  const element = (): Node => {
    const [whole = '', end, name = '', attributes = '', empty] = TAG.exec(rest) ?? [];
    if (whole === '' || end === '/') throw new Error(`an element was expected at ${rest.slice(0, 40)}`);
    rest = rest.slice(whole.length);
    const pairs = [...attributes.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(
      ([, key = '', value = '']) => [key, decoded(value)] as const,
    );
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`an attribute of ${name} stands twice`);
    const head = { name, attributes: Object.fromEntries(pairs) };
    return empty === '/' ? { ...head, children: [], text: '' } : { ...head, ...content(name) };
  };
  const content = (name: string): Pick<Node, 'children' | 'text'> => {
    const children: Node[] = [];
    let text = '';
    for (;;) {
      const until = rest.indexOf('<');
      if (until < 0) throw new Error(`${name} does not end`);
      text += decoded(rest.slice(0, until));
      rest = rest.slice(until);
      if (!rest.startsWith('</')) children.push(element());
      else {
        if (!rest.startsWith(`</${name}>`)) throw new Error(`${name} ends as ${rest.slice(0, 40)}`);
        rest = rest.slice(name.length + 3);
        return { children, text };
      }
    }
  };
  const root = element();
  if (rest !== '') throw new Error(`more follows: ${rest.slice(0, 40)}`);
  return root;
}
