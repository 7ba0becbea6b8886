/** `./opencr clients password`, as a process of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { verify } from '@node-rs/argon2';
import { openStore } from '../adapters/sql/store.ts';
import { projectRoot } from '../app/project.ts';

const dir = mkdtempSync(join(tmpdir(), 'opencr-passwords-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const opencr = (words: string, input = ''): { readonly code: number | null; readonly out: string; readonly err: string } => {
  const main = join(projectRoot, 'server', 'src', 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words.split(' '), '--data', dir], {
    input,
    encoding: 'utf8',
    cwd: projectRoot,
    env: { ...process.env, NODE_ENV: 'development' },
  });
  return { code: status, out: stdout, err: stderr };
};
const hashes = async (): Promise<Readonly<Record<string, string | null>>> => {
  const store = openStore(dir, { features: [], readOnly: true });
  const found = await store.reader.passwords();
  store.close();
  return Object.fromEntries(found.map(({ client, hash }) => [client, hash]));
};

describe('a password is', () => {
  it('made and shown once, read from standard input, or taken away; only its hash is kept', async () => {
    expect(opencr('clients add clinic --system http://clinic.example.org').code).toBe(0);
    const made = opencr('clients password clinic');
    expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^[\w-]{27}\n$/)]);
    expect(await verify((await hashes())['clinic'] ?? '', made.out.trim())).toBe(true);
    const read = opencr('clients password clinic --stdin', 'ein langes Paßwort \nand more\n');
    expect([read.code, read.out]).toEqual([0, '']);
    expect(await verify((await hashes())['clinic'] ?? '', 'ein langes Paßwort ')).toBe(true);
    expect(opencr('clients password clinic --remove').code).toBe(0);
    expect(await hashes()).toEqual({});
  });

  it.each([
    ['too short', 'clients password clinic --stdin', 'short\n', 'A password has 12 to 256 characters.'],
    ['nothing', 'clients password clinic --stdin', '', 'A password has 12 to 256 characters.'],
    ['too long', 'clients password clinic --stdin', `${'x'.repeat(257)}\n`, 'A password has 12 to 256 characters.'],
    ['with a tab', 'clients password clinic --stdin', 'twelve\tcharacters\n', 'A password has no control characters.'],
    ['known to everybody', 'clients password clinic --stdin', 'openhim-password\n', 'is published with OpenCR 1.x'],
    ['of nobody', 'clients password nobody', '', 'No client nobody is registered.'],
    ['asked for in two ways', 'clients password clinic --stdin --remove', '', 'are two different things'],
  ])('refused when it is %s', async (_what, words, input, complaint) => {
    opencr('clients add clinic');
    const { code, out, err } = opencr(words, input);
    expect([code === 0, out]).toEqual([false, '']);
    expect(err).toContain(complaint);
    expect(await hashes()).toEqual({});
  });
});
