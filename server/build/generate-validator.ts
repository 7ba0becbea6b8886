/**
 * Writes server/generated: elements.js, the table of what R4 resources are made of, and patient-validator.js: the R4 JSON schema of Patient as plain JavaScript, so that the server
 * neither compiles schemas at start (3 s) nor needs the compiler. Run by the doors before start, test and check.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { elementsDeclaration, elementsSource } from './elements.ts';
import { closureOf, compilerOptions, published, publishedFile } from './schema.ts';

const folder = new URL('../generated/', import.meta.url);
const target = new URL('patient-validator.js', folder);
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
export declare const validate: { (value: unknown): boolean; errors?: readonly SchemaError[] | null };
`;

const validatorSource = (): string => {
  const ajv = new Ajv({ ...compilerOptions, code: { esm: true, source: true } });
  ajv.addSchema({ $id: 'r4', definitions: closureOf(published(), ['Patient']) });
  ajv.compile({ $id: 'patient', $ref: 'r4#/definitions/Patient' });
  const source = standalone.default(ajv, { validate: 'patient' });
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
  console.log('Patient validator: up to date.');
} else {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('elements.d.ts', folder), elementsDeclaration);
  writeFileSync(new URL('elements.js', folder), elementsSource());
  writeFileSync(new URL('patient-validator.d.ts', folder), declaration);
  writeFileSync(target, header + validatorSource());
  console.log('Patient validator: generated.');
}
