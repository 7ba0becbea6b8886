/** Requests for every route, right and wrong. */
import fc from 'fast-check';
import { AUDIT_PARAMETERS } from '../../src/fhir/audit-search.ts';
import { patientCapability } from '../../src/fhir/capability.ts';
import { SORTS } from '../../src/fhir/sorting.ts';
import {
  type Body,
  bodyFrom,
  CODINGS,
  SENDER,
  someSystem,
  strangeBody,
  SYSTEM_OF_SENDER,
  validBundle,
  validPatient,
  validPix,
  validQuestion,
  VALUES,
} from './bodies.ts';
import { dateText, oddText } from './odd.ts';

/** Who asks: systems with and without scopes, one who is no client, and nobody. */
export const CLIENTS = ['openmrs', 'dhis2', 'lims', 'auditor', 'stranger', null] as const;
export type ClientName = (typeof CLIENTS)[number];

export interface Shot {
  readonly method: string;
  /** `@n@` as in a body; `@An@` is the id of an AuditEvent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string | Buffer | null;
  readonly client: ClientName;
  /** The format that its errors must have; null where it asks for something odd. */
  readonly asked: 'json' | 'xml' | null;
}

type Target = Pick<Shot, 'method' | 'path'> & { readonly body?: Body };

const client: fc.Arbitrary<ClientName> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<ClientName[]>('openmrs', 'dhis2', 'lims') },
  { weight: 2, arbitrary: fc.constant<ClientName>('auditor') },
  { weight: 1, arbitrary: fc.constantFrom<ClientName[]>('stranger', null) },
);

/** Node's client takes no other characters in a path; `?` and `#` would end the part. */
const asPath = (text: string): string => text.replaceAll(/[^\u0021-\u00ff]|[?#]/g, '');
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Known ids: most often one that is there. */
const knownId = fc.nat(300).map((n) => `@${n}@`);
const segment = fc.oneof(
  { weight: 6, arbitrary: knownId },
  {
    weight: 3,
    arbitrary: fc.oneof(
      oddText.map(encoded),
      oddText.map(asPath),
      fc.constantFrom(
        ...[
          '%',
          '%zz',
          '%ff',
          '%C0%80',
          '%00',
          '%2F',
          '%2e%2e',
          '.',
          '..',
          '_history',
          '$match',
          '$ihe-pix',
          '*',
          '',
          'a'.repeat(64),
          'a'.repeat(65),
        ],
        ...['a'.repeat(9_000), '-', '0', '1', '9'.repeat(30), ':id', 'Patient', 'metadata', 'ÿ', "'"],
      ),
    ),
  },
);

const version = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map(String),
  fc.constantFrom('9'.repeat(20), '-1', '1.5', '01', 'x', '%31', '%', '1e3'),
);

const MODIFIERS = [
  '',
  '',
  '',
  '',
  ':exact',
  ':contains',
  ':not',
  ':missing',
  ':text',
  ':in',
  ':identifier',
  ':Patient',
  ':',
  ':exact:exact',
  '.identifier',
  '%3Aexact',
];
const PREFIXES = ['', '', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap', 'xx', 'EQ'];

const CONTROLS: Readonly<Record<string, readonly string[]>> = {
  _include: ['Patient:link', 'Patient:link:Patient', 'Patient:organization', '*', ''],
  _revinclude: ['Patient:link', 'AuditEvent:entity'],
  _sort: [...SORTS, ...SORTS.map((key) => `-${key}`), 'family,-given', 'family,family', '--family', 'name', '-date', '', ','],
  _total: ['accurate', 'estimate', 'none', 'some', ''],
  _summary: ['true', 'text', 'data', 'count', 'false', 'TRUE', ''],
  _elements: ['name', 'Patient.name,birthDate', 'constructor', '__proto__', 'identifier,', '*', ''],
  _count: ['0', '1', '3', '500', '501', '999999999', '9999999999', '-1', '1.5', 'ten', '', '１'],
  _page: [
    '1',
    '5',
    '0',
    '3-0',
    '0-0',
    '999999999999999-999999999',
    '1-1-1',
    '9999999999999999-9999999999999999-999999999',
    'x',
    '',
    '-',
    'WyJhIl0',
    '{}',
  ],
  _since: ['2020-01-01T00:00:00Z', '2026-03-01T12:00:00 02:00', '2020-01-01T00:00zzz', '2020', '9999-12-31T23:59:59-14:00', ''],
  _pretty: ['true', 'false', ''],
  _tag: ['openmrs', 'http://openclientregistry.org/fhir/clientid|openmrs', '|', 'a,b', ''],
  '_tag:not': ['5c827da5-4858-4f3d-a50c-62ece001efea'],
  _has: ['Observation:patient:code=1'],
  _filter: ['name eq "x"'],
};

const searched = fc.oneof(
  { weight: 2, arbitrary: oddText },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'Okello',
      'oke',
      'MULLER',
      'anna',
      'female',
      'true',
      '1990',
      '0700100001',
      'phone|0700 100001',
      'Gulu',
      'UG',
      'a',
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...PREFIXES), dateText).map((parts) => parts.join('')) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('', '|', '|'), fc.nat(VALUES))
      .map(([bar, n]) => `http://clientregistry.org/openmrs${bar}f${n}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'openmrs',
      'Patient/@1@',
      '@2@',
      'ITI-78',
      '4',
      'http://hl7.org/fhir/audit-event-outcome|4',
      '127.0.0.1',
      '::',
    ),
  },
);

const values = fc.oneof(
  { weight: 8, arbitrary: searched },
  { weight: 2, arbitrary: fc.array(searched, { maxLength: 8 }).map((all) => all.join(',')) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('oke', '1990', 'f1', 'openmrs', 'a|b'), fc.integer({ min: 2, max: 1_500 }))
      .map(([value, count]) => Array(count).fill(value).join(',')),
  },
);

const parameter = (names: readonly string[]): fc.Arbitrary<readonly [string, string]> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.tuple(
        fc.tuple(fc.constantFrom(...names), fc.constantFrom(...MODIFIERS)).map((parts) => parts.join('')),
        values,
      ),
    },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom(...Object.entries(CONTROLS))
        .chain(([name, known]) => fc.tuple(fc.constant(name), fc.constantFrom(...known))),
    },
    { weight: 1, arbitrary: fc.tuple(oddText, oddText) },
  );

/** `name=value` pairs, encoded as they should be or as they should not. */
const query = (names: readonly string[], maxLength = 4): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(parameter(names), fc.integer({ min: 0, max: 9 })).map(([[name, value], how]) => {
        if (how === 0) return `${asPath(name)}=${asPath(value)}`;
        if (how === 1) return `${encoded(name)}=${encoded(value).slice(0, -1)}`;
        if (how === 2) return encoded(name);
        // Names of ids stay as they are: they are put in later.
        return `${encoded(name)}=${encoded(value).replaceAll('%40', '@')}`;
      }),
      { maxLength },
    )
    .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`));

