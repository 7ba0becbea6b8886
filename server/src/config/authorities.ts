import { type AssigningAuthority, plainAuthority } from '../domain/authorities.ts';
import type { Client } from '../domain/principals.ts';
import type { ConfigDocument } from './schema.ts';

interface Claim extends AssigningAuthority {
  /** The field that makes it. */
  readonly field: string;
}

const asList = (uri: string | readonly string[]): readonly string[] => (typeof uri === 'string' ? [uri] : uri);

type Listed = ConfigDocument['authorities']['list'][number];

/** As systems of identifiers are written (FHIR R4 datatypes.html#oid). */
const asUrn = (oid: string): string => `urn:oid:${oid.replace(/^urn:oid:/, '')}`;

const otherNamesOf = ({ oid = [], aliases }: Listed): readonly string[] => [...asList(oid).map(asUrn), ...aliases];

/** What OpenCR 1.x's `systems` says; `internalid` apart, since it only says that any client may state them. */
function systemClaims(document: ConfigDocument): readonly Claim[] {
  const { CRBaseURI: _base, brokenMatch: _broken, internalid: _internal, ...named } = document.systems;
  const clients = document.clients?.map((client) => client.id);
  return Object.entries(named).flatMap(([name, system]) => {
    // 1.x gives a display name to what it only shows; the seed-era files give each client its system, and no `clients`.
    const isShared = name === 'nationalid' || name === 'artnumber' || system.displayName !== undefined;
    const owned = clients === undefined ? !isShared : clients.includes(name);
    return asList(system.uri).map((uri) => ({
      field: `systems.${name}.uri`,
      ...plainAuthority({
        uri,
        kind: owned ? 'source' : 'shared',
        owner: owned ? name : null,
        name: system.displayName ?? null,
      }),
    }));
  });
}

function claims(document: ConfigDocument): readonly Claim[] {
  return [
    ...document.authorities.list.map((authority, index) => ({
      field: `authorities.list[${index}]`,
      uri: authority.uri,
      aliases: [...new Set(otherNamesOf(authority))].filter((name) => name !== authority.uri),
      kind: authority.kind,
      owner: authority.owner ?? null,
      name: authority.name ?? null,
      format: authority.format ?? null,
      checkDigit: authority.checkDigit ?? null,
      enforce: authority.enforce ?? null,
      active: authority.active,
    })),
    ...(document.clients ?? []).flatMap((client, index) =>
      client.systems.map((uri) => ({
        field: `clients[${index}].systems`,
        ...plainAuthority({ uri, kind: 'source', owner: client.id, name: client.displayName ?? null }),
      })),
    ),
    ...systemClaims(document),
  ];
}

const described = (claim: Claim): string =>
  claim.kind === 'shared' ? 'shared' : claim.owner === null ? 'a source of every client' : `a source of ${claim.owner}`;

export interface Parties {
  readonly authorities: readonly AssigningAuthority[];
  readonly clients: readonly Client[];
  readonly complaints: readonly string[];
  readonly warnings: readonly string[];
}

/** Registered clients: those listed; where a seed-era file lists none, those whose systems it names. */
function registered(document: ConfigDocument, authorities: readonly AssigningAuthority[]): readonly Client[] {
  const owners = [...new Set(systemClaims(document).flatMap((claim) => claim.owner ?? []))];
  const listed = document.clients ?? owners.map((id) => ({ id, displayName: id, scopes: [] }));
  return listed.map(({ id, displayName, scopes }) => ({
    name: id,
    displayName: displayName ?? id,
    systems: authorities.filter((authority) => authority.owner === id).map((authority) => authority.uri),
    scopes: [...new Set(scopes)],
    disabled: false,
  }));
}

/** Whose name each name of a domain is, and complaints about those that are given to two domains, or twice to one. */
function nameDomains(list: readonly Listed[]) {
  const domains = new Map<string, { readonly uri: string; readonly field: string }>();
  const complaints: string[] = [];
  const entries = list.map((authority, index) => ({ authority, field: `authorities.list[${index}]` }));
  for (const { authority, field } of entries) {
    const other = domains.get(authority.uri);
    if (other) complaints.push(`${field}.uri: ${authority.uri} is listed already, at ${other.field}`);
    else domains.set(authority.uri, { uri: authority.uri, field });
  }
  for (const { authority, field } of entries) {
    for (const name of otherNamesOf(authority)) {
      const other = domains.get(name);
      if (other?.field === field) complaints.push(`${field}: names ${name} twice`);
      else if (other) complaints.push(`${field}: makes ${name} another name of ${authority.uri}, but ${other.field} has it`);
      else domains.set(name, { uri: authority.uri, field });
    }
  }
  return { uriOf: (name: string): string => domains.get(name)?.uri ?? name, complaints };
}

/** The strongest claim on each domain, and complaints about those that contradict an earlier one. */
function settle(all: readonly Claim[]) {
  const byUri = new Map<string, Claim>();
  const complaints = all.flatMap((claim) => {
    const first = byUri.get(claim.uri) ?? claim;
    byUri.set(claim.uri, { ...first, name: first.name ?? claim.name });
    if (claim.kind === 'shared' && claim.owner !== null) return [`${claim.field}.owner: a shared authority has no owner`];
    const agree = first.kind === claim.kind && first.owner === claim.owner;
    return agree
      ? []
      : [`${claim.field}: makes ${claim.uri} ${described(claim)}, but ${first.field} makes it ${described(first)}`];
  });
  return { byUri, complaints };
}

const repeated = (clients: readonly Client[]): readonly string[] =>
  clients.flatMap(({ name }, index) =>
    clients.findIndex((other) => other.name === name) < index ? [`clients[${index}].id: ${name} is listed twice`] : [],
  );

/**
 * Who may state which identifiers (design §8): `authorities.list`, `clients[].systems` and 1.x's `systems` together.
 * They may repeat but not contradict one another; each of them overrides a mention in `systems.internalid`. Where one of
 * these sections is itself `unsound`, no complaint is made about how they fit.
 */
export function resolveParties(document: ConfigDocument, unsound: ReadonlySet<string>): Parties {
  const { uriOf, complaints: ofNames } = nameDomains(document.authorities.list);
  const { byUri, complaints } = settle(claims(document).map((claim) => ({ ...claim, uri: uriOf(claim.uri) })));
  const internal = document.systems['internalid'];
  const ownerless = asList(internal?.uri ?? [])
    .map(uriOf)
    .filter((uri) => !byUri.has(uri));
  const authorities = [
    ...[...byUri.values()].map(({ field: _field, ...authority }) => authority),
    ...[...new Set(ownerless)].map((uri) =>
      plainAuthority({ uri, kind: 'source', owner: null, name: internal?.displayName ?? null }),
    ),
  ];
  const clients = registered(document, authorities);
  const warnings = document.authorities.list.flatMap(({ owner }, index) =>
    owner === undefined || clients.some((client) => client.name === owner)
      ? []
      : [`authorities.list[${index}].owner: ${owner} is not among the clients of the configuration`],
  );
  const sound = !['authorities', 'clients', 'systems'].some((section) => unsound.has(section));
  return { authorities, clients, complaints: sound ? [...ofNames, ...complaints, ...repeated(clients)] : [], warnings };
}
