/** Who issues identifiers of a system (design §8). */
export interface AssigningAuthority {
  readonly uri: string;
  /** `source`: its identifiers name records. `shared` (national id, ART number): evidence only. */
  readonly kind: 'source' | 'shared';
  /** The client that alone may state its identifiers; null for a shared one, and for a source of every client. */
  readonly owner: string | null;
  readonly name: string | null;
}

/** `open`: identifiers of unknown systems are accepted with a warning; `strict`: refused. */
export type AuthorityMode = 'open' | 'strict';
