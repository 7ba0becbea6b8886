/** Every answer of a registry is valid FHIR R4 for validators of others: those of the npm packages `fhir` and `@medplum/core`. */
import { Fhir } from 'fhir/fhir.js';
import { describe, expect, it } from 'vitest';
import type { AuditEvent, Bundle, OperationOutcome } from '../../src/fhir/r4.ts';
import { complaintsOfMedplum } from '../support/medplum.ts';
import { everyAnswer, type Given } from './every-answer.ts';

const json = await everyAnswer('json');
const xml = await everyAnswer('xml');

/** What `fhir` has no code systems for, and nobody without a terminology server has. */
const unknownTo = [
  // Of OpenCR 1.x: which client, which review, which golden record.
  /^Patient.meta.tag: Code "(openmrs|dhis2|lims)" \(http:\/\/openclientregistry\.org\/fhir\/clientid\)/,
  /^Patient.meta.tag: Code "\w+" \(http:\/\/openclientregistry\.org\/fhir\/(matchIssues|automatch)\)/,
  /^Patient.meta.tag: Code "5c827da5-4858-4f3d-a50c-62ece001efea" /,
  // Its value set of security labels leaves out the one for cut resources, which R4 names (search.html#summary).
  /^(Patient|Organization|RelatedPerson).meta.tag: Code "SUBSETTED" /,
  // The value set of relationships is made of others; R4 shows MTH of this code system in it.
  /^RelatedPerson.relationship: Value set ".*relatedperson-relationshiptype" could not be found/,
  /^RelatedPerson.relationship: Code "MTH" /,
  // Of IHE: transactions, BALP's entity and agent types, all in extensible value sets.
  /^AuditEvent.subtype: Code "ITI-\d+" \(urn:ihe:event-type-code\)/,
  /^AuditEvent.entity.type: Code "XrequestId" \(https:\/\/profiles\.ihe\.net\/ITI\/BALP/,
  /^AuditEvent.agent.type: Code "custodian" /,
  // All media types.
  /^CapabilityStatement.format: Value set ".*mimetypes" could not be found/,
];

const fhir = new Fhir();

/** What `fhir` says of a text that it does not say of what it does not know; `/` and `.` are alike in its paths. */
const complaintsOfFhir = ({ text }: Given): readonly string[] =>
  fhir
    .validate(text, { errorOnUnexpected: true })
    .messages.map(({ severity, location = '', message = '' }) => {
      const path = location.replaceAll(/\[\d+\]/g, '').replaceAll('/', '.');
      return { severity: String(severity), said: `${path}: ${message}` };
    })
    .filter(({ severity, said }) => severity === 'error' || severity === 'fatal' || !unknownTo.some((one) => one.test(said)))
    .map(({ severity, said }) => `${severity} ${said}`);

/** By what was given, what is said of it. */
const complaints = (given: readonly Given[], complaintsOf: (given: Given) => readonly string[]) =>
  given.flatMap((one) => complaintsOf(one).map((said) => `${one.what}: ${said}`));

describe('valid FHIR R4', () => {
  it('for `fhir`, in JSON and in XML', () => {
    expect(complaints([...json, ...xml], complaintsOfFhir)).toEqual([]);
  });

  it('for `@medplum/core`, which reads JSON', () => {
    expect(complaints(json, ({ text }) => complaintsOfMedplum(text))).toEqual([]);
  });

  it('and each would notice', () => {
    const wrong = (text: string): Given => ({ what: 'wrong', text });
    const patient = JSON.stringify({ resourceType: 'Patient', gender: 'f', contact: [{ gender: 'male' }], nickname: 'x' });
    expect(complaintsOfFhir(wrong(patient)).length).toBeGreaterThan(0);
    expect(complaintsOfMedplum(patient).length).toBeGreaterThan(0);
    const inside = JSON.stringify({
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [{ resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'bad' }] } }],
    });
    expect(complaintsOfFhir(wrong(inside)).length).toBeGreaterThan(0);
    expect(complaintsOfMedplum(inside).length).toBeGreaterThan(0);
  });
});

describe('and what they were asked about is every kind of answer', () => {
  const resources = json.map(({ text }) => JSON.parse(text) as Bundle | OperationOutcome | { readonly resourceType: string });
  const bundles = resources.filter((one): one is Bundle => one.resourceType === 'Bundle');

  it('every resource and every type of Bundle', () => {
    expect(new Set(resources.map(({ resourceType }) => resourceType))).toEqual(
      new Set([
        ...['Patient', 'Organization', 'RelatedPerson', 'Bundle'],
        ...['OperationOutcome', 'CapabilityStatement', 'Parameters', 'AuditEvent'],
      ]),
    );
    expect(new Set(bundles.map(({ type }) => type))).toEqual(
      new Set(['searchset', 'history', 'batch-response', 'transaction-response']),
    );
  });

  it('refusals of every status that a client can bring about', () => {
    const statuses = json.map(({ what }) => Number(/\((\d+)\)$/.exec(what)?.[1])).filter((status) => status >= 400);
    expect([...new Set(statuses)].toSorted()).toEqual([400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422]);
  });

  it('every kind of AuditEvent', () => {
    const events = bundles.flatMap(({ entry = [] }) => entry.flatMap(({ resource }) => resource ?? []));
    const kinds = events
      .filter((one): one is AuditEvent => one.resourceType === 'AuditEvent')
      .map(({ action, type, subtype = [] }) => [action, type.code, ...subtype.map(({ code }) => code)].join(' '));
    expect([...new Set(kinds)].toSorted()).toEqual(
      [
        ...['C rest create', 'C rest create ITI-104', 'U rest update', 'U rest update ITI-104'],
        ...['D rest delete', 'D rest delete ITI-104'],
        ...['R rest read', 'R rest vread', 'R rest history-instance', 'R rest history-type', 'R rest capabilities'],
        // Of Organizations and RelatedPersons.
        'E rest search search-type',
        ...['E rest search search-type ITI-78', 'E rest search ITI-83', 'E rest search ITI-119'],
        // The server's start and end, the trail read, who is registered, who was not let in.
        ...['E 110100 110120', 'E 110100 110121', 'R 110101 search', 'E 110113 110137', 'E 110113 110126'],
      ].toSorted(),
    );
  });
});
