import { resolve } from 'node:path';
import { openStore } from '../adapters/sql/store.ts';
import { verifyStore } from '../adapters/sql/verify.ts';
import { EXIT, type ExitCode, type Io } from '../cli/io.ts';
import type { Patient } from '../fhir/r4.ts';
import type { FeatureSpec, RuleSet } from '../matching/model.ts';
import { createExtractor } from '../registry/extract.ts';

/** Features of the rules that the store was last prepared for. */
async function featuresInForce(dir: string): Promise<readonly FeatureSpec[]> {
  const store = openStore(dir, { features: [], readOnly: true });
  try {
    const definition = await store.reader.ruleDefinition((await store.reader.head()).ruleVersion);
    return definition === undefined ? [] : (JSON.parse(definition) as Pick<RuleSet, 'features'>).features;
  } finally {
    store.close();
  }
}

/** `./opencr verify`: 0 when nothing is wrong, 1 with a line for each finding. */
export async function verify(io: Io, data: string, head: string | undefined): Promise<ExitCode> {
  const dir = resolve(data);
  const specs = await featuresInForce(dir);
  const extract = createExtractor(specs);
  const findings = verifyStore(dir, {
    ...(head !== undefined && { head: head.toLowerCase() }),
    features: { specs, extract: (resource) => extract(JSON.parse(resource) as Patient) },
  });
  for (const { check, text } of findings) io.err(`${check}: ${text}`);
  if (findings.length > 0) {
    io.err(findings.length === 1 ? '1 finding.' : `${findings.length} findings.`);
    return EXIT.failed;
  }
  io.out('The hash chain, the references, the identifiers, the features and every CRUID are in order.');
  return EXIT.done;
}
