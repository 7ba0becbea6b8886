import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { claim, Missing } from './suite.ts';

interface Command {
  readonly cwd: string;
  readonly input?: string;
}

/** Runs a program away from any terminal, so that it reads passwords from its input; answers all that it wrote. */
export async function run(program: string, args: readonly string[], { cwd, input = '' }: Command): Promise<string> {
  const child = spawn(program, args, { cwd, detached: true, stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve);
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new Missing(`there is no ${program} on this machine`) : error);
    });
  });
  // A program that reads no input may be gone before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  claim(code === 0, `${program} ended with ${code}: ${out}${err}`);
  return out + err;
}