/** Questions that are asked as they should be. */
const rightQuery = fc
  .constantFrom(
    ...[
      'family=Okello',
      'family=oke&gender=female',
      'given:contains=nn',
      'name:exact=Li',
      'birthdate=ge1950&birthdate=lt1980',
      'phone=0700100003',
      'address-city=Gulu',
    ],
    ...[
      '_id=@1@',
      '_id=@2@,@3@&_include=Patient:link',
      'identifier=f1,f2,f3',
      'family=Nakato&_sort=-birthdate,given&_count=2',
      'gender=male&_summary=count',
    ],
    ...[
      'family=Müller&_elements=name',
      '_tag=openmrs&_total=accurate',
      '_lastUpdated=ge2020-01-01',
      'active=true&_count=0',
      'name=anna&_summary=true',
    ],
  )
  .map((text) => `?${encodeURI(text)}`);

const PATIENT_NAMES = patientCapability.searchParams.map(({ name }) => name);
const AUDIT_NAMES = [
  ...AUDIT_PARAMETERS.map(({ name }) => name),
  'patient.identifier',
  'entity:identifier',
  'agent:identifier',
  'source:identifier',
];

const get = (path: fc.Arbitrary<string>): fc.Arbitrary<Target> =>
  fc.tuple(fc.constantFrom('GET', 'GET', 'GET', 'HEAD'), path).map(([method, one]) => ({ method, path: one }));
const joined = (...parts: readonly (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));

const identified = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(someSystem, fc.nat(VALUES - 1)).map(([system, n]) => `?identifier=${encoded(`${system}|f${n}`)}`),
  },
  { weight: 1, arbitrary: query(['identifier', '_id'], 2) },
);

const sent = (method: string, path: fc.Arbitrary<string>, body: fc.Arbitrary<Body>): fc.Arbitrary<Target> =>
  fc
    .tuple(path, fc.oneof({ weight: 12, arbitrary: body }, { weight: 1, arbitrary: strangeBody }))
    .map(([one, two]) => ({ method, path: one, body: two }));

const pixQuery = fc
  .tuple(
    someSystem,
    fc.nat(VALUES - 1),
    fc.constantFrom('', '&targetSystem=http://clientregistry.org/nationalid', '&targetSystem=urn:oid:1.2.3', '&targetSystem='),
  )
  .map(([system, n, target]) => `?sourceIdentifier=${encoded(`${system}|f${n}`)}${target}`);

