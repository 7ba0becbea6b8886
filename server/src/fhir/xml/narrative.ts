import { SaxesParser } from 'saxes';
import { XHTML } from './elements.ts';

/** Whether a text is one `div` of XHTML, so that it may stand in XML as it is. */
export function isWellFormedDiv(text: string): boolean {
  const parser = new SaxesParser({ xmlns: true, fragment: true });
  let [depth, roots, good] = [0, 0, true];
  parser.on('opentag', ({ uri, local }) => {
    if (depth === 0) {
      roots += 1;
      good &&= uri === XHTML && local === 'div';
    }
    depth += 1;
  });
  parser.on('closetag', () => (depth -= 1));
  parser.on('text', (between) => {
    if (depth === 0) good &&= between.trim() === '';
  });
  parser.on('doctype', () => (good = false));
  parser.on('error', () => (good = false));
  parser.write(text).close();
  return good && roots === 1;
}
