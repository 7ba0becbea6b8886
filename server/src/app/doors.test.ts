import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolder } from '../../test/support/data-folder.ts';
import { run } from '../cli/run.ts';
import { createDoors } from './doors.ts';
import { projectRoot } from './project.ts';

const CONFIG = ['--config', join(projectRoot, 'config', 'config_development.json')];

async function command(...argv: readonly string[]) {
  const said: string[] = [];
  const io = { out: (line: string) => void said.push(line), err: (line: string) => void said.push(line) };
  return { code: await run(argv, io, createDoors(io)), said: said.join('\n') };
}

test.each(['clients list', 'clients disable lims', 'certs list', 'certs revoke lims'])(
  '%s on a folder that is not there says so and makes none',
  async (words) => {
    const data = join(dataFolder(), 'typo');
    const { code, said } = await command(...words.split(' '), '--data', data);
    expect([code, said]).toEqual([1, `There is no data folder of a registry at ${data}.`]);
    expect(existsSync(data)).toBe(false);
  },
);

test('clients add makes the data folder, which the other commands then find', async () => {
  const data = join(dataFolder(), 'new');
  expect((await command('clients', 'add', 'lab', '--data', data, ...CONFIG)).code).toBe(0);
  expect((await command('clients', 'list', '--data', data, ...CONFIG)).said).toContain('lab');
});

test('a start on a taken port says so before it writes any certificate', async () => {
  const data = dataFolder();
  const other = createServer().listen(0, '0.0.0.0');
  await once(other, 'listening');
  const port = String((other.address() as AddressInfo).port);
  const { code, said } = await command('start', '--data', data, '--port', port, '--admin-port', '0', ...CONFIG);
  other.close();
  expect([code, said]).toEqual([1, `Port ${port} on 0.0.0.0 is taken: choose another with --port.`]);
  expect(readdirSync(data).filter((name) => name !== 'lock.sqlite')).toEqual([]);
});

test('a server whose output nobody reads any more still finishes when it is asked to end', async () => {
  const data = dataFolder();
  await command('certs', 'init', '--data', data, '--development');
  const main = join(projectRoot, 'server', 'src', 'main.ts');
  const argv = [main, 'serve', '--data', data, '--port', '0', '--admin-port', '0', ...CONFIG];
  const server = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(server.stdout, 'data');
  server.stdout.destroy();
  server.kill('SIGTERM');
  expect(await once(server, 'exit')).toEqual([0, null]);
  expect(existsSync(join(data, 'lock.json'))).toBe(false);
});
