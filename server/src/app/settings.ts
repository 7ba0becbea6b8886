import { checkPath } from '../fhir/feature-paths.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Flags } from '../config/overrides.ts';
import { EXIT, type ExitCode, type Io } from '../cli/io.ts';
import { projectRoot } from './project.ts';

/** The configuration and the rules that are in force; every complaint is said at once, with exit code 2. */
export function readSettings(io: Io, flags: Flags): LoadedConfig | ExitCode {
  const loaded = loadConfig({ root: projectRoot, cwd: process.cwd(), env: process.env, flags, checkPath });
  if (loaded.kind === 'loaded') return loaded;
  for (const complaint of loaded.complaints) io.err(complaint);
  return EXIT.usage;
}
