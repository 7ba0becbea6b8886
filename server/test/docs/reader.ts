/** Somebody who has just cloned the project and pastes the commands of the documents, page by page. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectRoot } from '../../src/app/project.ts';
import { freePort } from '../support/free-port.ts';

const NOT_COPIED = /^(\.git|\.toolchain|node_modules|data|coverage|server\/(certificates|sampleclientcertificates))$/;

/** The sources as a fresh clone has them, in a folder with a blank; the packages are those of this checkout. */
function clone(): string {
  const root = mkdtempSync(join(tmpdir(), 'opencr docs '));
  const filter = (source: string): boolean => !NOT_COPIED.test(relative(projectRoot, source));
  cpSync(projectRoot, root, { recursive: true, preserveTimestamps: true, filter });
  const packages = join(projectRoot, 'node_modules');
  mkdirSync(join(root, 'node_modules'));
  for (const entry of readdirSync(packages)) {
    if (entry !== '.installed-from') symlinkSync(join(packages, entry), join(root, 'node_modules', entry));
  }
  copyFileSync(join(root, 'package-lock.json'), join(root, 'node_modules', '.installed-from'));
  return root;
}

/** An `npm` that opens the project's doors, and never installs anything through the linked packages. */
function onlyDoors(root: string): string {
  const npm = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'npm'));
  const bin = join(root, '.bin');
  mkdirSync(bin);
  const script = `#!/bin/sh\n[ "$1" = start ] && exec "${npm.find((file) => existsSync(file)) ?? ''}" "$@"\necho "npm $1: not here" >&2\nexit 1\n`;
  writeFileSync(join(bin, 'npm'), script, { mode: 0o755 });
  return bin;
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function openReader() {
  const root = clone();
  const [port, adminPort] = await Promise.all([freePort(), freePort()]);
  const { NODE_ENV: _test, ...own } = process.env;
  const env = {
    ...own,
    PATH: [onlyDoors(root), dirname(process.execPath), process.env['PATH']].join(delimiter),
    app__host: '127.0.0.1',
    app__port: String(port),
    admin__port: String(adminPort),
    store__minFreeMb: '1',
  };
  const onPorts = (words: string): string =>
    words.replaceAll('localhost:3000', `localhost:${port}`).replaceAll('127.0.0.1:3001', `127.0.0.1:${adminPort}`);
  const example = join(root, 'examples', 'simple_query.py');
  writeFileSync(example, onPorts(readFileSync(example, 'utf8')));

  let cwd = root;
  let server: { readonly process: ChildProcess; readonly ended: Promise<unknown>; said: string } | undefined;

  /** As Ctrl+C does: asks, and waits for the end. Answers with what the server said. */
  async function stopServer(): Promise<string> {
    if (!server) return '';
    const { process: child, ended } = server;
    child.kill('SIGTERM');
    await ended;
    const { said } = server;
    server = undefined;
    return said;
  }

  /** A terminal of its own, in the folder of the sources: the server of before is stopped, this one waited for. */
  async function startServer(command: string): Promise<void> {
    await stopServer();
    const child = spawn('sh', ['-c', `exec ${command}`], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const running = { process: child, ended: once(child, 'close'), said: '' };
    server = running;
    const ready = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (words: string) => {
          running.said += words;
          if (running.said.includes('OpenCR is ready')) resolve();
        });
      }
    });
    await Promise.race([ready, running.ended.then(() => Promise.reject(new Error(`${command} ended:\n${running.said}`)))]);
  }

  /** Commands in one shell without a terminal, from the folder where the last ones ended; two empty lines answer what it asks. */
  async function run(commands: readonly string[]): Promise<Output> {
    const place = join(root, '.cwd');
    const script = ['set -e', ...commands.map(onPorts), `pwd > "${place}"`].join('\n');
    const child = spawn('sh', ['-c', script], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const closed = once(child, 'close');
    child.stdin.on('error', () => undefined).end('\n\n');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await closed) as [number | null];
    if (code === 0) cwd = readFileSync(place, 'utf8').trim();
    return { code: code ?? -1, stdout, stderr };
  }

  return {
    root,
    run,
    startServer,
    stopServer,
    /** Another page is read from the folder of the sources. */
    turnPage(): void {
      cwd = root;
    },
    async close(): Promise<void> {
      await stopServer();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
