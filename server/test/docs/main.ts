/** `node server/test/docs/main.ts`: writes the column of tests in docs/conformance.md anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/app/project.ts';
import { withTests } from './conformance.ts';

const file = join(projectRoot, 'docs', 'conformance.md');
writeFileSync(file, withTests(readFileSync(file, 'utf8')));
