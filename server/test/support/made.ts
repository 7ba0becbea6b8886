import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/** The folder, made whole by `make` where it is not there yet; of several workers at once one wins. */
export async function made(path: string, make: (draft: string) => Promise<unknown>): Promise<string> {
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = mkdtempSync(`${path}.`);
  try {
    await make(draft);
  } catch (error) {
    rmSync(draft, { recursive: true });
    throw error;
  }
  try {
    renameSync(draft, path);
  } catch {
    rmSync(draft, { recursive: true });
  }
  return path;
}
