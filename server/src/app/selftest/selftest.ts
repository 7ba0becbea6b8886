/** `./opencr selftest`: every row of docs/conformance.md that can be tried from outside, tried on this installation's configuration. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EXIT, type ExitCode, type Io } from '../../cli/io.ts';
import type { SelftestOptions } from '../../cli/run.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { maskSecrets } from '../../config/mask-secrets.ts';
import { describeError } from '../../http/failure.ts';
import { projectRoot, version } from '../project.ts';
import { readSettings } from '../settings.ts';
import { type Profile, Unlike, Untried } from './probe.ts';
import { PROFILES, UNTRIED } from './profiles.ts';
import { asMarkdown, asText, type ConformanceRow, conformanceRows, countsOf, type Report, type TriedRow } from './report.ts';
import { openSite, type Site } from './site.ts';

/** By row: why a check of it failed, or could not be tried; '' where it passed. */
interface Findings {
  readonly failed: Map<string, string>;
  readonly untried: Map<string, string>;
  readonly passed: Set<string>;
}

const note = (found: Findings, ids: readonly string[], error: unknown): void => {
  for (const id of ids) {
    if (error instanceof Untried) found.untried.set(id, error.message);
    else found.failed.set(id, error instanceof Unlike ? error.message : `the probe itself failed: ${describeError(error).name}`);
  }
};

/** Tries one profile; what breaks outside of a check fails all of its rows that were not tried before. */
export async function tryProfile(profile: Profile, site: Site, ids: readonly string[]): Promise<Findings> {
  const found: Findings = { failed: new Map(), untried: new Map(), passed: new Set() };
  try {
    await profile.run(site, async (rows, about) => {
      const named = rows.split(' ');
      try {
        await about();
        for (const id of named) found.passed.add(id);
      } catch (error) {
        note(found, named, error);
      }
    });
  } catch (error) {
    note(
      found,
      ids.filter((id) => !found.passed.has(id) && !(id in UNTRIED)),
      error,
    );
  }
  return found;
}

const belongsTo =
  ({ rows }: Profile) =>
  (id: string): boolean =>
    rows.some((prefix) => id.startsWith(`${prefix}-`));

const judged = (row: ConformanceRow, found: readonly Findings[]): TriedRow => {
  const words = (of: 'failed' | 'untried'): string | undefined =>
    found.map((one) => one[of].get(row.id)).find((one) => one !== undefined);
  const isServed = !row.here.startsWith('not yet');
  const failed = words('failed');
  if (!isServed) return { ...row, verdict: 'not served', words: row.here.replace(/^not yet:? ?/, '') };
  if (failed !== undefined) return { ...row, verdict: 'failed', words: failed };
  const limits = row.here.replace(/^(?:yes|partly: )/, '');
  if (found.some((one) => one.passed.has(row.id)) && words('untried') === undefined)
    return { ...row, verdict: 'passed', words: limits };
  return { ...row, verdict: 'not tried', words: words('untried') ?? UNTRIED[row.id] ?? 'no probe' };
};

/** Tries the profiles, those that ask for strict mode on a site of their own. */
export async function tryAll(
  settings: LoadedConfig,
  profiles: readonly Profile[],
  { rows, say }: { readonly rows: readonly ConformanceRow[]; readonly say: (words: string) => void },
): Promise<readonly TriedRow[]> {
  const { authorityMode } = settings.config;
  const modes = [...new Set(profiles.map(({ mode = authorityMode }) => mode))];
  const found: Findings[] = [];
  for (const mode of modes) {
    say(`Starting a registry with this configuration, authorities.mode ${mode}, over a folder that is removed afterwards.`);
    const site = await openSite(settings, mode);
    try {
      for (const profile of profiles.filter((one) => (one.mode ?? authorityMode) === mode)) {
        say(`Trying ${profile.name}.`);
        const ids = rows.map(({ id }) => id).filter(belongsTo(profile));
        found.push(await tryProfile(profile, site, ids));
      }
    } finally {
      await site.stop();
    }
  }
  return rows.map((row) => judged(row, found));
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

const allRows = (): readonly ConformanceRow[] =>
  conformanceRows(readFileSync(join(projectRoot, 'docs', 'conformance.md'), 'utf8'));

export async function selftest(io: Io, options: SelftestOptions): Promise<ExitCode> {
  const settings = readSettings(io, { config: options.config, rules: options.rules });
  if (typeof settings === 'number') return settings;
  const wanted = PROFILES.filter(
    ({ rows }) => options.profiles.length === 0 || rows.some((row) => options.profiles.includes(row)),
  );
  const strange = options.profiles.find((name) => !PROFILES.some(({ rows }) => rows.includes(name)));
  if (strange !== undefined) {
    io.err(`There is no profile ${strange}; there are ${PROFILES.flatMap(({ rows }) => rows).join(', ')}.`);
    return EXIT.usage;
  }
  const rows = allRows().filter(({ id }) => options.profiles.length === 0 || wanted.some((profile) => belongsTo(profile)(id)));
  const tried = await tryAll(settings, wanted, { rows, say: io.err });
  const { config, files, ruleSet } = settings;
  const report: Report = {
    software: `OpenCR ${version}`,
    node: process.version,
    at: new Date().toISOString(),
    configuration: files.config,
    configurationHash: hashOf(maskSecrets(config)),
    rules: `${files.rules}, version ${ruleSet.version.slice(0, 12)}`,
    authorities: `mode ${config.authorityMode}; OpenHIE’s cases in mode strict; three systems of the self-test’s own beside the ${config.authorities.length} configured`,
    rows: tried,
  };
  for (const line of options.json ? [JSON.stringify(report, undefined, 2)] : asText(report)) io.out(line);
  if (options.report !== undefined) {
    writeFileSync(resolve(options.report), `${asMarkdown(report).join('\n')}\n`);
    io.err(`The report is in ${options.report}.`);
  }
  return countsOf(tried).failed > 0 ? EXIT.failed : EXIT.done;
}
