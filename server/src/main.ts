/** The command line's entry: `./opencr COMMAND`, and `npm start`. */
import { createDoors } from './app/doors.ts';
import { run } from './cli/run.ts';

const io = {
  out: (line: string): void => void process.stdout.write(`${line}\n`),
  err: (line: string): void => void process.stderr.write(`${line}\n`),
};

process.exitCode = await run(process.argv.slice(2), io, createDoors(io));
