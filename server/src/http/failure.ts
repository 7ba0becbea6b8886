import { RegistryError, type Refusal } from '../domain/errors.ts';
import { operationOutcome, statusOf } from '../fhir/outcome.ts';
import { refuse } from '../fhir/refusal.ts';
import type { Answer } from './exchange.ts';

/** Codes that may pass if the request is sent again later. */
const RETRY: readonly string[] = ['busy', 'not-ready', 'issuer-unreachable', 'no-space', 'too-many-requests'];

/** A refusal as an answer: its status, its OperationOutcome, and when to try again. */
export const failure = (refusal: Refusal): Answer => ({
  status: statusOf(refusal.code),
  ...(RETRY.includes(refusal.code) && { headers: { 'retry-after': '5' } }),
  body: operationOutcome(refusal),
  refusal,
});

/** What Fastify refuses, by its error's code. */
const frameworkRefusals: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: refuse('too-large', 'The body is too large.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: refuse('invalid-request', 'Content-Length does not fit the body.'),
  FST_ERR_BAD_URL: refuse('invalid-request', 'The URL cannot be decoded.'),
  FST_ERR_MAX_PARAM_LENGTH: refuse('invalid-request', 'A part of the URL is too long.'),
  // Of the method QUERY, before routes are looked at.
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: refuse('invalid-request', 'The request has no Content-Type.'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: refuse('unsupported-media-type', 'The Content-Type is none.'),
  ECONNRESET: refuse('invalid-request', 'The body ended early.'),
  ERR_STREAM_PREMATURE_CLOSE: refuse('invalid-request', 'The body ended early.'),
};

const INTERNAL = refuse('internal', 'The registry failed on this request; nothing was kept. Its log has the request id.');

/** Why a request failed; `internal` for what nobody expected. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof RegistryError) return { code: error.code, issues: error.issues };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (Object.hasOwn(frameworkRefusals, code) ? frameworkRefusals[code] : undefined) ?? INTERNAL;
}

/** What of an unexpected error may go to a log: its class and where it was thrown. Its message may hold personal data. */
export const describeError = (error: unknown): { readonly name: string; readonly frames: readonly string[] } =>
  error instanceof Error
    ? { name: error.name, frames: error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [] }
    : { name: 'unknown', frames: [] };
