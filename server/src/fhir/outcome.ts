import type { ErrorCode, Issue, Refusal } from '../domain/errors.ts';
import type { OperationOutcome } from './r4.ts';

/** The one table from what went wrong to its HTTP status and FHIR issue type (R4 http.html, valueset-issue-type). */
const table: Record<ErrorCode, { readonly status: number; readonly issueType: string }> = {
  'invalid-json': { status: 400, issueType: 'structure' },
  'invalid-structure': { status: 400, issueType: 'structure' },
  'invalid-request': { status: 400, issueType: 'invalid' },
  'no-common-name': { status: 400, issueType: 'security' },
  'no-certificate': { status: 401, issueType: 'login' },
  'certificate-refused': { status: 403, issueType: 'security' },
  'token-refused': { status: 401, issueType: 'login' },
  'password-refused': { status: 401, issueType: 'login' },
  'client-refused': { status: 403, issueType: 'security' },
  'insufficient-scope': { status: 403, issueType: 'forbidden' },
  forbidden: { status: 403, issueType: 'forbidden' },
  'not-found': { status: 404, issueType: 'not-found' },
  // PIXm ITI-83, cases 3 and 4: the code is code-invalid for both, the status differs.
  'unknown-authority': { status: 400, issueType: 'code-invalid' },
  'unknown-target-authority': { status: 403, issueType: 'code-invalid' },
  'method-not-allowed': { status: 405, issueType: 'not-supported' },
  'not-acceptable': { status: 406, issueType: 'not-supported' },
  conflict: { status: 409, issueType: 'conflict' },
  deleted: { status: 410, issueType: 'deleted' },
  'several-matches': { status: 412, issueType: 'multiple-matches' },
  'version-conflict': { status: 412, issueType: 'conflict' },
  'too-large': { status: 413, issueType: 'too-long' },
  'unsupported-media-type': { status: 415, issueType: 'not-supported' },
  'business-rule': { status: 422, issueType: 'business-rule' },
  'too-many-requests': { status: 429, issueType: 'throttled' },
  'too-slow': { status: 408, issueType: 'timeout' },
  busy: { status: 503, issueType: 'transient' },
  'not-ready': { status: 503, issueType: 'transient' },
  'issuer-unreachable': { status: 503, issueType: 'transient' },
  'no-space': { status: 503, issueType: 'no-store' },
  internal: { status: 500, issueType: 'exception' },
};

export const statusOf = (code: ErrorCode): number => table[code].status;

/** R4 valueset-issue-type. */
export const issueTypeOf = (code: ErrorCode): string => table[code].issueType;

/** Every code, for tables in tests and documents. */
export const errorCodes = Object.keys(table) as readonly ErrorCode[];

const typeOf = ({ severity, type }: Issue, code: ErrorCode | undefined): string => {
  if (type !== undefined) return type;
  if (severity === 'information') return 'informational';
  return severity === 'error' && code !== undefined ? table[code].issueType : 'processing';
};

/** An outcome of a refusal, or of the warnings of something accepted; without any it says that all is well. */
export const operationOutcome = (outcome: Refusal | readonly Issue[]): OperationOutcome => {
  const { code, issues } = 'issues' in outcome ? outcome : { code: undefined, issues: outcome };
  const listed: readonly Issue[] =
    issues.length > 0 ? issues : [{ severity: 'information', diagnostics: 'Done, without remarks.' }];
  return {
    resourceType: 'OperationOutcome',
    issue: listed.map((issue) => ({
      severity: issue.severity,
      code: typeOf(issue, code),
      diagnostics: issue.diagnostics,
      ...(issue.expression !== undefined && { expression: [issue.expression] }),
    })),
  };
};
