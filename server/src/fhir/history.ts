import type { Bundle, BundleEntry, Patient } from './r4.ts';

/** A version of a Patient, or that it was deleted in this one. */
export type HistoryVersion =
  Patient | { readonly deleted: { readonly id: string; readonly version: number; readonly lastUpdated: string } };

export interface HistoryAnswer {
  readonly base: string;
  /** All versions there are; null: not counted. */
  readonly total: number | null;
  /** Newest first. */
  readonly versions: readonly HistoryVersion[];
  /** Url of the page shown, and of the next one where there is one. */
  readonly self: string;
  readonly next: string | null;
}

const entryOf = (base: string, version: HistoryVersion): BundleEntry => {
  if ('deleted' in version) {
    const { id, version: number, lastUpdated } = version.deleted;
    return {
      fullUrl: `${base}/Patient/${id}`,
      request: { method: 'DELETE', url: `Patient/${id}` },
      response: { status: '204', etag: `W/"${number}"`, lastModified: lastUpdated },
    };
  }
  const { id = '', meta: { versionId = '', lastUpdated } = {} } = version;
  const created = versionId === '1';
  return {
    fullUrl: `${base}/Patient/${id}`,
    resource: version,
    request: created ? { method: 'POST', url: 'Patient' } : { method: 'PUT', url: `Patient/${id}` },
    response: {
      status: created ? '201' : '200',
      etag: `W/"${versionId}"`,
      ...(lastUpdated !== undefined && { lastModified: lastUpdated }),
    },
  };
};

/** `GET Patient/{id}/_history`, `GET Patient/_history` (R4 http.html#history). A conditional action shows as the plain one: version 1 was created. */
export const historyBundle = ({ base, total, versions, self, next }: HistoryAnswer): Bundle => ({
  resourceType: 'Bundle',
  type: 'history',
  ...(total !== null && { total }),
  link: [{ relation: 'self', url: self }, ...(next === null ? [] : [{ relation: 'next', url: next }])],
  ...(versions.length > 0 && { entry: versions.map((version) => entryOf(base, version)) }),
});
