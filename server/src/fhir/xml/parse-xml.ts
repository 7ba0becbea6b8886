import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import type { Refusal } from '../../domain/errors.ts';
import type { BodyLimits } from '../limits.ts';
import { isRefusal, refuse } from '../refusal.ts';
import { type Element, elementsOf, FHIR, isPrimitive, XHTML } from './elements.ts';

/** An element that is open. */
interface Frame {
  readonly path: string;
  /** Type of what is inside; `Resource` where a resource is to come, '' where nothing is read. */
  readonly type: string;
  /** Its members; of a primitive what stands beside it. */
  readonly fields: Record<string, unknown>;
  /** Of a primitive. */
  value: unknown;
  readonly element: Element | null;
}

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super();
    this.refusal = refusal;
  }
}

const fail = (words: string, path?: string): never => {
  throw new Refused(refuse('invalid-structure', words, path));
};

const INTEGERS = new Set(['integer', 'positiveInt', 'unsignedInt']);

/** The value as JSON has it; one that is none of its type stays text, and is refused by the schema. */
const typed = (type: string, text: string): unknown => {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  const isNumber = INTEGERS.has(type)
    ? /^-?(0|[1-9]\d*)$/
    : type === 'decimal'
      ? /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
      : null;
  return isNumber?.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
};

/** JSON objects are made by the names of the definitions only: none of them is special in JavaScript. */
const put = (frame: Frame, element: Element, value: unknown, beside: Record<string, unknown>): void => {
  const { name, isList } = element;
  const isBeside = Object.keys(beside).length > 0;
  if (!isList) {
    if (name in frame.fields || `_${name}` in frame.fields) fail('The element is given twice.', `${frame.path}.${name}`);
    if (value !== undefined) frame.fields[name] = value;
    if (isBeside) frame.fields[`_${name}`] = beside;
    return;
  }
  const values = (frame.fields[name] ??= []) as unknown[];
  values.push(value ?? null);
  if (!isPrimitive(element.type) || (!isBeside && frame.fields[`_${name}`] === undefined)) return;
  const besides = (frame.fields[`_${name}`] ??= []) as unknown[];
  while (besides.length < values.length - 1) besides.push(null);
  besides.push(isBeside ? beside : null);
};

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Attributes that XML itself needs: namespaces, and where a schema lies. */
const isXmlOnly = ({ prefix, name, uri }: SaxesAttributeNS): boolean =>
  prefix === 'xmlns' || name === 'xmlns' || uri === 'http://www.w3.org/2001/XMLSchema-instance';

class Reader {
  private readonly limits: BodyLimits;
  private readonly frames: Frame[] = [];
  private values = 0;
  /** The narrative that is being copied. */
  private div = '';
  private divDepth = 0;
  root: Record<string, unknown> | undefined;

  constructor(limits: BodyLimits) {
    this.limits = limits;
  }

  open(tag: SaxesTagNS): void {
    this.values += 1 + Object.keys(tag.attributes).length;
    if (this.values > this.limits.maxValues) this.tooLarge(`The body holds more than ${this.limits.maxValues} values.`);
    if (this.frames.length + this.divDepth >= this.limits.maxDepth * 2)
      this.tooLarge(`The body nests deeper than ${this.limits.maxDepth * 2} elements.`);
    const above = this.frames.at(-1);
    if (this.divDepth > 0) this.openMarkup(tag);
    else if (!above || above.type === 'Resource') this.openResource(tag, above);
    else this.openElement(tag, above);
  }

  private tooLarge(words: string): never {
    throw new Refused(refuse('too-large', words));
  }

  private expectFhir({ uri, local }: SaxesTagNS, path: string): void {
    if (uri !== FHIR) fail(`The element ${local.slice(0, 64)} is not of the namespace ${FHIR}.`, path);
  }

  private openResource(tag: SaxesTagNS, above: Frame | undefined): void {
    const path = above?.path ?? tag.local.slice(0, 64);
    this.expectFhir(tag, path);
    if (above && 'resourceType' in above.fields) fail('There is more than one resource here.', path);
    const isKnown = /^[A-Z]/.test(tag.local) && elementsOf(tag.local) !== undefined && !tag.local.includes('.');
    const fields: Record<string, unknown> = { resourceType: tag.local.slice(0, 64) };
    if (above) Object.assign(above.fields, fields);
    this.attributes(tag, { path, fields: {}, type: '', value: undefined, element: null });
    // A resource that is not kept here is not read: whoever meets its type says so.
    this.frames.push({
      path,
      type: isKnown ? tag.local : '',
      fields: above ? above.fields : fields,
      value: undefined,
      element: null,
    });
    if (!above) this.root = fields;
  }

