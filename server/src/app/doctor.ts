import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspectIdentity } from '../adapters/identity/inspect.ts';
import { openStore, type Store } from '../adapters/sql/store.ts';
import { EXIT, type ExitCode, type Io } from '../cli/io.ts';
import { maskSecrets } from '../config/mask-secrets.ts';
import type { LoadedConfig } from '../config/load.ts';
import { type Issue, RegistryError } from '../domain/errors.ts';
import type { Client } from '../domain/principals.ts';
import { priceRule } from '../matching/price.ts';
import { inspectFeeds } from './audit-feeds.ts';
import { mind, ok, wrong } from './findings.ts';
import { inspectAuthorities } from './inspect-authorities.ts';
import { keysOf } from './other-doors.ts';
import { effectiveClients } from './registered.ts';
import { readSettings } from './settings.ts';

const MARKS = { error: 'WRONG ', warning: 'MIND  ', information: 'ok    ' } as const;

const rules = ({ ruleSet, files }: LoadedConfig): readonly Issue[] => [
  ok(`Decision rules ${files.rules}, version ${ruleSet.version.slice(0, 12)}.`),
  ...ruleSet.rules.map((rule) => {
    const { way, words } = priceRule(rule, ruleSet);
    return (way === 'every record' ? mind : ok)(`Rule ${rule.name}: ${words}.`);
  }),
];

function clients(all: readonly Client[], settings: LoadedConfig): readonly Issue[] {
  const disabled = all.filter((client) => client.disabled).length;
  const ownerless = settings.config.authorities.some((authority) => authority.kind === 'source' && authority.owner === null);
  const nameless = all.filter(
    ({ name, systems }) => systems.length === 0 && !ownerless && !settings.config.authorities.some(({ owner }) => owner === name),
  );
  return [
    ok(`${all.length} clients are registered, ${disabled} of them disabled.`),
    ...nameless.map(({ name }) =>
      mind(`${name} owns no system, so it cannot name a record: ./opencr clients add ${name} --system URI.`),
    ),
  ];
}

/** Passwords that no door looks at are as odd as a door for which there is none. */
async function passwords(store: Store, { config }: LoadedConfig): Promise<readonly Issue[]> {
  const { length } = await store.reader.passwords();
  const [are, have] = length === 1 ? ['client has', 'it is'] : ['clients have', 'they are'];
  if (!config.basic.enabled)
    return length === 0 ? [] : [mind(`${length} ${are} a password; ${have} not looked at, since basic.enabled is false.`)];
  return length === 0
    ? [mind('basic.enabled is true, and no client has a password: ./opencr clients password NAME gives it one.')]
    : [ok(`${length} ${are} a password.`)];
}

/** Asks each issuer of tokens for its keys, as the server will. */
const issuers = ({ config }: LoadedConfig): Promise<readonly Issue[]> =>
  Promise.all(
    config.tokens.issuers.map(async (settings) => {
      try {
        await keysOf(settings, () => undefined).refresh();
        return ok(`The keys of the issuer ${settings.issuer} were fetched.`);
      } catch (error) {
        return wrong(error instanceof Error ? error.message : `The keys of ${settings.issuer} cannot be had.`);
      }
    }),
  );

/** How many links in force were decided under older rules: they stand until their component is touched. */
async function olderLinks(store: Store, version: string): Promise<readonly Issue[]> {
  const { nextRecord, ruleVersion } = await store.ledger.head();
  let older = 0;
  for (let key = 1; key < nextRecord; key++) {
    const link = (await store.ledger.linksOf(key)).find((one) => one.until === null);
    if (link && link.ruleVersion !== version) older += 1;
  }
  return [
    ...(ruleVersion === version
      ? []
      : [mind('The store was last prepared for other rules: the next start makes its pairs again.')]),
    older === 0
      ? ok('Every link was decided under these rules.')
      : mind(`${older} links were decided under older rules; they stand until their records are touched.`),
  ];
}

async function store(io: Io, dataDir: string, settings: LoadedConfig): Promise<readonly Issue[]> {
  if (!existsSync(dataDir)) return [wrong(`There is no data folder ${dataDir}.`)];
  const free = (opened: Store): Issue => {
    const megabytes = Math.floor(opened.freeBytes() / 1024 / 1024);
    const { minFreeMb } = settings.config.store;
    return megabytes < minFreeMb
      ? wrong(`The disk has ${megabytes} MB free, fewer than the ${minFreeMb} MB below which writes are refused.`)
      : ok(`The disk has ${megabytes} MB free.`);
  };
  try {
    const opened = openStore(dataDir, { features: settings.ruleSet.features, readOnly: true });
    try {
      const head = await opened.reader.head();
      const all = effectiveClients(settings.config.clients, await opened.reader.clients());
      return [
        ok(`The store holds ${head.nextRecord - 1} records; the ledger's head is ${head.sequence}, ${head.hash}.`),
        free(opened),
        ...clients(all, settings),
        ...(await inspectAuthorities(dataDir, { config: settings.config, clients: all }, io.err)),
        ...(await passwords(opened, settings)),
        ...(await olderLinks(opened, settings.ruleSet.version)),
        ...inspectFeeds(dataDir, settings.config.audit.repositories, head.sequence),
      ];
    } finally {
      opened.close();
    }
  } catch (error) {
    if (error instanceof RegistryError)
      return [error.code === 'not-found' ? mind('There is no store yet: the first start makes one.') : wrong(error.message)];
    throw error;
  }
}

/** Nothing here can ask another clock; one that is plainly wrong breaks certificates and the audit. */
const clock = (now: Date): Issue =>
  now.getUTCFullYear() < 2026
    ? wrong(`The clock says ${now.toISOString()}: certificates and audit need the right time.`)
    : ok(`The clock says ${now.toISOString()}.`);

/** `./opencr doctor`: the effective configuration with secrets masked, then a line for each thing looked at. 1 when something is wrong. */
export async function doctor(io: Io, data: string, config: string | undefined): Promise<ExitCode> {
  const settings = readSettings(io, { config });
  if (typeof settings === 'number') return settings;
  const dataDir = resolve(data);
  const now = new Date();
  io.out(JSON.stringify(maskSecrets(settings.config), null, 2));
  for (const [field, source] of Object.entries(settings.sources)) io.out(`${field} comes from ${source}`);
  const issues = [
    ok(`Configuration ${settings.files.config}.`),
    ...settings.warnings.map(mind),
    ...(await inspectIdentity(dataDir, now)),
    ...(await store(io, dataDir, settings)),
    ...(await issuers(settings)),
    ...rules(settings),
    clock(now),
  ];
  for (const { severity, diagnostics } of issues) io.out(`${MARKS[severity]}${diagnostics}`);
  return issues.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.done;
}
