import { RegistryError } from '../domain/errors.ts';
import { type Client, isClientName, type Scope } from '../domain/principals.ts';
import type { Administration, AdministrativeChange } from './administration.ts';
import { EXIT, type ExitCode, type Io, table } from './io.ts';

export const changeOf = (what: string, change: Partial<AdministrativeChange>): AdministrativeChange => ({
  clients: [],
  certificates: [],
  revocations: [],
  passwords: [],
  ...change,
  what,
});

export async function listClients(io: Io, administration: Administration): Promise<ExitCode> {
  const clients = await administration.clients();
  const rows = clients.map((c) => [
    c.name,
    c.displayName,
    c.disabled ? 'disabled' : 'enabled',
    c.scopes.join(','),
    c.systems.join(' '),
  ]);
  for (const line of table([['name', 'display name', 'state', 'scopes', 'systems'], ...rows])) io.out(line);
  return EXIT.done;
}

export interface Registration {
  readonly name: string;
  readonly systems: readonly string[];
  readonly scopes: readonly Scope[];
}

/** The client as it will be: what it has, and what is given besides; enabled. Refuses a system that another owns. */
export function registered(clients: readonly Client[], { name, systems, scopes }: Registration): Client {
  if (!isClientName(name))
    throw new RegistryError(
      'invalid-request',
      `A client's name is 1 to 64 letters, digits, dots, dashes or underscores: ${name}`,
    );
  for (const system of systems) {
    if (!URL.canParse(system)) throw new RegistryError('invalid-request', `A system is an absolute URI: ${system}`);
    const owner = clients.find((client) => client.name !== name && client.systems.includes(system));
    if (owner) throw new RegistryError('conflict', `${system} is owned by ${owner.name}: a source authority has one owner.`);
  }
  const before = clients.find((client) => client.name === name);
  return {
    name,
    displayName: before?.displayName ?? name,
    systems: [...new Set([...(before?.systems ?? []), ...systems])],
    scopes: [...new Set([...(before?.scopes ?? []), ...scopes])].sort(),
    disabled: false,
  };
}

export async function addClient(io: Io, administration: Administration, registration: Registration): Promise<ExitCode> {
  const client = registered(await administration.clients(), registration);
  await administration.administer(changeOf(`clients add ${client.name}`, { clients: [client] }));
  io.out(`${client.name} is registered.`);
  return EXIT.done;
}

export async function disableClient(io: Io, administration: Administration, name: string): Promise<ExitCode> {
  const client = (await administration.clients()).find((one) => one.name === name);
  if (!client) throw new RegistryError('not-found', `No client ${name} is registered.`);
  await administration.administer(changeOf(`clients disable ${name}`, { clients: [{ ...client, disabled: true }] }));
  io.out(`${name} is disabled: its next request is refused.`);
  return EXIT.done;
}
