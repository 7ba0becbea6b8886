import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { run } from './program.ts';
import { command, root } from './server-process.ts';
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

const why = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] ?? '') : '');

/** A Python of its own with requests_pkcs12: its path. */
async function python({ folder }: Site): Promise<string> {
  const environment = join(folder, 'venv');
  await run('python3', ['-m', 'venv', environment], { cwd: folder });
  try {
    await run(join(environment, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', 'requests_pkcs12'], {
      cwd: folder,
    });
  } catch (error) {
    throw new Missing(`requests_pkcs12 cannot be had: ${why(error)}`);
  }
  return join(environment, 'bin', 'python3');
}

async function pythonClient(site: Site): Promise<string> {
  const interpreter = await python(site);
  const script = join(site.folder, 'examples', 'simple_query.py');
  writeFileSync(script, readFileSync(script, 'utf8').replaceAll('localhost:3000', `localhost:${site.port}`));
  const printed = await run(interpreter, ['simple_query.py'], { cwd: join(site.folder, 'examples') });
  claim(cruidIn(printed) === cruidIn(await asOpenmrs(site)), 'the same patient got another CRUID from curl');
  return (await run('python3', ['--version'], { cwd: site.folder })).trim();
}

interface Cell {
  readonly cell_type: string;
  readonly source: readonly string[];
  readonly outputs?: readonly { readonly text?: readonly string[] }[];
}

const page = (name: string): string => readFileSync(join(root, 'docs', 'clients', name), 'utf8');
const atPort = (text: string, { port }: Site): string => text.replaceAll('localhost:3000', `localhost:${port}`);
const END_OF_CELL = '== end of cell ==';

/** docs/clients/python.ipynb: each cell prints what the notebook shows below it. */
async function notebook(site: Site): Promise<string> {
  const interpreter = await python(site);
  const { cells } = JSON.parse(page('python.ipynb')) as { readonly cells: readonly Cell[] };
  const code = cells.filter(({ cell_type: type }) => type === 'code');
  const script = code.map(({ source }) => `${source.join('')}\nprint("${END_OF_CELL}")`).join('\n\n');
  writeFileSync(join(site.folder, 'notebook.py'), atPort(script, site));
  const printed = (await run(interpreter, ['notebook.py'], { cwd: site.folder })).split(`${END_OF_CELL}\n`).slice(0, -1);
  const shown = code.map(({ outputs = [] }) => outputs.map(({ text = [] }) => text.join('')).join(''));
  claim(
    JSON.stringify(printed) === JSON.stringify(shown),
    `the notebook shows ${JSON.stringify(shown)}, not ${JSON.stringify(printed)}`,
  );
  return `${code.length} cells`;
}

/** What DHIS2 answers at `api/tracker/trackedEntities`, for a program. */
const TRACKED = {
  trackedEntities: [
    {
      trackedEntity: 'PQfMcpmXeFE',
      attributes: Object.entries({
        fnAttribute: 'Kato',
        gnAttribute: 'John',
        sxAttribute: 'M',
        dbAttribute: '1991-04-05',
        phAttribute: '0772 909090',
      }).map(([attribute, value]) => ({ attribute, value })),
    },
  ],
};

/** docs/clients/dhis2.md: its script, with a DHIS2 that has one tracked entity. */
async function dhis2Script(site: Site): Promise<string> {
  const interpreter = await python(site);
  const data = ['--data', join(site.folder, 'data')];
  const system = 'https://dhis2.example.org/tei';
  await command('clients', 'add', 'dhis2', '--system', system, ...data);
  await command('certs', 'issue', 'dhis2', '--out', join(site.folder, 'dhis2'), ...data);
  const [, script = ''] = /^```python\n([^]*?)^```$/m.exec(page('dhis2.md')) ?? [];
  writeFileSync(join(site.folder, 'dhis2.py'), script);
  const dhis2 = createServer((_request, response) => void response.end(JSON.stringify(TRACKED))).listen(0, '127.0.0.1');
  await once(dhis2, 'listening');
  try {
    const { port } = dhis2.address() as AddressInfo;
    const registry = `https://localhost:${site.port}/fhir`;
    const args = ['dhis2.py', registry, join(site.folder, 'dhis2'), `http://127.0.0.1:${port}`, 'program'];
    const [first, again] = [
      await run(interpreter, args, { cwd: site.folder }),
      await run(interpreter, args, { cwd: site.folder }),
    ];
    claim(/^PQfMcpmXeFE 201 Patient\/\S+$/m.test(first), `the first run printed ${first}`);
    claim(again === first.replace(' 201 ', ' 200 '), `the second run printed ${again}`);
  } finally {
    dhis2.close();
  }
  return 'created, then sent again';
}

/** docs/clients/opencr.postman_collection.json by Postman's own runner; every request has tests of its own. */
async function postman(site: Site): Promise<string> {
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save', 'newman@6'], { cwd: site.folder });
  } catch (error) {
    throw new Missing(`newman cannot be had: ${why(error)}`);
  }
  await command('certs', 'issue', 'openmrs', '--out', join(site.folder, 'postman'), '--data', join(site.folder, 'data'));
  writeFileSync(join(site.folder, 'collection.json'), atPort(page('opencr.postman_collection.json'), site));
  const certificate = ['--ssl-client-cert', 'postman/openmrs.cert.pem', '--ssl-client-key', 'postman/openmrs.key.pem'];
  const trust = ['--ssl-extra-ca-certs', 'postman/ca.pem'];
  const newman = join(site.folder, 'node_modules', '.bin', 'newman');
  const printed = await run(newman, ['run', 'collection.json', '--color', 'off', ...certificate, ...trust], { cwd: site.folder });
  return `${/assertions *│ *(\d+)/.exec(printed)?.[1] ?? 'no'} assertions`;
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
    { title: 'the Python notebook prints what it shows', run: () => atSite(notebook) },
    { title: "the script on DHIS2's page maps and submits what is tracked, once", run: () => atSite(dhis2Script) },
    { title: "Postman's runner passes the collection", run: () => atSite(postman) },
    { title: 'keytool and HttpsURLConnection of Java open the .p12 file and submit', run: () => atSite(javaClient) },
  ],
};
