import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const nodePackage = `node-${process.platform}-${process.arch}`;

/** Stands for npm: notes what it was asked, and leaves behind what the real one does. $GATE, a pipe, holds it until written to. */
const npm = `#!/bin/sh
echo "$*" >> "$NPM_LOG"
if [ -n "\${GATE-}" ]; then read -r _ < "$GATE"; fi
if [ -n "\${NPM_FAILS-}" ]; then echo "npm error code $NPM_FAILS" >&2; exit 1; fi
mkdir -p node_modules
if [ "$1" = install ]; then mkdir -p node_modules/${nodePackage}/bin; ln -s "${process.execPath}" node_modules/${nodePackage}/bin/node; fi
echo '{ "packages": {} }' > node_modules/.package-lock.json
`;

/** Stands for the machine's own Node of another version. */
const otherNode = (version: string): string => `#!/bin/sh
if [ "$1" = --version ]; then echo ${version}; exit; fi
exec "${process.execPath}" --import "data:text/javascript,Object.defineProperty(process,'version',{value:'${version}'})" "$@"
`;

/** Stands for the server: tells how it was started, or waits for a signal. */
const main = `
const [command] = process.argv.slice(2);
if (command === 'wait') {
  let terminations = 0;
  process.on('SIGTERM', () => console.log('stopping', ++terminations));
  process.on('SIGINT', () => setTimeout(() => process.exit(6 + terminations), 100));
  setInterval(() => {}, 1000);
}
console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), path: process.env.PATH }));
`;

