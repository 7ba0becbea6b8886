/** The rows of docs/conformance.md with what the self-test found, for people and for programs. */
import { table } from '../../cli/io.ts';

/** A row of docs/conformance.md: what is asked for, and whether this release says that it serves it. */
export interface ConformanceRow {
  readonly id: string;
  readonly profile: string;
  readonly asks: string;
  readonly here: string;
}

export type Verdict = 'passed' | 'failed' | 'not served' | 'not tried';

export interface TriedRow extends ConformanceRow {
  readonly verdict: Verdict;
  /** What is not as it should be, or why it was not tried. */
  readonly words: string;
}

export interface Report {
  readonly software: string;
  readonly node: string;
  readonly at: string;
  readonly configuration: string;
  /** SHA-256 of the effective configuration without its secrets, lower-case hex. */
  readonly configurationHash: string;
  readonly rules: string;
  readonly authorities: string;
  readonly rows: readonly TriedRow[];
}

const HEADING = /^## (.+)$/;
const ROW = /^\| ([A-Z0-9]+(?:-[A-Z0-9]+)*-\d{2}) \| ((?:[^|\\]|\\.)*) \| ((?:[^|\\]|\\.)*) \|/;

export function conformanceRows(page: string): readonly ConformanceRow[] {
  const rows: ConformanceRow[] = [];
  let profile = '';
  for (const line of page.split('\n')) {
    profile = HEADING.exec(line)?.[1] ?? profile;
    const [, id, asks = '', here = ''] = ROW.exec(line) ?? [];
    if (id !== undefined) rows.push({ id, profile, asks, here });
  }
  return rows;
}

const VERDICTS: readonly Verdict[] = ['passed', 'failed', 'not served', 'not tried'];

export const countsOf = (rows: readonly TriedRow[]): Readonly<Record<Verdict, number>> =>
  Object.fromEntries(VERDICTS.map((verdict) => [verdict, rows.filter((row) => row.verdict === verdict).length])) as Record<
    Verdict,
    number
  >;

const summary = (rows: readonly TriedRow[]): string =>
  Object.entries(countsOf(rows))
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(', ');

const profilesIn = ({ rows }: Report): readonly string[] => [...new Set(rows.map(({ profile }) => profile))];

const facts = (report: Report): readonly (readonly [string, string])[] => [
  ['software', report.software],
  ['Node', report.node],
  ['date', report.at],
  ['configuration', `${report.configuration} (SHA-256 ${report.configurationHash})`],
  ['decision rules', report.rules],
  ['authorities', report.authorities],
];

export const asText = (report: Report): readonly string[] => [
  'OpenCR self-test: which rows of which profile this installation passes',
  '',
  ...table(facts(report)),
  ...profilesIn(report).flatMap((profile) => {
    const rows = report.rows.filter((row) => row.profile === profile);
    return [
      '',
      `${profile}: ${summary(rows)}`,
      ...table(rows.map(({ id, verdict, asks, words }) => [`  ${id}`, verdict, words === '' ? asks : `${asks}: ${words}`])),
    ];
  }),
  '',
  `In all: ${summary(report.rows)}`,
];

const cell = (text: string): string => text.replaceAll(/(?<!\\)\|/g, '\\|');

export const asMarkdown = (report: Report): readonly string[] => [
  '# OpenCR self-test',
  '',
  `In all: ${summary(report.rows)}.`,
  '',
  '| | |',
  '|---|---|',
  ...facts(report).map(([name, value]) => `| ${name} | ${cell(value)} |`),
  ...profilesIn(report).flatMap((profile) => {
    const rows = report.rows.filter((row) => row.profile === profile);
    return [
      '',
      `## ${profile}`,
      '',
      `${summary(rows)}.`,
      '',
      '| row | asks for | verdict | |',
      '|---|---|---|---|',
      ...rows.map(({ id, asks, verdict, words }) => `| ${id} | ${cell(asks)} | ${verdict} | ${cell(words)} |`),
    ];
  }),
];
