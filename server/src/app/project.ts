import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder: where `config/`, `DemoData/` and `server/` are. */
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { readonly version: string };

export const version = manifest.version;

/** When what the CapabilityStatement says last changed. */
export const released = '2026-11-27';
