/** For tests: programs that a machine may lack. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/** Skips the test, with the reason, where the command does not run here. */
export const need = (context: TestContext, command: string, ...words: string[]): void => {
  const { error, status } = spawnSync(command, words, { stdio: 'ignore' });
  if (error || status !== 0) context.skip(`\`${[command, ...words].join(' ')}\` does not run on this machine`);
};
