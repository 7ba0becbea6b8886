import type { Issue } from '../domain/errors.ts';
import { operationOutcome } from './outcome.ts';
import type { Bundle, BundleEntry, KeptResource } from './r4.ts';
import { pageParameter, type Parameter, type PatientSearch } from './search.ts';

export interface SearchAnswer {
  /** Base url of this server, without a slash at the end. */
  readonly base: string;
  /** What was searched for. */
  readonly type: KeptResource['resourceType'];
  readonly search: Pick<PatientSearch, 'used' | 'after'>;
  /** null: not counted. */
  readonly total: number | null;
  readonly matches: readonly KeptResource[];
  readonly included: readonly KeptResource[];
  /** Where the next page begins; null on the last. */
  readonly next: string | null;
  readonly remarks?: readonly Issue[];
}

/** The answer to a search (R4 bundle.html#searchset). `total` counts matches, not what is included. */
export const searchset = (answer: SearchAnswer): Bundle => {
  const { base, type, search, total, matches, included, next, remarks = [] } = answer;
  const self = [...search.used, ...(search.after === null ? [] : [[pageParameter, search.after] satisfies Parameter])];
  const urlOf = (query: readonly Parameter[]): string =>
    `${base}/${type}${query.length > 0 ? `?${new URLSearchParams(query).toString()}` : ''}`;
  const entryOf = (resource: KeptResource, mode: 'match' | 'include'): BundleEntry => ({
    fullUrl: `${base}/${resource.resourceType}/${resource.id ?? ''}`,
    resource,
    search: { mode },
  });
  const entry: readonly BundleEntry[] = [
    ...matches.map((match) => entryOf(match, 'match')),
    ...included.map((resource) => entryOf(resource, 'include')),
    ...(remarks.length > 0 ? [{ resource: operationOutcome(remarks), search: { mode: 'outcome' as const } }] : []),
  ];
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total !== null && { total }),
    link: [
      { relation: 'self', url: urlOf(self) },
      ...(next === null ? [] : [{ relation: 'next', url: urlOf([...search.used, [pageParameter, next]]) }]),
    ],
    ...(entry.length > 0 && { entry }),
  };
};
