import { describe, expect, it } from 'vitest';
import { errorCodes, operationOutcome, statusOf } from './outcome.ts';
import { refuse, warning } from './refusal.ts';

/** R4 valueset-issue-type. */
const issueTypes =
  'invalid structure required value invariant security login unknown expired forbidden suppressed processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational'.split(
    ' ',
  );

describe('an OperationOutcome', () => {
  it.each(errorCodes)('of %s has an HTTP error status and an issue type of R4', (code) => {
    expect(statusOf(code)).toBeGreaterThanOrEqual(400);
    expect(issueTypes).toContain(operationOutcome(refuse(code, 'x')).issue[0]?.code);
  });

  it.each([
    ['invalid-structure', 400],
    ['unknown-authority', 400],
    ['unknown-target-authority', 403],
    ['several-matches', 412],
    ['business-rule', 422],
    ['busy', 503],
  ] as const)('%s is %i', (code, status) => {
    expect(statusOf(code)).toBe(status);
  });

  it('names the element, and keeps a warning a warning', () => {
    expect(operationOutcome(refuse('business-rule', 'No.', 'Patient.birthDate')).issue).toEqual([
      { severity: 'error', code: 'business-rule', diagnostics: 'No.', expression: ['Patient.birthDate'] },
    ]);
    expect(operationOutcome([warning('Odd.')]).issue).toEqual([{ severity: 'warning', code: 'processing', diagnostics: 'Odd.' }]);
  });

  it('has an issue even when there is nothing to say', () => {
    expect(operationOutcome([]).issue).toMatchObject([{ severity: 'information', code: 'informational' }]);
  });
});
