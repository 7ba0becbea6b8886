import { describe, expect, it } from 'vitest';
import { readCredentials } from './caller.ts';
import { createPasswordCheck, generatePassword, hashPassword } from './password.ts';

const open = () => {
  let now = 0;
  let costs = 0;
  const { check } = createPasswordCheck(() => now);
  return {
    pass: (ms: number) => (now += ms),
    costs: () => costs,
    check: (password: string, phc: string | null) => check(password, phc, () => (costs += 1)),
  };
};
const phc = await hashPassword('correct horse battery');

describe('the hash of a password', () => {
  it('is Argon2id of 19 MiB and 2 passes, with a salt of its own', async () => {
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hashPassword('correct horse battery')).not.toBe(phc);
  });

  it('is the same for one text however its letters are composed', async () => {
    const door = open();
    expect(await door.check('cafe\u0301 au lait noir', await hashPassword('caf\u00e9 au lait noir'))).toBe('right');
  });

  it('is of 160 random bits where the registry makes it', () => {
    const made = new Set(Array.from({ length: 100 }, generatePassword));
    expect(made.size).toBe(100);
    for (const one of made) expect(one).toMatch(/^[\w-]{27}$/);
  });
});

describe('a check', () => {
  it('tells right from wrong; nobody has the password that is not there', async () => {
    const door = open();
    expect(await door.check('correct horse battery', phc)).toBe('right');
    expect(await door.check('correct horse batterY', phc)).toBe('wrong');
    expect(await door.check('', phc)).toBe('wrong');
    expect(await door.check('correct horse battery', null)).toBe('wrong');
    expect(door.costs()).toBe(4);
  });

  it('is paid once in five minutes, also by many at a time; a wrong one each time', async () => {
    const door = open();
    const all = await Promise.all(Array.from({ length: 50 }, () => door.check('correct horse battery', phc)));
    expect([new Set(all), door.costs()]).toEqual([new Set(['right']), 1]);
    door.pass(5 * 60_000 - 1);
    await door.check('correct horse battery', phc);
    expect(door.costs()).toBe(1);
    door.pass(1);
    await door.check('correct horse battery', phc);
    expect(door.costs()).toBe(2);
    await door.check('wrong', phc);
    await door.check('wrong', phc);
    expect(door.costs()).toBe(4);
  });

  it('is made anew for another hash of the same password', async () => {
    const door = open();
    await door.check('correct horse battery', phc);
    expect(await door.check('correct horse battery', await hashPassword('another one'))).toBe('wrong');
    expect(await door.check('correct horse battery', null)).toBe('wrong');
  });

  it('takes as long where there is no password', async () => {
    const door = open();
    const time = async (password: string, hash: string | null): Promise<number> => {
      const began = performance.now();
      await door.check(password, hash);
      return performance.now() - began;
    };
    await door.check('', null);
    const pairs: (readonly [number, number])[] = [];
    for (let n = 0; n < 15; n += 1) pairs.push([await time(`wrong ${n}`, phc), await time(`wrong ${n}`, null)]);
    const median = (which: 0 | 1): number => pairs.map((pair) => pair[which]).sort((x, y) => x - y)[7] ?? 0;
    const [known, unknown] = [median(0), median(1)];
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(3);
    expect(unknown).toBeGreaterThan(2);
  });

  it('is refused where more are waiting than can be made soon', async () => {
    const door = open();
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => door.check(`guess ${n}`, phc)));
    expect(all.filter((one) => one === 'wrong')).toHaveLength(34);
    expect(all.filter((one) => one === 'busy')).toHaveLength(66);
    expect(await door.check('correct horse battery', phc)).toBe('right');
  });
});

describe('credentials of HTTP Basic', () => {
  const basic = (text: string | Buffer): string => Buffer.from(text).toString('base64');
  it.each([
    ['name and password', basic('openmrs:secret'), { name: 'openmrs', password: 'secret' }],
    ['colons in the password', basic('openmrs:a:b:'), { name: 'openmrs', password: 'a:b:' }],
    ['letters of UTF-8', basic('openmrs:pässwörd'), { name: 'openmrs', password: 'pässwörd' }],
    ['no password', basic('openmrs:'), { name: 'openmrs', password: '' }],
    ['no colon', basic('openmrs'), undefined],
    ['letters of Latin-1', basic(Buffer.from('openmrs:p\xe4ss', 'latin1')), undefined],
    ['no base64', 'open mrs', undefined],
    ['nothing', '', undefined],
  ])('%s', (_what, text, credentials) => {
    expect(readCredentials(text)).toEqual(credentials);
  });
});
