/** Bodies: valid ones of few people, and what becomes of them by edits, in JSON and in XML. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { writeXml } from '../../src/fhir/xml/write-xml.ts';
import { type Edit, edit, edited, editedText, type TextEdit, textEdit } from './mutate.ts';
import { jsonText, oddText, oddValue } from './odd.ts';

export interface Body {
  /** In a text `@n@` stands for an id that the registry has given: the n-th of those that are known when it is sent. */
  readonly content: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** How it is to be compressed; null: as it is. */
  readonly coding: string | null;
}

const BASE = 'http://clientregistry.org';
const PEOPLE = 40;
/** Few people and few identifiers, so that records meet: they match, conflict, are updated and merged. */
export const VALUES = 60;

/** Stands for the name of whoever sends it. */
export const SENDER = '~sender~';
const systemOf = (client: string): string => `${BASE}/${client}`;
export const SYSTEM_OF_SENDER = systemOf(SENDER);
export const someSystem = fc
  .oneof(
    { weight: 6, arbitrary: fc.constant(SENDER) },
    { weight: 1, arbitrary: fc.constantFrom('openmrs', 'dhis2', 'lims', 'nobody') },
  )
  .map(systemOf);
const FAMILIES = ['Okello', 'Nakato', 'Müller', 'Ὀδυσσεύς', 'O’Brien-Smith', 'አበበ', 'de la Cruz', 'Li'];
const GIVENS = ['Anna', 'Anne', 'Jean-Pierre', 'Ngũgĩ', 'Maria', 'Marie'];

const person = (n: number): Record<string, unknown> => ({
  active: true,
  name: [{ use: 'official', family: FAMILIES[n % FAMILIES.length], given: [GIVENS[n % GIVENS.length], 'X'] }],
  telecom: [{ system: 'phone', value: `0700 ${100_000 + n}`, use: 'mobile' }],
  gender: n % 2 === 0 ? 'female' : 'male',
  birthDate: `19${50 + (n % 40)}-0${1 + (n % 9)}-1${n % 10}`,
  address: [{ line: ['1 Main Street'], city: 'Gulu', district: 'Gulu', country: 'UG' }],
});

const MORE: readonly Record<string, unknown>[] = [
  {},
  { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Anna</p></div>' } },
  { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { city: 'Lira' } }] },
  { birthDate: '1990', _birthDate: { extension: [{ url: 'http://x.example/t', valueDateTime: '1990-01-01T12:00:00Z' }] } },
  { name: [{ given: ['A', null], _given: [null, { id: 'g' }] }] },
  { meta: { tag: [{ system: 'http://own.example', code: 'kept' }], profile: ['http://x.example/profile'] } },
  {
    deceasedDateTime: '2020-05',
    maritalStatus: { text: 'married' },
    communication: [{ language: { coding: [{ code: 'en' }] } }],
  },
  {
    contact: [{ name: { family: 'K' }, relationship: [{ text: 'mother' }] }],
    multipleBirthInteger: 2,
    generalPractitioner: [{ display: 'x' }],
  },
  { contained: [{ resourceType: 'Organization', id: 'o', name: 'O' }], managingOrganization: { reference: '#o' } },
  { active: false },
  { active: false, link: [{ other: { reference: 'Patient/@3@' }, type: 'replaced-by' }] },
  { link: [{ other: { reference: 'Patient/@5@' }, type: 'seealso' }] },
  { link: [{ other: { identifier: { system: `${BASE}/openmrs`, value: 'f7' } }, type: 'replaced-by' }] },
];

/** A valid Patient of a client. */
export const validPatient = (system: string): fc.Arbitrary<Record<string, unknown>> =>
  fc.tuple(fc.nat(VALUES - 1), fc.nat(PEOPLE - 1), fc.constantFrom(...MORE), fc.boolean()).map(([value, n, more, national]) => ({
    resourceType: 'Patient',
    identifier: [{ system, value: `f${value}` }, ...(national ? [{ system: `${BASE}/nationalid`, value: `n${n}` }] : [])],
    ...person(n),
    ...more,
  }));

/** Every record that a valid Patient of a client can be, so that the next is an update. */
export const recordsOf = (client: string): readonly string[] =>
  Array.from({ length: VALUES }, (_, n) =>
    JSON.stringify({ resourceType: 'Patient', identifier: [{ system: systemOf(client), value: `f${n}` }], ...person(n) }),
  );

const identifierQuery = (system: string, value: number): string =>
  `Patient?identifier=${encodeURIComponent(`${system}|f${value}`)}`;

const request = (system: string): fc.Arbitrary<Record<string, unknown>> =>
  fc.oneof(
    fc.constant({ method: 'POST', url: 'Patient' }),
    fc.nat(VALUES - 1).map((value) => ({ method: 'PUT', url: identifierQuery(system, value) })),
    fc.nat(50).map((n) => ({ method: 'PUT', url: `Patient/@${n}@` })),
    fc.nat(50).map((n) => ({ method: 'DELETE', url: `Patient/@${n}@` })),
    fc.nat(VALUES - 1).map((value) => ({ method: 'DELETE', url: identifierQuery(system, value), ifMatch: 'W/"1"' })),
    fc.nat(VALUES - 1).map((value) => ({ method: 'POST', url: 'Patient', ifNoneExist: identifierQuery(system, value).slice(8) })),
    fc.constantFrom({ method: 'GET', url: 'Patient' }, { method: 'PATCH', url: 'Patient/a' }, { method: 'HEAD', url: '' }),
  );

