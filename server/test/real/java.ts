/** Java programs against jars of Maven's registry. */
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { made } from '../support/made.ts';
import { run } from './program.ts';
import { Missing } from './suite.ts';

/** A folder that outlives the run, since jars take long to get: OPENCR_JARS, or one in the user's cache. */
const cache = process.env['OPENCR_JARS'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'opencr', 'jars');

const digest = (...contents: readonly (string | Buffer)[]): string =>
  contents
    .reduce((hash, content) => hash.update(content), createHash('sha256'))
    .digest('hex')
    .slice(0, 16);

/** What Maven says where its registry does not answer, or has not got what is asked for. */
const UNSERVED = /Could not (transfer|find|resolve)|Unknown host|Connection (refused|timed out|reset)|Non-resolvable/;

async function fetchJars(pom: string, lib: string): Promise<void> {
  const goal = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`];
  try {
    await run('mvn', goal, { cwd: lib });
  } catch (error) {
    if (!(error instanceof Error) || !UNSERVED.test(error.message)) throw error;
    throw new Missing(`Maven's registry does not serve the jars: ${/^.*ERROR.*$/m.exec(error.message)?.[0] ?? ''}`);
  }
}

/** Starts a program by the name of its class; answers what it printed. Rejects when it ends with another code than 0. */
export type Java = (program: string, ...args: readonly string[]) => Promise<string>;

/**
 * Compiles the Java files of a folder, and others by name, against the jars of the folder's pom.xml; both are kept as long as they are
 * the same. Rejects with `Missing` on a machine without Java or Maven, or where Maven's registry does not answer.
 */
export async function compiled(folder: string, more: Readonly<Record<string, string>> = {}): Promise<Java> {
  const pom = join(folder, 'pom.xml');
  await run('javac', ['-version'], { cwd: folder });
  const lib = await made(join(cache, `lib-${digest(readFileSync(pom))}`), (draft) => fetchJars(pom, draft));
  const files = globSync('*.java', { cwd: folder }).map((name) => join(folder, name));
  const sources = [lib, ...files.map((file) => readFileSync(file)), ...Object.values(more)];
  const classes = await made(join(cache, `classes-${digest(...sources)}`), async (draft) => {
    const own = join(draft, 'sources');
    mkdirSync(own);
    for (const [name, text] of Object.entries(more)) writeFileSync(join(own, name), text);
    const all = [...files, ...Object.keys(more).map((name) => join(own, name))];
    await run('javac', ['--release', '17', '-cp', join(lib, '*'), '-d', draft, ...all], { cwd: draft });
  });
  return (program, ...args) => run('java', ['-cp', `${classes}:${join(lib, '*')}`, program, ...args], { cwd: classes });
}
