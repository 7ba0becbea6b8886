/**
 * Writes server/generated: elements.js, the table of what R4 resources are made of, and validators.js: the R4 JSON schemas of what the registry keeps as plain
 * JavaScript, so that the server neither compiles schemas at start (3 s) nor needs the compiler. Run by the doors before start, test and check.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { elementsDeclaration, elementsSource } from './elements.ts';
import { closureOf, compilerOptions, published, publishedFile } from './schema.ts';

/** What the registry keeps. */
const KEPT = ['Patient', 'Organization', 'RelatedPerson'];

const folder = new URL('../generated/', import.meta.url);
const target = new URL('validators.js', folder);
const inputs = [
  publishedFile,
  ...['schema.ts', 'elements.ts', 'generate-validator.ts'].map((name) => new URL(name, import.meta.url)),
];

const declaration = `export interface SchemaError {
  /** JSON pointer to the element. */
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}
/** \`errors\` are those of the last value. */
export type Validator = { (value: unknown): boolean; errors?: readonly SchemaError[] | null };
${KEPT.map((type) => `export declare const ${type}: Validator;\n`).join('')}`;

const validatorSource = (): string => {
  const ajv = new Ajv({ ...compilerOptions, code: { esm: true, source: true } });
  ajv.addSchema({ $id: 'r4', definitions: closureOf(published(), KEPT) });
  for (const type of KEPT) ajv.compile({ $id: type, $ref: `r4#/definitions/${type}` });
  const source = standalone.default(ajv, Object.fromEntries(KEPT.map((type) => [type, type])));
  if (source.includes('require(')) throw new Error('The generated validator would need packages at run time.');
  return source;
};

const isCurrent = (header: string): boolean => {
  try {
    return readFileSync(target, 'utf8').startsWith(header);
  } catch {
    return false;
  }
};

const hash = createHash('sha256');
for (const input of inputs) hash.update(readFileSync(input));
const header = `// Generated from the FHIR R4 JSON schema; inputs ${hash.digest('hex')}\n`;
if (isCurrent(header)) {
  console.log('Validators: up to date.');
} else {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('elements.d.ts', folder), elementsDeclaration);
  writeFileSync(new URL('elements.js', folder), elementsSource());
  writeFileSync(new URL('validators.d.ts', folder), declaration);
  writeFileSync(target, header + validatorSource());
  console.log('Validators: generated.');
}
