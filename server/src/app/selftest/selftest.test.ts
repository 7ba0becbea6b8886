import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { checkPath } from '../../fhir/feature-paths.ts';
import { projectRoot } from '../project.ts';
import { PROFILES, UNTRIED } from './profiles.ts';
import { asMarkdown, asText, conformanceRows, type Report } from './report.ts';
import { tryAll, tryProfile } from './selftest.ts';
import type { Reply, Site } from './site.ts';

const rows = conformanceRows(readFileSync(join(projectRoot, 'docs', 'conformance.md'), 'utf8'));
const ids = rows.map(({ id }) => id);

/** A server that answers every request alike. */
const always = (status: number, body: object): Site => ({
  mode: 'open',
  location: 'versioned',
  base: 'https://127.0.0.1:1/fhir',
  ask: async (method, path): Promise<Reply> => ({
    asked: `${method} ${path}`,
    status,
    headers: { 'content-type': 'application/fhir+json' },
    text: JSON.stringify(body),
    body,
  }),
  join: async () => undefined,
  stop: async () => undefined,
});

describe('the self-test', () => {
  it('under the shipped configuration fails no row, and tries each or says why not', { timeout: 240_000 }, async () => {
    const flags = { config: undefined, rules: undefined };
    const settings = loadConfig({ root: projectRoot, cwd: projectRoot, env: {}, flags, checkPath });
    if (settings.kind === 'refused') throw new Error(settings.complaints.join('\n'));
    const tried = await tryAll(settings, PROFILES, { rows, say: () => undefined });
    expect(tried.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
    expect(tried.filter(({ words }) => words === 'no probe')).toEqual([]);
    expect(tried.filter(({ id, verdict }) => verdict === 'not tried' && !(id in UNTRIED))).toEqual([]);
    expect(tried.filter(({ id, verdict }) => verdict === 'passed' && id in UNTRIED)).toEqual([]);
  });

  it.each(PROFILES.map((profile) => [profile.name, profile] as const))(
    'passes no row of %s for a server that answers 200 and nothing, nor for one that is broken',
    async (_name, profile) => {
      for (const site of [always(200, {}), always(500, { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] })])
        expect([...(await tryProfile(profile, site, ids)).passed]).toEqual([]);
    },
  );

  it('names rows of the page only, each of one profile', () => {
    expect(Object.keys(UNTRIED).filter((id) => !ids.includes(id))).toEqual([]);
    const prefixes = PROFILES.flatMap((profile) => profile.rows);
    expect(new Set(prefixes).size).toBe(prefixes.length);
  });

  it('says of a row that failed what was asked, what was expected and what came', async () => {
    const rest = PROFILES.find(({ rows: prefixes }) => prefixes.includes('REST'));
    const { failed } = rest ? await tryProfile(rest, always(200, {}), ids) : { failed: new Map<string, string>() };
    expect(failed.get('REST-01')).toBe('GET /fhir/metadata: expected resourceType "CapabilityStatement", got nothing');
  });

  it('reports to people and to programs alike', () => {
    const [row] = rows;
    if (!row) throw new Error('no rows');
    const report: Report = {
      ...{ software: 'OpenCR', node: 'v24', at: '2026-11-27', configuration: 'a | b', configurationHash: 'c0', rules: 'r' },
      authorities: 'mode open',
      rows: [
        { ...row, verdict: 'failed', words: 'GET /fhir/metadata: expected 200, got 500' },
        { ...row, id: 'OTHER-99', verdict: 'passed', words: '' },
      ],
    };
    expect(asText(report).at(-1)).toBe('In all: 1 passed, 1 failed, 0 not served, 0 not tried');
    const page = asMarkdown(report);
    expect(page).toContain(`| ${row.id} | ${row.asks} | failed | GET /fhir/metadata: expected 200, got 500 |`);
    expect(page).toContain('| configuration | a \\| b (SHA-256 c0) |');
  });
});
