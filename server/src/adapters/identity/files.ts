/** Writes of certificates and keys: a reader sees the old file or the new one, and a key is never readable by others. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { RegistryError } from '../../domain/errors.ts';

export const PRIVATE = 0o600;
export const PUBLIC = 0o644;

export interface NewFile {
  readonly path: string;
  readonly data: string | Uint8Array;
  readonly mode: number;
}

/** Writes the file beside its place and moves it there when it is on disk. */
const replaceFile = async ({ path, data, mode }: NewFile): Promise<void> => {
  const draft = `${path}.${randomUUID()}.tmp`;
  await writeFile(draft, data, { mode, flag: 'wx', flush: true });
  await rename(draft, path);
};

/** Replaces the files, in order. */
export const replaceFiles = async (files: readonly NewFile[]): Promise<void> => {
  for (const file of files) await replaceFile(file);
};

/** Writes the files, or none: RegistryError `conflict` names the one that is there already. */
export const createFiles = async (files: readonly NewFile[]): Promise<void> => {
  const taken = files.find((file) => existsSync(file.path));
  if (taken) throw new RegistryError('conflict', `${taken.path} exists already; it was not overwritten.`);
  await replaceFiles(files);
};

/** The file's text; undefined where there is none. */
export const readIfThere = async (path: string): Promise<string | undefined> =>
  existsSync(path) ? await readFile(path, 'utf8') : undefined;
