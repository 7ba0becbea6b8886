import type { Instant, Sequence, Version } from './identity.ts';

/** Resources kept beside Patients, because profiles ask for them: who manages a patient, and who is related to one. */
export const COMPANION_TYPES = ['Organization', 'RelatedPerson'] as const;
export type CompanionType = (typeof COMPANION_TYPES)[number];

export const isCompanionType = (type: unknown): type is CompanionType => COMPANION_TYPES.some((one) => one === type);

/** An Organization or a RelatedPerson as one client submitted it, without its content: its owner alone writes it. */
export interface Companion {
  readonly type: CompanionType;
  readonly id: string;
  readonly version: Version;
  /** Name of the client that submitted it. */
  readonly source: string;
  /** The id under which its client addresses it, where another's resource had that id already. */
  readonly givenId: string | null;
  readonly deleted?: true;
  /** Sequence and time of this version. */
  readonly since: Sequence;
  readonly lastUpdated: Instant;
}

/** A new version; `resource` is its payload, as JSON text, null of a deleted one. */
export interface CompanionWrite {
  readonly companion: Omit<Companion, 'since' | 'lastUpdated'>;
  readonly resource: string | null;
}
