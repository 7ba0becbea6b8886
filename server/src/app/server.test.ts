import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolder } from '../../test/support/data-folder.ts';
import { patient } from '../../test/http/people.ts';
import { startRegistry } from '../../test/support/registry-server.ts';

const SYSTEM = 'http://production.example.org/mrn';

test('a system has one owner, also where the command line read another configuration than the server', async () => {
  const registry = await startRegistry({
    config: { clients: [{ id: 'openmrs', systems: [SYSTEM] }, { id: 'lims' }] },
  });
  const taking = { clients: [{ name: 'lims', displayName: 'lims', systems: [SYSTEM], scopes: [], disabled: false }] };
  const change = { what: 'clients add lims', certificates: [], revocations: [], passwords: [], ...taking };
  await expect(registry.administer((administration) => administration.administer(change))).rejects.toThrow(
    `${SYSTEM} is owned by openmrs`,
  );
  const body = { ...patient('openmrs', '1'), identifier: [{ system: SYSTEM, value: '1' }] };
  expect((await registry.send('POST', '/fhir/Patient', { body, client: 'lims' })).status).toBe(403);
  expect((await registry.send('POST', '/fhir/Patient', { body })).status).toBe(201);
  await registry.stop();
});

test('of two commands that give one system at once, one is refused', async () => {
  const registry = await startRegistry();
  const give = (name: string) =>
    registry.administer((administration) =>
      administration.administer({
        what: `clients add ${name}`,
        clients: [{ name, displayName: name, systems: [SYSTEM], scopes: [], disabled: false }],
        certificates: [],
        revocations: [],
        passwords: [],
      }),
    );
  const outcomes = await Promise.allSettled([give('lab'), give('clinic')]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await registry.stop();
});

test('a server whose access log cannot go on ends: it could answer nobody', async () => {
  const dataDir = dataFolder();
  writeFileSync(join(dataDir, 'access.sqlite'), 'this is no database at all'.repeat(400));
  const registry = await startRegistry({ dataDir });
  expect((await registry.server.died).message).toContain('The access log cannot go on');
  await registry.stop();
});
