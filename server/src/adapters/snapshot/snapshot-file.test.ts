import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { readSnapshot, type SnapshotOf, type StoredArray, writeSnapshot } from './snapshot-file.ts';

const OF: SnapshotOf = { layout: 'a', ruleVersion: 'v1', sequence: 7, hash: 'ff' };
const RESERVE = 2 ** 24;

/** One array longer than a piece, one of a few bytes, one empty. */
const arrays = (): readonly StoredArray[] =>
  [5_000_000, 12, 0].map((bytes, place) => {
    const buffer = new SharedArrayBuffer(bytes, { maxByteLength: RESERVE });
    Buffer.from(buffer).forEach((_, at, all) => (all[at] = (at * 7 + place) & 255));
    return { name: `array ${place}`, buffer };
  });

const contents = (read: readonly StoredArray[]) =>
  read.map(({ name, buffer }) => [name, Buffer.from(Buffer.from(buffer)).toString('latin1')]);

test('what was written is read, may grow, and is for its owner alone', () => {
  const file = join(dataFolder(), 'index.snapshot');
  writeSnapshot(file, OF, arrays());
  writeSnapshot(file, { ...OF, sequence: 8 }, arrays());
  const read = readSnapshot(file, () => true, RESERVE);
  if (read.kind !== 'read') throw new Error(read.why);
  expect(read.of).toEqual({ ...OF, sequence: 8 });
  expect(contents(read.arrays)).toEqual(contents(arrays()));
  read.arrays[1]?.buffer.grow(RESERVE);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('there may be none, or one that does not fit', () => {
  const file = join(dataFolder(), 'index.snapshot');
  expect(readSnapshot(file, () => true, RESERVE)).toEqual({ kind: 'none', why: '' });
  writeSnapshot(file, OF, arrays());
  expect(readSnapshot(file, ({ sequence }) => sequence > 7, RESERVE)).toMatchObject({
    why: expect.stringMatching(/another ledger/) as string,
  });
});

test('a changed byte anywhere, and a file cut short, are found', () => {
  const file = join(dataFolder(), 'index.snapshot');
  writeSnapshot(file, OF, arrays());
  const whole = readFileSync(file);
  for (const at of [0, 25, 40, 200, 3_000_000, whole.length - 1]) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(file, damaged);
    expect(
      readSnapshot(file, () => true, RESERVE),
      `byte ${at}`,
    ).toMatchObject({ kind: 'none', why: expect.stringMatching(/damaged/) as string });
  }
  for (const length of [0, 10, 100, 4_500_000]) {
    writeFileSync(file, whole.subarray(0, length));
    expect(
      readSnapshot(file, () => true, RESERVE),
      `${length} bytes`,
    ).toMatchObject({ kind: 'none', why: expect.stringMatching(/damaged/) as string });
  }
});
