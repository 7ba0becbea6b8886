import { parseArgs } from 'node:util';
import { checkRegister, isWithin } from './check.ts';
import { profiles } from './profiles.ts';
import type { Register } from './records.ts';
import { type Format, openFile, writeRegister } from './write.ts';

const OPTIONS = {
  profile: { type: 'string', default: 'uganda' },
  records: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  out: { type: 'string' },
  truth: { type: 'string' },
  format: { type: 'string', default: 'csv' },
  check: { type: 'boolean', default: false },
} as const;

const USAGE = `npm run bench -- generate [--profile ${Object.keys(profiles).join('|')}] [--records N] [--seed N]
  [--out FILE] [--truth FILE] [--format csv|ndjson] [--check]`;

const tell = (words: string): void => {
  process.stderr.write(words);
};

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

function check(register: Register): void {
  for (const finding of checkRegister(register)) {
    const verdict = isWithin(finding) ? 'ok  ' : 'FAIL';
    tell(`${verdict} ${finding.what}: ${percent(finding.found)}, declared ${percent(finding.declared)}\n`);
    if (!isWithin(finding)) process.exitCode = 1;
  }
}

/** `npm run bench -- generate`: a register of people who are nobody, in a file or on standard output. */
export async function generate(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const profile = Object.hasOwn(profiles, values.profile) ? profiles[values.profile] : undefined;
  const [total, seed] = [Number(values.records), Number(values.seed)];
  const format = ['csv', 'ndjson'].find((one): one is Format => one === values.format);
  if (!profile || !format || !Number.isInteger(total) || total < 1 || !Number.isInteger(seed)) {
    tell(`${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  const register = { profile, seed, total };
  if (values.check) {
    check(register);
    return;
  }
  const began = performance.now();
  const out = values.out === undefined ? process.stdout : openFile(values.out);
  const truth = values.truth === undefined ? null : openFile(values.truth);
  await writeRegister({
    register,
    format,
    out,
    truth,
    progress: (records) => {
      if (records % 100_000 !== 0 && records !== total) return;
      const rate = records / ((performance.now() - began) / 1000);
      tell(
        `${records.toLocaleString('en')} of ${total.toLocaleString('en')} records, ${Math.round(rate).toLocaleString('en')} a second\n`,
      );
    },
  });
  const ends = [truth, out === process.stdout ? null : out].filter((stream) => stream !== null);
  await Promise.all(ends.map((stream) => new Promise<void>((done) => stream.end(done))));
}
