/** The documents as data: their fenced blocks, links and headings. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/app/project.ts';

export const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...globSync('{docs,DemoData}/**/*.md', { cwd: projectRoot }).sort(),
];

export const textOf = (page: string): string => readFileSync(join(projectRoot, page), 'utf8');

export interface Block {
  readonly language: string;
  readonly text: string;
}

const FENCE = /^( *)```(\w*)\n([^]*?)^\1```$/gm;

export const blocksOf = (page: string): readonly Block[] =>
  [...textOf(page).matchAll(FENCE)].map(([, , language = '', text = '']) => ({ language, text }));

/** The commands of a page's `sh` blocks, block by block: a line is a command, without its comment. */
export const shellOf = (page: string): readonly (readonly string[])[] =>
  blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .map(({ text }) =>
      text
        .split('\n')
        .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
        .filter((line) => line !== ''),
    );

/** Targets of a page's links. */
export const linksOf = (page: string): readonly string[] =>
  [
    ...textOf(page)
      .replaceAll(FENCE, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, target = '']) => target);

/** What a heading is called in a link, as GitHub calls it. */
export const anchorsOf = (page: string): readonly string[] =>
  [
    ...textOf(page)
      .replaceAll(FENCE, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
