import { parseArgs } from 'node:util';
import { RegistryError } from '../domain/errors.ts';
import { type Scope, SCOPES } from '../domain/principals.ts';
import type { Administration } from './administration.ts';
import { type CertificateMaker, issueCertificate, listCertificates, revokeCertificates } from './certs.ts';
import { addClient, disableClient, listClients } from './clients.ts';
import { type PasswordMaker, type PasswordSource, setPassword } from './passwords.ts';
import { EXIT, type ExitCode, type Io, sayIssues } from './io.ts';

export interface ServeOptions {
  readonly data: string;
  readonly config: string | undefined;
  readonly rules: string | undefined;
  readonly port: string | undefined;
  readonly adminPort: string | undefined;
}

export interface RematchOptions {
  readonly data: string;
  readonly config: string | undefined;
  readonly rules: string | undefined;
  readonly preview: boolean;
}

export interface SelftestOptions {
  readonly config: string | undefined;
  readonly rules: string | undefined;
  /** Beginnings of rows, as `REST`; empty: all. */
  readonly profiles: readonly string[];
  readonly json: boolean;
  /** Where the report goes as Markdown. */
  readonly report: string | undefined;
}

export interface ImportOptions {
  readonly file: string;
  readonly data: string;
  readonly config: string | undefined;
  readonly rules: string | undefined;
  readonly mapping: string | undefined;
  readonly client: string | undefined;
  readonly dryRun: boolean;
}

/** What the commands need of the rest of the program; `app.ts` gives it. */
export interface Doors {
  /** Data folder of `start` where none is named. */
  readonly defaultData: string;
  now(): string;
  serve(io: Io, options: ServeOptions): Promise<ExitCode>;
  /** Development set-up (certificates, the mission's paths), then `serve`. */
  start(io: Io, options: ServeOptions): Promise<ExitCode>;
  initCertificates(io: Io, data: string, development: boolean): Promise<ExitCode>;
  /** @param mayMake Whether a data folder that is not there yet is made; else it is refused as `not-found`. */
  openAdministration(data: string, config: string | undefined, mayMake: boolean): Promise<Administration>;
  certificateMaker(data: string): Promise<CertificateMaker>;
  readonly passwordMaker: PasswordMaker;
  importFile(io: Io, options: ImportOptions): Promise<ExitCode>;
  rematch(io: Io, options: RematchOptions): Promise<ExitCode>;
  exportLinks(io: Io, data: string, file: string): Promise<ExitCode>;
  verify(io: Io, data: string, head: string | undefined): Promise<ExitCode>;
  doctor(io: Io, data: string, config: string | undefined): Promise<ExitCode>;
  selftest(io: Io, options: SelftestOptions): Promise<ExitCode>;
}

const USAGE = `Usage:
  ./opencr serve --data DIR [--config FILE] [--rules FILE] [--port N] [--admin-port N]
  ./opencr certs init --data DIR [--development]
  ./opencr certs issue NAME --data DIR --out DIR
  ./opencr certs list | revoke NAME --data DIR
  ./opencr clients list | add NAME [--system URI]... [--scope audit|demographics|proxy]... | disable NAME --data DIR
  ./opencr clients password NAME --data DIR [--stdin | --remove]
  ./opencr import FILE --data DIR [--mapping FILE] [--client NAME] [--config FILE] [--rules FILE] [--dry-run]
  ./opencr rematch --data DIR [--rules FILE] [--config FILE] [--preview]
  ./opencr export links --data DIR --out FILE
  ./opencr verify --data DIR [--head HASH]
  ./opencr doctor --data DIR [--config FILE]
  ./opencr selftest [--config FILE] [--rules FILE] [--profile PREFIX]... [--json] [--report FILE]`;

class UsageError extends Error {}

