// Behind every door of the project. Plain JavaScript: it runs on the machine's own Node, 18 or newer, and finds the right one.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Sentence, forwardSignals, run, say } from './children.mjs';
import { root, setUp } from './set-up.mjs';

const doors = {
  opencr: ['server/src/main.ts'],
  start: ['server/src/main.ts', 'start'],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  check: ['scripts/check.ts'],
  bench: ['bench/src/main.ts'],
  simulate: ['server/test/simulation/main.ts'],
  'test-real': ['server/test/real/main.ts'],
};

async function open(name, args) {
  if (!Object.hasOwn(doors, name))
    throw new Sentence(`Usage: node scripts/door.mjs ${Object.keys(doors).join(' | ')} [ARGUMENT...]`);
  const { node, env } = await setUp();
  const [file, ...own] = doors[name];
  const script = join(root, file);
  if (!existsSync(script)) throw new Sentence(`There is no ${file} in this checkout.`);
  return run(node, [script, ...own, ...args], { env });
}

/** An error of the file system is the folder's affair, not a fault of the door. */
const inWords = (error) =>
  ['EACCES', 'EROFS', 'EPERM'].includes(error.code)
    ? `The set-up is not complete, and this user may not write to ${error.path}: start once as one who may.`
    : error.code === 'ENOSPC'
      ? 'The disk is full: the set-up could not be completed.'
      : undefined;

forwardSignals();
try {
  const [name = '', ...args] = process.argv.slice(2);
  process.exitCode = await open(name, args);
} catch (error) {
  const sentence = error instanceof Sentence ? error.message : inWords(error);
  if (sentence === undefined) throw error;
  say(sentence);
  process.exitCode = 1;
}