const reads: readonly fc.WeightedArbitrary<Target>[] = [
  { weight: 7, arbitrary: get(joined('/fhir/Patient', query(PATIENT_NAMES))) },
  { weight: 6, arbitrary: get(joined('/fhir/Patient', rightQuery)) },
  { weight: 4, arbitrary: get(joined('/fhir/Patient/', segment, query(['_summary', '_elements'], 2))) },
  { weight: 3, arbitrary: get(joined('/fhir/Patient/', segment, '/_history', query(['_count', '_since'], 2))) },
  { weight: 2, arbitrary: get(joined('/fhir/Patient/', segment, '/_history/', version)) },
  { weight: 2, arbitrary: get(joined('/fhir/Patient/_history', query(['_count', '_since'], 2))) },
  {
    weight: 3,
    arbitrary: get(
      joined(
        '/fhir/Patient/$ihe-pix',
        fc.oneof({ weight: 3, arbitrary: pixQuery }, { weight: 1, arbitrary: query(['sourceIdentifier', 'targetSystem']) }),
      ),
    ),
  },
  { weight: 4, arbitrary: get(joined('/fhir/AuditEvent', query(AUDIT_NAMES))) },
  {
    weight: 2,
    arbitrary: get(
      joined(
        '/fhir/AuditEvent/',
        fc.oneof(
          fc.nat(50).map((n) => `@A${n}@`),
          segment,
        ),
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: get(
      fc.constantFrom(
        '/fhir/metadata',
        '/openapi.json',
        '/health/live',
        '/health/ready',
        '/',
        '/fhir',
        '/fhir/',
        '/favicon.ico',
        '/fhir/Observation',
        '/fhir/Patient/',
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('PATCH', 'PUT', 'DELETE', 'POST', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND'),
        joined(
          '/',
          fc.constantFrom(
            '',
            'fhir',
            'fhir/Patient',
            'fhir/metadata',
            'match/matches',
            'health/live',
            'openapi.json',
            'fhir/AuditEvent',
          ),
          fc.constantFrom('', '/'),
          segment,
        ),
      )
      .map(([method, path]) => ({ method, path })),
  },
];

const question = someSystem.chain(validQuestion);
const asks: readonly fc.WeightedArbitrary<Target>[] = [
  {
    weight: 4,
    arbitrary: sent('POST', joined('/fhir/Patient/$match', fc.constantFrom('', '?_pretty=true')), bodyFrom(question)),
  },
  { weight: 2, arbitrary: sent('POST', fc.constant('/match/matches'), bodyFrom(someSystem.chain(validPatient))) },
  { weight: 2, arbitrary: sent('POST', fc.constant('/fhir/Patient/$ihe-pix'), bodyFrom(someSystem.chain(validPix))) },
];

const patientBody = someSystem.chain((system) => bodyFrom(validPatient(system)));
const writes: readonly fc.WeightedArbitrary<Target>[] = [
  {
    weight: 9,
    arbitrary: sent('POST', fc.constantFrom('/fhir/Patient', '/fhir/Patient', '/Patient', '/addPatient', '/'), patientBody),
  },
  { weight: 2, arbitrary: sent('PUT', joined('/fhir/Patient/', segment), patientBody) },
  {
    weight: 4,
    arbitrary: fc.nat(300).chain((n) =>
      sent(
        'PUT',
        fc.constant(`/fhir/Patient/@${n}@`),
        bodyFrom(
          someSystem.chain(validPatient).map((patient) => ({ ...patient, id: `@${n}@` })),
          ['id'],
        ),
      ),
    ),
  },
  { weight: 4, arbitrary: sent('PUT', joined('/fhir/Patient', identified), patientBody) },
  {
    weight: 8,
    arbitrary: sent(
      'POST',
      fc.constantFrom('/fhir', '/fhir', '/addPatient', '/'),
      someSystem.chain((system) => bodyFrom(validBundle(system))),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(joined('/fhir/Patient/', segment)).map(([path]) => ({ method: 'DELETE', path })) },
  { weight: 1, arbitrary: identified.map((one) => ({ method: 'DELETE', path: `/fhir/Patient${one}` })) },
];

/** Updates of records that are there, once all of each client's are: the edits leave the identifier alone. */
const updates: readonly fc.WeightedArbitrary<Target>[] = [
  {
    weight: 20,
    arbitrary: sent(
      'POST',
      fc.constant('/fhir/Patient'),
      bodyFrom(validPatient(SYSTEM_OF_SENDER), ['identifier', 'resourceType']),
    ),
  },
];

/** A format that is asked for, and how. */
const wish: fc.Arbitrary<{ readonly asked: Shot['asked']; readonly accept?: string; readonly format?: string }> = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ asked: 'json' as const }) },
  {
    weight: 8,
    arbitrary: fc
      .constantFrom('application/fhir+json', 'application/json', '*/*', 'text/html;q=0.1, */*')
      .map((accept) => ({ asked: 'json' as const, accept })),
  },
  {
    weight: 12,
    arbitrary: fc
      .constantFrom('application/fhir+xml', 'text/xml', 'application/fhir+json;q=0.5, application/xml')
      .map((accept) => ({ asked: 'xml' as const, accept })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('xml', 'application/fhir%2Bxml')
      .map((format) => ({ asked: 'xml' as const, format, accept: 'application/fhir+json' })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('json', 'application/fhir+json')
      .map((format) => ({ asked: 'json' as const, format, accept: 'application/fhir+xml' })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        'text/html',
        'image/png',
        'application/fhir+json;fhirVersion=3.0',
        ';;;',
        'application/fhir+xml;q=0',
        'q=1',
        ',',
      )
      .map((accept) => ({ asked: null, accept })),
  },
  { weight: 1, arbitrary: fc.constantFrom('ttl', '', '%', 'html').map((format) => ({ asked: null, format })) },
);

const headerText = fc.string({
  unit: fc
    .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }))
    .map((code) => String.fromCharCode(code)),
  maxLength: 30,
});
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  prefer: [
    'return=minimal',
    'return=OperationOutcome',
    'return=representation; handling=strict',
    'handling=strict',
    'handling=lenient',
    'respond-async',
    '',
  ],
  'if-match': ['W/"1"', 'W/"2"', '"1"', '1', '*', 'W/"0"', 'W/"99999999999999999999"', 'W/"1", W/"2"', ''],
  'if-none-match': ['W/"1"', 'W/"2"', '*', '"', 'W/"1",W/"2"', ''],
  'if-modified-since': ['Sun, 01 Mar 2026 12:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT', 'yesterday', '0', ''],
  'if-none-exist': [
    'identifier=http://clientregistry.org/openmrs|f1',
    '?identifier=http://clientregistry.org/dhis2|f2',
    'name=Okello',
    'identifier=%',
    '',
    'Patient?identifier=a|b',
  ],
  'x-request-id': ['a', 'a'.repeat(64), 'a b', 'a'.repeat(65)],
  'x-correlation-id': ['c', ''],
  'accept-encoding': ['gzip', 'identity;q=0'],
  'accept-charset': ['latin1'],
  host: ['localhost', 'elsewhere.example:99', '[::1]:3000', 'a b', ''],
  expect: ['100-continue'],
  range: ['bytes=0-1'],
};

