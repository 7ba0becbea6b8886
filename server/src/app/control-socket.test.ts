import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolder } from '../../test/support/data-folder.ts';
import { changeOf } from '../cli/clients.ts';
import { RegistryError } from '../domain/errors.ts';
import { askServer, askServerToLoad, type Controlled, openControlSocket } from './control-socket.ts';

const CHANGE = changeOf('clients add lims', {});

const nothing: Controlled = { administer: () => Promise.resolve(), load: () => Promise.resolve([]) };

test('a change is handed over, and its refusal comes back in words', async () => {
  const dir = dataFolder();
  const asked: unknown[] = [];
  const socket = await openControlSocket(dir, {
    ...nothing,
    administer: (change) => {
      asked.push(change);
      return asked.length === 1 ? Promise.resolve() : Promise.reject(new RegistryError('conflict', 'It is owned by openmrs.'));
    },
  });
  await askServer(dir, CHANGE);
  expect(asked).toEqual([CHANGE]);
  await expect(askServer(dir, CHANGE)).rejects.toThrow('It is owned by openmrs.');
  socket.close();
});

test('Patients are handed over, and an outcome for each comes back', async () => {
  const dir = dataFolder();
  const loading = { client: 'lims', patients: [{ resourceType: 'Patient' }, {}], what: 'import people.csv' };
  const outcomes = [{ status: 'created' as const }, { status: 'refused' as const, reason: 'It is no Patient.' }];
  const socket = await openControlSocket(dir, {
    ...nothing,
    load: (asked) => Promise.resolve(JSON.stringify(asked) === JSON.stringify(loading) ? outcomes : []),
  });
  expect(await askServerToLoad(dir, loading)).toEqual(outcomes);
  socket.close();
});

test('a socket that a killed server left behind is answered for in a sentence', async () => {
  const dir = dataFolder();
  writeFileSync(join(dir, 'control.sock'), '');
  await expect(askServer(dir, CHANGE)).rejects.toThrow('does not answer yet; try again');
});

test('whoever connected and asked nothing is hung up on when the server ends', async () => {
  const dir = dataFolder();
  const socket = await openControlSocket(dir, nothing);
  const silent = createConnection(join(dir, 'control.sock'));
  await once(silent, 'connect');
  // The server has accepted it once it has answered a later one.
  await askServer(dir, CHANGE);
  socket.close();
  await once(silent.resume(), 'close');
});
