import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openAccessLog, openAccessLogHere } from '../../src/adapters/sql/access-log.ts';
import { accessLogContract, type OpenAccessLog } from './access-log.ts';

const root = mkdtempSync(join(tmpdir(), 'opencr-access-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

type Open = (dir: string, now: () => string) => Omit<OpenAccessLog, 'reopen'>;

const openIn = (dir: string, open: Open, now: () => string): OpenAccessLog => {
  const log = open(dir, now);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= log.close());
  return { ...log, close, reopen: () => close().then(() => openIn(dir, open, now)) };
};

const inFreshFolder =
  (open: Open) =>
  (now: () => string): Promise<OpenAccessLog> =>
    Promise.resolve(openIn(mkdtempSync(join(root, 'log-')), open, now));

accessLogContract('SQLite in a thread of its own', inFreshFolder(openAccessLog));
accessLogContract("SQLite in the caller's thread", inFreshFolder(openAccessLogHere));
