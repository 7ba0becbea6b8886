/** REST-10: which web pages of other origins may read the answers, and send what a page cannot send unasked (Fetch, "CORS protocol"). */
import type { FastifyCorsOptions } from '@fastify/cors';

const SENT = ['Accept', 'Authorization', 'Content-Type', 'Prefer', 'X-Request-Id', 'X-Correlation-Id'];
const CONDITIONS = ['If-Match', 'If-None-Match', 'If-None-Exist', 'If-Modified-Since'];
const READ = ['Location', 'Content-Location', 'LocationCRUID', 'ETag', 'Last-Modified', 'Allow', 'Retry-After'];
const IDS = ['X-Request-Id', 'X-Correlation-Id', 'WWW-Authenticate'];
const TEN_MINUTES = 600;

/**
 * For exactly these origins; a page of any other is answered as if it were none. A browser shows its certificate or its
 * login only where credentials are allowed, and never with the question beforehand: that one is answered to everybody.
 */
export const corsOf = (origins: readonly string[]): FastifyCorsOptions => ({
  origin: (origin, answer) => {
    answer(null, origin !== undefined && origins.includes(origin) ? origin : false);
  },
  credentials: true,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
  allowedHeaders: [...SENT, ...CONDITIONS],
  exposedHeaders: [...READ, ...IDS],
  maxAge: TEN_MINUTES,
  strictPreflight: false,
});
