import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { lockDataFolder } from './lock.ts';

const LOCK = new URL('./lock.ts', import.meta.url).href;

const holdElsewhere = async (dir: string) => {
  const source = `import { lockDataFolder } from ${JSON.stringify(LOCK)};
    lockDataFolder(process.argv[1], 'opencr serve'); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(child.stdout), 'line');
  return child;
};

test('whoever comes second is told the command and process that hold the data folder', () => {
  const dir = dataFolder();
  const lock = lockDataFolder(dir, 'opencr serve');
  const since = '[0-9T:.Z-]+';
  expect(() => lockDataFolder(dir, 'opencr export')).toThrow(
    new RegExp(`^The data folder .* is in use by "opencr serve" \\(process ${process.pid}, since ${since}\\)\\.$`),
  );
  lock.release();
});

test('a released data folder can be taken again', () => {
  const dir = dataFolder();
  lockDataFolder(dir, 'first').release();
  lockDataFolder(dir, 'second').release();
});

test('the lock dies with its process, even by kill -9', async () => {
  const dir = dataFolder();
  const holder = await holdElsewhere(dir);
  expect(() => lockDataFolder(dir, 'opencr verify')).toThrow(`"opencr serve" (process ${holder.pid}`);
  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  await ended;
  lockDataFolder(dir, 'opencr verify').release();
});
