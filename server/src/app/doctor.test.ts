import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../test/support/data-folder.ts';
import { doctor } from './doctor.ts';

/** What `doctor` says of these decision rules. */
async function saidOf(rules: object): Promise<readonly string[]> {
  const folder = dataFolder();
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify(rules));
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
  };
  await doctor({ out: say, err: say }, folder, config);
  return lines.filter((line) => line.includes('Rule '));
}

const rule = (nullHandling: string) => ({
  rules: [
    {
      name: 'phones',
      matchingType: 'deterministic',
      null_handling: nullHandling,
      fields: { phone: { algorithm: 'exact', fhirpath: "telecom.where(system='phone').value" } },
      potentialMatchThreshold: 1,
      autoMatchThreshold: 1,
    },
  ],
});

describe('doctor, of each decision rule,', () => {
  it('says what finds the records that it may match', async () => {
    expect(await saidOf(rule('moderate'))).toEqual([
      expect.stringMatching(/^ok {4}Rule phones: every record that it may match is found by looking up phone; /),
    ]);
  });

  it('warns where every record has to be compared', async () => {
    expect(await saidOf(rule('greedy'))).toEqual([
      expect.stringMatching(/^MIND {2}Rule phones: records that share no value .* every record is compared, /),
    ]);
  });
});
