/**
 * `npm run bench`: registrations a second, end to end (`-- --no-gate`: without judging them).
 * `npm run bench -- comparators`: our comparators beside published packages.
 * `npm run bench -- scale [--sizes 10000,1000000] [--in DIR [--from N]]`: imports, starts and registrations at size, with searches beside;
 *   once more on a folder that is there, with other people from N on.
 * `npm run bench -- decisions [--records N] [--profile NAME]`: what one decision takes, beside brute force.
 * `npm run bench -- generate …`: a register of generated people (docs/generator.md).
 * The other names are the processes that the first one starts.
 */
const tasks: Readonly<Record<string, () => Promise<void>>> = {
  registrations: async () => (await import('./registrations.ts')).registrations({ gate: !process.argv.includes('--no-gate') }),
  comparators: async () => (await import('./comparators.ts')).comparators(),
  scale: async () => (await import('./scale.ts')).scale(process.argv.slice(3)),
  decisions: async () => (await import('./decisions.ts')).decisions(process.argv.slice(3)),
  generate: async () => (await import('./generator/generate.ts')).generate(process.argv.slice(3)),
  load: async () => (await import('./load.ts')).answerLoad(),
  store: async () => (await import('./store.ts')).answerStore(),
  echo: async () => (await import('./echo.ts')).answerEcho(),
};

const name = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? 'registrations';
const task = tasks[name];
if (task) await task();
else {
  console.error(
    `npm run bench -- ${['registrations', 'scale', 'decisions', 'comparators', 'generate'].join(' | ')}, not ${name}`,
  );
  process.exitCode = 2;
}
