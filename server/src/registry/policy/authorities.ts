import type { AssigningAuthority, AuthorityMode } from '../../domain/authorities.ts';
import type { Issue, Refusal } from '../../domain/errors.ts';
import type { Identifier, RecordIdentifier } from '../../domain/identity.ts';
import type { Client } from '../../domain/principals.ts';
import { refuse } from '../../fhir/refusal.ts';

export interface Authorities {
  readonly mode: AuthorityMode;
  find(system: string): AssigningAuthority | undefined;
  /** Systems in which the client's identifiers name records, in the order configured. */
  ownSystems(client: string): readonly string[];
}

/** Configured authorities, and those that a client's registration owns. */
export function createAuthorities(
  configured: readonly AssigningAuthority[],
  clients: readonly Client[],
  mode: AuthorityMode,
): Authorities {
  const byUri = new Map<string, AssigningAuthority>();
  for (const authority of configured) byUri.set(authority.uri, authority);
  for (const client of clients) {
    for (const uri of client.systems) byUri.set(uri, { uri, kind: 'source', owner: client.name, name: client.displayName });
  }
  const mayName = (authority: AssigningAuthority, client: string): boolean =>
    authority.kind === 'source' && (authority.owner === null || authority.owner === client);
  return {
    mode,
    find: (system) => byUri.get(system),
    ownSystems: (client) => [...byUri.values()].filter((a) => mayName(a, client)).map((a) => a.uri),
  };
}

export interface Stated {
  readonly identifiers: readonly RecordIdentifier[];
  readonly warnings: readonly Issue[];
}

/**
 * What the identifiers of a client's Patient are to the registry: which of them name the record, and in which scope;
 * which the client may not state (403), which nobody knows (warning, or 422 in strict mode).
 */
export function stateIdentifiers(authorities: Authorities, client: string, identifiers: readonly Identifier[]): Stated | Refusal {
  const stated: RecordIdentifier[] = [];
  const warnings: Issue[] = [];
  for (const [index, { system, value }] of identifiers.entries()) {
    const expression = `Patient.identifier[${index}]`;
    const authority = authorities.find(system);
    if (authority === undefined) {
      const diagnostics =
        system === ''
          ? 'The identifier has no system: it cannot name a record.'
          : 'The identifier is of a system that this registry does not know: it is kept, and names no record.';
      if (authorities.mode === 'strict') return refuse('business-rule', diagnostics.replace(/: it .*/, '.'), expression);
      warnings.push({ severity: 'warning', diagnostics, expression });
    }
    if (authority?.kind === 'source' && authority.owner !== null && authority.owner !== client) {
      return refuse('forbidden', `Only ${authority.owner} may state identifiers of ${system}.`, expression);
    }
    const names = authority?.kind === 'source' && value !== '';
    stated.push({ system, value, names, scope: names && authority.owner === null ? client : '' });
  }
  return { identifiers: stated, warnings };
}