const header: fc.Arbitrary<readonly [string, string]> = fc
  .constantFrom(...Object.entries(HEADERS))
  .chain(([name, known]) =>
    fc.tuple(
      fc.constant(name),
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...known) },
        { weight: 1, arbitrary: name === 'expect' ? fc.constant('100-continue') : headerText },
      ),
    ),
  );
const headers = fc.oneof(
  { weight: 1, arbitrary: fc.constant<readonly (readonly [string, string])[]>([]) },
  { weight: 1, arbitrary: fc.array(header, { minLength: 1, maxLength: 3 }) },
);

const shotOf = (targets: readonly fc.WeightedArbitrary<Target>[]): fc.Arbitrary<Shot> =>
  fc.tuple(fc.oneof(...targets), client, wish, headers).map(([{ method, path, body }, who, { asked, accept, format }, more]) => {
    const [before = '', ...after] = path.split('?');
    const formatted = format === undefined ? path : `${before}?_format=${format}${after.length > 0 ? `&${after.join('?')}` : ''}`;
    const named = (text: string): string => text.replaceAll(SENDER, who ?? 'nobody');
    const plain = typeof body?.content === 'string' ? named(body.content) : (body?.content ?? null);
    const coder = body?.coding ? CODINGS[body.coding] : undefined;
    return {
      method,
      path: named(formatted),
      headers: { ...Object.fromEntries(more), ...(accept !== undefined && { accept }), ...body?.headers },
      content: coder && plain !== null ? coder(Buffer.from(plain)) : plain,
      client: who,
      asked,
    };
  });

/** Whatever can be read of Patients and of the trail, right and wrong. */
export const readShot = shotOf(reads);

export const anyShot = shotOf([...reads, ...asks, ...writes]);

/** Such that the number of records stays, once all of `recordsOf` are there: nothing is created or deleted. */
export const steadyShot = shotOf([...reads, ...asks, ...updates]);
