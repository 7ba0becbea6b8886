/** JSON schemas of what goes over the wire, from the same table of R4's elements that XML is read by. */
import { COMPANION_TYPES } from '../../domain/companions.ts';
import { elementsOf, isPrimitive } from '../../fhir/xml/elements.ts';

export type Schema = { readonly [keyword: string]: unknown };

const DATE = '\\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01]))?)?';
const TIME = 'T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-](0\\d|1[0-3]):[0-5]\\d)';
export const ID_PATTERN = '^[A-Za-z0-9.-]{1,64}$';

const text: Schema = { type: 'string', minLength: 1 };
const primitives: Readonly<Record<string, Schema>> = {
  boolean: { type: 'boolean' },
  integer: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  positiveInt: { type: 'integer', minimum: 1, maximum: 2_147_483_647 },
  unsignedInt: { type: 'integer', minimum: 0, maximum: 2_147_483_647 },
  decimal: { type: 'number' },
  id: { type: 'string', pattern: ID_PATTERN },
  uri: { type: 'string', pattern: '^\\S+$' },
  url: { type: 'string', pattern: '^\\S+$' },
  canonical: { type: 'string', pattern: '^\\S+$' },
  code: { type: 'string', pattern: '^[^\\s]+( [^\\s]+)*$' },
  date: { type: 'string', pattern: `^${DATE}$` },
  dateTime: { type: 'string', pattern: `^(${DATE}|\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])${TIME})$` },
  instant: { type: 'string', pattern: `^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])${TIME}$` },
  base64Binary: { type: 'string', contentEncoding: 'base64' },
  xhtml: { type: 'string', description: 'A div of XHTML.' },
};

/** Codes of required bindings that are checked. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  'Patient.gender': ['male', 'female', 'other', 'unknown'],
  'RelatedPerson.gender': ['male', 'female', 'other', 'unknown'],
  'Patient.contact.gender': ['male', 'female', 'other', 'unknown'],
  'Patient.link.type': ['replaced-by', 'replaces', 'refer', 'seealso'],
  'Identifier.use': ['usual', 'official', 'temp', 'secondary', 'old'],
  'HumanName.use': ['usual', 'official', 'temp', 'nickname', 'anonymous', 'old', 'maiden'],
  'ContactPoint.system': ['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other'],
  'ContactPoint.use': ['home', 'work', 'temp', 'old', 'mobile'],
  'Address.use': ['home', 'work', 'temp', 'old', 'billing'],
  'Address.type': ['postal', 'physical', 'both'],
  'Narrative.status': ['generated', 'extensions', 'additional', 'empty'],
};

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  Narrative: ['status', 'div'],
  'Patient.link': ['other', 'type'],
  'Patient.communication': ['language'],
  RelatedPerson: ['patient'],
  'RelatedPerson.communication': ['language'],
};

/** Resources that are kept. */
const KEPT: readonly string[] = ['Patient', ...COMPANION_TYPES];

/** Written by hand: their elements are all of R4's types, or lead back to themselves, which tools that make values from a schema do not end with. */
const open: Readonly<Record<string, Schema>> = {
  Extension: {
    type: 'object',
    description: 'An extension of R4: one value[x], or extensions.',
    required: ['url'],
    properties: { url: text, valueString: text, valueBoolean: { type: 'boolean' } },
  },
  Reference: {
    type: 'object',
    description: 'A reference of R4.',
    properties: { reference: text, type: text, display: text, identifier: { type: 'object' } },
  },
  Resource: { type: 'object', required: ['resourceType'], properties: { resourceType: text } },
};

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

const schemaOf = (type: string, path: string): Schema => {
  const codes = CODES[path];
  if (codes) return { type: 'string', enum: codes };
  return isPrimitive(type) ? (primitives[type] ?? text) : ref(type);
};

/** One type of R4 as the element table has it; what stands beside primitives (`_birthDate`) is let through. */
function typeSchema(name: string): Schema {
  const elements = elementsOf(name);
  if (!elements) throw new Error(`no type ${name} is known`);
  const properties = [...elements.values()].map(({ name: element, type, isList }) => {
    const one = schemaOf(type, `${name}.${element}`);
    return [element, isList ? { type: 'array', items: one, minItems: 1, maxItems: 100 } : one] as const;
  });
  const isResource = KEPT.includes(name);
  return {
    type: 'object',
    required: [...(isResource ? ['resourceType'] : []), ...(REQUIRED[name] ?? [])],
    properties: { ...(isResource && { resourceType: { const: name } }), ...Object.fromEntries(properties) },
    patternProperties: { '^_[a-z]': { type: ['object', 'array'] } },
    additionalProperties: false,
  };
}

