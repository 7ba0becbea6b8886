import type { AuditSource } from '../../fhir/audit-event.ts';
import type { BodyLimits } from '../../fhir/limits.ts';
import type { Ours } from '../../fhir/ours.ts';
import type { Command, CommandResult } from '../../registry/commands.ts';
import type { IntakePolicy } from '../../registry/intake.ts';
import type { AccessLog, DemographicSearch, Reader } from '../../registry/ports.ts';

/** What the FHIR routes need. */
export interface FhirDependencies {
  readonly execute: (command: Command) => Promise<CommandResult>;
  readonly reader: Reader;
  readonly demographic: DemographicSearch;
  readonly accessLog: AccessLog;
  /** As it stands now: registering a client changes it. */
  readonly policy: () => IntakePolicy;
  /** Whether a client without the scope `demographics` may ask `$match` again now; it counts. */
  readonly mayMatch: (client: string) => boolean;
  readonly displayName: (client: string) => string;
  readonly ours: Ours;
  readonly limits: BodyLimits & { readonly bodyBytes: number };
  readonly location: 'versioned' | 'opencr';
  /** Whether `$ihe-pix` also answers with the identifier it was asked about (D1). */
  readonly pixIncludesSource: boolean;
  /** Ways to log in beside mutual TLS that are open. */
  readonly doors: { readonly tokens: boolean; readonly passwords: boolean };
  readonly auditSource: AuditSource;
  readonly version: string;
  /** When this version of the software was made: the CapabilityStatement's date. */
  readonly released: string;
}
