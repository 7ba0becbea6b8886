/**
 * FHIR R4 (4.0.1) as far as the registry reads or writes it. A Patient carries elements that are not named here; they are
 * validated against the published JSON schema, kept and given back, but no code looks at them.
 */
export interface Element {
  readonly id?: string;
  readonly extension?: readonly Extension[];
}

export interface Extension extends Element {
  readonly url: string;
  readonly valueReference?: Reference;
  readonly valueString?: string;
  readonly valueDate?: string;
  readonly valueCode?: string;
  readonly valueBoolean?: boolean;
  readonly valueDecimal?: number;
}

export interface Coding extends Element {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}

export interface CodeableConcept extends Element {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}

export interface Period extends Element {
  readonly start?: string;
  readonly end?: string;
}

export interface Identifier extends Element {
  readonly use?: 'usual' | 'official' | 'temp' | 'secondary' | 'old';
  readonly type?: CodeableConcept;
  readonly system?: string;
  readonly value?: string;
  readonly period?: Period;
  readonly assigner?: Reference;
}

export interface Reference extends Element {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: Identifier;
  readonly display?: string;
}

export interface Meta extends Element {
  readonly versionId?: string;
  readonly lastUpdated?: string;
  readonly source?: string;
  readonly profile?: readonly string[];
  readonly security?: readonly Coding[];
  readonly tag?: readonly Coding[];
}

export interface HumanName extends Element {
  readonly use?: 'usual' | 'official' | 'temp' | 'nickname' | 'anonymous' | 'old' | 'maiden';
  readonly text?: string;
  readonly family?: string;
  /** FHIR JSON puts null where only an extension stands for a value. */
  readonly given?: readonly (string | null)[];
  readonly prefix?: readonly (string | null)[];
  readonly suffix?: readonly (string | null)[];
  readonly period?: Period;
}

export interface ContactPoint extends Element {
  readonly system?: 'phone' | 'fax' | 'email' | 'pager' | 'url' | 'sms' | 'other';
  readonly value?: string;
  readonly use?: 'home' | 'work' | 'temp' | 'old' | 'mobile';
}

export interface Address extends Element {
  readonly use?: 'home' | 'work' | 'temp' | 'old' | 'billing';
  readonly text?: string;
  readonly line?: readonly (string | null)[];
  readonly city?: string;
  readonly district?: string;
  readonly state?: string;
  readonly postalCode?: string;
  readonly country?: string;
}

export interface PatientLink extends Element {
  readonly other: Reference;
  readonly type: 'replaced-by' | 'replaces' | 'refer' | 'seealso';
}

export interface Patient {
  readonly resourceType: 'Patient';
  readonly id?: string;
  readonly meta?: Meta;
  readonly text?: { readonly status: string; readonly div: string };
  readonly contained?: readonly { readonly resourceType: string }[];
  readonly extension?: readonly Extension[];
  readonly identifier?: readonly Identifier[];
  readonly active?: boolean;
  readonly name?: readonly HumanName[];
  readonly telecom?: readonly ContactPoint[];
  readonly gender?: 'male' | 'female' | 'other' | 'unknown';
  readonly birthDate?: string;
  readonly deceasedBoolean?: boolean;
  readonly deceasedDateTime?: string;
  readonly address?: readonly Address[];
  readonly communication?: readonly { readonly language?: CodeableConcept; readonly preferred?: boolean }[];
  readonly generalPractitioner?: readonly Reference[];
  readonly managingOrganization?: Reference;
  readonly link?: readonly PatientLink[];
}

export interface Organization {
  readonly resourceType: 'Organization';
  readonly id?: string;
  readonly meta?: Meta;
  readonly identifier?: readonly Identifier[];
  readonly active?: boolean;
  readonly type?: readonly CodeableConcept[];
  readonly name?: string;
  readonly alias?: readonly (string | null)[];
  readonly partOf?: Reference;
}

export interface RelatedPerson {
  readonly resourceType: 'RelatedPerson';
  readonly id?: string;
  readonly meta?: Meta;
  readonly identifier?: readonly Identifier[];
  readonly active?: boolean;
  readonly patient: Reference;
  readonly relationship?: readonly CodeableConcept[];
  readonly name?: readonly HumanName[];
  readonly gender?: 'male' | 'female' | 'other' | 'unknown';
}

export type CompanionResource = Organization | RelatedPerson;

/** What the registry keeps. */
export type KeptResource = Patient | CompanionResource;

export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome';
  readonly issue: readonly {
    readonly severity: 'error' | 'warning' | 'information';
    readonly code: string;
    readonly diagnostics: string;
    readonly expression?: readonly string[];
  }[];
}

export interface ParametersParameter {
  readonly name: string;
  readonly valueIdentifier?: Identifier;
  readonly valueReference?: Reference;
}

export interface Parameters {
  readonly resourceType: 'Parameters';
  readonly parameter?: readonly ParametersParameter[];
}

export interface BundleLink {
  readonly relation: string;
  readonly url: string;
}

export interface BundleResponse {
  readonly status: string;
  readonly location?: string;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly outcome?: OperationOutcome;
}

export interface BundleEntry {
  readonly fullUrl?: string;
  readonly resource?: KeptResource | AuditEvent | OperationOutcome;
  readonly search?: {
    readonly extension?: readonly Extension[];
    readonly mode: 'match' | 'include' | 'outcome';
    readonly score?: number;
  };
  readonly request?: { readonly method: string; readonly url: string };
  readonly response?: BundleResponse;
}

export interface Bundle {
  readonly resourceType: 'Bundle';
  readonly type: 'searchset' | 'history' | 'batch-response' | 'transaction-response';
  readonly total?: number;
  readonly link?: readonly BundleLink[];
  readonly entry?: readonly BundleEntry[];
}

export interface AuditEventAgent {
  readonly type: CodeableConcept;
  readonly who: Reference;
  readonly altId?: string;
  readonly requestor: boolean;
  readonly policy?: readonly string[];
  readonly network: { readonly address: string; readonly type: '1' | '2' };
}

export interface AuditEventEntity {
  readonly what?: Reference;
  readonly type: Coding;
  readonly role?: Coding;
  /** base64 */
  readonly query?: string;
}

export interface AuditEvent {
  readonly resourceType: 'AuditEvent';
  readonly id: string;
  readonly type: Coding;
  readonly subtype?: readonly Coding[];
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  readonly recorded: string;
  readonly outcome: '0' | '4' | '8';
  readonly outcomeDesc?: string;
  readonly agent: readonly AuditEventAgent[];
  readonly source: { readonly observer: Reference; readonly type: readonly Coding[] };
  readonly entity?: readonly AuditEventEntity[];
}
