/** What `doctor` says of the assigning authorities: who owns them, and the identifiers that are stored of them. Never a value. */
import { type IdentifierScan, openIdentifierScan } from '../adapters/sql/identifier-scan.ts';
import type { Config } from '../config/config.ts';
import type { AssigningAuthority } from '../domain/authorities.ts';
import type { Issue } from '../domain/errors.ts';
import type { Client } from '../domain/principals.ts';
import type { ValueCheck } from '../fhir/identifier-values.ts';
import { type Authorities, createAuthorities } from '../registry/policy/authorities.ts';
import { mind, ok } from './findings.ts';

/** Systems that nobody knows may be as many as clients made up. */
const MOST_TOLD = 20;
/** Characters told of a system, which may be any text. */
const LONGEST_TOLD = 200;
const PROGRESS = 1_000_000;

/** A source whose owner may not call gets no more identifiers, and nobody else may state them. */
const ownersWithout = (authorities: readonly AssigningAuthority[], clients: readonly Client[]): readonly Issue[] =>
  authorities.flatMap(({ uri, owner }) => {
    if (owner === null) return [];
    const client = clients.find(({ name }) => name === owner);
    if (client && !client.disabled) return [];
    return [
      mind(
        `${uri} is owned by ${owner}, who is ${client ? 'disabled' : 'no registered client'}: nobody may state its identifiers.`,
      ),
    ];
  });

const told = (system: string, count: number): string =>
  system === ''
    ? `Identifiers without a system: ${count}.`
    : `Identifiers of ${JSON.stringify(system.slice(0, LONGEST_TOLD))}, a system of nobody: ${count}.`;

/** Identifiers of systems that no authority names, the most first. */
function unknownOf(scan: IdentifierScan, systems: readonly string[]): readonly Issue[] {
  const counts = systems.map((system) => ({ system, count: scan.count(system) })).sort((a, b) => b.count - a.count);
  const others = counts.slice(MOST_TOLD);
  const rest = others.reduce((sum, { count }) => sum + count, 0);
  return [
    ...counts.slice(0, MOST_TOLD).map(({ system, count }) => mind(told(system, count))),
    ...(others.length === 0 ? [] : [mind(`Identifiers of ${others.length} other systems of nobody: ${rest}.`)]),
  ];
}

/** Names of one domain are counted together. */
async function oddOf(
  scan: IdentifierScan,
  { uri, systems, check }: { readonly uri: string; readonly systems: readonly string[]; readonly check: ValueCheck },
  looked: (count: number) => void,
): Promise<Issue> {
  const reasons = new Map<string, number>();
  let all = 0;
  for (const system of systems) {
    for await (const values of scan.values(system)) {
      all += values.length;
      for (const reason of values.flatMap((value) => check(value) ?? [])) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      looked(values.length);
    }
  }
  if (reasons.size === 0) return ok(`The ${all} identifiers of ${uri} have its form.`);
  return mind(`Of the ${all} identifiers of ${uri}: ${[...reasons].map(([reason, count]) => `${count}, ${reason}`).join('; ')}.`);
}

async function storedOf(
  scan: IdentifierScan,
  authorities: Authorities,
  looked: (count: number) => void,
): Promise<readonly Issue[]> {
  const systems = scan.systems();
  const domains = Map.groupBy(systems, (system) => authorities.find(system)?.uri);
  const issues: Issue[] = [...unknownOf(scan, domains.get(undefined) ?? [])];
  for (const [uri, names] of domains) {
    const authority = uri === undefined ? undefined : authorities.find(uri);
    const check = authority && authorities.checkOf(authority);
    if (authority && check) issues.push(await oddOf(scan, { uri: authority.uri, systems: names, check }, looked));
  }
  return issues;
}

/** `progress`: told now and then, where there is much to look at. */
export async function inspectAuthorities(
  dataDir: string,
  { config, clients }: { readonly config: Config; readonly clients: readonly Client[] },
  progress: (words: string) => void,
): Promise<readonly Issue[]> {
  const authorities = createAuthorities(config.authorities, clients, config.authorityMode);
  let seen = 0;
  const looked = (count: number): void => {
    if (Math.floor((seen + count) / PROGRESS) > Math.floor(seen / PROGRESS)) progress(`${seen + count} identifiers looked at.`);
    seen += count;
  };
  const scan = openIdentifierScan(dataDir);
  try {
    return [...ownersWithout(config.authorities, clients), ...(await storedOf(scan, authorities, looked))];
  } finally {
    scan.close();
  }
}
