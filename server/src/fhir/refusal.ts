import type { ErrorCode, Issue, Refusal } from '../domain/errors.ts';

export const error = (diagnostics: string, expression?: string): Issue => issue('error', diagnostics, expression);
export const warning = (diagnostics: string, expression?: string): Issue => issue('warning', diagnostics, expression);

const issue = (severity: Issue['severity'], diagnostics: string, expression?: string): Issue => ({
  severity,
  diagnostics,
  ...(expression !== undefined && { expression }),
});

/** A refusal with one issue; `expression` is the FHIRPath of the element at fault. */
export const refuse = (code: ErrorCode, diagnostics: string, expression?: string): Refusal => ({
  code,
  issues: [error(diagnostics, expression)],
});

/** Tells a refusal from the outcome that a function of this folder gives otherwise. */
export const isRefusal = (outcome: unknown): outcome is Refusal =>
  typeof outcome === 'object' && outcome !== null && 'code' in outcome && 'issues' in outcome;
