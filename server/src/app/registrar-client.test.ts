import { expect, test } from 'vitest';
import { rulesOf } from '../../test/support/story.ts';
import { dataFolder } from '../../test/support/data-folder.ts';
import type { Command } from '../registry/commands.ts';
import { type RegistrarEvents, startRegistrar } from './registrar-client.ts';

const nothing = (): void => undefined;
const EVENTS: RegistrarEvents = { progress: nothing, batch: nothing, warning: nothing, died: nothing };

const registrar = () =>
  startRegistrar(
    {
      dataDir: dataFolder(),
      rules: rulesOf('decisionRules.json'),
      limits: { batch: 8, queueLength: 10, queueAge: 1000 },
      minFreeBytes: 0,
    },
    EVENTS,
  );

const COMMAND: Command = {
  kind: 'administer',
  sender: { agent: 'operator', address: '', requestId: '' },
  what: 'nothing',
  clients: [],
  certificates: [],
  revocations: [],
};

test('a command that reaches the registrar while it closes is answered: refused, and not kept', async () => {
  const { ready, close, execute } = registrar();
  await ready;
  const closing = close();
  const late = execute(COMMAND).then(
    (result) => result.kind,
    (error: unknown) => String(error),
  );
  expect((await closing).sequence).toBe(1);
  expect(await late).toMatch(/refused|The registrar has stopped/);
  await expect(execute(COMMAND)).rejects.toThrow('The registrar has stopped');
});

test('a registrar that is told to close before it is ready ends at once', async () => {
  const { ready, close } = registrar();
  const prepared = ready.then(
    () => 'ready',
    () => 'ended',
  );
  await expect(close()).rejects.toThrow('thread ended');
  expect(await prepared).toBe('ended');
});
