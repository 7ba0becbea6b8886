import { resolve } from 'node:path';
import { verifyStore } from '../adapters/sql/verify.ts';
import { EXIT, type ExitCode, type Io } from '../cli/io.ts';

/** `./opencr verify`: 0 when nothing is wrong, 1 with a line for each finding. */
export async function verify(io: Io, data: string, head: string | undefined): Promise<ExitCode> {
  const findings = verifyStore(resolve(data), { ...(head !== undefined && { head: head.toLowerCase() }) });
  for (const finding of findings) io.err(`${finding.check}: ${finding.text}`);
  if (findings.length > 0) {
    io.err(`${findings.length} findings.`);
    return EXIT.failed;
  }
  io.out('The hash chain, the references, the identifiers and every CRUID are in order.');
  return EXIT.done;
}
