import { createHash } from 'node:crypto';
import { join, relative, resolve, dirname } from 'node:path';
import { complaintsOf, fieldPath } from '../rules/complaints.ts';
import { isObject } from '../rules/json.ts';
import { readRules, type RuleSet, type RulesRead } from '../rules/read-rules.ts';
import { type Parties, resolveParties } from './authorities.ts';
import { crossComplaints, crossWarnings } from './checks.ts';
import type { Config } from './config.ts';
import { readJsonFile, type JsonFile } from './json-file.ts';
import { environmentOverrides, flagOverrides, withValue, type Flags, type Override } from './overrides.ts';
import { resolveConfig } from './resolve.ts';
import { isOpencr1, retiredWarnings } from './retired.ts';
import { configSchema, type ConfigDocument } from './schema.ts';

export interface LoadOptions {
  /** The project's folder, which holds `config/`. */
  readonly root: string;
  /** Where relative paths on the command line start. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: Flags;
  /** Why a text is no FHIRPath expression; undefined where it is one. */
  readonly checkPath: (path: string) => string | undefined;
}

export interface LoadedConfig {
  readonly kind: 'loaded';
  readonly config: Config;
  readonly ruleSet: RuleSet;
  /** The files read. */
  readonly files: { readonly config: string; readonly rules: string };
  /** Fields that did not come from the file, and what gave them: `app.port` → `environment app__port`. */
  readonly sources: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

export type Loaded = LoadedConfig | { readonly kind: 'refused'; readonly complaints: readonly string[] };

const refused = (...complaints: readonly string[]): Loaded => ({ kind: 'refused', complaints });

/** `--config`, else `config/config_<NODE_ENV>.json` as OpenCR 1.x, `development` when NODE_ENV is not set. */
function configFile({ root, cwd, env, flags }: LoadOptions): string {
  if (flags.config !== undefined) return resolve(cwd, flags.config);
  const environment = (env['NODE_ENV'] || 'development').replace(/[^\w-]/g, '_');
  return join(root, 'config', `config_${environment}.json`);
}

const displayName = (path: string, { cwd }: LoadOptions): string => {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
};

const applied = (file: unknown, overrides: readonly Override[]): unknown =>
  overrides.reduce((document, { path, value }) => withValue(document, path, value), file);

interface Checked {
  /** With sections that the schema refused left out, so that the rest can be checked too. */
  readonly document: ConfigDocument;
  readonly unsound: ReadonlySet<string>;
  readonly complaints: readonly string[];
}

function check(input: unknown, sources: Readonly<Record<string, string>>): Checked {
  const found = complaintsOf(configSchema, input);
  const unsound = new Set(found.map(({ path }) => String(path[0])));
  const members = isObject(input) ? Object.entries(input).filter(([section]) => !unsound.has(section)) : [];
  const document = configSchema.parse(Object.fromEntries(members));
  const structural = found.map(({ path, text }) => {
    const field = fieldPath(path);
    const source = Object.keys(sources).find((given) => field === given || field.startsWith(`${given}[`));
    return `${field === '' ? 'the configuration' : field}: ${text}${source === undefined ? '' : ` (${sources[source]})`}`;
  });
  return { document, unsound, complaints: [...structural, ...crossComplaints(document, unsound)] };
}

interface RulesFile {
  readonly path: string;
  readonly read: JsonFile;
}

/** `--rules`, else `rules` in the configuration, else `config/decisionRules.json`. */
function rulesFile(document: ConfigDocument, config: string, options: LoadOptions): RulesFile {
  const { flags, root, cwd } = options;
  if (flags.rules === undefined && document.rules !== undefined) {
    return { path: config, read: { kind: 'read', value: { rules: document.rules } } };
  }
  const path = flags.rules === undefined ? join(root, 'config', 'decisionRules.json') : resolve(cwd, flags.rules);
  return { path, read: readJsonFile(path, displayName(path, options)) };
}

const knownSystems = (document: ConfigDocument): ReadonlySet<string> =>
  new Set([
    ...Object.entries(document.systems).flatMap(([name, system]) =>
      typeof system === 'string' ? [] : [name, system.uri].flat(),
    ),
    ...document.authorities.list.flatMap(({ uri, aliases, name }) => [uri, ...aliases, name ?? uri]),
    ...(document.clients ?? []).flatMap(({ id, systems }) => [id, ...systems]),
  ]);

/** What the decision rules are read with. */
interface Reading {
  readonly document: ConfigDocument;
  readonly parties: Parties;
  readonly options: LoadOptions;
}

function readRulesOf({ path, read }: RulesFile, { document, parties, options }: Reading): RulesRead {
  if (read.kind === 'wrong') return { kind: 'refused', complaints: [read.complaint] };
  return readRules(read.value, {
    fileName: displayName(path, options),
    systems: knownSystems(document),
    domains: parties.authorities.filter(({ aliases }) => aliases.length > 0).map(({ uri, aliases }) => [uri, ...aliases]),
    checkPath: options.checkPath,
    hash: (text) => createHash('sha256').update(text).digest('hex'),
  });
}

/**
 * The effective configuration and the compiled decision rules: the file, over it the environment, over it the command
 * line. Complains about everything that is wrong in either at once, each complaint naming its field and never its value.
 */
export function loadConfig(options: LoadOptions): Loaded {
  const path = configFile(options);
  const file = readJsonFile(path, displayName(path, options));
  if (file.kind === 'wrong')
    return refused(file.complaint + (options.flags.config === undefined ? '; --config names another file' : ''));
  const overrides = [...environmentOverrides(options.env), ...flagOverrides(options.flags)];
  const sources = Object.fromEntries(overrides.map((override) => [fieldPath(override.path), override.source]));
  const input = applied(file.value, overrides);
  const { document, unsound, complaints } = check(input, sources);
  const parties = resolveParties(document, unsound);
  const rules = rulesFile(document, path, options);
  const rulesRead = readRulesOf(rules, { document, parties, options });
  const all = [...complaints, ...parties.complaints, ...(rulesRead.kind === 'refused' ? rulesRead.complaints : [])];
  if (all.length > 0 || rulesRead.kind === 'refused') return refused(...all);
  return {
    kind: 'loaded',
    config: resolveConfig(document, { parties, folder: dirname(path), isOpencr1: isOpencr1(file.value) }),
    ruleSet: rulesRead.ruleSet,
    files: { config: path, rules: rules.path },
    sources,
    warnings: [...retiredWarnings(input), ...crossWarnings(document), ...parties.warnings, ...rulesRead.warnings],
  };
}
