import { describe, expect, it } from 'vitest';
import { defaultOurs, type Ours } from './ours.ts';
import { renderGolden, renderSource, stripped } from './render.ts';
import { contentOf } from './sanitise.ts';
import { anna } from './sample-patients.ts';

const ours: Ours = { ...defaultOurs, baseUri: 'http://example.org/cr' };
const record = { id: 'S1', version: 3, lastUpdated: '2026-01-01T00:00:00.000Z', source: 'openmrs', flags: [] };
const source = { record, resource: contentOf(anna), goldenId: 'G1', brokenWith: [], clientDisplay: 'OpenMRS' };
const golden = { id: 'G1', version: 2, lastUpdated: '2026-01-01T00:00:00.000Z', active: true };

describe('a source record is shown', () => {
  it('as submitted, with its id, version, client tag, and exactly one link, to its golden record (D14)', () => {
    expect(renderSource(source, ours)).toEqual({
      ...anna,
      id: 'S1',
      meta: {
        versionId: '3',
        lastUpdated: '2026-01-01T00:00:00.000Z',
        tag: [{ system: 'http://example.org/cr/clientid', code: 'openmrs', display: 'OpenMRS' }],
      },
      link: [{ other: { reference: 'Patient/G1' }, type: 'refer' }],
    });
  });

  it.each([
    ['active unless it was sent otherwise, since it has a link (PDQm iti-pdqm-linkstatus)', undefined, null, true],
    ['inactive where it was sent so', false, null, false],
    ['inactive once it was merged', true, 'S2', false],
  ])('%s', (_what, active, replacedBy, shown) => {
    const { active: _sent, ...silent } = anna;
    const resource = contentOf({ ...silent, ...(active !== undefined && { active }) });
    expect(renderSource({ ...source, resource, replacedBy }, ours).active).toBe(shown);
  });

  it('with the 1.x tags of its open tasks, and the sender’s own tags after ours', () => {
    const own = { system: 'urn:own', code: 'x' };
    const resource = contentOf({ ...anna, meta: { tag: [own] } });
    const shown = renderSource(
      { ...source, resource, record: { ...record, flags: ['auto', 'conflict', 'potential', 'refused'] } },
      ours,
    );
    const base = 'http://openclientregistry.org/fhir';
    expect(shown.meta?.tag?.slice(1)).toEqual([
      { system: `${base}/automatch`, code: 'autoMatches', display: 'Auto Matches' },
      { system: `${base}/matchIssues`, code: 'conflictMatches', display: 'Conflict On Match' },
      { system: `${base}/matchIssues`, code: 'potentialMatches', display: 'Potential Matches' },
      own,
    ]);
  });

  it('with a broken match for each record it is not the same person as, after its own extensions', () => {
    const own = { url: 'http://a.b/c', valueString: 'x' };
    const shown = renderSource({ ...source, resource: contentOf({ ...anna, extension: [own] }), brokenWith: ['S2'] }, ours);
    expect(shown.extension).toEqual([own, { url: ours.brokenMatch, valueReference: { reference: 'Patient/S2' } }]);
  });
});

describe('a golden record is shown', () => {
  it('with the golden code as its first tag, without a system, and its records', () => {
    const shown = renderGolden({ golden, members: ['S1', 'S2'], replacedBy: null }, ours);
    expect(shown.meta?.tag?.[0]).toEqual({ code: '5c827da5-4858-4f3d-a50c-62ece001efea', display: 'Golden Record' });
    expect(shown.active).toBe(true);
    expect(shown.link).toEqual([
      { other: { reference: 'Patient/S1' }, type: 'seealso' },
      { other: { reference: 'Patient/S2' }, type: 'seealso' },
    ]);
  });

  it('when retired, inactive and forwarding only', () => {
    const shown = renderGolden({ golden: { ...golden, active: false }, members: [], replacedBy: 'G2' }, ours);
    expect(shown.active).toBe(false);
    expect(shown.link).toEqual([{ other: { reference: 'Patient/G2' }, type: 'replaced-by' }]);
  });

  it('without links when its last record went', () => {
    expect(renderGolden({ golden: { ...golden, active: false }, members: [], replacedBy: null }, ours)).not.toHaveProperty(
      'link',
    );
  });
});

describe('to a reader without the scope demographics', () => {
  it('a record of another shows ids, links and the allowed identifiers, and says that this is not all', () => {
    const flagged = renderSource({ ...source, brokenWith: ['S2'], record: { ...record, flags: ['potential'] } }, ours);
    const shown = stripped(flagged, { shows: ({ system }) => system === 'http://system1.org', ours });
    expect(shown).toEqual({
      resourceType: 'Patient',
      id: 'S1',
      meta: {
        versionId: '3',
        lastUpdated: '2026-01-01T00:00:00.000Z',
        tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' }],
      },
      active: true,
      identifier: [{ system: 'http://system1.org', value: '12349' }],
      link: [{ other: { reference: 'Patient/G1' }, type: 'refer' }],
    });
  });

  it('nothing of a forged element comes through', () => {
    const everything = {
      ...anna,
      deceasedBoolean: true,
      address: [{ city: 'X' }],
      extension: [{ url: 'urn:x' }],
      somethingNew: 1,
    };
    const keys = Object.keys(stripped(everything, { shows: () => false, ours })).sort();
    expect(keys).toEqual(['active', 'meta', 'resourceType']);
  });

  it('a golden record keeps its golden tag first', () => {
    const shown = stripped(renderGolden({ golden, members: ['S1'], replacedBy: null }, ours), { shows: () => false, ours });
    expect(shown.meta?.tag?.map(({ code }) => code)).toEqual([ours.goldenCode, 'SUBSETTED']);
  });
});
