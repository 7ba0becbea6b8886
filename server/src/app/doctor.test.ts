import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../test/support/data-folder.ts';
import { startRegistry } from '../../test/support/registry-server.ts';
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

describe('doctor, of assigning authorities,', () => {
  const NUMBER = 'http://clientregistry.org/openmrs';
  /** A running registry with these identifiers beside the numbers of their records. */
  const registry = async (post: readonly (readonly (readonly [system: string | undefined, value: string])[])[]) => {
    const folder = dataFolder();
    const running = await startRegistry({ dataDir: folder });
    for (const [place, identifiers] of post.entries()) {
      const identifier = [[NUMBER, `d-${place}`] as const, ...identifiers].map(([system, value]) => ({
        ...(system !== undefined && { system }),
        value,
      }));
      const body = { resourceType: 'Patient', identifier };
      expect((await running.send('POST', '/fhir/Patient', { body })).status).toBe(201);
    }
    return { folder, stop: running.stop };
  };

  it('counts identifiers of systems that are nobody’s, and those that break their form, without a value', async () => {
    const stranger = 'http://stranger.example';
    const { folder, stop } = await registry([
      [
        ['http://id.example', '79927398713'],
        [stranger, 'SECRET-1'],
        [undefined, 'SECRET-2'],
      ],
      [
        ['http://id.example', '79927398710'],
        ['urn:oid:1.2.3', '79927398714'],
        [stranger, 'SECRET-3'],
      ],
      [['http://id.example', 'SECRET-4']],
    ]);
    const list = [
      { uri: 'http://id.example', oid: '1.2.3', kind: 'shared', format: '[0-9]{11}', checkDigit: 'luhn' },
      { uri: NUMBER, kind: 'source', owner: 'openmrs', format: 'd-[0-9]+' },
    ];
    const said = await diagnosis({ authorities: { list }, clients: [{ id: 'openmrs' }] }, folder);
    expect(said).toContain(`MIND  Identifiers of "${stranger}", a system of nobody: 2.`);
    expect(said).toContain('MIND  Identifiers without a system: 1.');
    expect(said).toContain(
      'MIND  Of the 4 identifiers of http://id.example: 2, the check digit of its value is wrong; 1, its value has not the form of its system.',
    );
    expect(said).toContain('ok    The 3 identifiers of http://clientregistry.org/openmrs have its form.');
    expect(said.join('\n')).not.toMatch(/SECRET|7992739871/);
    await stop();
  });

  it('tells of twenty systems that are nobody’s, and how many more there are', async () => {
    const systems = Array.from({ length: 23 }, (_, n) => [`urn:made-up:${n}`, 'v'] as const);
    const { folder, stop } = await registry([systems, [['urn:made-up:22', 'w']]]);
    const clients = [{ id: 'openmrs', systems: [NUMBER] }];
    const said = (await diagnosis({ clients }, folder)).filter((line) => line.includes('of nobody'));
    expect(said.filter((line) => line.includes('urn:made-up:'))).toHaveLength(20);
    expect(said).toContain('MIND  Identifiers of "urn:made-up:22", a system of nobody: 2.');
    expect(said.at(-1)).toBe('MIND  Identifiers of 3 other systems of nobody: 3.');
    await stop();
  });

  it('minds owners that are no registered client, or a disabled one; one that a command registered will do', async () => {
    const folder = dataFolder();
    const list = ['gone', 'shut', 'here'].map((owner) => ({ uri: `http://${owner}.example`, kind: 'source', owner }));
    const administration = await openAdministration(folder, []);
    const client = (name: string, disabled: boolean) => ({ name, displayName: name, systems: [], scopes: [], disabled });
    await administration.administer(changeOf('clients', { clients: [client('shut', true), client('here', false)] }));
    await administration.close();
    expect((await diagnosis({ authorities: { list } }, folder)).filter((line) => line.includes('is owned by'))).toEqual([
      'MIND  http://gone.example is owned by gone, who is no registered client: nobody may state its identifiers.',
      'MIND  http://shut.example is owned by shut, who is disabled: nobody may state its identifiers.',
    ]);
  });
});
