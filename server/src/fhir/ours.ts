/**
 * The marks of this registry on the wire, as OpenCR 1.x set them: clients look for them, so nobody else may set them.
 */
import type { TaskKind } from '../domain/review.ts';
import type { Coding } from './r4.ts';

/** What a deployment chose of them (1.x: `codes:goldenRecord`, `CRBaseURI`, `systems:brokenMatch:uri`). */
export interface Ours {
  readonly goldenCode: string;
  /** Without a slash at the end. */
  readonly baseUri: string;
  readonly brokenMatch: string;
}

/** 1.x wrote these systems with this base whatever `CRBaseURI` said, but for the client's tag. */
const fixedBase = 'http://openclientregistry.org/fhir';

export const defaultOurs: Ours = {
  goldenCode: '5c827da5-4858-4f3d-a50c-62ece001efea',
  baseUri: fixedBase,
  brokenMatch: 'http://clientregistry.org/brokenMatch',
};

/** The url of broken matches in the files of OpenCR's first versions. */
const formerBrokenMatch = 'http://ihris.org/CR/brokenMatch';

const tagNames = ['clientid', 'matchIssues', 'automatch', 'humanAdjudication', 'require-reprocess'];

export const subsetted: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
  display: 'subsetted',
};

/** No system: OpenCR 1.x set none, and clients compare the code of the first tag. */
export const goldenTag = (ours: Ours): Coding => ({ code: ours.goldenCode, display: 'Golden Record' });

export const clientTag = (ours: Ours, client: string, display: string): Coding => ({
  system: `${ours.baseUri}/clientid`,
  code: client,
  ...(display !== '' && { display }),
});

const flagTags: Partial<Record<TaskKind, Coding>> = {
  auto: { system: `${fixedBase}/automatch`, code: 'autoMatches', display: 'Auto Matches' },
  potential: { system: `${fixedBase}/matchIssues`, code: 'potentialMatches', display: 'Potential Matches' },
  conflict: { system: `${fixedBase}/matchIssues`, code: 'conflictMatches', display: 'Conflict On Match' },
};

/** Kinds of review tasks that are tags of a record. */
export const FLAGS = Object.keys(flagTags) as readonly TaskKind[];

/** The 1.x tags of open review tasks; kinds that 1.x did not know have none. */
export const tagsOfFlags = (flags: readonly TaskKind[]): readonly Coding[] => flags.flatMap((flag) => flagTags[flag] ?? []);

export const isOurTag = (tag: Coding, ours: Ours): boolean =>
  tag.code === ours.goldenCode ||
  tagNames.some((name) => tag.system === `${ours.baseUri}/${name}` || tag.system === `${fixedBase}/${name}`);

export const isSubsetted = (tag: Coding): boolean => tag.system === subsetted.system && tag.code === subsetted.code;

export const isBrokenMatch = (url: string, ours: Ours): boolean =>
  url === ours.brokenMatch || url === formerBrokenMatch || url === defaultOurs.brokenMatch;