/** The types that a type is made of, itself first. */
function closureOf(root: string): readonly string[] {
  const found = new Set<string>();
  const visit = (type: string): void => {
    if (found.has(type) || Object.hasOwn(open, type) || isPrimitive(type)) return;
    found.add(type);
    for (const element of elementsOf(type)?.values() ?? []) visit(element.type);
  };
  visit(root);
  return [...found];
}

const listOf = (items: Schema): Schema => ({ type: 'array', items });
const resource = (type: string, more: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  required: ['resourceType', ...required],
  properties: { resourceType: { const: type }, ...more },
});

const link = listOf({ type: 'object', required: ['relation', 'url'], properties: { relation: text, url: text } });

const submittedBundle = resource('Bundle', {
  type: { type: 'string', enum: ['batch', 'transaction', 'history', 'collection'] },
  entry: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        fullUrl: { type: 'string', pattern: '^\\S+$' },
        resource: { anyOf: KEPT.map(ref) },
        request: {
          type: 'object',
          required: ['method', 'url'],
          properties: {
            method: { type: 'string', enum: ['POST', 'PUT', 'DELETE', 'GET'] },
            url: { type: 'string', pattern: `^(${KEPT.join('|')})(/[A-Za-z0-9.-]{1,64}|\\?identifier=\\S+)?$` },
            ifMatch: text,
            ifNoneExist: text,
          },
        },
      },
    },
  },
});

const answeredBundle = resource(
  'Bundle',
  {
    type: { type: 'string', enum: ['searchset', 'history', 'batch-response', 'transaction-response'] },
    total: { type: 'integer', minimum: 0 },
    link,
    entry: listOf({
      type: 'object',
      properties: {
        fullUrl: text,
        resource: ref('Resource'),
        search: { type: 'object' },
        request: { type: 'object' },
        response: { type: 'object' },
      },
    }),
  },
  ['type'],
);

const operationOutcome = resource(
  'OperationOutcome',
  {
    issue: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['severity', 'code', 'diagnostics'],
        properties: {
          severity: { type: 'string', enum: ['error', 'warning', 'information'] },
          code: text,
          diagnostics: text,
          expression: listOf(text),
        },
      },
    },
  },
  ['issue'],
);

const parameter = (name: string, value: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required: ['name', ...Object.keys(value)],
  properties: { name: { const: name }, ...value },
});

const matchParameters = resource(
  'Parameters',
  {
    parameter: listOf({
      anyOf: [
        parameter('resource', { resource: ref('Patient') }),
        parameter('count', { valueInteger: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } }),
        parameter('onlyCertainMatches', { valueBoolean: { type: 'boolean' } }),
        parameter('onlySingleMatch', { valueBoolean: { type: 'boolean' } }),
      ],
    }),
  },
  ['parameter'],
);

const pixParameters = resource(
  'Parameters',
  {
    parameter: listOf({
      anyOf: [
        parameter('sourceIdentifier', { valueString: text }),
        parameter('targetSystem', { valueUri: { type: 'string', pattern: '^\\S+$' } }),
      ],
    }),
  },
  ['parameter'],
);

const matrixRow: Schema = {
  type: 'object',
  required: ['uid', 'ouid', 'source_id', 'scores'],
  properties: {
    id: text,
    uid: { type: ['string', 'null'] },
    ouid: { type: ['string', 'null'] },
    source_id: { type: ['string', 'null'] },
    scores: { type: 'object', additionalProperties: { type: 'number' } },
  },
};

export const schemas: Readonly<Record<string, Schema>> = {
  ...open,
  ...Object.fromEntries([...new Set(KEPT.flatMap(closureOf))].map((type) => [type, typeSchema(type)])),
  SubmittedBundle: submittedBundle,
  Bundle: answeredBundle,
  OperationOutcome: operationOutcome,
  MatchParameters: matchParameters,
  PixParameters: pixParameters,
  Parameters: resource('Parameters', { parameter: listOf({ type: 'object', required: ['name'], properties: { name: text } }) }),
  AuditEvent: resource('AuditEvent', { id: { type: 'string', pattern: ID_PATTERN } }, [
    'id',
    'type',
    'recorded',
    'agent',
    'source',
  ]),
  CapabilityStatement: resource('CapabilityStatement', {}, ['status', 'kind', 'fhirVersion', 'format', 'rest']),
  DryRun: {
    type: 'object',
    required: ['parent', 'auto', 'conflict', 'potential'],
    properties: {
      ...Object.fromEntries(['parent', 'auto', 'conflict', 'potential'].map((name) => [name, listOf(ref('MatrixRow'))])),
      outcome: ref('OperationOutcome'),
    },
  },
  MatrixRow: matrixRow,
  Health: {
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', enum: ['live', 'ready', 'starting'] } },
  },
};
