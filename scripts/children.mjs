import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A sentence for whoever opened the door, printed as it stands: expected, so without a stack trace. */
export class Sentence extends Error {}

export const say = (sentence) => process.stderr.write(`${sentence}\n`);

/** What a shell reports for a process that a signal ended. */
const codeOf = (signal) => 128 + constants.signals[signal];

let current;
const received = new Set();
const inTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;

function onSignal(signal) {
  if (current === undefined) process.exit(codeOf(signal));
  // npm passes on a signal that the process group had already: the child shall see it once. A terminal's Ctrl+C reaches it unaided.
  if (!received.has(signal) && !(signal === 'SIGINT' && inTerminal)) current.kill(signal);
  received.add(signal);
}

/** From here on SIGINT and SIGTERM go to the running child, and this process ends as it ends. */
export function forwardSignals() {
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** Runs a command with this process's own input and output. Resolves with its exit code. */
export const run = (command, args, options) => start(spawn(command, args, { stdio: 'inherit', ...options }));

/** Runs a command of the set-up out of sight. Resolves with its exit code and what it wrote; a signal ends this process too. */
export async function capture(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await start(child);
  for (const signal of received) process.exit(codeOf(signal));
  return { code, output };
}

async function start(child) {
  current = child;
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? codeOf(signal)));
    });
  } finally {
    current = undefined;
  }
}
