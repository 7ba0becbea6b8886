import { existsSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { say } from './children.mjs';

const BEAT = 1_000;
/** Milliseconds without a beat after which a lock was left by a process that was killed. */
const STALE = 10_000;

/**
 * Runs `work` while no other process does under the same lock, an empty folder. Its holder touches it every second: its
 * age tells a held lock from a forgotten one, also across containers, where a process id would not.
 */
export async function onlyOne(lock, work) {
  for (let told = false; !taken(lock); told = true) {
    if (!told) say('Another start is setting up this folder: waiting for it.');
    if (age(lock) > STALE) clear(lock);
    await delay(100);
  }
  const beat = setInterval(() => existsSync(lock) && utimesSync(lock, new Date(), new Date()), BEAT);
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.off('exit', release);
    release();
  }
}

function taken(lock) {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Milliseconds since the last beat; 0 when the lock has gone meanwhile. */
function age(lock) {
  const stat = statSync(lock, { throwIfNoEntry: false });
  return stat === undefined ? 0 : Date.now() - stat.mtimeMs;
}

/** Removes a stale lock. Of several waiters one wins the rename; should it have moved a fresh lock, it puts it back. */
function clear(lock) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (age(aside) > STALE) rmSync(aside, { recursive: true });
  else renameSync(aside, lock);
}
