/** Rows of the score matrix that the web interface of OpenCR 1.x shows (its routes under `/match`). */
import type { TaskKind } from '../domain/review.ts';
import { tagsOfFlags } from './ours.ts';
import type { HumanName, Patient } from './r4.ts';

export interface MatrixRow {
  /** Absent where a Patient that is not stored has none. */
  readonly id?: string;
  /** The CRUID, twice: what a steward may change, and what it was. null: it is not linked. */
  readonly uid: string | null;
  readonly ouid: string | null;
  /** By the identifier that the other record is known by: its value alone, so that of two alike the better score stands. */
  readonly scores: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

/** What a row says beside the Patient itself. */
export interface MatrixFacts {
  readonly cruid: string | null;
  /** Who submitted it, as people call them. */
  readonly source: string | null;
  readonly sourceId: string | null;
  readonly scores: ReadonlyMap<string, number>;
  /** Why it is looked at: the keys that a row of 1.x's review list has besides. */
  readonly reason: TaskKind | null;
}

/** 1.x takes the official name, and fails without one. */
const shownName = ({ name = [] }: Patient): HumanName => name.find(({ use }) => use === 'official') ?? name[0] ?? {};

const reasonOf = (reason: TaskKind | null): Readonly<Record<string, unknown>> => {
  const tag = reason === null ? undefined : tagsOfFlags([reason])[0];
  return tag ? { reason: tag.display, reasonCode: tag.code } : {};
};

const linkOf = ({ cruid, scores, reason }: Pick<MatrixFacts, 'cruid' | 'scores' | 'reason'>) => ({
  uid: cruid,
  ouid: cruid,
  // An own property also where an identifier's value is the name of an inherited one.
  scores: Object.fromEntries(scores),
  ...reasonOf(reason),
});

export const matrixRow = (patient: Patient, { source, sourceId, ...facts }: MatrixFacts): MatrixRow => {
  const { id, gender, birthDate, telecom = [], extension = [], identifier = [] } = patient;
  const { given = [], family = '' } = shownName(patient);
  const phones = telecom.filter(({ system }) => system === 'phone').flatMap(({ value }) => value ?? []);
  return {
    ...(id !== undefined && { id }),
    ...(gender !== undefined && { gender }),
    given: given.filter((one) => one !== null).join(' '),
    family,
    ...(birthDate !== undefined && { birthDate }),
    phone: phones.join(', '),
    source_id: sourceId,
    source,
    ...linkOf(facts),
    ...Object.fromEntries(
      extension.map(({ url, valueString, valueDate }): [string, unknown] => [`extension_${url}`, valueString ?? valueDate]),
    ),
    ...Object.fromEntries(identifier.map(({ system = '', value }): [string, unknown] => [`identifier_${system}`, value])),
  };
};

/** All that somebody is told who may know the person's id only. */
export const cruidRow = (cruid: string, reason: TaskKind): MatrixRow => ({
  id: cruid,
  ...linkOf({ cruid, scores: new Map(), reason }),
});
