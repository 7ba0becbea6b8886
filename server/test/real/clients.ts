import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './program.ts';
import { atSite, type Site } from './site.ts';
import { claim, Missing, type Suite } from './suite.ts';

/** The CRUID in what a client printed of an answer. */
function cruidIn(printed: string): string {
  const cruid = /(?:LocationCRUID|The person): +Patient\/(\S+)/i.exec(printed)?.[1];
  claim(cruid !== undefined, `no CRUID in: ${printed}`);
  return cruid;
}

/** The mission's command line, with this registry's port; `-s -i` prints the headers only. */
const curl = ({ server, port }: Site, certificate: readonly string[], patient: string): Promise<string> =>
  run(
    'curl',
    [
      '-s',
      '-i',
      '--fail-with-body',
      ...certificate,
      '--cacert',
      'certificates/server_cert.pem',
      '-d',
      `@../DemoData/${patient}`,
      '-H',
      'Content-Type: application/json',
      '-XPOST',
      `https://localhost:${port}/addPatient`,
    ],
    { cwd: server },
  );

const asOpenmrs = (site: Site): Promise<string> =>
  curl(site, ['--cert', 'sampleclientcertificates/openmrs.p12', '--cert-type', 'p12'], 'patient1_openmrs.json');

/** The three commands of the mission's page on security, as printed there, run where it says. */
const OPENSSL = [
  'openssl req -newkey rsa:4096 -keyout dhis2_key.pem -out dhis2_csr.pem -nodes -days 365 -subj "/CN=dhis2"',
  'openssl x509 -req -in dhis2_csr.pem -CA ../certificates/server_cert.pem -CAkey ../certificates/server_key.pem -out dhis2_cert.pem -set_serial 01 -days 36500',
  'openssl pkcs12 -export -in dhis2_cert.pem -inkey dhis2_key.pem -out dhis2.p12',
];

async function opensslClient(site: Site): Promise<string> {
  const first = cruidIn(await asOpenmrs(site));
  const version = await run('openssl', ['version'], { cwd: site.samples });
  // The last one asks for an export password, twice.
  for (const line of OPENSSL) await run('sh', ['-c', line], { cwd: site.samples, input: '\n\n' });
  const p12 = ['--cert', 'sampleclientcertificates/dhis2.p12', '--cert-type', 'p12'];
  const pem = ['--cert', 'sampleclientcertificates/dhis2_cert.pem', '--key', 'sampleclientcertificates/dhis2_key.pem'];
  for (const certificate of [p12, pem]) {
    claim(cruidIn(await curl(site, certificate, 'patient2_dhis2.json')) === first, 'dhis2 got another CRUID than openmrs');
  }
  return version.trim();
}

async function curlClient(site: Site): Promise<string> {
  const version = await run('curl', ['--version'], { cwd: site.server });
  cruidIn(await asOpenmrs(site));
  return version.split('\n')[0] ?? '';
}

async function pythonClient(site: Site): Promise<string> {
  const environment = join(site.folder, 'venv');
  await run('python3', ['-m', 'venv', environment], { cwd: site.folder });
  try {
    await run(join(environment, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', 'requests_pkcs12'], {
      cwd: site.folder,
    });
  } catch (error) {
    throw new Missing(`requests_pkcs12 cannot be had: ${error instanceof Error ? error.message.split('\n')[0] : ''}`);
  }
  const script = join(site.folder, 'examples', 'simple_query.py');
  writeFileSync(script, readFileSync(script, 'utf8').replaceAll('localhost:3000', `localhost:${site.port}`));
  const printed = await run(join(environment, 'bin', 'python3'), ['simple_query.py'], { cwd: join(site.folder, 'examples') });
  claim(cruidIn(printed) === cruidIn(await asOpenmrs(site)), 'the same patient got another CRUID from curl');
  return (await run('python3', ['--version'], { cwd: site.folder })).trim();
}

async function javaClient(site: Site): Promise<string> {
  const first = cruidIn(await asOpenmrs(site));
  const own = join(site.folder, 'java');
  mkdirSync(own);
  const trust = [
    '-importcert',
    '-noprompt',
    '-alias',
    'opencr',
    '-storetype',
    'PKCS12',
    '-keystore',
    'trust.p12',
    '-storepass',
    'changeit',
  ];
  await run('keytool', [...trust, '-file', join(site.certificates, 'server_cert.pem')], { cwd: own });
  const listed = await run(
    'keytool',
    ['-list', '-storetype', 'PKCS12', '-keystore', join(site.samples, 'lims.p12'), '-storepass', ''],
    { cwd: own },
  );
  const args = [
    join(site.samples, 'lims.p12'),
    'trust.p12',
    join(site.folder, 'DemoData', 'patient3_lims.json'),
    `https://localhost:${site.port}/addPatient`,
  ];
  const printed = await run('java', [join(import.meta.dirname, 'SubmitPatient.java'), ...args], { cwd: own });
  claim(cruidIn(printed) === first, 'lims got another CRUID than openmrs');
  claim(/PrivateKeyEntry/.test(listed), `keytool finds no key in lims.p12: ${listed}`);
  return (await run('java', ['-version'], { cwd: own })).split('\n')[0] ?? '';
}

export const clients: Suite = {
  name: 'clients',
  tests: [
    { title: "curl submits with the .p12 file, by the mission's command line", run: () => atSite(curlClient) },
    {
      title: "openssl makes a certificate by the mission's three commands, and the registry takes it",
      run: () => atSite(opensslClient),
    },
    { title: "Python's requests_pkcs12 submits, by the mission's example", run: () => atSite(pythonClient) },
    { title: 'keytool and HttpsURLConnection of Java open the .p12 file and submit', run: () => atSite(javaClient) },
  ],
};
