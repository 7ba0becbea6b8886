/** Rows of docs/conformance.md, and the tests whose titles name them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/app/project.ts';

const server = join(projectRoot, 'server');
const ROW_ID = /\b(?:REST|SRCH|TX|PIX-83|PIX-104|PIX-CS|PDQ-78|PDQ-119|TLS|AUD|ATNA|OHIE-CR|HIM)-\d{2}\b/g;
/** Titles are the texts of a test file that name a row; what stands in comments claims nothing. */
const TEXT = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
const COMMENT = /^\s*(?:\/\/|\/?\*).*$/gm;

/** Test files, as paths below `server`, by the row that their titles name. */
export function testsByRow(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const file of globSync('{src,test}/**/*.test.ts', { cwd: server }).sort()) {
    const texts = readFileSync(join(server, file), 'utf8').replaceAll(COMMENT, '').match(TEXT) ?? [];
    for (const id of texts.flatMap((text) => text.match(ROW_ID) ?? [])) found.set(id, (found.get(id) ?? new Set()).add(file));
  }
  return new Map([...found].map(([id, files]) => [id, [...files]]));
}

export interface Row {
  readonly id: string;
  readonly here: string;
  readonly tests: readonly string[];
}

const ROW = /^(\| ([A-Z0-9]+(?:-[A-Z0-9]+)*-\d{2}) \| [^|]* \| ([^|]*) \|)([^|]*)\|$/gm;

export const rowsOf = (page: string): readonly Row[] =>
  [...page.matchAll(ROW)].map(([, , id = '', here = '', tests = '']) => ({
    id,
    here,
    tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  }));

const COUNT = /^Of \d+ rows .*$/m;

/** How many rows there are of each kind. */
const countOf = (page: string): string => {
  const rows = rowsOf(page);
  const [whole, partly] = ['yes', 'partly'].map((word) => rows.filter(({ here }) => here.startsWith(word)).length);
  return `Of ${rows.length} rows ${whole} are served whole, ${partly} in part, ${rows.length - (whole ?? 0) - (partly ?? 0)} not yet.`;
};

/** The page with its count and its last column made anew. */
export function withTests(page: string): string {
  const tests = testsByRow();
  return page.replace(COUNT, countOf(page)).replaceAll(ROW, (_row, rest: string, id: string) => {
    const files = (tests.get(id) ?? []).map((file) => `\`${file}\``).join(', ');
    return `${rest} ${files}${files === '' ? '' : ' '}|`;
  });
}
