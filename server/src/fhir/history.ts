import type { Bundle, Patient } from './r4.ts';

export interface HistoryAnswer {
  readonly base: string;
  readonly id: string;
  readonly total: number;
  /** Newest first. */
  readonly versions: readonly Patient[];
  /** Url of the page shown, and of the next one where there is one. */
  readonly self: string;
  readonly next: string | null;
}

/** `GET Patient/{id}/_history` (R4 http.html#history). A conditional action shows as the plain one: version 1 was created. */
export const historyBundle = ({ base, id, total, versions, self, next }: HistoryAnswer): Bundle => ({
  resourceType: 'Bundle',
  type: 'history',
  total,
  link: [{ relation: 'self', url: self }, ...(next === null ? [] : [{ relation: 'next', url: next }])],
  ...(versions.length > 0 && {
    entry: versions.map((resource) => {
      const { versionId = '', lastUpdated } = resource.meta ?? {};
      const created = versionId === '1';
      return {
        fullUrl: `${base}/Patient/${id}`,
        resource,
        request: created ? { method: 'POST', url: 'Patient' } : { method: 'PUT', url: `Patient/${id}` },
        response: {
          status: created ? '201' : '200',
          etag: `W/"${versionId}"`,
          ...(lastUpdated !== undefined && { lastModified: lastUpdated }),
        },
      };
    }),
  }),
});
