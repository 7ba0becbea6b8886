import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPath } from '../fhir/feature-paths.ts';
import { loadConfig, type LoadedConfig, type LoadOptions } from './load.ts';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), 'opencr-config-'));
/** After the last test of a file. */
export const removeFolder = (): void => {
  rmSync(folder, { recursive: true });
};

let files = 0;
const written = (text: string): string => {
  const path = join(folder, `config-${(files += 1)}.json`);
  writeFileSync(path, text);
  return path;
};

type Surroundings = Partial<Pick<LoadOptions, 'env' | 'flags'>>;

export const load = (document: unknown, { env = {}, flags = {} }: Surroundings = {}) => {
  const config = written(typeof document === 'string' ? document : JSON.stringify(document));
  return loadConfig({ root, cwd: root, env, flags: { config, ...flags }, checkPath });
};

export function loaded(document: unknown, surroundings?: Surroundings): LoadedConfig {
  const result = load(document, surroundings);
  if (result.kind === 'refused') throw new Error(result.complaints.join('\n'));
  return result;
}

export const complaints = (document: unknown, surroundings?: Surroundings): readonly string[] => {
  const result = load(document, surroundings);
  return result.kind === 'refused' ? result.complaints : [];
};

export const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
export const EMBEDDED = { env: { store__type: 'embedded' } };
