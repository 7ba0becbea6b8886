import type { Grant } from '../../domain/principals.ts';
import type { Method } from '../server.ts';

/** Routes whose method does not tell their transaction. */
const BY_URL: readonly (readonly [end: RegExp, grant: Grant | null])[] = [
  [/\/metadata$/, null],
  [/\/AuditEvent\b/, 'audit'],
  [/\/\$ihe-pix$/, 'ITI-83'],
  [/\/\$match$|\/match\/matches$/, 'ITI-119'],
  [/\/_search$/, 'ITI-78'],
];

/**
 * What a token has to allow for a route (IUA scopes of PIXm and PDQm): what reads Patients is ITI-78, what writes them
 * ITI-104, so that a new route is never open to every token.
 */
export const grantFor = (method: Method, url: string): Grant | null => {
  const known = BY_URL.find(([end]) => end.test(url));
  if (known) return known[1];
  return method === 'GET' || method === 'HEAD' ? 'ITI-78' : 'ITI-104';
};
