import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../test/support/data-folder.ts';
import { startIssuer } from '../../test/support/token-issuer.ts';
import { openAdministration } from './administration.ts';
import { changeOf } from '../cli/clients.ts';
import { doctor } from './doctor.ts';

/** What `doctor` says of this configuration of a data folder. */
async function diagnosis(document: object, folder = dataFolder()): Promise<readonly string[]> {
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify(document));
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
  };
  await doctor({ out: say, err: say }, folder, config);
  return lines;
}

/** What `doctor` says of these decision rules. */
const saidOf = async (rules: object): Promise<readonly string[]> =>
  (await diagnosis(rules)).filter((line) => line.includes('Rule '));

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

describe('doctor, of the doors beside mutual TLS,', () => {
  it('says whether the keys of each issuer can be had', async () => {
    const [there, gone] = [await startIssuer(), await startIssuer()];
    await gone.down();
    const issuers = [there, gone].map(({ url, caFile }) => ({ issuer: url, audience: 'opencr', caFile }));
    const said = (await diagnosis({ tokens: { issuers } })).filter((line) => /^(ok|WRONG) .*\/realms\/care/.test(line));
    expect(said).toEqual([
      `ok    The keys of the issuer ${there.url} were fetched.`,
      expect.stringMatching(`^WRONG The keys of ${gone.url} cannot be had: `),
    ]);
    await Promise.all([there.stop(), gone.stop()]);
  });

  it('minds passwords that are not looked at, and a login for which there are none', async () => {
    const folder = dataFolder();
    const said = async (enabled: boolean) =>
      (await diagnosis({ basic: { enabled } }, folder)).filter((line) => /^(ok|MIND) .*passwords?\b/.test(line));
    const administration = await openAdministration(folder, []);
    expect(await said(false)).toEqual([]);
    expect(await said(true)).toEqual([expect.stringContaining('MIND  basic.enabled is true, and no client has a password')]);
    await administration.administer(changeOf('clients password a', { passwords: [{ client: 'a', hash: '$argon2id$' }] }));
    expect(await said(true)).toEqual(['ok    1 client has a password.']);
    expect(await said(false)).toEqual(['MIND  1 client has a password; it is not looked at, since basic.enabled is false.']);
    await administration.close();
  });
});
