/** `npm run test:real`: the registry as a process, and real clients. `-- NAME...` runs the suites of these names only. */
import { clients } from './clients.ts';
import { fuzzing } from './fuzz.ts';
import { hapiClient } from './hapi-client.ts';
import { hapiValidator } from './hapi-validator.ts';
import { imports } from './import.ts';
import { keycloak } from './keycloak.ts';
import { kill } from './kill.ts';
import { race } from './race.ts';
import { rsyslog } from './rsyslog.ts';
import { schemathesis } from './schemathesis.ts';
import { Missing, type RealTest, type Suite } from './suite.ts';

const suites: readonly Suite[] = [
  kill,
  imports,
  race,
  clients,
  hapiClient,
  hapiValidator,
  rsyslog,
  keycloak,
  fuzzing,
  schemathesis,
];

/** Far more than any test takes, unless it says otherwise: one that hangs fails, and the next begins. */
const DEADLINE = 5 * 60_000;

const beforeDeadline = <T>(work: Promise<T>, deadline: number): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(new Error(`nothing after ${deadline / 1000} s`)), deadline);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
};

type Verdict = 'passed' | 'failed' | 'skipped';

async function verdictOf({ title, run, deadline = DEADLINE }: RealTest): Promise<Verdict> {
  const began = performance.now();
  const say = (word: string, about: string): void => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${word.padEnd(7)} ${title} (${seconds} s)${about === '' ? '' : `: ${about}`}`);
  };
  try {
    say('ok', await beforeDeadline(run(), deadline));
    return 'passed';
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const missing = error instanceof Missing;
    say(missing ? 'skip' : 'FAILED', error.message);
    return missing ? 'skipped' : 'failed';
  }
}

const wanted = process.argv.slice(2);
const verdicts: Verdict[] = [];
for (const { name, tests } of suites.filter((suite) => wanted.length === 0 || wanted.includes(suite.name))) {
  console.log(`\n${name}`);
  for (const test of tests) verdicts.push(await verdictOf(test));
}
const count = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length;
console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
// A test that hangs may have left something open.
process.exit(count('failed') === 0 && verdicts.length > 0 ? 0 : 1);
