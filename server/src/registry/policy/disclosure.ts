import type { Identifier } from '../../domain/identity.ts';
import type { Principal } from '../../domain/principals.ts';
import type { Authorities } from './authorities.ts';

/**
 * Who may see what of a Patient (design §8). A client without the scope `demographics` sees its own records whole; of
 * others ids, links and the identifiers that `identifiers` keeps.
 */
export type Disclosure = { readonly kind: 'whole' } | { readonly kind: 'stripped'; readonly identifiers: readonly Identifier[] };

export interface Shown {
  /** Client that submitted the record. */
  readonly source: string;
  readonly identifiers: readonly Identifier[];
  /** Systems in which the asking client has itself stated a value for this person. */
  readonly statedSystems: ReadonlySet<string>;
}

/** Of others: identifiers of every source authority, and of shared ones only where the asker has stated one itself. */
const maySee = (authorities: Authorities, shown: Shown, identifier: Identifier): boolean => {
  const kind = authorities.find(identifier.system)?.kind;
  return kind === 'source' || (kind === 'shared' && shown.statedSystems.has(identifier.system));
};

export function disclose(authorities: Authorities, principal: Principal, shown: Shown): Disclosure {
  if (principal.scopes.includes('demographics') || shown.source === principal.name) return { kind: 'whole' };
  return { kind: 'stripped', identifiers: shown.identifiers.filter((identifier) => maySee(authorities, shown, identifier)) };
}
