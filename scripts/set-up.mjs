import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Sentence, capture, say } from './children.mjs';
import { onlyOne } from './only-one.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...path) => join(root, ...path);

const NODE = 24;
const toolchain = at('.toolchain');
const platform = process.platform === 'win32' ? 'win' : process.platform;
const nodePackage = `node-${platform}-${process.arch}`;
const toolchainNode = join(toolchain, 'node_modules', nodePackage, 'bin', platform === 'win' ? 'node.exe' : 'node');

const lockFile = at('package-lock.json');
/** A copy of the lock file that `node_modules` was installed from; `opencr` compares the two as well. */
const installedFrom = at('node_modules', '.installed-from');
const validator = at('server', 'generated', 'validators.js');

/**
 * Finds or provides, in this order, a Node that runs the sources, the packages of the lock file and the generated
 * validators. When all is there nothing is written, and no network is needed.
 *
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} the Node to run and an environment in which it comes first
 */
export async function setUp() {
  if (findNode() === undefined || !installed() || !built()) {
    mkdirSync(toolchain, { recursive: true });
    await onlyOne(join(toolchain, 'lock'), async () => {
      if (findNode() === undefined) await installNode();
      if (!installed()) await installPackages();
      if (!built()) await build();
    });
  }
  const node = findNode();
  return { node, env: withNode(node) };
}

const withNode = (node) => ({ ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` });

function findNode() {
  if (Number.parseInt(process.version.slice(1), 10) >= NODE) return process.execPath;
  // npm writes its own lock file last: without it the package may be there in part.
  const whole = existsSync(join(toolchain, 'node_modules', '.package-lock.json')) && existsSync(toolchainNode);
  return whole ? toolchainNode : undefined;
}

async function installNode() {
  say(
    `This is Node ${process.version}; OpenCR runs on Node ${NODE} or newer: installing one into .toolchain (about 200 MB, once).`,
  );
  writeFileSync(join(toolchain, 'package.json'), '{ "name": "opencr-toolchain", "private": true }\n');
  await npm(['install', `${nodePackage}@${NODE}`], { cwd: toolchain }, `Node ${NODE} could not be installed`);
  const { code } = await capture(toolchainNode, ['--version']).catch(() => ({ code: 1 }));
  if (code !== 0) {
    rmSync(join(toolchain, 'node_modules'), { recursive: true, force: true });
    throw new Sentence(
      `The Node ${NODE} that npm has for ${nodePackage} does not run on this machine: install Node ${NODE} or newer yourself.`,
    );
  }
}

function installed() {
  return existsSync(installedFrom) && readFileSync(installedFrom).equals(readFileSync(lockFile));
}

async function installPackages() {
  // A developer's own `npm install` has done it already.
  if (!asLocked()) {
    rmSync(installedFrom, { force: true });
    say('Installing the packages of package-lock.json (once, about half a minute).');
    // The validator is built with packages that NODE_ENV=production would leave out.
    const env = withNode(findNode());
    await npm(['ci', '--include=dev'], { cwd: root, env }, 'The packages could not be installed');
  }
  copyFileSync(lockFile, installedFrom);
}

/** Whether npm's own record of `node_modules` has every package of the lock file but those of other platforms. */
function asLocked() {
  const record = at('node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const have = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(lockFile, 'utf8')).packages);
  return wanted.every(([path, { version, optional }]) => {
    return !path.includes('node_modules/') || optional || (path in have && have[path].version === version);
  });
}

function built() {
  const sources = readdirSync(at('server', 'build')).map((file) => at('server', 'build', file));
  return existsSync(validator) && [...sources, installedFrom].every((source) => modified(source) <= modified(validator));
}

const modified = (file) => statSync(file).mtimeMs;

async function build() {
  const node = findNode();
  const { code, output } = await capture(node, [at('server', 'build', 'generate-validator.ts')], {
    cwd: root,
    env: withNode(node),
  });
  if (code !== 0) throw new Sentence(`The validators could not be generated:\n${output.trim()}`);
  utimesSync(validator, new Date(), new Date());
  say(output.trim());
}

/** What npm's error codes mean to whoever opened the door. */
const npmFailures = [
  [
    /^(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)$/,
    'the npm registry does not answer; the first start needs the network',
  ],
  [/^(E404|ETARGET|EBADPLATFORM)$/, `npm has no package for this machine (${nodePackage})`],
  [/^(EACCES|EROFS|EPERM)$/, 'a folder cannot be written to'],
  [/^ENOSPC$/, 'the disk is full'],
  [/^EUSAGE$/, 'package-lock.json does not match package.json; run `npm install` and commit both'],
];

/** Retries that end within some ten seconds where there is no network; npm's own take more than a minute. */
const npmFlags =
  '--no-audit --no-fund --ignore-scripts --fetch-retries=3 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000'.split(
    ' ',
  );

async function npm(args, options, failure) {
  const command = [...args, ...npmFlags];
  const { code, output } = await capture('npm', command, { shell: platform === 'win', ...options }).catch((error) => {
    if (error.code === 'ENOENT') throw new Sentence(`${failure}: npm is not on the PATH. It comes with Node: https://nodejs.org`);
    throw error;
  });
  if (code === 0) return;
  const named = /npm (?:error|ERR!) code (\w+)/.exec(output)?.[1] ?? '';
  const reason = npmFailures.find(([pattern]) => pattern.test(named))?.[1] ?? `npm says:\n${output.trim()}\n`;
  throw new Sentence(`${failure}: ${reason}.`);
}
