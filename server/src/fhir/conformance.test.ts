/** Everything that this folder renders is valid FHIR R4: for the published JSON schema, compiled apart, and for `@medplum/core`. */
import { Ajv, type ValidateFunction } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { closureOf, compilerOptions, published } from '../../build/schema.ts';
import { complaintsOfMedplum } from '../../test/support/medplum.ts';
import { accessEvents, changeEvents } from './audit-event.ts';
import { bundleResponse } from './bundle.ts';
import { auditCapability, capabilityStatement, patientCapability } from './capability.ts';
import { historyBundle } from './history.ts';
import { operationOutcome } from './outcome.ts';
import { defaultOurs } from './ours.ts';
import { pixAnswer } from './pix.ts';
import { refuse, warning } from './refusal.ts';
import { renderGolden, renderSource, stripped } from './render.ts';
import { auditSource, committed, row } from './sample-audit.ts';
import { anna } from './sample-patients.ts';
import { contentOf } from './sanitise.ts';
import { parseSearch, type PatientSearch } from './search.ts';
import { searchset } from './searchset.ts';

const types = ['Patient', 'Bundle', 'AuditEvent', 'OperationOutcome', 'CapabilityStatement', 'Parameters'];
const validators = new Map<string, ValidateFunction>();

beforeAll(() => {
  const ajv = new Ajv(compilerOptions);
  ajv.addSchema({ $id: 'r4', definitions: closureOf(published(), types) });
  for (const type of types) validators.set(type, ajv.compile({ $ref: `r4#/definitions/${type}` }));
});

