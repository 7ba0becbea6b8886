import { type KnownPeers, knownPeers, type Trust } from '../adapters/identity/peer.ts';
import type { AssigningAuthority, AuthorityMode } from '../domain/authorities.ts';
import type { Client } from '../domain/principals.ts';
import { type Authorities, createAuthorities } from '../registry/policy/authorities.ts';
import type { Reader } from '../registry/ports.ts';

/** What the ledger recorded of a client comes on top of what the configuration gives it; the configuration names it for people. */
const onTop = (configured: Client, recorded: Client): Client => ({
  ...recorded,
  displayName: configured.displayName,
  systems: [...new Set([...configured.systems, ...recorded.systems])],
  scopes: [...new Set([...configured.scopes, ...recorded.scopes])].sort(),
});

/** Clients of the configuration and of the ledger; the ledger alone says who is disabled. */
export function effectiveClients(configured: readonly Client[], recorded: readonly Client[]): readonly Client[] {
  const clients = new Map(configured.map((client) => [client.name, client]));
  for (const client of recorded) {
    const before = clients.get(client.name);
    clients.set(client.name, before ? onTop(before, client) : client);
  }
  return [...clients.values()];
}

/** Who may call and what they own, as of the last change: read at every request, made again when an administrator changes it. */
export interface Registered {
  readonly peers: KnownPeers;
  readonly authorities: Authorities;
  /** PHC strings by client. */
  readonly passwords: ReadonlyMap<string, string>;
  displayName(client: string): string;
  refresh(): Promise<void>;
}

export async function readRegistered(
  reader: Reader,
  settings: {
    readonly trust: Trust;
    readonly clients: readonly Client[];
    readonly authorities: readonly AssigningAuthority[];
    readonly mode: AuthorityMode;
  },
): Promise<Registered> {
  const read = async () => {
    const clients = effectiveClients(settings.clients, await reader.clients());
    const certificates = await reader.certificates();
    const revocations = await reader.revocations();
    const passwords = (await reader.passwords()).flatMap(({ client, hash }) => (hash === null ? [] : [[client, hash] as const]));
    return {
      passwords: new Map(passwords),
      peers: knownPeers(settings.trust, { clients, certificates, revocations }),
      authorities: createAuthorities(settings.authorities, clients, settings.mode),
    };
  };
  let now = await read();
  return {
    get peers() {
      return now.peers;
    },
    get authorities() {
      return now.authorities;
    },
    get passwords() {
      return now.passwords;
    },
    displayName: (client) => now.peers.clients.get(client)?.displayName ?? '',
    async refresh() {
      now = await read();
    },
  };
}
