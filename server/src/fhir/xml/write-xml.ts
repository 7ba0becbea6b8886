import { type Fields, isFields } from '../fields.ts';
import { type Element, elementsOf, FHIR, isPrimitive } from './elements.ts';
import { isWellFormedDiv } from './narrative.ts';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

/** Text as the value of an attribute. What no XML may hold (a noncharacter at the end of the plane) becomes U+FFFD. */
const attribute = (name: string, value: unknown): string =>
  ` ${name}="${String(value)
    .replaceAll(/[&<>"\n\r\t]/g, (character) => escapes[character] ?? '')
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd')}"`;

/** Where an element is written: `at` is the line break and the indentation before it, '' where all stands on one line. */
interface Place {
  readonly name: string;
  readonly at: string;
}

const element = ({ name, at }: Place, attributes: string, content: string): string =>
  content === '' ? `${at}<${name}${attributes}/>` : `${at}<${name}${attributes}>${content}${at}</${name}>`;

const inside = (at: string): string => (at === '' ? '' : `${at}  `);

/** What JSON has of an element: its value, and beside it under `_name` an id, extensions. */
interface Held {
  readonly value: unknown;
  readonly beside: unknown;
}

const primitive = (place: Place, { value, beside }: Held): string => {
  const { id, extension } = isFields(beside) ? beside : {};
  const attributes = `${id === undefined ? '' : attribute('id', id)}${value === undefined || value === null ? '' : attribute('value', value)}`;
  const list = Array.isArray(extension) ? extension : [];
  const at = inside(place.at);
  return element(place, attributes, list.map((one) => complex({ name: 'extension', at }, 'Extension', one)).join(''));
};

const complex = (place: Place, type: string, value: unknown): string => {
  if (!isFields(value)) return '';
  const [attributes, content] = partsOf(type, value, inside(place.at));
  return element(place, attributes, content);
};

const resource = (value: unknown, at: string, namespace = ''): string => {
  if (!isFields(value) || typeof value['resourceType'] !== 'string') return '';
  const [, content] = partsOf(value['resourceType'], value, inside(at));
  return element({ name: value['resourceType'], at }, namespace, content);
};

const one = ({ name, type }: Element, held: Held, at: string): string => {
  const { value } = held;
  // Blanks within a narrative are a part of it.
  if (type === 'xhtml') return typeof value === 'string' && isWellFormedDiv(value) ? `${at}${value}` : '';
  if (type === 'Resource') return element({ name, at }, '', resource(value, inside(at)));
  return isPrimitive(type) ? primitive({ name, at }, held) : complex({ name, at }, type, value);
};

const member = (found: Element, held: Held, at: string): string => {
  if (!found.isList) return one(found, held, at);
  const values: readonly unknown[] = Array.isArray(held.value) ? held.value : [];
  const besides: readonly unknown[] = Array.isArray(held.beside) ? held.beside : [];
  return Array.from({ length: Math.max(values.length, besides.length) }, (_, place) =>
    one(found, { value: values[place], beside: besides[place] }, at),
  ).join('');
};

/** Attributes and content of a value of the type, in the order of the definitions. */
function partsOf(type: string, value: Fields, at: string): readonly [attributes: string, content: string] {
  const elements = elementsOf(type);
  if (!elements) throw new Error(`no resource or type ${type} is written here`);
  let [attributes, content] = ['', ''];
  for (const found of elements.values()) {
    const held = { value: value[found.name], beside: value[`_${found.name}`] };
    if (held.value === undefined && held.beside === undefined) continue;
    if (found.isAttribute) attributes += attribute(found.name, held.value);
    else content += member(found, held, at);
  }
  return [attributes, content];
}

/**
 * A resource as FHIR XML (R4 xml.html), indented or on one line. It must be one that the JSON schema takes: what the definitions do not
 * know is left out, and so is a narrative that is no XHTML.
 */
export const writeXml = (value: object, pretty = false): string =>
  `<?xml version="1.0" encoding="UTF-8"?>${pretty ? '' : '\n'}${resource(value, pretty ? '\n' : '', attribute('xmlns', FHIR))}`;
