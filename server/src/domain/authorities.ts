/** Ways to reckon a check digit that an authority may name. */
export const CHECK_DIGITS = [
  'luhn',
  'verhoeff',
  'damm',
  'gtin',
  'mod11-2',
  'mod11-10',
  'mod37-2',
  'mod37-36',
  'mod97-10',
] as const;
export type CheckDigit = (typeof CHECK_DIGITS)[number];

/** Who issues identifiers of a system (design §8). */
export interface AssigningAuthority {
  /** The name of the domain in answers. */
  readonly uri: string;
  /** Its other names, whose identifiers are the same: OIDs as `urn:oid:…`, other URLs. */
  readonly aliases: readonly string[];
  /** `source`: its identifiers name records. `shared` (national id, ART number): evidence only. */
  readonly kind: 'source' | 'shared';
  /** The client that alone may state its identifiers; null for a shared one, and for a source of every client. */
  readonly owner: string | null;
  /** For people; what `$ihe-pix` calls the assigner. */
  readonly name: string | null;
  /** A regular expression of RE2 that a whole value matches; null: any value. */
  readonly format: string | null;
  readonly checkDigit: CheckDigit | null;
  /** Whether a value that breaks the form is refused; null: in strict mode. */
  readonly enforce: boolean | null;
  /** False: it gives no identifiers any more; those that it gave are known. */
  readonly active: boolean;
}

/** An authority of which nothing more is known. */
export const plainAuthority = (known: Pick<AssigningAuthority, 'uri' | 'kind' | 'owner' | 'name'>): AssigningAuthority => ({
  aliases: [],
  format: null,
  checkDigit: null,
  enforce: null,
  active: true,
  ...known,
});

/** `open`: identifiers of unknown systems are accepted with a warning; `strict`: refused. */
export type AuthorityMode = 'open' | 'strict';
