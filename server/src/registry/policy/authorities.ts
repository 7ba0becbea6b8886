import { type AssigningAuthority, type AuthorityMode, plainAuthority } from '../../domain/authorities.ts';
import type { Issue, Refusal } from '../../domain/errors.ts';
import type { Identifier, RecordIdentifier } from '../../domain/identity.ts';
import type { Client } from '../../domain/principals.ts';
import { type PlacedIdentifier, withSystems } from '../../fhir/identifiers.ts';
import { type ValueCheck, valueCheck } from '../../fhir/identifier-values.ts';
import { refuse } from '../../fhir/refusal.ts';

/** The table of assigning authorities. A domain may have several names (an OID, URLs): each of them finds it. */
export interface Authorities {
  readonly mode: AuthorityMode;
  find(system: string): AssigningAuthority | undefined;
  /** The name of its domain in answers; a system that nobody configured is its own. */
  canonical(system: string): string;
  /** Every name of its domain, the one in answers first. */
  namesOf(system: string): readonly string[];
  /** Names of domains that are not the one in answers. */
  readonly aliases: readonly string[];
  /** Of values of the authority; undefined where it asks for no form. */
  checkOf(authority: AssigningAuthority): ValueCheck | undefined;
  /** Systems in which the client's identifiers name records, in the order configured. */
  ownSystems(client: string): readonly string[];
}

/** What a client's registration owns, laid over what is configured. */
function ownedToo(
  byUri: Map<string, AssigningAuthority>,
  canonical: (system: string) => string,
  clients: readonly Client[],
): void {
  for (const { name: owner, displayName, systems } of clients) {
    for (const uri of systems.map(canonical)) {
      const known = byUri.get(uri) ?? plainAuthority({ uri, kind: 'source', owner, name: null });
      byUri.set(uri, { ...known, kind: 'source', owner, name: known.name ?? displayName });
    }
  }
}

/** Configured authorities, and those that a client's registration owns. */
export function createAuthorities(
  configured: readonly AssigningAuthority[],
  clients: readonly Client[],
  mode: AuthorityMode,
): Authorities {
  const byUri = new Map<string, AssigningAuthority>();
  const uriOf = new Map<string, string>();
  for (const authority of configured) {
    byUri.set(authority.uri, authority);
    for (const alias of authority.aliases) uriOf.set(alias, authority.uri);
  }
  const canonical = (system: string): string => uriOf.get(system) ?? system;
  ownedToo(byUri, canonical, clients);
  const checks = new Map([...byUri.values()].map((authority) => [authority.uri, valueCheck(authority)]));
  const find = (system: string): AssigningAuthority | undefined => byUri.get(canonical(system));
  const mayName = (authority: AssigningAuthority, client: string): boolean =>
    authority.kind === 'source' && (authority.owner === null || authority.owner === client);
  return {
    mode,
    find,
    canonical,
    namesOf: (system) => [canonical(system), ...(find(system)?.aliases ?? [])],
    aliases: [...uriOf.keys()],
    checkOf: ({ uri }) => checks.get(uri),
    ownSystems: (client) => [...byUri.values()].filter((a) => mayName(a, client)).map((a) => a.uri),
  };
}

/** The identifier under the name that its domain has in answers. */
export const canonicalIdentifier = <T extends Identifier>({ canonical }: Authorities, identifier: T): T => ({
  ...identifier,
  system: canonical(identifier.system),
});

/** A stored Patient as answers show it; most hold no other name, and are not read for it. */
export const canonicalContent = ({ aliases, canonical }: Authorities, resource: string): string =>
  aliases.some((alias) => resource.includes(JSON.stringify(alias))) ? withSystems(resource, canonical) : resource;

export interface Stated {
  /** Under the names that their domains have in answers, each once. */
  readonly identifiers: readonly RecordIdentifier[];
  readonly warnings: readonly Issue[];
}

/** What may be wrong with an identifier; `enforced`: it is refused for it. */
interface Objection {
  readonly words: string;
  readonly enforced: boolean;
}

const UNKNOWN = 'The identifier is of a system that this registry does not know';
const NAMELESS = 'The identifier has no system';

/** Of an identifier that the client may state. */
function objectionTo(authorities: Authorities, { system, value }: Identifier): Objection | undefined {
  const strict = authorities.mode === 'strict';
  const authority = authorities.find(system);
  if (authority === undefined) {
    const kept = system === '' ? `${NAMELESS}: it cannot name a record.` : `${UNKNOWN}: it is kept, and names no record.`;
    return { words: strict ? `${system === '' ? NAMELESS : UNKNOWN}.` : kept, enforced: strict };
  }
  const wrong = authority.active ? authorities.checkOf(authority)?.(value) : 'its system gives none any more';
  const enforced = authority.enforce ?? strict;
  return wrong === undefined ? undefined : { words: `The identifier is odd: ${wrong} (${authority.uri}).`, enforced };
}

/**
 * What the identifiers of a client's Patient are to the registry: which of them name the record, and in which scope;
 * which the client may not state (403), which nobody knows or have not the form of their authority (warning, or 422).
 */
export function stateIdentifiers(
  authorities: Authorities,
  client: string,
  identifiers: readonly PlacedIdentifier[],
): Stated | Refusal {
  const stated = new Map<string, RecordIdentifier>();
  const warnings: Issue[] = [];
  for (const { place, ...sent } of identifiers) {
    const expression = `Patient.identifier[${place}]`;
    const authority = authorities.find(sent.system);
    if (authority?.kind === 'source' && authority.owner !== null && authority.owner !== client) {
      return refuse('forbidden', `Only ${authority.owner} may state identifiers of ${authority.uri}.`, expression);
    }
    const objection = objectionTo(authorities, sent);
    if (objection?.enforced) return refuse('business-rule', objection.words, expression);
    if (objection) warnings.push({ severity: 'warning', diagnostics: objection.words, expression });
    const names = authority?.kind === 'source' && sent.value !== '';
    const { system, value } = canonicalIdentifier(authorities, sent);
    const scope = names && authority.owner === null ? client : '';
    stated.set(JSON.stringify([system, value]), { system, value, names, scope });
  }
  return { identifiers: [...stated.values()], warnings };
}