const OPTIONS = {
  data: { type: 'string' },
  config: { type: 'string' },
  rules: { type: 'string' },
  port: { type: 'string' },
  'admin-port': { type: 'string' },
  out: { type: 'string' },
  head: { type: 'string' },
  system: { type: 'string', multiple: true },
  scope: { type: 'string', multiple: true },
  mapping: { type: 'string' },
  client: { type: 'string' },
  'dry-run': { type: 'boolean' },
  preview: { type: 'boolean' },
  stdin: { type: 'boolean' },
  remove: { type: 'boolean' },
  development: { type: 'boolean' },
  profile: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  report: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    // Node adds a hint on dashes that fits no command here.
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : 'The arguments are not understood.');
  }
};

/** Which options each command takes, besides its words. */
const COMMANDS: Readonly<Record<string, readonly (keyof Values)[]>> = {
  serve: ['data', 'config', 'rules', 'port', 'admin-port'],
  start: ['data', 'config', 'rules', 'port', 'admin-port'],
  'certs init': ['data', 'development'],
  'certs issue': ['data', 'config', 'out'],
  'certs list': ['data'],
  'certs revoke': ['data'],
  'clients list': ['data', 'config'],
  'clients add': ['data', 'config', 'system', 'scope'],
  'clients disable': ['data', 'config'],
  'clients password': ['data', 'config', 'stdin', 'remove'],
  import: ['data', 'config', 'rules', 'mapping', 'client', 'dry-run'],
  rematch: ['data', 'config', 'rules', 'preview'],
  'export links': ['data', 'out'],
  verify: ['data', 'head'],
  doctor: ['data', 'config'],
  selftest: ['config', 'rules', 'profile', 'json', 'report'],
};
const NAMED: Readonly<Record<string, string>> = {
  'certs issue': 'NAME',
  'certs revoke': 'NAME',
  'clients add': 'NAME',
  'clients disable': 'NAME',
  'clients password': 'NAME',
  import: 'FILE',
};

const required = (values: Values, option: 'data' | 'out'): string => {
  const value = values[option];
  if (value === undefined || value === '') throw new UsageError(`--${option} is missing.`);
  return value;
};

const scopesOf = (values: Values): readonly Scope[] =>
  (values.scope ?? []).map((scope) => {
    const known = SCOPES.find((one) => one === scope);
    if (known === undefined) throw new UsageError(`--scope is ${SCOPES.join(' or ')}, not ${scope}.`);
    return known;
  });

const passwordSource = ({ stdin = false, remove = false }: Values): PasswordSource => {
  if (stdin && remove) throw new UsageError('--stdin and --remove are two different things.');
  return stdin ? 'stdin' : remove ? 'none' : 'generated';
};

interface Asked {
  readonly command: string;
  readonly name: string;
  readonly values: Values;
}

function read(argv: readonly string[]): Asked {
  const { values, positionals } = parse(argv);
  const command = [positionals.slice(0, 2).join(' '), positionals[0] ?? ''].find((words) => words in COMMANDS);
  if (command === undefined)
    throw new UsageError(positionals.length === 0 ? 'No command.' : `Unknown command: ${positionals.join(' ')}`);
  const rest = positionals.slice(command.split(' ').length);
  const named = Object.hasOwn(NAMED, command) ? NAMED[command] : undefined;
  if (rest.length !== (named === undefined ? 0 : 1)) {
    throw new UsageError(named === undefined ? `${command} takes no ${rest.join(' ')}.` : `${command} takes one ${named}.`);
  }
  const strange = Object.keys(values).find((option) => !COMMANDS[command]?.some((known) => known === option));
  if (strange) throw new UsageError(`${command} takes no --${strange}.`);
  return { command, name: rest[0] ?? '', values };
}

async function administering(
  doors: Doors,
  { command, values }: Asked,
  run: (administration: Administration) => Promise<ExitCode>,
): Promise<ExitCode> {
  const administration = await doors.openAdministration(required(values, 'data'), values.config, command === 'clients add');
  try {
    return await run(administration);
  } finally {
    await administration.close();
  }
}

