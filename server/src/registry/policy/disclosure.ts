import type { Principal } from '../../domain/principals.ts';
import type { Authorities } from './authorities.ts';

/*
 * Who may see what of a Patient (design §8). A client without the scope `demographics` sees its own records whole; of
 * others ids, links and some identifiers.
 */

/** Whether the principal sees a record of `source` whole. */
export const seesWhole = (principal: Principal, source: string): boolean => seesEverybody(principal) || source === principal.name;

/** Whether the principal sees every record whole. */
export const seesEverybody = ({ scopes }: Principal): boolean => scopes.includes('demographics');

/**
 * Of others' records: identifiers of every source authority, and of a shared one only where the asker has itself stated
 * a value in that system for this person. Identifiers of unknown systems are nobody else's business.
 */
export const seesIdentifier = (authorities: Authorities, system: string, stated: ReadonlySet<string>): boolean => {
  const kind = authorities.find(system)?.kind;
  return kind === 'source' || (kind === 'shared' && stated.has(system));
};
