import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { licences } from './licences.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** `skipped` neither passes nor fails: what it needs is not there, and `output` says what. */
interface Outcome {
  readonly verdict: 'passed' | 'failed' | 'skipped';
  readonly output: string;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function command(file: string, ...args: readonly string[]): Promise<Ended> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

const tool = (name: string, script: string, ...args: readonly string[]): Step => ({
  name,
  run: async () => {
    const { code, output } = await command(process.execPath, `node_modules/${script}`, ...args);
    return { verdict: code === 0 ? 'passed' : 'failed', output };
  },
});

const licencesOfPackages = async (): Promise<Outcome> => {
  const { refused } = licences('package-lock.json');
  return { verdict: refused.length === 0 ? 'passed' : 'failed', output: refused.join('\n') };
};

/** A registry that does not answer (no network, or a mirror without advisories) says nothing about the packages. */
async function vulnerabilities(): Promise<Outcome> {
  const { code, output } = await command('npm', 'audit', '--omit=dev', '--audit-level=moderate', '--fetch-retries=0');
  if (code === 0) return { verdict: 'passed', output: '' };
  const answered = /\bvulnerabilit(y|ies)\b/.test(output);
  return answered ? { verdict: 'failed', output } : { verdict: 'skipped', output: 'the registry does not answer' };
}

/** The longest first, so that the others find room beside them. */
const steps: readonly Step[] = [
  tool('lint', 'eslint/bin/eslint.js', '.'),
  tool('types', 'typescript/bin/tsc', '--project', '.'),
  tool('format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
  tool('layers', 'dependency-cruiser/bin/dependency-cruiser.mjs', '--output-type', 'err', 'server/src', 'bench'),
  tool('dead code', 'knip/bin/knip.js'),
  { name: 'vulnerabilities', run: vulnerabilities },
  { name: 'licences', run: licencesOfPackages },
];

const words = { passed: 'ok    ', failed: 'FAILED', skipped: 'skip  ' };

async function take(step: Step): Promise<Outcome> {
  const began = performance.now();
  const outcome = await step.run();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const note = outcome.verdict === 'skipped' ? outcome.output : (/\d+ warnings?\b/.exec(outcome.output)?.[0] ?? '');
  console.log(`${words[outcome.verdict]} ${step.name.padEnd(16)} ${seconds.padStart(5)} s  ${note}`.trimEnd());
  if (outcome.verdict === 'failed') console.log(outcome.output.trimEnd());
  return outcome;
}

const queue = steps.values();
const outcomes: Outcome[] = [];
const worker = async (): Promise<void> => {
  for (const step of queue) outcomes.push(await take(step));
};
await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker));

const count = (verdict: Outcome['verdict']): number => outcomes.filter((outcome) => outcome.verdict === verdict).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exitCode = count('failed') === 0 ? 0 : 1;
