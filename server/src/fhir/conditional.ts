import type { Refusal } from '../domain/errors.ts';
import type { Identifier } from '../domain/identity.ts';
import { refuse } from './refusal.ts';
import { identifierToken, type Params } from './tokens.ts';

/**
 * The identifier of `PUT Patient?identifier=s|v` (ITI-104). One identifier with system and value and nothing else names a
 * record; any other condition is refused (400).
 */
export const conditionalIdentifier = (params: Params): Identifier | Refusal => {
  const [first, ...more] = [...params].filter(([name]) => name !== '_format' && name !== '_pretty');
  if (first === undefined || first[0] !== 'identifier' || more.length > 0)
    return refuse('invalid-request', 'A conditional request names the record by one parameter: identifier=system|value.');
  const token = identifierToken(first[1]);
  if (!token?.system || token.value === null)
    return refuse(
      'invalid-request',
      'The identifier of a conditional request has a system and a value: identifier=system|value.',
    );
  return { system: token.system, value: token.value };
};
