import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultOurs, type Ours } from './ours.ts';
import type { Patient, Reference } from './r4.ts';
import { contentOf, sanitise } from './sanitise.ts';
import { anna } from './sample-patients.ts';

const ours: Ours = { ...defaultOurs, baseUri: 'http://example.org/cr', brokenMatch: 'http://example.org/cr/brokenMatch' };

const cleaned = (patient: Patient): { readonly resource: Patient; readonly places: readonly (string | undefined)[] } => {
  const outcome = sanitise(patient, ours);
  if ('code' in outcome) throw new Error('refused');
  return { resource: outcome.resource, places: outcome.dropped.map(({ expression }) => expression) };
};

describe('what only the registry may say is dropped from a submission', () => {
  it('id, version, time and source, without a word: every sender repeats them', () => {
    const meta = { versionId: '7', lastUpdated: '2020-01-01T00:00:00Z', source: '#x', profile: ['http://a.b/p'] };
    expect(cleaned({ ...anna, id: 'x', meta })).toEqual({
      resource: { ...anna, meta: { profile: ['http://a.b/p'] } },
      places: [],
    });
    expect(cleaned({ ...anna, id: 'x', meta: { versionId: '7' } })).toEqual({ resource: anna, places: [] });
  });

  it.each([
    { system: 'http://openclientregistry.org/fhir/clientid', code: 'dhis2' },
    { system: 'http://example.org/cr/clientid', code: 'dhis2' },
    { system: 'http://openclientregistry.org/fhir/matchIssues', code: 'potentialMatches' },
    { system: 'http://openclientregistry.org/fhir/automatch', code: 'autoMatches' },
    { system: 'http://openclientregistry.org/fhir/humanAdjudication', code: 'humanAdjudication' },
    { system: 'http://openclientregistry.org/fhir/require-reprocess', code: 'require-reprocess' },
    { code: ours.goldenCode },
    { system: 'http://elsewhere.org', code: ours.goldenCode },
  ])('the forged tag %j, with a warning', (forged) => {
    const kept = { system: 'http://example.org/cr/tag/csv', code: '1' };
    expect(cleaned({ ...anna, meta: { tag: [kept, forged] } })).toEqual({
      resource: { ...anna, meta: { tag: [kept] } },
      places: ['Patient.meta.tag[1]'],
    });
  });

  it('broken matches under every url that 1.x used, with a warning; other extensions stay', () => {
    const kept = { url: 'http://a.b/c', valueString: 'x' };
    const forged = [ours.brokenMatch, 'http://clientregistry.org/brokenMatch', 'http://ihris.org/CR/brokenMatch'].map((url) => ({
      url,
      valueReference: { reference: 'Patient/2' },
    }));
    expect(cleaned({ ...anna, extension: [...forged, kept] })).toEqual({
      resource: { ...anna, extension: [kept] },
      places: ['Patient.extension[0]', 'Patient.extension[1]', 'Patient.extension[2]'],
    });
  });

  it('links and contained resources, with a warning each', () => {
    const link = (['refer', 'seealso', 'replaces'] as const).map((type) => ({ type, other: { reference: 'Patient/2' } }));
    expect(cleaned({ ...anna, link, contained: [{ resourceType: 'Provenance' }] })).toEqual({
      resource: anna,
      places: ['Patient.link[0]', 'Patient.link[1]', 'Patient.link[2]', 'Patient.contained[0]'],
    });
  });
});

describe('a replaced-by link', () => {
  const replaced = (...others: readonly Reference[]) =>
    sanitise({ ...anna, link: others.map((other) => ({ type: 'replaced-by' as const, other })) }, ours);
  const identifier = { system: 'http://a.example', value: '7' };

  it('says what the record is replaced by, by identifier or by id, and is not kept (PIX-104-11, PIX-104-12)', () => {
    const path = 'Patient.link[0].other';
    expect(replaced({ identifier, reference: 'Patient/2' })).toMatchObject({
      replacedBy: { kind: 'identifier', ...identifier, path: `${path}.identifier` },
      dropped: [],
    });
    for (const reference of ['Patient/2', '2']) {
      expect(replaced({ reference })).toMatchObject({ replacedBy: { kind: 'id', id: '2', path: `${path}.reference` } });
    }
    expect(replaced({ reference: 'Patient/2' })).not.toHaveProperty('resource.link');
    expect(sanitise(anna, ours)).toMatchObject({ replacedBy: null });
  });

  it.each([
    [{}],
    [{ identifier: { value: '7' } }],
    [{ reference: 'http://elsewhere.example/fhir/Patient/2' }],
    [{ reference: 'Person/2' }],
  ])('that names no Patient here is refused: %j', (other) => {
    expect(replaced(other)).toMatchObject({ code: 'business-rule', issues: [{ expression: 'Patient.link[0].other' }] });
  });

  it('is given once', () => {
    expect(replaced({ identifier }, { reference: 'Patient/2' })).toMatchObject({
      code: 'business-rule',
      issues: [{ expression: 'Patient.link[1]' }],
    });
  });
});

it('a part of a record (SUBSETTED) is refused, so that it does not replace the whole', () => {
  const tag = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }];
  expect(sanitise({ ...anna, meta: { tag } }, ours)).toHaveProperty('code', 'business-rule');
});

describe('the same body sent again', () => {
  const shuffled = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(shuffled)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, shuffled(inner)]),
          )
        : value;

  it('has the same content whatever the order of its keys, and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
          fc.jsonValue(),
        ),
        (extra) => {
          const patient = { ...extra, ...anna };
          expect(contentOf(shuffled(patient) as Patient)).toBe(contentOf(patient));
          expect(JSON.parse(contentOf(patient))).toEqual(JSON.parse(JSON.stringify(patient)));
        },
      ),
    );
  });

  it('has another content when the order in a list differs: the first name is not the second', () => {
    expect(contentOf({ ...anna, name: [{ given: ['A', 'B'] }] })).not.toBe(contentOf({ ...anna, name: [{ given: ['B', 'A'] }] }));
  });
});
