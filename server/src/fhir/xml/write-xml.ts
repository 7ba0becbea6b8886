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

const element = (name: string, attributes: string, content: string): string =>
  content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;

/** A primitive and what JSON has beside it under `_name`: an id, extensions. */
const primitive = (name: string, value: unknown, beside: unknown): string => {
  const { id, extension } = isFields(beside) ? beside : {};
  const attributes = `${id === undefined ? '' : attribute('id', id)}${value === undefined || value === null ? '' : attribute('value', value)}`;
  const list = Array.isArray(extension) ? extension : [];
  return element(name, attributes, list.map((one) => complex('extension', 'Extension', one)).join(''));
};

const complex = (name: string, type: string, value: unknown): string => {
  if (!isFields(value)) return '';
  const [attributes, content] = partsOf(type, value);
  return element(name, attributes, content);
};

const resource = (value: unknown, namespace = ''): string => {
  if (!isFields(value) || typeof value['resourceType'] !== 'string') return '';
  const [, content] = partsOf(value['resourceType'], value);
  return element(value['resourceType'], namespace, content);
};

const one = ({ name, type }: Element, value: unknown, beside: unknown): string => {
  if (type === 'xhtml') return typeof value === 'string' && isWellFormedDiv(value) ? value : '';
  if (type === 'Resource') return element(name, '', resource(value));
  return isPrimitive(type) ? primitive(name, value, beside) : complex(name, type, value);
};

const member = (found: Element, value: unknown, beside: unknown): string => {
  if (!found.isList) return one(found, value, beside);
  const values: readonly unknown[] = Array.isArray(value) ? value : [];
  const besides: readonly unknown[] = Array.isArray(beside) ? beside : [];
  return Array.from({ length: Math.max(values.length, besides.length) }, (_, place) =>
    one(found, values[place], besides[place]),
  ).join('');
};

/** Attributes and content of a value of the type, in the order of the definitions. */
function partsOf(type: string, value: Fields): readonly [attributes: string, content: string] {
  const elements = elementsOf(type);
  if (!elements) throw new Error(`no resource or type ${type} is written here`);
  let [attributes, content] = ['', ''];
  for (const found of elements.values()) {
    const [here, beside] = [value[found.name], value[`_${found.name}`]];
    if (here === undefined && beside === undefined) continue;
    if (found.isAttribute) attributes += attribute(found.name, here);
    else content += member(found, here, beside);
  }
  return [attributes, content];
}

/**
 * A resource as FHIR XML (R4 xml.html). It must be one that the JSON schema takes: what the definitions do not know is left out, and so is
 * a narrative that is no XHTML.
 */
export const writeXml = (value: object): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${resource(value, attribute('xmlns', FHIR))}`;
