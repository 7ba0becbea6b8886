import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A file, what it imports, and the rule that this breaks. */
const broken: readonly (readonly [file: string, imports: string, rule: string])[] = [
  ['domain/a', '../matching/x.ts', 'domain-sees-nothing'],
  ['domain/b', 'node:crypto', 'domain-and-matching-import-nothing-outside'],
  ['matching/a', '../registry/x.ts', 'matching-sees-domain'],
  ['matching/b', 'zod', 'domain-and-matching-import-nothing-outside'],
  ['fhir/a', '../matching/x.ts', 'fhir-sees-domain'],
  ['fhir/b', 'node:fs', 'core-does-no-io'],
  ['rules/a', '../registry/x.ts', 'rules-sees-matching-fhir-domain'],
  ['registry/a', '../rules/x.ts', 'registry-sees-matching-fhir-domain'],
  ['registry/b', '../adapters/sql/x.ts', 'only-app-names-adapters'],
  ['registry/c', 'node:worker_threads', 'core-does-no-io'],
  ['config/a', '../registry/x.ts', 'config-sees-rules-matching-fhir-domain'],
  ['cli/a', '../http/x.ts', 'cli-sees-registry-matching-fhir-domain'],
  ['http/a', '../rules/x.ts', 'http-sees-registry-matching-fhir-domain'],
  ['http/admin/a', '../../cli/x.ts', 'http-admin-sees-rules-too'],
  ['adapters/sql/a', '../../matching/x.ts', 'adapters-see-ports-fhir-domain'],
  ['adapters/sql/b', '../../registry/x.ts', 'adapters-see-ports-fhir-domain'],
  ['adapters/sql/c', '../../matching/model.ts', 'adapters-see-types-of-the-model-only'],
  ['adapters/sql/d', '../identity/x.ts', 'adapters-know-no-siblings'],
  ['registry/d', '../app.ts', 'nobody-imports-app-or-main'],
  ['app/a', '../main.ts', 'nobody-imports-main'],
  ['registry/e', '../../test/support/x.ts', 'no-tests-in-the-product'],
  ['registry/f', './missing.ts', 'resolvable'],
  ['registry/g', 'a-tool', 'no-development-packages-in-the-product'],
];

/** Arrows of the design, and types through the ports. */
const kept: readonly (readonly [file: string, imports: string])[] = [
  ['matching/ok', '../domain/x.ts'],
  ['rules/ok', '../matching/x.ts'],
  ['registry/ok', '../fhir/x.ts'],
  ['registry/ok-hash', 'node:crypto'],
  ['http/ok', '../fhir/x.ts'],
  ['http/admin/ok', '../../rules/x.ts'],
  ['config/ok', '../rules/x.ts'],
  ['adapters/sql/ok', './x.ts'],
  ['adapters/sql/ok-ports', '../../registry/ports.ts'],
  ['app/ok', '../adapters/sql/x.ts'],
  ['registry/ok.test', '../adapters/sql/x.ts'],
];

const imported = [
  ...['domain', 'matching', 'fhir', 'rules', 'registry', 'http', 'cli', 'adapters/sql', 'adapters/identity'].map(
    (folder) => `src/${folder}/x`,
  ),
  ...['src/matching/model', 'src/registry/ports', 'src/app', 'src/main', 'test/support/x'],
];

interface Report {
  readonly summary: { readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[] };
}

describe('the layers of the design', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opencr-layers-'));
  let violations: Report['summary']['violations'];

  const write = (file: string, text: string): void => {
    const path = join(folder, 'server', `${file}.ts`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const rulesBrokenBy = (file: string): readonly string[] =>
    violations.filter(({ from }) => from === `server/src/${file}.ts`).map(({ rule }) => rule.name);

  beforeAll(() => {
    for (const file of imported) write(file, 'export const x = 1;\n');
    for (const [file, imports] of [...broken, ...kept]) {
      const type = file.endsWith('ports') ? 'type ' : '';
      write(`src/${file}`, `import ${type}{ x } from '${imports}';\nexport const y = x;\n`);
    }
    write('src/domain/circle', `import { y } from './round.ts';\nexport const x = y;\n`);
    write('src/domain/round', `import { x } from './circle.ts';\nexport const y = x;\n`);
    write('src/domain/forgotten', 'export const z = 1;\n');
    writeFileSync(join(folder, 'tsconfig.json'), '{}');
    writeFileSync(join(folder, 'package.json'), '{ "devDependencies": { "a-tool": "1.0.0" } }');
    mkdirSync(join(folder, 'node_modules/a-tool'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/a-tool/index.js'), 'exports.x = 1;\n');
    const cruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
    const command = [cruise, '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'server/src'];
    violations = (JSON.parse(execFileSync(process.execPath, command, { cwd: folder, encoding: 'utf8' })) as Report).summary
      .violations;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(broken)('%s may not import %s', (file, _, rule) => expect(rulesBrokenBy(file)).toContain(rule));
  test.each(kept)('%s may import %s', (file) => expect(rulesBrokenBy(file)).toEqual([]));
  test('two files may not need each other', () => expect(rulesBrokenBy('domain/circle')).toContain('no-cycles'));
  test('a file may not stand forgotten', () => expect(rulesBrokenBy('domain/forgotten')).toContain('no-orphans'));
});