/** Complaints about a resource and the resources in it, as it leaves the server. */
const complaints = (rendered: object): readonly string[] => {
  const resource = JSON.parse(JSON.stringify(rendered)) as {
    resourceType: string;
    entry?: { resource?: object; response?: { outcome?: object } }[];
  };
  const validator = validators.get(resource.resourceType);
  if (!validator) return [`unexpected ${resource.resourceType}`];
  const inside = (resource.entry ?? []).flatMap((entry) =>
    [entry.resource, entry.response?.outcome].filter((inner) => inner !== undefined),
  );
  const own = validator(resource)
    ? []
    : (validator.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  return [...own, ...inside.flatMap(complaints)];
};

const meta = { version: 1, lastUpdated: '2026-01-01T00:00:00.000Z' };
const source = renderSource(
  {
    record: { id: 'S1', source: 'openmrs', flags: ['potential'], ...meta },
    resource: contentOf(anna),
    goldenId: 'G1',
    brokenWith: ['S2'],
    clientDisplay: '',
  },
  defaultOurs,
);
const golden = renderGolden({ golden: { id: 'G1', active: true, ...meta }, members: ['S1'], replacedBy: null }, defaultOurs);
const search: PatientSearch = {
  ids: [['S1']],
  identifiers: [],
  conditions: [],
  sort: [],
  total: 'estimate',
  shape: { summary: 'false', elements: null },
  links: [],
  include: 'none',
  revInclude: false,
  follow: [],
  related: false,
  count: 1,
  after: null,
  used: [['_id', 'S1']],
  ignored: [],
};
const base = 'https://cr.example.org/fhir';

type Rendered = readonly [what: string, resource: object];

const rendered: readonly Rendered[] = [
  ['a source record', source],
  ['a golden record', golden],
  ['a stripped record', stripped(source, { shows: () => true, ours: defaultOurs })],
  ['a refusal', operationOutcome(refuse('invalid-structure', 'No.', 'Patient.name[0].family'))],
  ['remarks', operationOutcome([warning('Odd.')])],
  [
    'a searchset',

    searchset({
      type: 'Patient',
      base,
      search,
      total: 1,
      matches: [source],
      included: [golden],
      next: 'x',
      remarks: [warning('Odd.')],
    }),
  ],
  ['an empty searchset', searchset({ type: 'Patient', base, search, total: 0, matches: [], included: [], next: null })],
  [
    'a history',
    historyBundle({ type: 'Patient', base, total: 1, versions: [source], self: `${base}/Patient/S1/_history`, next: null }),
  ],
  ['a Bundle answered', bundleResponse('transaction', [{ status: '201', location: 'Patient/S1/_history/1', resource: source }])],
  ['an entry refused', bundleResponse('batch', [{ status: '422', outcome: operationOutcome(refuse('business-rule', 'No.')) }])],
  ['a PIX answer', pixAnswer([{ id: 'S1', identifiers: [{ system: 'urn:a', value: '1', assigner: 'A' }] }])],
  ['an empty PIX answer', pixAnswer([])],
  [
    'the CapabilityStatement',
    capabilityStatement({
      base,
      version: '2.0.0',
      date: '2026-01-01',
      resources: [patientCapability, auditCapability],
      system: ['batch', 'transaction'],
      doors: { tokens: true, passwords: true },
    }),
  ],
  ...changeEvents(committed, auditSource).map((event): Rendered => [`the change ${event.id}`, event]),
  ...['read', 'vread', 'history', 'search', 'pix', 'capabilities', 'audit-read', 'refusal'].flatMap((event) =>
    accessEvents({ ...row, event }, auditSource).map((resource): Rendered => [`the access event ${event}`, resource]),
  ),
  [
    'an anonymous refusal',
    accessEvents({ ...row, event: 'refusal', agent: '', requestId: '', code: 'no-certificate', patients: [] }, auditSource)[0] ??
      {},
  ],
];

describe('valid FHIR R4', () => {
  it.each(rendered)('%s', (_what, resource) => {
    expect(complaints(resource)).toEqual([]);
    expect(complaintsOfMedplum(JSON.stringify(resource))).toEqual([]);
  });

  it('and the check would notice', () => {
    expect(complaints({ ...golden, active: 'yes' })).not.toEqual([]);
    expect(
      complaints({ resourceType: 'Bundle', type: 'searchset', entry: [{ resource: { resourceType: 'Patient', name: 'x' } }] }),
    ).not.toEqual([]);
  });
});

describe('the CapabilityStatement says what is there and nothing else', () => {
  const statement = capabilityStatement({
    base,
    version: '2.0.0',
    date: '2026-01-01',
    resources: [patientCapability],
    system: ['batch', 'transaction'],
    doors: { tokens: false, passwords: false },
  });
  const [patient] = statement.rest[0]?.resource ?? [];

  it('REST-01, PIX-CS-02: R4, JSON and XML', () => {
    expect(statement).toMatchObject({
      fhirVersion: '4.0.1',
      format: ['application/fhir+json', 'json', 'application/fhir+xml', 'xml'],
    });
  });

  it('PIX-CS-03, PIX-CS-08: the profiles of PIXm and PDQm, and the actor whose whole statement is met', () => {
    expect(statement.instantiates).toEqual(['https://profiles.ihe.net/ITI/PIXm/CapabilityStatement/IHE.PIXm.Manager']);
    expect(patient?.supportedProfile).toEqual([
      'https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm.Patient',
      'https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm.Patient',
    ]);
  });

  it('PIX-CS-04, PIX-CS-05, PIX-CS-07: update, conditional update, ihe-pix; delete, conditional create and delete (PIX-CS-06)', () => {
    expect(patient?.interaction.map(({ code }) => code)).toEqual([
      'read',
      'vread',
      'history-instance',
      'history-type',
      'create',
      'update',
      'delete',
      'search-type',
    ]);
    expect(patient).toMatchObject({
      conditionalUpdate: true,
      conditionalCreate: true,
      conditionalDelete: 'single',
      updateCreate: true,
      readHistory: true,
    });
    expect(patient?.operation).toEqual([
      { name: 'ihe-pix', definition: 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix' },
      { name: 'match', definition: 'https://profiles.ihe.net/ITI/PDQm/OperationDefinition/PDQmMatch' },
    ]);
  });

  it('every search parameter it names is understood, and it names every one that selects', () => {
    const names = patient?.searchParam?.map(({ name }) => name) ?? [];
    expect(names.slice(0, 2)).toEqual(['_id', 'identifier']);
    for (const name of names) {
      const value =
        { birthdate: '1990', 'death-date': '1990', _lastUpdated: '1990', active: 'true', deceased: 'true' }[name] ?? 'x';
      expect(parseSearch([[name, value]])).toHaveProperty('used', [[name, value]]);
    }
  });
});
