import { join } from 'node:path';
import { type LoadedConfig, loadConfig } from '../../server/src/config/load.ts';
import { checkPath } from '../../server/src/fhir/feature-paths.ts';
import { root } from '../../server/test/real/server-process.ts';

/** The default configuration and the shipped rules: what a server started without a word has. */
export function defaultSettings(): LoadedConfig {
  const flags = { config: join(root, 'config', 'config_development.json') };
  const settings = loadConfig({ root, cwd: root, env: {}, flags, checkPath });
  if (settings.kind === 'refused') throw new Error(settings.complaints.join('\n'));
  return settings;
}
