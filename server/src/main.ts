/** The command line's entry: `./opencr COMMAND`, and `npm start`. */
import { createDoors } from './app/doors.ts';
import { run } from './cli/run.ts';

const io = {
  out: (line: string): void => void process.stdout.write(`${line}\n`),
  err: (line: string): void => void process.stderr.write(`${line}\n`),
};

// What a registry writes is its own account's business: the store, keys, sockets.
process.umask(0o077);

// Whoever read the output may have gone; that must not cut a shutdown short.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.exitCode = await run(process.argv.slice(2), io, createDoors(io));