const generator = `
import { appendFileSync, mkdirSync } from 'node:fs';
mkdirSync('server/generated', { recursive: true });
appendFileSync('server/generated/validators.js', '// built\\n');
console.log('Validators: written.');
`;

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the doors', () => {
  let place: string;
  let folder: string;
  let bin: string;
  const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => ({
    PATH: `${bin}:/usr/bin:/bin`,
    NPM_LOG: join(place, 'npm.log'),
    ...more,
  });

  const put = (file: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
  };
  const asked = (): readonly string[] => {
    const log = join(place, 'npm.log');
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  };
  const door = (args: readonly string[], more?: Record<string, string>): Answer => {
    const { status, stdout, stderr } = spawnSync(join(bin, 'node'), [join(folder, 'scripts/door.mjs'), ...args], {
      env: environment(more),
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { code: status, stdout, stderr };
  };
  const start = (args: readonly string[], more?: Record<string, string>): ChildProcess =>
    spawn(process.execPath, [join(folder, 'scripts/door.mjs'), ...args], {
      env: environment(more),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const says = (child: ChildProcess, words: string): Promise<void> =>
    new Promise((resolve) => {
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => String(text).includes(words) && resolve());
    });
  const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.on('close', resolve));
  const builds = (): number => readFileSync(join(folder, 'server/generated/validators.js'), 'utf8').split('built').length - 1;

  beforeEach(() => {
    place = realpathSync(mkdtempSync(join(tmpdir(), 'opencr-door-')));
    folder = join(place, 'a b');
    bin = join(place, 'bin');
    for (const file of ['opencr', 'scripts/door.mjs', 'scripts/set-up.mjs', 'scripts/children.mjs', 'scripts/only-one.mjs']) {
      cpSync(join(root, file), join(folder, file));
    }
    put(join(folder, 'package.json'), '{ "type": "module" }');
    put(join(folder, 'package-lock.json'), '{ "packages": { "": {} } }');
    put(join(folder, 'server/src/main.ts'), main);
    put(join(folder, 'server/build/generate-validator.ts'), generator);
    put(join(bin, 'npm'), npm, 0o755);
    symlinkSync(process.execPath, join(bin, 'node'));
  });
  afterEach(() => rmSync(place, { recursive: true }));

  const oldNode = (version = 'v20.20.2'): void => {
    rmSync(join(bin, 'node'));
    put(join(bin, 'node'), otherNode(version), 0o755);
  };
  const sentence = (answer: Answer, words: string): void => {
    expect(answer.stderr).toContain(words);
    expect(answer.stderr).not.toContain('    at ');
    expect(answer.code).toBe(1);
  };

  test('a first start installs the packages and builds; a second one writes nothing and asks npm for nothing', () => {
    const first = door(['start', '--port', '3000']);
    expect(first.stderr).toContain('Installing the packages');
    expect(JSON.parse(first.stdout)).toMatchObject({ args: ['start', '--port', '3000'] });
    expect(door(['start'])).toMatchObject({ code: 0, stderr: '' });
    expect(asked()).toEqual([expect.stringMatching(/^ci .*--ignore-scripts/)]);
    expect(builds()).toBe(1);
  });

  test('a machine with an older Node gets one through npm, is told so, and everything runs under it', () => {
    oldNode();
    const first = door(['start']);
    expect(first.stderr).toContain('This is Node v20.20.2; OpenCR runs on Node 24 or newer');
    expect(asked()).toEqual([expect.stringContaining(`install ${nodePackage}@24`), expect.stringContaining('ci')]);
    const { path } = JSON.parse(first.stdout) as { path: string };
    expect(path.split(':')[0]).toBe(join(folder, '.toolchain/node_modules', nodePackage, 'bin'));
    expect(door(['start'])).toMatchObject({ code: 0, stderr: '' });
    expect(asked()).toHaveLength(2);
  });

  test('under NODE_ENV=production too, everything that the set-up needs is installed', () => {
    expect(door(['start'], { NODE_ENV: 'production' }).code).toBe(0);
    expect(asked()).toEqual([expect.stringMatching(/^ci --include=dev /)]);
  });

  test('an installation of Node that was interrupted is not taken for a Node', () => {
    oldNode();
    put(join(folder, '.toolchain/node_modules', nodePackage, 'bin/node'), 'half a file', 0o755);
    door(['start'], { NPM_FAILS: 'ENOTFOUND' });
    expect(asked()).toEqual([expect.stringContaining('install')]);
  });

  test('a changed lock file is installed, unless a developer has installed it already', () => {
    door(['start']);
    put(join(folder, 'package-lock.json'), '{ "packages": { "": {}, "node_modules/one": { "version": "1.0.0" } } }');
    door(['start']);
    expect(asked()).toHaveLength(2);
    put(join(folder, 'package-lock.json'), '{ "packages": { "": {}, "node_modules/one": { "version": "2.0.0" } } }');
    put(join(folder, 'node_modules/.package-lock.json'), '{ "packages": { "node_modules/one": { "version": "2.0.0" } } }');
    expect(door(['start']).code).toBe(0);
    expect(asked()).toHaveLength(2);
  });

  test('the validator is generated again when its generator is newer', () => {
    door(['start']);
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(folder, 'server/build/generate-validator.ts'), later, later);
    door(['start']);
    expect(builds()).toBe(2);
  });

  test.each([
    ['ENOTFOUND', 'the npm registry does not answer'],
    ['E404', `npm has no package for this machine (${nodePackage})`],
    ['ENOSPC', 'the disk is full'],
    ['EUSAGE', 'package-lock.json does not match package.json'],
    ['ESOMETHING', 'npm error code ESOMETHING'],
  ])('when npm fails with %s, a sentence says why', (NPM_FAILS, words) => {
    sentence(door(['start'], { NPM_FAILS }), words);
    expect(existsSync(join(folder, '.toolchain/lock'))).toBe(false);
    oldNode();
    sentence(door(['start'], { NPM_FAILS }), words);
  });

  test('without npm, a sentence says where it comes from', () => {
    rmSync(join(bin, 'npm'));
    sentence(door(['start'], { PATH: bin }), 'npm is not on the PATH');
  });

  test('an unknown door, and one that this checkout does not have, is a sentence', () => {
    sentence(door(['cellar']), 'Usage:');
    sentence(door(['bench']), 'There is no bench/src/main.ts in this checkout.');
  });

  const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
  const nobodyRunsNode = spawnSync(process.execPath, ['--version'], nobody).status === 0;
  test.skipIf(!nobodyRunsNode)('in a folder that may not be written to, a sentence; once it is set up, it runs there', () => {
    for (const each of [place, folder]) chmodSync(each, 0o555);
    const command = [join(folder, 'scripts/door.mjs'), 'start'];
    const refused = spawnSync(process.execPath, command, { env: environment(), encoding: 'utf8', ...nobody });
    sentence({ code: refused.status, ...refused }, 'this user may not write to');
    for (const each of [place, folder]) chmodSync(each, 0o755);
    door(['start']);
    chmodSync(folder, 0o555);
    expect(spawnSync(process.execPath, command, { env: environment(), ...nobody }).status).toBe(0);
    chmodSync(folder, 0o755);
  });

  test('of two first starts in one folder one sets up, the other says that it waits, and both run', async () => {
    const GATE = join(place, 'gate');
    execFileSync('mkfifo', [GATE]);
    const first = start(['start'], { GATE });
    await says(first, 'Installing the packages');
    const second = start(['start'], { GATE });
    await says(second, 'waiting for it');
    writeFileSync(GATE, 'go\n');
    expect(await Promise.all([ended(first), ended(second)])).toEqual([0, 0]);
    expect(asked()).toHaveLength(1);
  });

  test('a lock left by a start that was killed is taken over', () => {
    const lock = join(folder, '.toolchain/lock');
    mkdirSync(lock, { recursive: true });
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    expect(door(['start']).code).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });

  test('a start that is stopped while it sets up leaves no lock', async () => {
    const GATE = join(place, 'gate');
    execFileSync('mkfifo', [GATE]);
    const child = start(['start'], { GATE });
    await says(child, 'Installing the packages');
    child.kill('SIGTERM');
    expect(await ended(child)).toBe(143);
    expect(existsSync(join(folder, '.toolchain/lock'))).toBe(false);
  });

  test('a signal reaches the server once, and the door ends with its exit code', async () => {
    const child = start(['opencr', 'wait']);
    await says(child, 'args');
    child.kill('SIGTERM');
    await says(child, 'stopping');
    child.kill('SIGTERM');
    child.kill('SIGINT');
    expect(await ended(child)).toBe(7);
  });

  describe('./opencr', () => {
    const opencr = (file: string, args: readonly string[], PATH = `${bin}:/usr/bin:/bin`): Answer => {
      const { status, stdout, stderr } = spawnSync(file, args, { env: environment({ PATH }), cwd: place, encoding: 'utf8' });
      return { code: status, stdout, stderr };
    };

    test('works through links from another folder, sets up at first, and keeps folder and arguments', () => {
      symlinkSync('a b/opencr', join(place, 'one'));
      symlinkSync(join(place, 'one'), join(place, 'two'));
      for (const first of [true, false]) {
        const { code, stdout, stderr } = opencr(join(place, 'two'), ['export', 'a file', '']);
        expect(code).toBe(0);
        expect(stderr === '').toBe(!first);
        expect(JSON.parse(stdout)).toMatchObject({ args: ['export', 'a file', ''], cwd: place });
      }
    });

    test('runs under the Node that was installed for it when the machine has an older one', () => {
      oldNode('v18.19.0');
      opencr(join(folder, 'opencr'), []);
      rmSync(join(folder, 'scripts'), { recursive: true }); // no door: it goes straight to the server
      expect(opencr(join(folder, 'opencr'), ['verify'])).toMatchObject({ code: 0, stderr: '' });
    });

    test('without Node, or with one that is too old to run the door, a sentence', () => {
      const bare = join(place, 'bare');
      mkdirSync(bare);
      symlinkSync(execFileSync('/bin/sh', ['-c', 'command -v dirname'], { encoding: 'utf8' }).trim(), join(bare, 'dirname'));
      sentence(opencr(join(folder, 'opencr'), [], bare), 'opencr needs Node on the PATH, 18 or newer (found: none)');
      oldNode('v16.20.2');
      sentence(opencr(join(folder, 'opencr'), []), '(found: v16.20.2)');
    });
  });
});