export const validBundle = (system: string): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record({
      type: fc.constantFrom('batch', 'transaction', 'collection', 'message'),
      entry: fc.array(
        fc.record({ fullUrl: fc.uuid().map((id) => `urn:uuid:${id}`), resource: validPatient(system), request: request(system) }),
        { maxLength: 6 },
      ),
    })
    .map((bundle) => ({ resourceType: 'Bundle', ...bundle }));

export const validQuestion = (system: string): fc.Arbitrary<Record<string, unknown>> =>
  fc.tuple(validPatient(system), fc.nat(300), fc.boolean(), fc.boolean()).map(([resource, count, onlyCertain, bare]) =>
    bare
      ? resource
      : {
          resourceType: 'Parameters',
          parameter: [
            { name: 'resource', resource },
            { name: 'count', valueInteger: count },
            { name: 'onlyCertainMatches', valueBoolean: onlyCertain },
          ],
        },
  );

export const validPix = (system: string): fc.Arbitrary<Record<string, unknown>> =>
  fc.nat(VALUES - 1).map((value) => ({
    resourceType: 'Parameters',
    parameter: [
      { name: 'sourceIdentifier', valueString: `${system}|f${value}` },
      { name: 'targetSystem', valueUri: `${BASE}/nationalid` },
    ],
  }));

const TYPES = {
  json: [
    'application/fhir+json',
    'application/fhir+json',
    'application/json',
    'text/json; charset=utf-8',
    'application/json+fhir;fhirVersion=4.0',
  ],
  xml: ['application/fhir+xml', 'application/fhir+xml', 'text/xml', 'application/xml; charset="UTF-8"'],
} as const;
const ODD_TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'application/fhir+json; charset=latin1',
  'application',
  '/',
  ';',
  '*/*',
];

export const CODINGS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  // What it says is not what it is.
  'x-gzip': (bytes) => bytes,
  zstd: (bytes) => bytes,
};

interface Writing {
  readonly format: 'json' | 'xml';
  readonly edits: readonly Edit[];
  readonly textEdits: readonly TextEdit[];
  readonly type: string;
  readonly coding: string | null;
}

const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<readonly T[]>([]) },
    { weight: 3, arbitrary: fc.array(one, { minLength: 1, maxLength: 3 }) },
  );

const writingIn = (format: 'json' | 'xml'): fc.Arbitrary<Writing> =>
  fc.record({
    format: fc.constant(format),
    type: fc.oneof(
      { weight: 24, arbitrary: fc.constantFrom<string[]>(...TYPES[format]) },
      { weight: 1, arbitrary: fc.constantFrom(...ODD_TYPES) },
    ),
    edits: few(edit),
    textEdits: fc.oneof(
      { weight: 9, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(textEdit, { minLength: 1, maxLength: 3 }) },
    ),
    coding: fc.oneof(
      { weight: 12, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom(...Object.keys(CODINGS)) },
    ),
  });

const writing = fc.constantFrom('json', 'json', 'xml').chain(writingIn);

/** The resource as XML; one that cannot be written so is written before it was edited. */
function xmlText(value: unknown, valid: object): string {
  try {
    return writeXml(value as object).toWellFormed();
  } catch {
    return writeXml(valid);
  }
}

function write(
  valid: Record<string, unknown>,
  { format, edits, textEdits, type, coding }: Writing,
  kept: readonly string[],
): Body {
  const changed = edited(valid, edits);
  for (const name of kept) Reflect.set(changed, name, valid[name]);
  const text = format === 'json' ? jsonText(changed) : xmlText(changed, valid);
  const content = kept.length > 0 ? text : editedText(text, textEdits);
  return { content, headers: { 'content-type': type, ...(coding !== null && { 'content-encoding': coding }) }, coding };
}

/** Bodies that began as valid ones. The members named in `kept` stay as they were: then the text is not edited either. */
export const bodyFrom = (valid: fc.Arbitrary<Record<string, unknown>>, kept: readonly string[] = []): fc.Arbitrary<Body> =>
  fc.tuple(valid, writing).map(([value, how]) => write(value, how, kept));

/** Bodies that never were valid. */
export const strangeBody: fc.Arbitrary<Body> = fc
  .tuple(
    fc.oneof(
      oddText,
      oddValue.map(jsonText),
      fc.json(),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 1, max: 60 }).map((depth) => '{"resourceType":'.repeat(depth)),
      fc.integer({ min: 1, max: 60 }).map((depth) => '<Patient xmlns="http://hl7.org/fhir">'.repeat(depth)),
    ),
    fc.constantFrom<string[]>(...TYPES.json, ...TYPES.xml, ...ODD_TYPES),
  )
  .map(([content, type]) => ({
    content: typeof content === 'string' ? content.toWellFormed() : content,
    headers: { 'content-type': type },
    coding: null,
  }));
