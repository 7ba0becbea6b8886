import { statfsSync } from 'node:fs';
import { RegistryError } from '../../domain/errors.ts';

/** Bytes that this user may still write on the folder's file system. */
export const freeBytes = (dir: string): number => {
  const disk = statfsSync(dir);
  return disk.bavail * disk.bsize;
};

export interface SpaceWatch {
  /** Bytes that must stay free. */
  readonly minimum: number;
  readonly free: () => number;
  /** Milliseconds on a clock that never goes back. */
  readonly monotonic: () => number;
}

/**
 * Refuses writes before the disk is full, while there is still room to checkpoint, log and shut down. Looks at most
 * once a second.
 * @returns A check that throws RegistryError `no-space`.
 */
export const spaceGuard = (watch: SpaceWatch): (() => void) => {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let short = false;
  return () => {
    const now = watch.monotonic();
    if (now - lookedAt >= 1000) {
      lookedAt = now;
      short = watch.free() < watch.minimum;
    }
    if (short) throw new RegistryError('no-space', `Less than ${watch.minimum} bytes are free on the registry's disk.`);
  };
};
