import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '..', '..', '..');
const opencr = join(root, 'opencr');
const run = promisify(execFile);

/** `./opencr ARGUMENT...` to its end; rejects when its exit code is not 0, with what it wrote. */
export const command = async (...args: readonly string[]): Promise<string> => (await run(opencr, [...args])).stdout;

/** A development CA in the data folder, and the certificate of openmrs in `out`. */
export async function makeCertificates(dataDir: string, out: string): Promise<void> {
  await command('certs', 'init', '--data', dataDir, '--development');
  await command('certs', 'issue', 'openmrs', '--data', dataDir, '--out', out);
}

/** What a caller needs to be a client. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const credentialsIn = (out: string, client = 'openmrs'): Credentials => ({
  ca: readFileSync(join(out, 'ca.pem'), 'utf8'),
  cert: readFileSync(join(out, `${client}.cert.pem`), 'utf8'),
  key: readFileSync(join(out, `${client}.key.pem`), 'utf8'),
});

export interface ServerProcess {
  readonly port: number;
  readonly adminPort: number;
  /** Milliseconds from the start of the process until it said that it is ready. */
  readonly readyAfter: number;
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Processes that still run; none outlives this process. */
const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** How a process ended: its exit code, null where a signal ended it, and what it wrote to stderr. */
export interface End {
  readonly code: number | null;
  readonly said: string;
}

export interface OpencrProcess {
  readonly stdout: Readable;
  readonly ended: Promise<End>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** `./opencr ARGUMENT...`, as a process of its own. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): OpencrProcess {
  const child = spawn(opencr, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  running.add(child);
  child.stdout.resume();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(child, 'close').then(([code]: unknown[]): End => {
    running.delete(child);
    return { code: code as number | null, said };
  });
  return { stdout: child.stdout, ended, kill: (signal) => void child.kill(signal) };
}

const READY = /ready at https:\/\/\S+?:(\d+)\/fhir .* at http:\/\/\S+?:(\d+)\./;

/** The real `./opencr serve`, as a process of its own, on ports that are free. Rejects when it ends before it is ready. */
export async function serve(dataDir: string, options: { readonly env?: NodeJS.ProcessEnv } = {}): Promise<ServerProcess> {
  const began = performance.now();
  const { stdout, ended, kill } = start(['serve', '--data', dataDir, '--port', '0', '--admin-port', '0'], {
    app__host: '127.0.0.1',
    log__level: 'warn',
    ...options.env,
  });
  const lines = createInterface({ input: stdout });
  const ready = new Promise<RegExpExecArray>((resolve) => {
    lines.on('line', (line) => {
      const found = READY.exec(line);
      if (found) resolve(found);
    });
  });
  const early = ended.then(({ said }) => Promise.reject(new Error(`./opencr serve ended: ${said}`)));
  const found = await Promise.race([ready, early]);
  return {
    port: Number(found[1]),
    adminPort: Number(found[2]),
    readyAfter: performance.now() - began,
    async end(signal) {
      kill(signal);
      await ended;
    },
  };
}
