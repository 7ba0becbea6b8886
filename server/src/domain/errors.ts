/**
 * What may go wrong and is expected. One code has one HTTP status and one FHIR issue type (`fhir/outcome.ts`).
 * `diagnostics` never holds personal data other than what the caller sent in this very request.
 */
export type ErrorCode =
  | 'invalid-json' // 400
  | 'invalid-structure' // 400
  | 'invalid-request' // 400 parameter, header or URL
  | 'no-common-name' // 400
  | 'no-certificate' // 401
  | 'certificate-refused' // 403
  | 'token-refused' // 401
  | 'password-refused' // 401
  | 'client-refused' // 403 a token or a password of a client that may not call
  | 'insufficient-scope' // 403 of a token
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'unknown-authority' // 400 $ihe-pix source
  | 'unknown-target-authority' // 403 $ihe-pix target
  | 'method-not-allowed' // 405
  | 'not-acceptable' // 406
  | 'conflict' // 409
  | 'deleted' // 410
  | 'several-matches' // 412
  | 'version-conflict' // 412
  | 'too-large' // 413
  | 'unsupported-media-type' // 415
  | 'business-rule' // 422
  | 'too-many-requests' // 429
  | 'too-slow' // 408
  | 'busy' // 503 queue full or too old
  | 'not-ready' // 503
  | 'issuer-unreachable' // 503 the keys of a token's issuer cannot be had
  | 'no-space' // 503 the disk's watermark
  | 'internal'; // 500

/** One issue of an outcome: `expression` is the FHIRPath of the element it is about. */
export interface Issue {
  readonly severity: 'error' | 'warning' | 'information';
  readonly diagnostics: string;
  readonly expression?: string;
  /** FHIR issue type where it is another than the severity and the refusal's code say. */
  readonly type?: 'not-found';
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
}

/** The one error class. Expected outcomes inside a use case are values (`Refusal`); at an edge they may be thrown. */
export class RegistryError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];

  constructor(code: ErrorCode, issues: readonly Issue[] | string, options?: ErrorOptions) {
    const list = typeof issues === 'string' ? [{ severity: 'error' as const, diagnostics: issues }] : issues;
    super(list.map((issue) => issue.diagnostics).join('; '), options);
    this.name = 'RegistryError';
    this.code = code;
    this.issues = list;
  }
}
