import { elements } from '../../../generated/elements.js';

export const FHIR = 'http://hl7.org/fhir';
export const XHTML = 'http://www.w3.org/1999/xhtml';

/** An element of a type, as the published definitions have it. */
export interface Element {
  readonly name: string;
  /** A type of the table, a primitive, `xhtml`, or `Resource`. */
  readonly type: string;
  readonly isList: boolean;
  /** Whether XML has it as an attribute. */
  readonly isAttribute: boolean;
}

const table = new Map(
  Object.entries(elements).map(([type, list]) => [
    type,
    new Map(
      list.map(([name, of, how]): [string, Element] => [name, { name, type: of, isList: how === '*', isAttribute: how === '@' }]),
    ),
  ]),
);

/** What a type is made of, in the order of XML; undefined of a type that this registry has nothing to do with. */
export const elementsOf = (type: string): ReadonlyMap<string, Element> | undefined => table.get(type);

export const isPrimitive = (type: string): boolean => /^[a-z]/.test(type);