async function dispatch(io: Io, doors: Doors, asked: Asked): Promise<ExitCode> {
  const { command, name, values } = asked;
  if (command === 'selftest') {
    const { config, rules, profile: profiles = [], json = false, report } = values;
    return doors.selftest(io, { config, rules, profiles, json, report });
  }
  const data = command === 'start' ? (values.data ?? doors.defaultData) : required(values, 'data');
  const options = { data, config: values.config, rules: values.rules, port: values.port, adminPort: values['admin-port'] };
  switch (command) {
    case 'serve':
      return doors.serve(io, options);
    case 'start':
      return doors.start(io, options);
    case 'certs init':
      return doors.initCertificates(io, data, values.development ?? false);
    case 'certs issue': {
      const outDir = required(values, 'out');
      const maker = await doors.certificateMaker(data);
      return administering(doors, asked, (administration) => issueCertificate(io, administration, { maker, name, outDir }));
    }
    case 'certs list':
      return administering(doors, asked, (administration) => listCertificates(io, administration, doors.now()));
    case 'certs revoke':
      return administering(doors, asked, (administration) => revokeCertificates(io, administration, name, doors.now()));
    case 'clients list':
      return administering(doors, asked, (administration) => listClients(io, administration));
    case 'clients add': {
      const registration = { name, systems: values.system ?? [], scopes: scopesOf(values) };
      return administering(doors, asked, (administration) => addClient(io, administration, registration));
    }
    case 'clients disable':
      return administering(doors, asked, (administration) => disableClient(io, administration, name));
    case 'clients password': {
      const order = { maker: doors.passwordMaker, name, source: passwordSource(values) };
      return administering(doors, asked, (administration) => setPassword(io, administration, order));
    }
    case 'import': {
      const { mapping, client, config, rules } = values;
      return doors.importFile(io, { file: name, data, config, rules, mapping, client, dryRun: values['dry-run'] ?? false });
    }
    case 'rematch':
      return doors.rematch(io, { data, config: values.config, rules: values.rules, preview: values.preview ?? false });
    case 'export links':
      return doors.exportLinks(io, data, required(values, 'out'));
    case 'verify':
      if (values.head === '') throw new UsageError('--head is a hash.');
      return doors.verify(io, data, values.head);
    case 'doctor':
      return doors.doctor(io, data, values.config);
    default:
      throw new UsageError(`Unknown command: ${command}`);
  }
}

const fileWords: Readonly<Record<string, string>> = {
  EACCES: 'This account may not use',
  EPERM: 'This account may not use',
  EROFS: 'The disk is read-only:',
  ENOSPC: 'The disk is full:',
  ENOTDIR: 'A part of this path is not a folder:',
  EISDIR: 'This is a folder:',
  ENOENT: 'There is no',
  EEXIST: 'This is there already:',
};

/** A fault of the file system is the folder's affair, not ours. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return `Unexpected: ${String(error)}`;
  const code = 'code' in error ? String(error.code) : '';
  const path = 'path' in error ? String(error.path) : 'a file';
  if (Object.hasOwn(fileWords, code)) return `${fileWords[code]} ${path}`;
  if (code === 'SQLITE_CANTOPEN') return 'The store cannot be opened: this account may not use the data folder.';
  return `Unexpected: ${error.message}`;
}

/** Runs one command line; whatever is wrong is a sentence on `err`, never a stack trace. */
export async function run(argv: readonly string[], io: Io, doors: Doors): Promise<ExitCode> {
  if (argv.length === 0 || argv.includes('--help') || argv.includes('-h')) {
    (argv.length === 0 ? io.err : io.out)(USAGE);
    return argv.length === 0 ? EXIT.usage : EXIT.done;
  }
  try {
    return await dispatch(io, doors, read(argv));
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(error.message);
      io.err(USAGE);
      return EXIT.usage;
    }
    if (error instanceof RegistryError) sayIssues(io, error.issues);
    else io.err(inWords(error));
    return EXIT.failed;
  }
}
