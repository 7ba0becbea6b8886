import type { Refusal } from '../domain/errors.ts';
import type { Identifier } from '../domain/identity.ts';
import { isLogicalId } from './logical-id.ts';
import { isRefusal, refuse } from './refusal.ts';
import { identifierToken, type Params } from './tokens.ts';

/** A Patient that a request is about: by its id, or by an identifier that names it. */
export type PatientTarget = { readonly kind: 'id'; readonly id: string } | ({ readonly kind: 'identifier' } & Identifier);

/** The Patient of `PUT Patient/id`. */
export const targetById = (id: string): PatientTarget | Refusal =>
  isLogicalId(id) ? { kind: 'id', id } : refuse('invalid-request', 'An id is 1 to 64 letters, digits, dashes or dots.');

/** The Patient of `PUT Patient?identifier=s|v`. */
export const targetByIdentifier = (params: Params): PatientTarget | Refusal => {
  const identifier = conditionalIdentifier(params);
  return isRefusal(identifier) ? identifier : { kind: 'identifier', ...identifier };
};

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
