/** A whole registry that sends its audit trail to a repository, syslog over mutual TLS. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { doctor } from '../../src/app/doctor.ts';
import { dataFolder } from '../support/data-folder.ts';
import { startRegistry } from '../support/registry-server.ts';
import { startSyslogReceiver, syslogTls } from '../support/syslog-receiver.ts';
import { patient } from './people.ts';

/** The receiver's configuration, its files in a folder. */
async function repositoryAt(port: number, folder: string) {
  const { client } = await syslogTls();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const files = {
    caFile: file('ca.pem', client.ca),
    certFile: file('cert.pem', client.cert),
    keyFile: file('key.pem', client.key),
  };
  return { audit: { repositories: [{ name: 'national', kind: 'syslog', host: 'localhost', port, ...files }] } };
}

const eventIds = (messages: readonly string[]): readonly string[] =>
  messages.map((message) => /<EventID csd-code="(\d+)"/.exec(message)?.[1] ?? message);

it('ATNA-04, ATNA-06: changes, queries, refusals, the start and the end reach the repository, also those of a time when it was away', async () => {
  const receiver = await startSyslogReceiver();
  const dataDir = dataFolder();
  const config = await repositoryAt(receiver.port, dataFolder());
  const first = await startRegistry({ dataDir, config });
  await first.send('POST', '/fhir/Patient', { body: patient('openmrs', '1'), headers: { 'x-request-id': 'first' } });
  await receiver.until((messages) => messages.some((message) => message.includes('"first"')));

  await receiver.stop();
  await first.send('GET', '/fhir/Patient?identifier=x', { headers: { 'x-request-id': 'away' } });
  await first.send('GET', '/fhir/Patient', { client: null });
  const metrics = await (await fetch(`http://127.0.0.1:${first.server.adminPort}/metrics`)).text();
  expect(metrics).toMatch(/opencr_audit_feed_behind\{repository="national",log="access"\} [1-9]/);
  expect(metrics).toContain('opencr_audit_feed_set_aside{repository="national"} 0');
  await first.stop();

  await receiver.start();
  const second = await startRegistry({ dataDir, config });
  await receiver.until((messages) => new Set(messages.filter((message) => message.includes('110120'))).size === 2);
  await second.stop();
  await receiver.stop();
  const unique = [...new Set(receiver.messages)];
  // A patient's two records, a search, a stranger, and two starts and ends.
  expect(eventIds(unique).filter((id) => id === '110100')).toHaveLength(4);
  expect(eventIds(unique)).toEqual(expect.arrayContaining(['110110', '110112', '110113']));
  expect(unique.filter((message) => message.includes('"first"'))).toHaveLength(2);
  expect(unique.filter((message) => message.includes('"away"'))).toHaveLength(1);
}, 30_000);

it('doctor says how far behind a repository is, and what of its files cannot be read', async () => {
  const receiver = await startSyslogReceiver();
  await receiver.stop();
  const dataDir = dataFolder();
  const config = await repositoryAt(receiver.port, dataDir);
  const registry = await startRegistry({ dataDir, config });
  await registry.send('GET', '/fhir/Patient?identifier=x');
  await registry.stop();
  const lines: string[] = [];
  const io = { out: (line: string) => void lines.push(line), err: (line: string) => void lines.push(line) };
  await doctor(io, dataDir, join(dataDir, 'config.json'));
  expect(lines.filter((line) => line.includes('audit repository'))).toEqual([
    expect.stringMatching(/^MIND {2}The audit repository national lacks \d+ change sets and [1-9]\d* rows of the access log/),
  ]);
  lines.length = 0;
  config.audit.repositories[0]!.keyFile = join(dataDir, 'nowhere.pem');
  writeFileSync(join(dataDir, 'config.json'), JSON.stringify(config));
  await doctor(io, dataDir, join(dataDir, 'config.json'));
  expect(lines.filter((line) => line.includes('audit repository'))).toEqual([
    expect.stringMatching(/^WRONG The file .*nowhere\.pem/),
  ]);
  await expect(startRegistry({ dataDir, config })).rejects.toThrow('nowhere.pem of the audit repository national cannot be read');
});
