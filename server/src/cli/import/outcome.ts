/** What became of one row. */
export type LoadOutcome =
  { readonly status: 'created' | 'updated' | 'unchanged' } | { readonly status: 'refused'; readonly reason: string };
