import type { Identifier } from '../domain/identity.ts';
import type { GoldenRecord, SourceRecord } from '../domain/records.ts';
import { clientTag, goldenTag, type Ours, subsetted, tagsOfFlags } from './ours.ts';
import type { Patient, PatientLink } from './r4.ts';
import { storedPatient } from './sanitise.ts';

export interface SourceView {
  readonly record: Pick<SourceRecord, 'id' | 'version' | 'lastUpdated' | 'source' | 'flags'>;
  /** The stored text (SourceContent.resource). */
  readonly resource: string;
  /** The CRUID it is linked to. */
  readonly goldenId: string;
  /** Id of the record that it was merged into. */
  readonly replacedBy?: string | null;
  /** Ids of the records that somebody said are not the same person. */
  readonly brokenWith: readonly string[];
  /** Display name of the submitting client; '' when unknown. */
  readonly clientDisplay: string;
}

/**
 * A source record as a Patient: what was submitted, with the id, the version, the marks of 1.x, and exactly one link to another Patient:
 * its golden record (D14: a client takes the only link of a record for its CRUID), or, merged, the record that replaces it (D12).
 * Whoever has a link says whether it is active (PDQm, iti-pdqm-linkstatus); one that did not is (R4, Patient.active).
 */
export const renderSource = (view: SourceView, ours: Ours): Patient => {
  const { record, resource, goldenId, replacedBy = null, brokenWith, clientDisplay } = view;
  const submitted = storedPatient(resource);
  const tag = [clientTag(ours, record.source, clientDisplay), ...tagsOfFlags(record.flags), ...(submitted.meta?.tag ?? [])];
  const broken = brokenWith.map((id) => ({ url: ours.brokenMatch, valueReference: { reference: `Patient/${id}` } }));
  return {
    ...submitted,
    resourceType: 'Patient',
    id: record.id,
    meta: { ...submitted.meta, versionId: String(record.version), lastUpdated: record.lastUpdated, tag },
    ...(broken.length > 0 && { extension: [...(submitted.extension ?? []), ...broken] }),
    active: replacedBy === null && submitted.active !== false,
    link: [replacedBy === null ? linkTo(goldenId, 'refer') : linkTo(replacedBy, 'replaced-by'), ...(submitted.link ?? [])],
  };
};

export interface GoldenView {
  readonly golden: Pick<GoldenRecord, 'id' | 'version' | 'lastUpdated' | 'active'>;
  /** Ids of the records linked to it; empty when retired. */
  readonly members: readonly string[];
  /** The CRUID that a retired one forwards to. */
  readonly replacedBy: string | null;
}

/** A golden record as a Patient. Its golden tag comes first: deployed clients look at the first tag only. */
export const renderGolden = ({ golden, members, replacedBy }: GoldenView, ours: Ours): Patient => {
  const link = replacedBy === null ? members.map((id) => linkTo(id, 'seealso')) : [linkTo(replacedBy, 'replaced-by')];
  return {
    resourceType: 'Patient',
    id: golden.id,
    meta: { versionId: String(golden.version), lastUpdated: golden.lastUpdated, tag: [goldenTag(ours)] },
    active: golden.active,
    ...(link.length > 0 && { link }),
  };
};

const linkTo = (id: string, type: PatientLink['type']): PatientLink => ({ other: { reference: `Patient/${id}` }, type });

export interface Disclosure {
  /** Whether the reader may see this identifier. */
  readonly shows: (identifier: Identifier) => boolean;
  readonly ours: Ours;
}

/**
 * What a reader without the scope `demographics` sees of another's record (design §8): id, version, links, `active` and the
 * allowed identifiers, reduced to system and value. Of the tags only the golden one stays: the client's tag would say which
 * system knows the person. Marked SUBSETTED, so that nobody takes it for the whole.
 */
export const stripped = (patient: Patient, { shows, ours }: Disclosure): Patient => {
  const { id, meta, active, link } = patient;
  const identifier = (patient.identifier ?? []).flatMap(({ system, value }) =>
    value !== undefined && shows({ system: system ?? '', value }) ? [{ ...(system !== undefined && { system }), value }] : [],
  );
  const golden = meta?.tag?.filter((tag) => tag.system === undefined && tag.code === ours.goldenCode) ?? [];
  return {
    resourceType: 'Patient',
    ...(id !== undefined && { id }),
    meta: {
      ...(meta?.versionId !== undefined && { versionId: meta.versionId }),
      ...(meta?.lastUpdated !== undefined && { lastUpdated: meta.lastUpdated }),
      tag: [...golden, subsetted],
    },
    ...(active !== undefined && { active }),
    ...(identifier.length > 0 && { identifier }),
    ...(link && { link: link.filter(({ other }) => other.reference?.startsWith('Patient/')) }),
  };
};