  private openElement(tag: SaxesTagNS, above: Frame): void {
    if (above.type === '') {
      this.frames.push(above);
      return;
    }
    const path = `${above.path}.${tag.local.slice(0, 64)}`;
    const element = elementsOf(above.type)?.get(tag.local);
    if (element?.type === 'xhtml' && tag.uri === XHTML) {
      this.openMarkup(tag);
      return;
    }
    this.expectFhir(tag, path);
    if (!element || element.isAttribute) return fail('No such element in FHIR R4.', path);
    const list = above.fields[element.name];
    const at = element.isList ? `${path}[${Array.isArray(list) ? list.length : 0}]` : path;
    const type = isPrimitive(element.type) ? 'Element' : element.type;
    const frame: Frame = { path: at, type, fields: {}, value: undefined, element };
    this.attributes(tag, frame);
    this.frames.push(frame);
  }

  private attributes(tag: SaxesTagNS, frame: Frame): void {
    const { element, fields, path, type } = frame;
    for (const attribute of Object.values(tag.attributes)) {
      const { name, value } = attribute;
      if (isXmlOnly(attribute)) continue;
      if (value.length > this.limits.maxString) this.tooLarge(`A value is longer than ${this.limits.maxString} characters.`);
      if (element && name === 'value' && isPrimitive(element.type)) frame.value = typed(element.type, value);
      else if (element && name === 'id') fields['id'] = value;
      else if (elementsOf(type)?.get(name)?.isAttribute) fields[name] = value;
      else fail(`No such attribute in FHIR R4: ${name.slice(0, 64)}.`, path);
    }
  }

  private openMarkup(tag: SaxesTagNS): void {
    if (tag.uri !== XHTML) fail('A narrative is of XHTML.', this.frames.at(-1)?.path);
    const attributes = Object.values(tag.attributes)
      .filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns')
      .map(({ name, value }) => ` ${name}="${escaped(value).replaceAll('"', '&quot;')}"`);
    const namespace = this.divDepth === 0 ? ` xmlns="${XHTML}"` : '';
    this.copy(`<${tag.local}${namespace}${attributes.join('')}>`);
    this.divDepth += 1;
  }

  private copy(text: string): void {
    this.div += text;
    if (this.div.length > this.limits.maxString) this.tooLarge(`A value is longer than ${this.limits.maxString} characters.`);
  }

  text(text: string): void {
    if (this.divDepth > 0) this.copy(escaped(text));
    else if (text.trim() !== '' && this.frames.at(-1)?.type !== '')
      fail('Text stands where FHIR has none: values are attributes.', this.frames.at(-1)?.path);
  }

  close(tag: SaxesTagNS): void {
    if (this.divDepth > 0) {
      this.copy(`</${tag.local}>`);
      this.divDepth -= 1;
      const narrative = this.frames.at(-1);
      if (this.divDepth > 0 || !narrative) return;
      if ('div' in narrative.fields) fail('The element is given twice.', `${narrative.path}.div`);
      narrative.fields['div'] = this.div;
      this.div = '';
      return;
    }
    const frame = this.frames.pop();
    const above = this.frames.at(-1);
    if (!frame?.element || !above || above === frame) return;
    const { element, fields, value, path } = frame;
    if (!isPrimitive(element.type)) {
      if (element.type === 'Resource' && !('resourceType' in fields)) fail('A resource is missing.', path);
      put(above, element, fields, {});
      return;
    }
    if (value === undefined && Object.keys(fields).length === 0) fail('The element has neither a value nor an extension.', path);
    put(above, element, value, fields);
  }
}

const read = (text: string, limits: BodyLimits): unknown => {
  const parser = new SaxesParser({ xmlns: true });
  const reader = new Reader(limits);
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) fail('The body says another encoding than UTF-8.');
  });
  parser.on('doctype', () => fail('A document type is not allowed.'));
  parser.on('error', (error) => fail(`The body is no XML that is well-formed: ${error.message.slice(0, 200)}.`));
  parser.on('opentag', (tag) => {
    reader.open(tag);
  });
  parser.on('closetag', (tag) => {
    reader.close(tag);
  });
  parser.on('text', (characters) => {
    reader.text(characters);
  });
  parser.on('cdata', (characters) => {
    reader.text(characters);
  });
  parser.write(text).close();
  return reader.root;
};

/**
 * A body in FHIR XML (R4 xml.html) as the JSON value that says the same (R4 json.html). What is not well-formed, of another namespace, or no
 * element of R4 is refused (400) with its path; entities other than XML's own and document types are not read at all. Values that are none of
 * their type stay text: the schema of the resource says so of them as of JSON. Decimals are JavaScript numbers, as in JSON.
 */
export const parseXml = (text: string, limits: BodyLimits): { readonly value: unknown } | Refusal => {
  try {
    return { value: read(text, limits) };
  } catch (error) {
    if (error instanceof Refused && isRefusal(error.refusal)) return error.refusal;
    throw error;
  }
};
